"""The distinct word bigrams of texts, and sets of bigrams to look them up in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, U8, U64, Bools
from ingest.minhash import bigrams

# A text with fewer bigrams is a phrase, and may be inside another text by chance: "at the end of
# the day" has five.
MIN_BIGRAMS = 5
MIN_CONTAINED = 0.9  # share of a text's bigrams that must be in a reference that contains it
_FILTER_BITS = 26


class TextGrams(NamedTuple):
    """The distinct word bigrams of texts.

    Attributes:
        size: int64 [texts], number of bigrams of each text, also of those that are left out.
        text: int64 [bigrams], the text of each; sorted.
        gram: uint64 [bigrams], their hashes; sorted within a text.
    """

    size: I64
    text: I64
    gram: U64

    @classmethod
    def of(cls, texts: pl.Series) -> TextGrams:
        """Find the bigrams of up to 16,384 texts.

        >>> TextGrams.of(pl.Series(["a b a b", "", "c"])).size.tolist()
        [2, 0, 1]
        """
        return cls.distinct(len(texts), *bigrams(texts.fill_null("")))

    @classmethod
    def distinct(cls, texts: int, text: I64, gram: U64) -> TextGrams:
        """Sort bigrams by text and hash, and drop those that repeat.

        Args:
            texts: number of texts.
            text: the text of each bigram; sorted.
            gram: their hashes.
        """
        order = np.lexsort((gram, text))
        gram = gram[order]
        is_first = np.ones(len(text), bool)
        is_first[1:] = (text[1:] != text[:-1]) | (gram[1:] != gram[:-1])
        text, gram = text[is_first], gram[is_first]
        return cls(np.bincount(text, minlength=texts), text, gram)

    @classmethod
    def concat(cls, parts: Sequence[TextGrams]) -> TextGrams:
        """Put the texts of several batches one after the other."""
        starts = np.cumsum([0, *(len(part.size) for part in parts)])
        return cls(
            np.concatenate([np.empty(0, np.int64), *(part.size for part in parts)]),
            np.concatenate(
                [np.empty(0, np.int64),
                 *(part.text + start for part, start in zip(parts, starts[:-1], strict=True))]
            ),
            np.concatenate([np.empty(0, np.uint64), *(part.gram for part in parts)]),
        )  # fmt: skip


def least_common(size: I64, min_similarity: float, min_contained: float) -> I64:
    """Return how many bigrams a text must have in common with a reference of any size to match.

    Args:
        size: number of bigrams of each text.
        min_similarity: see `ReferenceTexts`.
        min_contained: see `ReferenceTexts`.
    """
    of_text = np.ceil(min(min_similarity, MIN_CONTAINED) * size - 1e-9)
    of_reference = np.ceil(min_contained * MIN_BIGRAMS - 1e-9)
    least: I64 = np.maximum(np.minimum(of_text, of_reference), 1).astype(np.int64)
    return least


class GramFilter:
    """Tells of most bigrams that they are not in a set, in eight megabytes (Bloom 1970)."""

    def __init__(self) -> None:
        self._bits: U8 = np.zeros(1 << (_FILTER_BITS - 3), np.uint8)

    def add(self, gram: U64) -> None:
        """Add bigrams to the set."""
        at, bit = self._place(gram)
        np.bitwise_or.at(self._bits, at, bit)

    def may_contain(self, gram: U64) -> Bools:
        """Return false for bigrams that are not in the set, with few exceptions."""
        at, bit = self._place(gram)
        return (self._bits[at] & bit) > 0

    def _place(self, gram: U64) -> tuple[I64, U8]:
        place = gram >> np.uint64(64 - _FILTER_BITS)
        bit = np.uint8(1) << (place & np.uint64(7)).astype(np.uint8)
        return (place >> np.uint64(3)).astype(np.int64), bit


class GramSet:
    """A set of bigrams.

    Attributes:
        counts: int64 [distinct bigrams], how often each was given.

    >>> grams = GramSet(np.array([7, 3, 7], np.uint64))
    >>> grams.find(np.array([7, 5], np.uint64)).tolist(), grams.counts.tolist()
    ([1, -1], [1, 2])
    """

    def __init__(self, gram: U64) -> None:
        self._distinct, self.counts = np.unique(gram, return_counts=True)
        # the last bits choose a place; most bigrams that are not in the set find it free
        bits = min(max(len(self._distinct), 1).bit_length() + 3, _FILTER_BITS)
        self._mask = np.uint64((1 << bits) - 1)
        self._is_taken = np.zeros(1 << bits, bool)
        self._is_taken[self._distinct & self._mask] = True

    def __len__(self) -> int:
        return len(self._distinct)

    def find(self, gram: U64) -> I64:
        """Return the number of each bigram among the distinct ones, or -1."""
        number = np.full(len(gram), -1)
        maybe = np.flatnonzero(self._is_taken[gram & self._mask])
        at = np.searchsorted(self._distinct, gram[maybe])
        at = np.minimum(at, len(self._distinct) - 1)
        number[maybe] = np.where(self._distinct[at] == gram[maybe], at, -1)
        return number
