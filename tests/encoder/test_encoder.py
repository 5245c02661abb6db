"""The sentence encoder: vectors, words, stems, subwords, and damaged model files."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.encoder import model as module
from ingest.encoder import subwords as subwords_module
from ingest.encoder import tokens as tokens_module
from ingest.encoder.lexicon import Lexicon
from ingest.encoder.model import FILE, Encoder, SentenceEncoder, load
from ingest.encoder.stems import split_words
from ingest.encoder.subwords import SubwordTable, consonants
from ingest.encoder.tokens import Lines, tokens
from ingest.encoder.words import SIGNS, features, skeleton, split, words
from ingest.errors import MissingExtraError, ModelError
from ingest.resources import model_dir

TEXTS = ["Where is the school?", "أين المدرسة؟", "Layla paid 1,500 pounds.", "دفعت ليلى ١٥٠٠ جنيه."]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load()


def test_shapes_and_dtype(encoder: Encoder):
    rows = encoder.encode(TEXTS)
    assert rows.shape == (4, encoder.dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dim)
    assert encoder.encode(pl.Series(TEXTS)).tobytes() == rows.tobytes()


def test_a_translation_is_the_nearest_row(encoder: Encoder):
    rows = encoder.encode(TEXTS)
    cosine = rows @ rows.T - 2 * np.eye(4)
    assert cosine.argmax(1).tolist() == [1, 0, 3, 2]


@pytest.mark.parametrize("text", ["", " ", "\u200f", "…", "\n"])
def test_a_text_without_words_is_zeros(encoder: Encoder, text: str):
    assert not encoder.encode([text]).any()
    assert not encoder.encode(["", text]).any()


@given(st.lists(st.text(max_size=40), max_size=6), st.randoms(use_true_random=False))
def test_a_row_depends_on_its_text_alone(texts: list[str], random):
    encoder = Encoder.load()
    rows = encoder.encode(texts)
    assert np.isfinite(rows).all()
    order = list(range(len(texts)))
    random.shuffle(order)
    assert encoder.encode([texts[i] for i in order]).tobytes() == rows[order].tobytes()
    for text, row in zip(texts, rows, strict=True):
        assert encoder.encode([text]).tobytes() == row.tobytes()


def test_sums_are_additive(encoder: Encoder):
    parts = encoder.encode_sums(TEXTS)
    whole = encoder.encode_sums([" ".join(TEXTS)])[0]
    np.testing.assert_allclose(parts.sum(0), whole, atol=1e-4 * np.abs(whole).max())
    assert encoder.encode(TEXTS, normalize=False).tobytes() == parts.tobytes()


def test_case_marks_and_spelling_do_not_count(encoder: Encoder):
    marked = encoder.encode(["إِلَى المَدْرَسَةِ", "The School", "٢٠٢٠", "1,500,000"])
    plain = encoder.encode(["الى المدرسه", "the school", "2020", "1500000"])
    assert marked.tobytes() == plain.tobytes()


def test_large_and_small_calls_agree(encoder: Encoder, monkeypatch):
    texts = [f"{text} {i}" for i in range(50) for text in TEXTS]
    rows = encoder.encode(texts)
    monkeypatch.setattr(module, "_CHUNK", 7)
    monkeypatch.setattr(module, "_BLOCK", 3)
    assert encoder.encode(texts).tobytes() == rows.tobytes()


LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويabcdefghiklmnopqrstuvwxyz'éжσ"
WORDS = st.lists(
    st.one_of(
        st.text("والبكفسهماتينم", min_size=1, max_size=9),
        st.builds(
            str.__add__,
            st.text("bcdelnosty'", min_size=1, max_size=6),
            st.sampled_from(["s", "'s", "es", "ies", "sses", "ied", "ing", "ed", "ly", "y", "e"]),
        ),
        st.text(LETTERS, min_size=1, max_size=45),
        st.from_regex(r"[0-9]{1,20}|[?!%$]", fullmatch=True),
    ),
    min_size=1,
    max_size=30,
    unique=True,
)


@given(WORDS)
def test_words_have_the_same_rows_in_a_batch_and_alone(batch: list[str]):
    seen = {f"s:{stem}": n for n, stem in enumerate(("كتاب", "الب", "مات", "بات"), 5)}
    names = dict.fromkeys(name for word in batch[::2] for name in features(word, seen))
    shared = [f"#{kind}{n}" for kind in "kn" for n in range(0, 8192, 3)]
    rows = {name: i for i, name in enumerate([*names, *shared]) if name[:2] != "w:"}
    results = []
    for few in (0, 100):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(subwords_module, "FEW", few)
            results.append(SubwordTable(rows, seen).rows_of(batch))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(*results, strict=True))


@given(WORDS)
def test_stems_and_consonants_of_a_batch(batch: list[str]):
    batch = [word for word in batch if word[0].isalpha()]
    seen = {f"s:{stem}": n for n, stem in enumerate(("كتاب", "الب", "مات", "بات"), 5)}
    series = pl.Series(batch, dtype=pl.String)
    clitics, stems = split_words(
        series, lambda names: np.array([seen.get(f"s:{s}", 0) for s in names])
    )
    assert list(zip(clitics, stems, strict=True)) == [split(word, seen) for word in batch]
    skeletons = [""] * len(batch)
    for sign, word in zip(*map(np.ndarray.tolist, consonants(series)), strict=True):
        skeletons[word] += SIGNS[sign - 1]
    assert skeletons == [skeleton(word) for word in batch]


@given(st.lists(st.text(max_size=40), max_size=6))
def test_tokens_are_the_words_of_each_text(texts: list[str]):
    column = tokens_module.strings(texts)
    lists = words(column).to_list()
    for few in (0, 100):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tokens_module, "FEW", few)
            patch.setattr(tokens_module, "_CHUNK", 2)
            for result in (tokens(column), Lines(texts).tokens):
                assert result.lengths.tolist() == list(map(len, lists))
                flat = result.distinct.gather(result.code).to_list()
                assert flat == [word for row in lists for word in row]
                assert result.distinct.n_unique() == len(result.distinct)


def test_lines_and_their_texts_have_the_same_vectors(encoder: Encoder, monkeypatch):
    texts = [f"{text} {i}" for i in range(50) for text in TEXTS]
    rows = encoder.encode(texts)
    lines = Lines(texts)
    assert encoder.encode(lines).tobytes() == rows.tobytes()
    monkeypatch.setattr(module, "_CHUNK", 7)
    assert encoder.encode(lines).tobytes() == rows.tobytes()
    assert encoder.encode(Lines()).shape == (0, encoder.dim)


def test_more_new_words_than_fit_in_the_cache(encoder: Encoder, monkeypatch):
    texts = [" ".join(f"zq{'abcdefgh'[i]}{'klmnoprs'[j]}x" for j in range(8)) for i in range(8)]
    whole = encoder.encode([*texts, " ".join(texts)])
    monkeypatch.setattr(module, "_MAX_CACHED", 5)
    small = Encoder(model_dir("encoder") / FILE)
    for _ in range(2):
        np.testing.assert_allclose(small.encode([*texts, " ".join(texts)]), whole, atol=1e-6)


def test_unknown_names_match_across_scripts(encoder: Encoder):
    rows = encoder.encode(["Brzenkowska", "بزنكوفسكا", "Tarmidolf", "تارميدولف"])
    assert rows[2] @ rows[3] > rows[2] @ rows[1]


def test_long_words_and_surrogates_are_encoded(encoder: Encoder):
    assert np.isfinite(encoder.encode(["ا" * 100_000, "a\ud800b", "x" * 5000])).all()


def test_name_contains_the_hash_of_the_file(encoder: Encoder):
    assert len(encoder.sha) == 64
    assert encoder.name == f"encoder-{encoder.sha[:12]}"


def test_missing_and_damaged_files(tmp_path: Path):
    with pytest.raises(ModelError, match="missing"):
        Encoder.load(tmp_path)
    with pytest.raises(ModelError, match="none: no such folder"):
        load(tmp_path / "none")
    (tmp_path / FILE).write_bytes((model_dir("encoder") / FILE).read_bytes()[:5000])
    with pytest.raises(ModelError, match=f"{FILE}: .*reinstall"):
        Encoder.load(tmp_path)
    np.savez(tmp_path / "other.npz", a=np.zeros(1))
    with pytest.raises(ModelError, match=r"an array is missing.*settings"):
        Encoder.load(tmp_path / "other.npz")
    with np.load(model_dir("encoder") / FILE) as archive:
        arrays = dict(archive)
    np.savez(tmp_path / "short.npz", **arrays | {"seen": arrays["seen"][:-1]})
    with pytest.raises(ModelError, match=r"damaged.*differ in length"):
        Encoder.load(tmp_path / "short.npz")


def test_damaged_lexicon(tmp_path: Path):
    path = tmp_path / "lexicon.npz"
    with pytest.raises(ModelError, match=path.name):
        Lexicon.load(path)
    with np.load(model_dir("align") / path.name) as archive:
        arrays = dict(archive)
    np.savez(path, **arrays | {"counts": arrays["counts"][:-1]})
    with pytest.raises(ModelError, match=f"{path.name}: is damaged"):
        Lexicon.load(path)


def test_transformers_are_an_extra(tmp_path: Path, monkeypatch):
    (tmp_path / "modules.json").write_text("[]")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match="labse"):
        load(tmp_path)
    with pytest.raises(ModelError, match="not a directory"):
        module.Transformer(tmp_path / "none")


def test_the_shipped_encoder_satisfies_the_protocol():
    shipped: SentenceEncoder = load()
    assert shipped.dim == load().encode(["a"]).shape[1]


def test_the_file_is_small():
    assert (model_dir("encoder") / FILE).stat().st_size <= 25_000_000


def test_words_are_folded():
    lists = words(pl.Series(["Don’t", "ﷺ ﻻ", "كِتـــابٌ ١٬٢٣٤٬٥٦٧", "", "covid19"])).to_list()
    assert lists[0] == ["don't"]
    assert lists[2:] == [["كتاب", "1234567"], [], ["covid", "19"]]


@given(st.text(min_size=1, max_size=30))
def test_every_word_has_features(text: str):
    for word in words(pl.Series([text])).to_list()[0]:
        assert next(features(word, {})) == f"w:{word[:40]}"
