"""Machine translation of one side as evidence for alignment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import ingest
from ingest import alignment as verbs
from ingest.alignment import align_lines
from ingest.alignment.char_ngrams import SIZE, encode_ngrams
from ingest.alignment.decoding import align_sentences
from ingest.alignment.machine_translation import SideTranslator
from ingest.cli import main
from ingest.config import AlignConfig, TranslateConfig
from ingest.errors import ModelError
from ingest.translation.engine import Translation
from ingest.translation.packages.install import install

# Words that no lexicon has; the translator alone knows them
NONSENSE = ["بلغمش ترمسق", "قطرفن سلمغج", "دمشرق فنخلت", "زغبرت مقلسن",
           "خندرس لطبقم", "شبرقم وهندل", "طرخمس ضفنكر", "عجبلق نسردم"]  # fmt: skip
TRANSLATIONS = ["the blue heron waits", "nine lamps were sold", "a ladder of cedar", "rain fills the well",
        "his brother sews sails", "honey costs more now", "the gate stays open", "birds left early"]  # fmt: skip


class FixedTranslator:
    """A translator that knows only these lines."""

    from_lang, to_lang, name = "ar", "en", "fixed"

    def translate(self, texts):
        known = dict(zip(NONSENSE, TRANSLATIONS, strict=True))
        return [Translation(known[text], 1.0, ()) for text in texts]


def constant_encoder(texts):
    """An encoder for which all texts are the same."""
    return np.ones((len(texts), 4), np.float32)


def test_translations_find_the_pairs():
    translator = SideTranslator(FixedTranslator())
    given = {"langs": ("ar", "en"), "encode": constant_encoder}
    others = ["share this with a friend", "eleven comments", "our newsletter is free"]
    target = [*TRANSLATIONS[:2], others[0], *TRANSLATIONS[2:5], *others[1:], *TRANSLATIONS[5:]]
    right = [([i], [target.index(line)]) for i, line in enumerate(TRANSLATIONS)]
    assert [(f.source, f.target) for f in align_sentences(NONSENSE, target, **given)] != right
    aligned = align_sentences(NONSENSE, target, extra=translator.encode, **given)
    assert [(f.source, f.target) for f in aligned] == right
    lines = [([NONSENSE[i]], [TRANSLATIONS[i]]) for i in (0, 1)]
    assert translator.chrf(lines, "ar") == pytest.approx([100, 100])
    assert translator.chrf([(b, a) for a, b in lines], "en") == pytest.approx([100, 100])


def test_ngram_vectors_are_sums():
    whole, first, second = encode_ngrams(["قال كلمة", "قال", "كلمة"])
    assert whole.shape == (SIZE,)
    # n-grams across the border belong to neither
    assert np.abs(whole - first - second).sum() <= 6
    assert not encode_ngrams(["", " "]).any()


def test_the_command(tiny, tmp_path):
    install(tiny.make(tmp_path, source="ar", target="en"))
    folder = Path(ingest.samples()).parent / "parallel"
    sides = [
        (folder / f"library.{lang}.txt").read_text(encoding="utf-8").split("\n")
        for lang in ("ar", "en")
    ]
    config = AlignConfig(translate=True)
    forth = align_lines(*sides, config=config)
    back = align_lines(*sides[::-1], config=config)
    assert forth["chrf"].is_between(0, 100).all()
    assert "translate-ar_en" in forth["model"][0]
    assert forth["chrf"].to_list() == back["chrf"].to_list()
    assert forth["source_segments"].to_list() == back["target_segments"].to_list()
    assert align_lines(*sides)["chrf"].dtype == pl.Float32
    assert align_lines(*sides)["chrf"].null_count() == len(align_lines(*sides))


def test_the_settings_of_translation_apply(tiny, tmp_path, monkeypatch):
    install(tiny.make(tmp_path, source="ar", target="en"))
    folder = Path(ingest.samples()).parent / "parallel"
    given = []
    load = verbs.load_side_translator
    monkeypatch.setattr(verbs, "load_side_translator", lambda *how: given.append(how) or load(*how))
    (tmp_path / "c.toml").write_text("[translate]\nbeam_size = 3\n")
    files = [str(folder / f"library.{lang}.txt") for lang in ("ar", "en")]
    more = ["--translate", "--config", str(tmp_path / "c.toml"), "-o", str(tmp_path / "p.parquet")]
    assert main(["align", *files, *more]) == 0
    assert given == [(("ar", "en"), TranslateConfig(beam_size=3))]


def test_a_second_thread_and_a_package_that_comes_later(tiny, tmp_path):
    lines = ["كلمة واحدة هنا", "كلمة أخرى هناك"], ["one word here", "another word there"]

    def model():
        return align_lines(*lines, config=AlignConfig(translate=True))["model"][0]

    install(tiny.make(tmp_path / "a", source="en", target="ar"))
    first = model()
    assert "translate-en_ar" in first
    install(tiny.make(tmp_path / "b", source="ar", target="en"))
    with ThreadPoolExecutor(1) as thread:
        second = thread.submit(model).result()
        assert "translate-ar_en" in second
    lines = ["جملة ثالثة هنا"], ["a third line here"]
    assert model() == second  # by another thread, what it does not know yet


def test_a_missing_package_is_reported():
    with pytest.raises(ModelError, match="ingest models install"):
        align_lines(["كلمة واحدة هنا"], ["one word here"], config=AlignConfig(translate=True))
