"""The words of many texts, each distinct one held once, so that all who ask share the work."""

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
    """The words of some texts, each distinct one held once.

    Attributes:
        distinct: String, the words.
        code: int64 [words of all texts], place of each in `distinct`.
        lengths: int64 [texts], how many words each has.
    """

    distinct: pl.Series
    code: I64
    lengths: I64

    def part(self, start: int, stop: int) -> Tokens:
        """Of texts [start, stop) alone.

        >>> tokens(pl.Series(["a b", "b c"])).part(1, 2).distinct.to_list()
        ['b', 'c']
        """
        begin = int(self.lengths[:start].sum())
        code = self.code[begin : begin + int(self.lengths[start:stop].sum())]
        seen = np.zeros(len(self.distinct), np.bool_)
        seen[code] = True
        used = np.flatnonzero(seen)
        place = np.cumsum(seen) - 1
        return Tokens(self.distinct.gather(used), place[code], self.lengths[start:stop])


def tokens(texts: pl.Series) -> Tokens:
    """What `words` finds, worked out once for each distinct run of signs between spaces.

    >>> found = tokens(pl.Series(["a b, b", "", "B?"]))
    >>> found.distinct.gather(found.code).to_list(), found.lengths.tolist()
    (['a', 'b', 'b', 'b', '?'], [3, 0, 2])
    """
    if len(texts) < FEW:
        lists = words(texts).to_list()
        number: dict[str, int] = {}
        code = [number.setdefault(word, len(number)) for some in lists for word in some]
        distinct = pl.Series(list(number), dtype=pl.String)
        return Tokens(distinct, np.array(code, np.int64), np.array(list(map(len, lists)), np.int64))
    runs = texts.str.split(" ")
    pieces, piece = _numbered(runs.explode())
    found = words(pieces)
    per_piece = found.list.len().to_numpy().astype(np.int64)
    distinct, order = _numbered(found.filter(per_piece > 0).explode())
    count = per_piece[piece]
    ends = np.concatenate([[0], count.cumsum()])
    first = (per_piece.cumsum() - per_piece)[piece]
    code = order[np.repeat(first - ends[:-1], count) + np.arange(ends[-1])]
    last = runs.list.len().to_numpy().astype(np.int64).cumsum()
    return Tokens(distinct, code, np.diff(ends[last], prepend=0))


def _numbered(texts: pl.Series) -> tuple[pl.Series, I64]:
    """The distinct texts in the order in which they come, and the number of each text."""
    distinct = texts.unique(maintain_order=True)
    numbers = texts.cast(pl.Enum(distinct)).to_physical()
    return distinct, numbers.to_numpy().astype(np.int64)


_CHUNK = 1 << 13  # texts whose words are held as strings at once


class Lines(list[str]):
    """Texts that remember their words, so that all who ask share the work.

    Not to be changed once asked.
    """

    @cached_property
    def column(self) -> pl.Series:
        """The texts as Polars holds them."""
        return strings(self)

    @cached_property
    def tokens(self) -> Tokens:
        """The words of all."""
        parts = [tokens(self.column[at : at + _CHUNK]) for at in range(0, len(self), _CHUNK)]
        if len(parts) == 1:
            return parts[0]
        distinct, number = _numbered(
            pl.concat([pl.Series([], dtype=pl.String), *(part.distinct for part in parts)])
        )
        starts = np.cumsum([0, *(len(part.distinct) for part in parts)])
        none = [np.zeros(0, np.int64)]
        code = [number[at:][part.code] for at, part in zip(starts[:-1], parts, strict=True)]
        return Tokens(
            distinct, np.concatenate(code or none),
            np.concatenate([part.lengths for part in parts] or none),
        )  # fmt: skip


def strings(texts: Iterable[str]) -> pl.Series:
    r"""Texts as a Polars column, without lone surrogates.

    >>> strings(["a", "b\ud800"]).to_list() == ["a", "b\ufffd"]
    True
    """
    held = list(texts)
    try:
        return pl.Series("text", held, dtype=pl.String)
    except UnicodeEncodeError:
        return pl.Series("text", list(map(scrub, held)), dtype=pl.String)
