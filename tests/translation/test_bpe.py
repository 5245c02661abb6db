"""Tokenizers of older packages: the same tokens as argostranslate's."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import MissingExtraError, ModelError

pytest.importorskip("sacremoses", reason="the extra 'translate' is not installed")

from ingest.translation.bpe import BpeTokenizer
from ingest.translation.model import load_tokenizer

WITH_END = "#version: 0.2\nt h\nth e</w>\nb i\nbi r\nbir d</w>\nال ب\nا ل\nي ت</w>\nt h\n"
END_ALONE = "t h\nth e\nthe </w>\nb i\nbi r\nd </w>\nا ل\nي ت\nيت </w>\n"
TEXTS = st.text(alphabet="thebird بيتالم.,<>&'\"-123😀\n_@", max_size=40) | st.text(max_size=20)


def parts(folder, merges: str | bytes) -> SimpleNamespace:
    path = folder / "bpe.model"
    path.write_bytes(merges if isinstance(merges, bytes) else merges.encode())
    return SimpleNamespace(path=folder, tokenizer=path.name, from_lang="en", to_lang="en")


def test_tokens_and_text(tmp_path):
    pieces = load_tokenizer(parts(tmp_path, WITH_END))
    tokens = pieces.encode(["the bird, the", "bx", "", " "])
    assert tokens == [["the", "bird", ",", "the"], ["b@@", "x"], [], []]
    assert [pieces.decode(one) for one in tokens] == ["the bird, the", "bx", "", ""]


@pytest.fixture(scope="module", params=[WITH_END, END_ALONE], ids=["0.2", "0.1"])
def tokenizers(request, tmp_path_factory):
    """Ours and argostranslate's."""
    theirs = pytest.importorskip(
        "argostranslate.tokenizer", reason="the extra 'argostranslate' is not installed"
    )
    path = parts(tmp_path_factory.mktemp("bpe"), request.param).path / "bpe.model"
    return BpeTokenizer(path, "en", "ar"), theirs.BPETokenizer(path, "en", "ar")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_same_as_argostranslate(tokenizers, text):
    ours, theirs = tokenizers
    tokens = ours.encode([text])[0]
    assert tokens == theirs.encode(text)
    assert ours.decode(tokens) == theirs.decode(tokens)


@pytest.mark.parametrize(
    ("merges", "why"),
    [
        ("t h e\n", "'t h e' is not a merge of two symbols"),
        ("#version: 0.3\nt h\n", "version is 0.3"),
        (b"\xff\xfe", "decode"),
    ],
)
def test_damaged(tmp_path, merges, why):
    with pytest.raises(ModelError, match=rf"cannot load bpe\.model: .*{why}"):
        load_tokenizer(parts(tmp_path, merges))


def test_missing(tmp_path):
    package = parts(tmp_path, WITH_END)
    (tmp_path / "bpe.model").unlink()
    with pytest.raises(ModelError, match=r"cannot load bpe\.model"):
        load_tokenizer(package)


def test_without_the_extra(tmp_path, monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == "sacremoses"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    with pytest.raises(MissingExtraError, match=r"^sacremoses.* .*ingest\[translate\]"):
        load_tokenizer(parts(tmp_path, WITH_END))
