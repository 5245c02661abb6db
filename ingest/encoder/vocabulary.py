"""The keys by which words are compared: stem in the lexicon, consonants or digits, and weight."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F32, I64
from ingest.encoder.lexicon import UNSEEN
from ingest.encoder.stems import split_words
from ingest.encoder.subwords import consonants
from ingest.encoder.words import FEW

if TYPE_CHECKING:
    from ingest.encoder.lexicon import Lexicon


# Kinds of words, by how informative a match is. The first three are words of the lexicon, by idf.
COMMON, MIDDLE, RARE, NAME, SHORT_NAME, NUMBER = range(6)
KINDS = 6
_IDF = (3.0, 5.0, 7.0)  # words below the first are not compared: they match everywhere
_MIN_NAME_IDF = 6.0  # idf from which the consonants of a word of the lexicon are compared too
_MAX_CONSONANTS = 9  # that are compared
_MAX_CACHED = 1 << 18  # words


class WordKeys(NamedTuple):
    """The keys of several words.

    Attributes:
        stem: int64, number in the lexicon, or UNSEEN.
        skeleton: int64, hash of the consonants or of the digits; 0: not compared.
        kind: int64, COMMON … NUMBER; -1: not compared.
        weight: float32, how informative the word is.
    """

    stem: I64
    skeleton: I64
    kind: I64
    weight: F32

    def take(self, at: I64) -> WordKeys:
        """Return the keys of the words at these indices."""
        return WordKeys(self.stem[at], self.skeleton[at], self.kind[at], self.weight[at])


class Vocabulary:
    """A cache of the keys of words in one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._index: dict[str, int] = {}
        self._cached: list[WordKeys] = []

    def look_up(self, words: list[str]) -> WordKeys:
        """Return the keys of each word; new words are computed together."""
        if len(self._index) + len(words) > _MAX_CACHED:
            self._index.clear()
            self._cached.clear()
        new = [word for word in words if word not in self._index]
        if new or not self._cached:
            self._cached.append(_compute_keys(new, self._lexicon))
            first = len(self._index)
            self._index.update(zip(new, range(first, first + len(new)), strict=True))
        keys = self._cached[0]
        if len(self._cached) > 1:
            keys = WordKeys(
                np.concatenate([part.stem for part in self._cached]),
                np.concatenate([part.skeleton for part in self._cached]),
                np.concatenate([part.kind for part in self._cached]),
                np.concatenate([part.weight for part in self._cached]),
            )
            self._cached = [keys]
        return keys.take(np.array([self._index[word] for word in words], np.int64))


@lru_cache(2)
def vocabulary(lexicon: Lexicon) -> Vocabulary:
    """Return this process's vocabulary for a lexicon."""
    return Vocabulary(lexicon)


def _compute_keys(words: list[str], lexicon: Lexicon) -> WordKeys:
    n = len(words)
    stem, skeleton = np.full(n, UNSEEN, np.int64), np.zeros(n, np.int64)
    kind, weight = np.full(n, -1, np.int64), np.zeros(n, np.float32)
    for i, word in enumerate(words):
        if word[0].isdigit():
            kind[i], weight[i], skeleton[i] = NUMBER, 9.0, _digits_key(word)
    alpha = np.flatnonzero([word[0].isalpha() for word in words])
    if not len(alpha):
        return WordKeys(stem, skeleton, kind, weight)
    letters = pl.Series([words[at] for at in alpha], dtype=pl.String)
    number = _numbers(letters, lexicon)
    stem[alpha] = number
    seen = number != UNSEEN
    idf = np.where(seen, lexicon.idf[number], 12.0)
    linked = seen & (lexicon.first[number] < lexicon.first[number + 1])
    compared = linked & (idf >= _IDF[0])
    kind[alpha[compared]] = np.clip(np.searchsorted(_IDF, idf[compared]) - 1, COMMON, RARE)
    weight[alpha] = np.where(seen & ~linked & (idf < _MIN_NAME_IDF), 0.0, idf)
    names = idf >= _MIN_NAME_IDF
    at, letters = alpha[names], letters.filter(pl.Series(names))
    packed, length = _packed(letters.str.strip_prefix("ال"))
    skeleton[at[length >= 2]] = packed[length >= 2]
    kind[at[(kind[at] < 0) & (length >= 3)]] = NAME
    kind[at[(kind[at] < 0) & (length == 2)]] = SHORT_NAME
    return WordKeys(stem, skeleton, kind, weight)


def _numbers(words: pl.Series, lexicon: Lexicon) -> I64:
    """`lexicon.number` of each word."""
    if len(words) < FEW:
        return np.array([lexicon.number(word) for word in words], np.int64)
    counts = lexicon.counts
    _, stems = split_words(
        words, lambda stems: np.array([counts.get(f"s:{s}", 0) for s in stems], np.int64)
    )
    return np.array([lexicon.stems.get(s, UNSEEN) for s in stems.to_list()], np.int64)


def _packed(words: pl.Series) -> tuple[I64, I64]:
    """Pack up to nine consonants of each word into a positive number; return their number too."""
    sign, word = consonants(words)
    length = np.bincount(word, minlength=len(words))
    first = length.cumsum() - length
    packed = np.ones(len(words), np.int64)
    for nth in range(_MAX_CONSONANTS):
        longer = np.flatnonzero(length > nth)
        packed[longer] = packed[longer] * 32 + sign[first[longer] + nth]
    return packed, length


def _digits_key(word: str) -> int:
    """A negative number for the value of the digits."""
    return -1 - int(word[:17])
