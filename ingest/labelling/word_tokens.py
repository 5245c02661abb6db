"""The words of short texts, for which the role model has learned vectors.

A short line says what it is by its words: "Read more", "اقرأ أيضا". Only hashes of words are
compared, so the model's file contains no text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ingest._typing import F32, I64, U64
from ingest.codepoints import Words, expand_ranges, mix
from ingest.key_table import KeyTable
from ingest.labelling.token_vectors import sum_vectors
from ingest.page_spans import combine_keys

MAX_WORDS = 12  # of a text that is short
_ANY, _FIRST, _LAST, _PAIR = range(4)  # what a token stands for


class WordTokens(NamedTuple):
    """The tokens of distinct texts, and the text of each segment.

    Attributes:
        text: int64 [tokens], the number of the text, in no order.
        key: uint64 [tokens], what the token is; a text may have it more than once.
        text_of: int64 [segments], the text of each segment.
    """

    text: I64
    key: U64
    text_of: I64

    def of_segments(self) -> tuple[U64, I64]:
        """The keys of all segments, each one once, and where each segment's end."""
        order = np.lexsort((self.key, self.text))
        text, key = self.text[order], self.key[order]
        once = np.r_[True, (text[1:] != text[:-1]) | (key[1:] != key[:-1])][: len(text)]
        text, key = text[once], key[once]
        texts = int(self.text_of.max(initial=-1)) + 1
        start = np.searchsorted(text, np.arange(texts))
        size = np.bincount(text, minlength=texts)[:texts][self.text_of]
        return key[expand_ranges(start[self.text_of], size)], np.cumsum(size)


def find_word_tokens(words: Words, text_of: I64, texts: int) -> WordTokens:
    """Find the tokens of texts: each word, the first and the last one, and pairs of neighbours.

    Numbers are left out, and texts of more than MAX_WORDS words have no tokens.

    Args:
        words: the words of the distinct texts.
        text_of: the text of each segment.
        texts: the number of distinct texts.

    >>> import polars as pl
    >>> from ingest.codepoints import CodePoints
    >>> words = CodePoints(pl.Series(["Read more", "17"])).words()
    >>> np.bincount(find_word_tokens(words, np.arange(2), 2).text, minlength=2).tolist()
    [5, 0]
    """
    words = words.filter(~words.is_number)
    words = words.filter(np.bincount(words.text, minlength=texts)[words.text] <= MAX_WORDS)
    text, key = words.text, words.key
    goes_on = text[1:] == text[:-1]
    first, last = np.r_[True, ~goes_on][: len(text)], np.r_[~goes_on, True][: len(text)]
    before, after = np.flatnonzero(goes_on), np.flatnonzero(goes_on) + 1
    with np.errstate(over="ignore"):
        pair = mix(key[before] * np.uint64(31) + key[after])
    parts = [
        (text, key, _ANY), (text[first], key[first], _FIRST),
        (text[last], key[last], _LAST), (text[before], pair, _PAIR),
    ]  # fmt: skip
    owner = np.concatenate([part[0] for part in parts])
    token = np.concatenate([combine_keys(part[1], np.array(part[2])) for part in parts])
    return WordTokens(owner, token, text_of)


def sum_word_vectors(tokens: WordTokens, vocabulary: KeyTable, vectors: F32) -> F32:
    """Sum the vectors of the known tokens of each distinct text, each one once.

    Args:
        tokens: the tokens of the texts.
        vocabulary: the known tokens.
        vectors: the vector of each [known tokens, width].

    Returns:
        float32 [texts, width].
    """
    row, known = vocabulary.find(tokens.key)
    pairs = np.sort(tokens.text[known] * len(vectors) + row[known])
    pairs = pairs[np.r_[True, np.diff(pairs) > 0][: len(pairs)]]
    texts = int(tokens.text_of.max(initial=-1)) + 1
    return sum_vectors(pairs // len(vectors), pairs % len(vectors), vectors, texts)
