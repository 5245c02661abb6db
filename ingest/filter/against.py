"""Texts held against a few others, such as those of a test set: no likeness is missed.

A text is like a line if the share of their different pairs of words in a row that both have is
`near` or more, or if it contains almost all of a line that is not short.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest.codepoints import I64
from ingest.filter.grams import grams, keys

_CONTAINED = 0.9  # of a line's pairs of words
_LONG = 5  # pairs of words from which a line that is contained is more than a phrase
_TEXTS = 1 << 14
_GRAMS = pl.Schema({"text": pl.Int64(), "gram": pl.UInt64()})


class Lines:
    """Some texts, to hold others against.

    Args:
        texts: them.
        near: least share of pairs of words in a row that are common to both, 0…1.

    >>> lines = Lines(pl.Series(["The cat sat on the red mat."]), near=0.6)
    >>> lines.like(pl.Series(["the CAT sat on the red mat", "a cat", "A cat sat on the red mat"]))[
    ...     "text"
    ... ].to_list()
    [0, 2]
    """

    def __init__(self, texts: pl.Series, *, near: float) -> None:
        self.near = near
        self._keys = pl.DataFrame({"key": keys(texts), "line": np.arange(len(texts))})
        found = [_grams(texts[at : at + _TEXTS], at) for at in range(0, len(texts), _TEXTS)]
        held = pl.concat([pl.DataFrame(schema=_GRAMS), *found]).unique().sort("text", "gram")
        self._of, self._gram = held["text"].to_numpy(), held["gram"].to_numpy()
        self._size = np.bincount(self._of, minlength=len(texts))
        self._rare = self._prefixes()

    def _prefixes(self) -> pl.DataFrame:
        """The rarest grams of each line: no text without any of them can have enough of it."""
        least = np.ceil(min(self.near, _CONTAINED) * self._size - 1e-9).astype(np.int64)
        _, which, count = np.unique(self._gram, return_inverse=True, return_counts=True)
        order = np.lexsort((self._gram, count[which], self._of))
        of = self._of[order]
        place = np.arange(len(of)) - np.searchsorted(of, of)
        rare = place <= (self._size - least)[of]
        return pl.DataFrame({"gram": self._gram[order][rare], "line": of[rare]})

    def like(self, texts: pl.Series) -> pl.DataFrame:
        """Which texts are like which lines, by number: columns text, line."""
        found = [pl.DataFrame(schema={"text": pl.Int64, "line": pl.Int64})]
        for at in range(0, len(texts), _TEXTS):
            some = self._like(texts[at : at + _TEXTS].fill_null(""))
            found.append(some.with_columns(pl.col("text") + at))
        return pl.concat(found)

    def _like(self, texts: pl.Series) -> pl.DataFrame:
        same = pl.DataFrame({"key": keys(texts), "text": np.arange(len(texts))}).join(
            self._keys, on="key"
        )
        held = _grams(texts, 0)
        pairs = held.join(self._rare, on="gram").select("text", "line").unique()
        held = held.join(pairs, on="text", how="semi").unique()
        size = np.bincount(held["text"].to_numpy(), minlength=len(texts))
        text, line = pairs["text"].to_numpy(), pairs["line"].to_numpy()
        both = self._common(text, line, held)
        union = size[text] + self._size[line] - both
        near = both >= self.near * union - 1e-9
        inside = (self._size[line] >= _LONG) & (both >= _CONTAINED * self._size[line] - 1e-9)
        enough = pairs.filter(pl.Series(near | inside, dtype=pl.Boolean))
        return pl.concat([same.select("text", "line"), enough]).unique().sort("text", "line")

    def _common(self, text: I64, line: I64, held: pl.DataFrame) -> I64:
        """How many grams each text and line have in common."""
        size = self._size[line]
        starts = np.cumsum(self._size) - self._size
        pair = np.repeat(np.arange(len(text)), size)
        at = np.arange(len(pair)) - (np.cumsum(size) - size)[pair] + starts[line][pair]
        wanted = pl.DataFrame({"pair": pair, "text": text[pair], "gram": self._gram[at]})
        there = wanted.join(held, on=["text", "gram"])
        return np.bincount(there["pair"].to_numpy(), minlength=len(text))


def _grams(texts: pl.Series, first: int) -> pl.DataFrame:
    """The grams of some texts, of which the first has that number."""
    of, gram = grams(texts.fill_null(""))
    return pl.DataFrame({"text": of + first, "gram": gram}, _GRAMS)
