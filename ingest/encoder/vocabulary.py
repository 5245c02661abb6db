"""What is compared of a word: its stem in the lexicon, its consonants or digits, its weight."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F32, I64
from ingest.encoder.lexicon import UNSEEN
from ingest.encoder.stems import splits
from ingest.encoder.subwords import consonants
from ingest.encoder.words import FEW

if TYPE_CHECKING:
    from ingest.encoder.lexicon import Lexicon


# Kinds of words, by how much a match tells. The first three are words of the lexicon, by idf.
COMMON, MIDDLE, RARE, NAME, SHORT_NAME, NUMBER = range(6)
KINDS = 6
_IDF = (3.0, 5.0, 7.0)  # words below the first are left out: they match everywhere
_NAMES_FROM = 6.0  # idf from which the consonants of a word of the lexicon are compared too
_BONES = 9  # consonants that are compared
_MOST = 1 << 18  # words that are remembered


class WordKeys(NamedTuple):
    """Of each word, what is compared.

    Attributes:
        stem: int64, number in the lexicon, or UNSEEN.
        skeleton: int64, hash of the consonants or of the digits; 0: not compared so.
        kind: int64, COMMON … NUMBER; -1: not compared.
        weight: float32, how much it tells.
    """

    stem: I64
    skeleton: I64
    kind: I64
    weight: F32

    def of(self, at: I64) -> WordKeys:
        """Those of the words at these places."""
        return WordKeys(self.stem[at], self.skeleton[at], self.kind[at], self.weight[at])


class Vocabulary:
    """Words that were looked up, in one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._place: dict[str, int] = {}
        self._held: list[WordKeys] = []

    def look_up(self, words: list[str]) -> WordKeys:
        """Of each word, what is compared; new words are looked at together."""
        if len(self._place) + len(words) > _MOST:
            self._place.clear()
            self._held.clear()
        new = [word for word in words if word not in self._place]
        if new or not self._held:
            self._held.append(_look(new, self._lexicon))
            first = len(self._place)
            self._place.update(zip(new, range(first, first + len(new)), strict=True))
        held = self._held[0]
        if len(self._held) > 1:
            held = WordKeys(
                np.concatenate([some.stem for some in self._held]),
                np.concatenate([some.skeleton for some in self._held]),
                np.concatenate([some.kind for some in self._held]),
                np.concatenate([some.weight for some in self._held]),
            )
            self._held = [held]
        return held.of(np.array([self._place[word] for word in words], np.int64))


@lru_cache(2)
def vocabulary(lexicon: Lexicon) -> Vocabulary:
    """The words looked up in that lexicon by this process."""
    return Vocabulary(lexicon)


def _look(words: list[str], lexicon: Lexicon) -> WordKeys:
    n = len(words)
    stem, skeleton = np.full(n, UNSEEN, np.int64), np.zeros(n, np.int64)
    kind, weight = np.full(n, -1, np.int64), np.zeros(n, np.float32)
    for place, word in enumerate(words):
        if word[0].isdigit():
            kind[place], weight[place], skeleton[place] = NUMBER, 9.0, _digits(word)
    alpha = np.flatnonzero([word[0].isalpha() for word in words])
    if not len(alpha):
        return WordKeys(stem, skeleton, kind, weight)
    letters = pl.Series([words[at] for at in alpha], dtype=pl.String)
    number = _numbers(letters, lexicon)
    stem[alpha] = number
    seen = number != UNSEEN
    idf = np.where(seen, lexicon.idf[number], 12.0)
    linked = seen & (lexicon.first[number] < lexicon.first[number + 1])
    some = linked & (idf >= _IDF[0])
    kind[alpha[some]] = np.clip(np.searchsorted(_IDF, idf[some]) - 1, COMMON, RARE)
    weight[alpha] = np.where(seen & ~linked & (idf < _NAMES_FROM), 0.0, idf)
    named = idf >= _NAMES_FROM
    at, letters = alpha[named], letters.filter(pl.Series(named))
    packed, length = _packed(letters.str.strip_prefix("ال"))
    skeleton[at[length >= 2]] = packed[length >= 2]
    kind[at[(kind[at] < 0) & (length >= 3)]] = NAME
    kind[at[(kind[at] < 0) & (length == 2)]] = SHORT_NAME
    return WordKeys(stem, skeleton, kind, weight)


def _numbers(words: pl.Series, lexicon: Lexicon) -> I64:
    """`lexicon.number` of each."""
    if len(words) < FEW:
        return np.array([lexicon.number(word) for word in words], np.int64)
    counts = lexicon.counts
    _, stems = splits(
        words, lambda some: np.array([counts.get(f"s:{s}", 0) for s in some], np.int64)
    )
    return np.array([lexicon.stems.get(s, UNSEEN) for s in stems.to_list()], np.int64)


def _packed(words: pl.Series) -> tuple[I64, I64]:
    """At most nine consonants of each word as one positive number; how many it has."""
    sign, word = consonants(words)
    length = np.bincount(word, minlength=len(words))
    first = length.cumsum() - length
    packed = np.ones(len(words), np.int64)
    for nth in range(_BONES):
        some = np.flatnonzero(length > nth)
        packed[some] = packed[some] * 32 + sign[first[some] + nth]
    return packed, length


def _digits(word: str) -> int:
    """The value of digits, as a negative number that stands for it."""
    return -1 - int(word[:17])
