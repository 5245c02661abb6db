"""The words of many texts, with each distinct word stored once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64
from ingest.encoder.words import FEW, words
from ingest.text import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable


class Tokens(NamedTuple):
    """The words of several texts.

    Attributes:
        distinct: String, the distinct words.
        code: int64 [words of all texts], index of each word in `distinct`.
        lengths: int64 [texts], number of words of each text.
    """

    distinct: pl.Series
    code: I64
    lengths: I64

    def part(self, start: int, stop: int) -> Tokens:
        """Return the tokens of texts [start, stop).

        >>> tokens(pl.Series(["a b", "b c"])).part(1, 2).distinct.to_list()
        ['b', 'c']
        """
        begin = int(self.lengths[:start].sum())
        code = self.code[begin : begin + int(self.lengths[start:stop].sum())]
        seen = np.zeros(len(self.distinct), np.bool_)
        seen[code] = True
        used = np.flatnonzero(seen)
        position = np.cumsum(seen) - 1
        return Tokens(self.distinct.gather(used), position[code], self.lengths[start:stop])


def tokens(texts: pl.Series) -> Tokens:
    """Find the same words as `words`, but process each distinct run between spaces only once.

    >>> result = tokens(pl.Series(["a b, b", "", "B?"]))
    >>> result.distinct.gather(result.code).to_list(), result.lengths.tolist()
    (['a', 'b', 'b', 'b', '?'], [3, 0, 2])
    """
    if len(texts) < FEW:
        lists_of_words = words(texts).to_list()
        number: dict[str, int] = {}
        code = [number.setdefault(word, len(number)) for row in lists_of_words for word in row]
        distinct = pl.Series(list(number), dtype=pl.String)
        lengths = [len(row) for row in lists_of_words]
        return Tokens(distinct, np.array(code, np.int64), np.array(lengths, np.int64))
    runs = texts.str.split(" ")
    pieces, piece = _number_distinct(runs.explode())
    lists = words(pieces)
    per_piece = lists.list.len().to_numpy().astype(np.int64)
    distinct, order = _number_distinct(lists.filter(per_piece > 0).explode())
    count = per_piece[piece]
    ends = np.concatenate([[0], count.cumsum()])
    first = (per_piece.cumsum() - per_piece)[piece]
    code = order[np.repeat(first - ends[:-1], count) + np.arange(ends[-1])]
    last = runs.list.len().to_numpy().astype(np.int64).cumsum()
    return Tokens(distinct, code, np.diff(ends[last], prepend=0))


def _number_distinct(texts: pl.Series) -> tuple[pl.Series, I64]:
    """Return the distinct texts in order of appearance, and the number of each text."""
    distinct = texts.unique(maintain_order=True)
    numbers = texts.cast(pl.Enum(distinct)).to_physical()
    return distinct, numbers.to_numpy().astype(np.int64)


_CHUNK = 1 << 13  # texts whose words are in memory as strings at once


class Lines(list[str]):
    """A list of texts that caches its words, so that they are computed only once.

    Do not change the list after the first use of `column` or `tokens`.
    """

    @cached_property
    def column(self) -> pl.Series:
        """The texts as a Polars column."""
        return strings(self)

    @cached_property
    def tokens(self) -> Tokens:
        """The words of all texts."""
        parts = [tokens(self.column[at : at + _CHUNK]) for at in range(0, len(self), _CHUNK)]
        if len(parts) == 1:
            return parts[0]
        distinct, number = _number_distinct(
            pl.concat([pl.Series([], dtype=pl.String), *(part.distinct for part in parts)])
        )
        starts = np.cumsum([0, *(len(part.distinct) for part in parts)])
        none = [np.zeros(0, np.int64)]
        code = [number[at:][part.code] for at, part in zip(starts[:-1], parts, strict=True)]
        return Tokens(
            distinct, np.concatenate(code or none),
            np.concatenate([part.lengths for part in parts] or none),
        )  # fmt: skip

    def part(self, start: int, stop: int) -> Lines:
        """Return texts [start, stop) with their words.

        >>> lines = Lines(["a b", "b c"])
        >>> lines.part(1, 2), lines.part(1, 2).tokens.distinct.to_list()
        (['b c'], ['b', 'c'])
        """
        part = Lines(self[start:stop])
        part.column = self.column[start:stop]
        part.tokens = self.tokens.part(start, stop)
        return part


def strings(texts: Iterable[str]) -> pl.Series:
    r"""Convert texts to a Polars column, replacing lone surrogates.

    >>> strings(["a", "b\ud800"]).to_list() == ["a", "b\ufffd"]
    True
    """
    values = list(texts)
    try:
        return pl.Series("text", values, dtype=pl.String)
    except UnicodeEncodeError:
        return pl.Series("text", list(map(scrub, values)), dtype=pl.String)
