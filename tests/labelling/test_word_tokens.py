"""The words of short texts."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ingest.codepoints import CodePoints, unique_texts
from ingest.key_table import KeyTable
from ingest.labelling.word_tokens import MAX_WORDS, WordTokens, find_word_tokens, sum_word_vectors


def tokens_of(texts: list[str]) -> WordTokens:
    distinct, text_of = unique_texts(pl.Series(texts, dtype=pl.String))
    return find_word_tokens(CodePoints(distinct).words(), text_of, len(distinct))


def keys(texts: list[str]) -> list[list[int]]:
    """The keys of each text."""
    key, ends = tokens_of(texts).of_segments()
    return [part.tolist() for part in np.split(key, ends[:-1])]


def test_case_and_arabic_marks_make_no_difference():
    first, second, third = keys(["Read MORE", "read more", "more read"])
    assert first == second
    assert first != third
    assert keys(["اقرأ أيضًا"]) == keys(["اقرا ايضا"])


def test_long_texts_and_numbers_have_no_tokens():
    long = " ".join(["word"] * (MAX_WORDS + 1))
    assert keys([long, "12", "", "word 12"])[:3] == [[], [], []]
    assert keys(["word 12"]) == keys(["word"])


@given(st.lists(st.text(alphabet="ab ا1", max_size=12), min_size=1, max_size=6))
def test_tokens_do_not_depend_on_the_other_texts(texts):
    assert keys(texts) == [keys([text])[0] for text in texts]


def test_known_words_add_their_vectors():
    tokens = tokens_of(["read more", "nothing", "read more"])
    known = np.unique(tokens_of(["read"]).key)
    sums = sum_word_vectors(tokens, KeyTable(known), np.ones((len(known), 2), np.float32))
    # "read" is a word of the text and its first one, but not its last one
    assert sums[tokens.text_of].tolist() == [[2, 2], [0, 0], [2, 2]]
