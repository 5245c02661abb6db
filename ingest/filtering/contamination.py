"""Texts held against a few others, such as those of a test set.

A text is like a line if all their words are the same; if the share of their different pairs of
words in a row that both have is `near` or more; or if it contains almost all of a line that is not
short. No likeness is missed, but pairs of words are those of the first 4,000 characters alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from ingest._typing import I64, U64
from ingest.minhash import bigrams, text_keys

_CONTAINED = 0.9  # of a line's pairs of words
_LONG = 5  # pairs of words from which a line that is contained is more than a phrase
_TEXTS = 1 << 14  # texts looked at together
_PAIRS = 1 << 17  # candidates looked at together: some 100 MB
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
        self._keys = pl.DataFrame({"key": text_keys(texts), "line": np.arange(len(texts))})
        found = [_grams(texts[at : at + _TEXTS], at) for at in range(0, len(texts), _TEXTS)]
        held = pl.concat([pl.DataFrame(schema=_GRAMS), *found]).unique().sort("text", "gram")
        self._of, self._gram = held["text"].to_numpy(), held["gram"].to_numpy()
        self._size = np.bincount(self._of, minlength=len(texts))
        self._sorted = np.sort(self._gram)
        self._rare = self._rarest(self._of, self._gram, min(near, _CONTAINED)).rename(
            {"of": "line"}
        )

    def _rarest(self, of: I64, gram: U64, share: float) -> pl.DataFrame:
        """The grams of each text that are rarest in the lines: columns of, gram.

        What has none of them cannot have `share` of the text's.
        """
        size = np.bincount(of)
        least = np.ceil(share * size - 1e-9).astype(np.int64)
        first, end = (np.searchsorted(self._sorted, gram, side) for side in ("left", "right"))
        order = np.lexsort((gram, end - first, of))
        of, gram = of[order], gram[order]
        rare = np.arange(len(of)) - np.searchsorted(of, of) <= (size - least)[of]
        return pl.DataFrame({"of": of[rare], "gram": gram[rare]})

    def like(self, texts: pl.Series) -> pl.DataFrame:
        """Which texts are like which lines, by number: columns text, line."""
        return _by_parts(self._like, texts)

    def around(self, texts: pl.Series) -> pl.DataFrame:
        """Which texts that are not short stand almost whole in which lines: columns text, line.

        >>> lines = Lines(pl.Series(["x", "They say the cat sat on the red mat."]), near=0.6)
        >>> lines.around(pl.Series(["on the red mat", "The cat sat on the red mat"])).rows()
        [(1, 1)]
        """
        return _by_parts(self._around, texts)

    def _like(self, texts: pl.Series) -> pl.DataFrame:
        same = pl.DataFrame({"key": text_keys(texts), "text": np.arange(len(texts))}).join(
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

    def _around(self, texts: pl.Series) -> pl.DataFrame:
        held = _grams(texts, 0).unique()
        size = np.bincount(held["text"].to_numpy(), minlength=len(texts))
        held = held.filter(pl.Series(size >= _LONG).gather(held["text"]))
        rare = self._rarest(held["text"].to_numpy(), held["gram"].to_numpy(), _CONTAINED)
        lines = pl.DataFrame({"line": self._of, "gram": self._gram})
        pairs = rare.join(lines, on="gram").select(text="of", line="line").unique()
        text, line = pairs["text"].to_numpy(), pairs["line"].to_numpy()
        enough = self._common(text, line, held) >= _CONTAINED * size[text] - 1e-9
        return pairs.filter(pl.Series(enough, dtype=pl.Boolean)).sort("text", "line")

    def _common(self, text: I64, line: I64, held: pl.DataFrame) -> I64:
        """How many grams each text and line have in common."""
        starts = np.cumsum(self._size) - self._size
        both = [np.empty(0, np.int64)]
        for first in range(0, len(text), _PAIRS):
            some, of = text[first : first + _PAIRS], line[first : first + _PAIRS]
            size = self._size[of]
            pair = np.repeat(np.arange(len(of)), size)
            at = np.arange(len(pair)) - (np.cumsum(size) - size)[pair] + starts[of][pair]
            wanted = pl.DataFrame({"pair": pair, "text": some[pair], "gram": self._gram[at]})
            there = wanted.join(held, on=["text", "gram"])
            both.append(np.bincount(there["pair"].to_numpy(), minlength=len(of)))
        return np.concatenate(both)


def _by_parts(find: Callable[[pl.Series], pl.DataFrame], texts: pl.Series) -> pl.DataFrame:
    """What is found of so many texts at a time."""
    found = [pl.DataFrame(schema={"text": pl.Int64, "line": pl.Int64})]
    for at in range(0, len(texts), _TEXTS):
        some = find(texts[at : at + _TEXTS].fill_null(""))
        found.append(some.with_columns(pl.col("text") + at))
    return pl.concat(found)


def _grams(texts: pl.Series, first: int) -> pl.DataFrame:
    """The grams of some texts, of which the first has that number."""
    of, gram = bigrams(texts.fill_null(""))
    return pl.DataFrame({"text": of + first, "gram": gram}, _GRAMS)
