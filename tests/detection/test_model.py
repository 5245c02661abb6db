"""Compare the tables with plain Python that counts n-grams one by one."""

from __future__ import annotations

import json
import math
import runpy
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langdetect.detector_factory import DetectorFactory
from langdetect.utils.ngram import NGram

from ingest.detection import identify, letter_counts, profiles
from ingest.detection.letter_counts import LetterCounts, letter_probabilities, load_counts
from ingest.detection.letter_folding import dropped_chars, fold, is_letter
from ingest.detection.ngram_table import NATS, Level
from ingest.detection.profiles import ALPHA, WEIGHTS, load_profile
from ingest.detection.text_batch import decode_batch, drop_chars
from ingest.errors import ModelError
from ingest.resources import model_dir

if TYPE_CHECKING:
    from pathlib import Path

ADDED = ("ps", "ckb", "sd", "ug")
TEXTS = [
    "The kettle was still warm, NATO said; McDonald’s agreed.",
    "Der Zug nach Köln hatte Verspätung!",
    "EIN WORT in Großbuchstaben",
    "",
    "a",
    "Tiếng Việt, Română și țară",
    "  two  spaces ",
]


def ngrams(text: str) -> list[str]:
    """Extract n-grams as langdetect does, with a space after the text."""
    grams, buffer = [], NGram()
    for char in f"{text} ":
        buffer.add_char(char)
        grams += [g for n in (1, 2, 3) if (g := buffer.get(n)) and g != " "]
    return grams


@given(st.one_of(st.sampled_from(TEXTS), st.text("aAbBé üßţș.,’ ğX", max_size=30)))
def test_profile_sums_match_a_count_of_ngrams(text: str):
    langs = ("en", "de", "ro", "vi")
    loaded = {lang: load_profile(lang) for lang in langs}
    profiles = {
        lang: dict(zip(x.grams.tolist(), x.p.tolist(), strict=True)) for lang, x in loaded.items()
    }
    known = set().union(*profiles.values())
    expected = [
        sum(
            WEIGHTS[len(g) - 1] * math.log(ALPHA + profiles[lang].get(g, 0.0))
            for g in ngrams(text)
            if g in known
        )
        for lang in langs
    ]
    batch = decode_batch(pl.Series(["noise before", text, "and after"]))
    upper = np.array([chr(c).isupper() for c in batch.codes])
    skip = np.concatenate(([False], upper[1:] & upper[:-1]))
    sums = _profiles(langs).sums(batch, skip=skip)[:, 1] / NATS
    assert sums == pytest.approx(expected, abs=0.01 * (len(text) + 1))


_cache: dict[tuple[str, ...], object] = {}


def _profiles(langs: tuple[str, ...]):
    if langs not in _cache:
        _cache[langs] = profiles.build_table([load_profile(lang) for lang in langs])
    return _cache[langs]


def _recipe(name: str) -> dict:
    return runpy.run_path(str(model_dir(name) / "recipe.py"))


TINY = {"xx": ["abab abba", "ab a bb"], "yy": ["bab baab", "aab"]}


def _naive(text: str, lang: str, orders: int = 4) -> float:
    """Witten–Bell in plain Python, backing off to the longest n-gram any language has."""
    counts: list[dict[str, Counter]] = [
        {other: Counter() for other in TINY} for _ in range(orders + 1)
    ]
    for other, lines in TINY.items():
        for word in " ".join(lines).split():
            edged = f" {word} "
            for end in range(2, len(edged) + 1):
                for n in range(1, min(orders, end) + 1):
                    counts[n][other][edged[end - n : end]] += 1
    alphabet = 4  # unknown, space, a, b

    def p(gram: str) -> float:
        if len(gram) == 1:
            ones = counts[1][lang]
            return (ones[gram] + len(ones) / alphabet) / (ones.total() + len(ones))
        after = {g: n for g, n in counts[len(gram)][lang].items() if g[:-1] == gram[:-1]}
        lower = p(gram[1:])
        total = sum(after.values())
        return (after.get(gram, 0) + len(after) * lower) / (total + len(after)) if total else lower

    score = 0.0
    for word in text.split():
        edged = f" {word} "
        for end in range(2, len(edged) + 1):
            known = [
                edged[end - n : end]
                for n in range(min(orders, end), 0, -1)
                if any(edged[end - n : end] in counts[n][other] for other in TINY)
            ]
            score += math.log(p(known[0]))
    return score


