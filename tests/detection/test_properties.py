"""Properties of any text: no errors, and only its own page affects the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ingest.detection import detect, identify

if TYPE_CHECKING:
    import random

WORDS = [
    "the",
    "harbour",
    "of",
    "voices",
    "und",
    "die",
    "Straße",
    "la",
    "récolte",
    "été",
    "güneş",
    "Ramadan",
    "كتاب",
    "المدينة",
    "پښتو",
    "کورد",
    "ئێمە",
    "ہیں",
    "سڀاڻي",
    "привет",
    "你好",
    "ひらがな",
    "20",
    "TT",
    "https://x.org",
    "me@x.org",
    "😀",
    "');",
    "Docker",
    "&amp;",
    "--flag",
]
LINES = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
PAGES = st.lists(st.lists(LINES, min_size=1, max_size=6), min_size=1, max_size=4)


def frame(pages: list[list[str]]) -> pl.DataFrame:
    rows = [(f"d{i}", j, text) for i, page in enumerate(pages) for j, text in enumerate(page)]
    return pl.DataFrame(rows, schema=["doc_id", "segment", "text"], orient="row")


@given(st.lists(st.text(), max_size=5))
def test_never_raises(texts: list[str]):
    for top in (0, 3):
        assert len(identify(texts, top=top)) == len(texts)
    rows = frame([texts]) if texts else frame([[""]])
    assert detect(rows)["lang"].null_count() == 0


@given(st.lists(LINES, min_size=1, max_size=6))
def test_results_do_not_depend_on_the_batch(texts: list[str]):
    whole = identify(texts)
    assert_frame_equal(whole, pl.concat([identify([text]) for text in texts]), check_exact=True)
    scores = whole["lang_score"]
    assert scores.is_between(0, 1 + 1e-6).all()


@given(PAGES)
def test_pages_are_independent(pages: list[list[str]]):
    whole = detect(frame(pages))
    alone = [detect(part) for part in frame(pages).partition_by("doc_id", maintain_order=True)]
    assert_frame_equal(whole, pl.concat(alone), check_exact=True)


@given(PAGES, st.randoms())
def test_order_of_rows_does_not_matter(pages: list[list[str]], rnd: random.Random):
    rows = frame(pages)
    order = list(range(len(rows)))
    rnd.shuffle(order)
    assert_frame_equal(detect(rows)[order], detect(rows[order]), check_exact=True)


def test_unusual_strings():
    texts = [
        None, "\x00", "a\x00b\x00the words", "\ud800", "\u202eabc\u202c", "\ufeff", "\u200f", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
        "\U0010ffff", "\u0301\u0301", "ـــــ", "'" * 100, "=" * 100, "(" * 5000,
    ]  # fmt: skip
    assert len(identify(texts)) == len(texts)


@pytest.mark.parametrize("unit", ["harbour ", "مدينة ", "x", "{;", "1", "a.b", "<a "])
def test_ten_megabytes(unit: str):
    assert len(identify([unit * (10_000_000 // len(unit))])) == 1


def test_input_is_not_modified():
    texts = pl.Series("text", ["LOUD WORDS", "see www.x.org", "е́ и̂", "ﻻ", None])
    before = texts.to_list()
    identify(texts)
    detect(pl.DataFrame({"doc_id": "a", "segment": range(5), "text": texts}))
    assert texts.to_list() == before
