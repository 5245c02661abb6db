"""Where the pages of a batch lie in its rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, U64, Bools
from ingest.codepoints import mix


class Pages(NamedTuple):
    """`page` [rows] is the number of each row's page; `first`, `last` [pages] are its rows."""

    page: I64
    first: I64
    last: I64

    @property
    def place(self) -> I64:
        """0-based place of each row in its page."""
        return np.arange(len(self.page)) - self.first[self.page]

    @property
    def size(self) -> I64:
        """Rows of each row's page."""
        return (self.last - self.first + 1)[self.page]


def pages_of(doc_id: pl.Series) -> Pages:
    """Pages from a doc_id column in which the rows of each page stand together.

    >>> pages_of(pl.Series(["a", "a", "b"])).size.tolist()
    [2, 2, 1]
    """
    page = doc_id.rle_id().to_numpy().astype(np.int64)
    edges = np.flatnonzero(np.diff(page))
    first = np.r_[0, edges + 1] if len(page) else np.zeros(0, np.int64)
    last = np.r_[edges, len(page) - 1] if len(page) else np.zeros(0, np.int64)
    return Pages(page, first, last)


def before(values: I64, pages: Pages, steps: int) -> I64:
    """The value `steps` rows earlier (later where negative) in the page; -1 outside it."""
    moved = np.full(len(values), -1, np.int64)
    if steps > 0:
        moved[steps:] = np.where(pages.page[steps:] == pages.page[:-steps], values[:-steps], -1)
    else:
        moved[:steps] = np.where(pages.page[:steps] == pages.page[-steps:], values[-steps:], -1)
    return moved


def next_where(mask: Bools) -> I64:
    """The first row at or after each row that the mask marks; len(mask) where none."""
    n = len(mask)
    marked = np.where(mask, np.arange(n), n)
    return np.minimum.accumulate(marked[::-1])[::-1]


def in_page(rows: I64, pages: Pages) -> Bools:
    """Whether each row number lies in the page of its own row."""
    inside = (rows >= 0) & (rows < len(pages.page))
    same: Bools = inside & (pages.page[np.where(inside, rows, 0)] == pages.page)
    return same


def paired(key: U64, number: I64) -> U64:
    """A key for a word or text in one text or page."""
    with np.errstate(over="ignore"):
        return mix(key ^ (number.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)))