@given(st.lists(st.text("ab", min_size=1, max_size=6), max_size=4))
def test_letter_sums_match_a_naive_letter_model(words: list[str]):
    arrays = _recipe("lid")["count"](TINY)
    counts = LetterCounts(
        tuple(str(arrays["langs"]).split()),
        str(arrays["alphabet"]),
        [Level(arrays[f"parent{k}"], arrays[f"symbol{k}"]) for k in (2, 3, 4)],
        [arrays[f"counts{k}"].T.astype(float) for k in (1, 2, 3, 4)],
    )
    text = " ".join(words)
    sums = letter_counts.build_table(counts).sums(decode_batch(pl.Series([text])))[:, 0] / NATS
    expected = [_naive(text, lang) for lang in TINY]
    assert sums == pytest.approx(expected, abs=0.01 * (len(text) + 2))


@pytest.mark.parametrize("script", ["Latn", "Arab"])
def test_shipped_counts_are_probabilities(script: str):
    counts = load_counts(script)
    assert len(counts.langs) * 2 > 8
    ones, *rest = letter_probabilities(counts)
    assert ones[:, 1:].sum(axis=1) == pytest.approx(np.ones(len(counts.langs)), abs=0.02)
    for p in rest:
        assert p.min() > 0
        assert p.max() <= 1
    size = sum(path.stat().st_size for path in model_dir("lid").glob("*.npz"))
    assert size < 3_000_000


@pytest.mark.parametrize("lang", ADDED)
def test_shipped_profiles_are_langdetects(lang: str):
    path = model_dir("langdetect") / lang
    profile = json.loads(path.read_text(encoding="utf-8"))
    assert set(profile) == {"freq", "n_words", "name"}
    assert profile["name"] == lang
    for n in (1, 2, 3):
        assert (
            sum(c for g, c in profile["freq"].items() if len(g) == n) == profile["n_words"][n - 1]
        )
    assert min(profile["freq"].values()) > 2
    assert list(profile["freq"]) == sorted(profile["freq"])


def test_langdetect_itself_reads_the_profiles():
    factory = DetectorFactory()
    factory.set_seed(0)
    factory.load_json_profile(
        [(model_dir("langdetect") / lang).read_text(encoding="utf-8") for lang in ADDED]
    )
    detector = factory.create()
    detector.append("ئێمە سبەینێ بۆ سەردانی باپیرم دەچینە گوندەکە")
    assert detector.detect() == "ckb"


def test_recipes_are_deterministic(tmp_path: Path):
    text = tmp_path / "text"
    text.mkdir()
    langs = ("ps", "ckb", "sd", "ug", "en", "fr", "de", "es", "tr", "ar", "fa", "ur")
    (text / "SOURCES.md").write_text("".join(f"| {x}.txt | 4 | 9 | 2 | 9 |\n" for x in langs))
    for lang in langs:
        lines = ["کور ته ځم abc", "کور ته راځم abd", "کور", "ته abc"]
        (text / f"{lang}.txt").write_text("\n".join(lines), encoding="utf-8")
    for name in ("langdetect", "lid"):
        outputs = []
        for turn in ("one", "two"):
            out = tmp_path / f"{name}-{turn}"
            out.mkdir()
            _recipe(name)["main"](["--text", str(text), "--out", str(out)])
            outputs.append({path.name: path.read_bytes() for path in sorted(out.iterdir())})
        assert outputs[0] == outputs[1]
        assert len(outputs[0]) == (4 if name == "langdetect" else 2)


def test_fold_agrees_with_the_table():
    counts = load_counts("Arab")
    symbols = letter_counts.build_table(counts).lookup
    number = {c: i for i, c in enumerate(counts.alphabet, 2)}
    text = "كِتابٌ می‌روم ہے، 2024 وDocker"
    kept = "".join(
        chr(c) for c in drop_chars(decode_batch(pl.Series([text])), dropped_chars()).codes
    )[1:-1]
    folded = fold(text)
    assert len(kept) == len(folded)
    for code, char in zip(kept, folded, strict=True):
        assert symbols[ord(code)] == (number.get(char, 0) if is_letter(char) else 1)


def test_missing_profile():
    with pytest.raises(ModelError, match="nonesuch"):
        load_profile("nonesuch")


def test_score_is_a_probability():
    result = identify(["chat", "the"], top=99)
    for row in result.iter_rows(named=True):
        total = row["lang_score"] + sum(r["score"] for r in row["runners_up"])
        assert total == pytest.approx(1, abs=0.05)
