"""The package computes what the recipe trained. Needs torch, which is not a dependency."""

import json
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the recipe alone needs it")
ctranslate2 = pytest.importorskip("ctranslate2", reason="the extra 'translate' is not installed")

from ingest.translation.packages.package import load_zip  # noqa: E402
from lang_models.encoder.data import SOURCES  # noqa: E402
from lang_models.translate.convert import build_spec, write_package  # noqa: E402
from lang_models.translate.corpus import BOS, EOS, PAD, Corpus, Texts  # noqa: E402
from lang_models.translate.data import PASSES  # noqa: E402
from lang_models.translate.network import Shape, Translator  # noqa: E402
from lang_models.translate.recipe import license_text  # noqa: E402
from lang_models.translate.train import orthogonalize  # noqa: E402

PIECES = ["<unk>", "<s>", "</s>", "<pad>", *(f"▁{i}" for i in range(36))]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    shape = Shape(vocabulary=len(PIECES), width=32, inner=64, heads=4, encoder=2, decoder=2)
    return Translator(shape, PAD).eval()


def log_probabilities(network, source, target):
    inputs = torch.tensor([[*source, EOS]]), torch.tensor([[BOS, *target]])
    with torch.no_grad():
        logits = network(*inputs) @ network.table.T + network.bias
    at = torch.tensor([*target, EOS])
    return logits[0].log_softmax(-1)[torch.arange(len(at)), at].numpy()


def test_the_package_computes_what_was_trained(network, tmp_path):
    for name in ("first", "second"):  # converting leaves the network as it was
        spec = build_spec(network, PIECES)
        spec.optimize(quantization="int8")
        (tmp_path / name).mkdir()
        spec.save(str(tmp_path / name))
    spec = build_spec(network, PIECES)
    (tmp_path / "exact").mkdir()
    spec.optimize()
    spec.save(str(tmp_path / "exact"))
    source, target = [7, 9, 20, 31, 5], [12, 12, 38, 4]
    expected = log_probabilities(network, source, target)
    for name, tolerance in (("exact", 1e-4), ("first", 0.2), ("second", 0.2)):
        translator = ctranslate2.Translator(str(tmp_path / name), compute_type="default")
        scored = translator.score_batch(
            [[PIECES[i] for i in source]], [[PIECES[i] for i in target]]
        )[0]
        np.testing.assert_allclose(scored.log_probs, expected, atol=tolerance)


def test_the_package_includes_its_license(network, tmp_path):
    path = tmp_path / "made.argosmodel"
    write_package(
        path, network, b"pieces", PIECES,
        source="en", target="ar", version="1.0", readme="For tests.", license=license_text(),
    )  # fmt: skip
    with zipfile.ZipFile(path) as archive:
        about = json.loads(archive.read("translate-en_ar-1_0/metadata.json"))
    assert about["license"] == "CC BY-SA 4.0"
    text = load_zip(path).license
    assert text.startswith("This model is released under CC BY-SA 4.0")
    assert "https://creativecommons.org/licenses/by-sa/4.0/" in text
    assert "| tico19 | tico-19/tico-19.github.io data/TM/all.en-ar.tmx.zip | CC0 |" in text
    table = text[text.index("|") :].split("\n")
    assert {row.count("|") for row in table} == {4}
    assert {name for name, (_, passes) in SOURCES.items() if PASSES.get(name, passes)} <= {
        row.split("|")[1].strip() for row in table
    } | {name for name in SOURCES if name.startswith("dict_")}
    assert "bible_vandyck" not in text


def test_padding_changes_nothing(network):
    alone = torch.tensor([[7, 9, EOS]]), torch.tensor([[BOS, 12]])
    padded = torch.tensor([[7, 9, EOS, PAD, PAD]]), torch.tensor([[BOS, 12]])
    with torch.no_grad():
        np.testing.assert_allclose(network(*alone), network(*padded), atol=1e-3)


def test_an_orthogonal_update():
    update = orthogonalize(
        torch.randn(2, 16, 48, generator=torch.Generator().manual_seed(0))
    ).float()
    values = torch.linalg.svdvals(update)
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_batches_have_each_pair_once_and_keep_its_pieces():
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 30, (2, 200)).astype(np.int32)
    ids = [rng.integers(4, 40, side.sum()).astype(np.int32) for side in sizes]
    corpus = Corpus.build(list(zip(ids, sizes, strict=True)), "cpu")
    seen = []
    for rows in corpus.draw_batches(300, np.random.default_rng(1)):
        seen += rows.tolist()
        for side in (0, 1):
            padded = corpus.pad(side, rows).numpy()
            assert padded.shape[1] % 8 == 1
            assert corpus.count(side, rows) == (padded[:, 1:] != PAD).sum()
            for row, line in zip(rows, padded.tolist(), strict=True):
                start = int(sizes[side][:row].sum())
                pieces = ids[side][start : start + sizes[side][row]].tolist()
                assert line[: len(pieces) + 2] == [BOS, *pieces, EOS]
                assert set(line[len(pieces) + 2 :]) <= {PAD}
    assert sorted(seen) == list(range(200))


def test_texts_come_back_as_lines(tmp_path):
    texts = Texts(["a\tb", "c\nd"], ["ب", "ت\u2028ث"], np.array([0.5, 2], np.float32))
    texts.write(tmp_path / "texts.tsv")
    read = Texts.read(tmp_path / "texts.tsv")
    assert read.english == ["a b", "c d"]
    assert read.arabic == ["ب", "ت ث"]
    assert read.passes.tolist() == [0.5, 2.0]
