"""Which rows of a batch belong to which page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, U64, Bools
from ingest.codepoints import mix


class PageSpans(NamedTuple):
    """Where each page of a batch begins and ends.

    Attributes:
        page: int64 [rows], the page number of each row.
        first: int64 [pages], the first row of each page.
        last: int64 [pages], the last row of each page.
    """

    page: I64
    first: I64
    last: I64

    @property
    def position(self) -> I64:
        """The 0-based position of each row in its page."""
        return np.arange(len(self.page)) - self.first[self.page]

    @property
    def size(self) -> I64:
        """The number of rows in each row's page."""
        return (self.last - self.first + 1)[self.page]


def find_pages(doc_id: pl.Series) -> PageSpans:
    """Find the pages in a doc_id column. The rows of a page must be contiguous.

    >>> find_pages(pl.Series(["a", "a", "b"])).size.tolist()
    [2, 2, 1]
    """
    page = doc_id.rle_id().to_numpy().astype(np.int64)
    edges = np.flatnonzero(np.diff(page))
    first = np.r_[0, edges + 1] if len(page) else np.zeros(0, np.int64)
    last = np.r_[edges, len(page) - 1] if len(page) else np.zeros(0, np.int64)
    return PageSpans(page, first, last)


def shift_in_page(values: I64, pages: PageSpans, steps: int) -> I64:
    """Return the value `steps` rows earlier in the page (later if negative); -1 outside it."""
    shifted = np.full(len(values), -1, np.int64)
    if steps > 0:
        shifted[steps:] = np.where(pages.page[steps:] == pages.page[:-steps], values[:-steps], -1)
    else:
        shifted[:steps] = np.where(pages.page[:steps] == pages.page[-steps:], values[-steps:], -1)
    return shifted


def next_marked(mask: Bools) -> I64:
    """Return the first marked row at or after each row; len(mask) if there is none."""
    n = len(mask)
    marked = np.where(mask, np.arange(n), n)
    return np.minimum.accumulate(marked[::-1])[::-1]


def in_same_page(rows: I64, pages: PageSpans) -> Bools:
    """Whether `rows[i]` is a row of the same page as row i."""
    inside = (rows >= 0) & (rows < len(pages.page))
    same: Bools = inside & (pages.page[np.where(inside, rows, 0)] == pages.page)
    return same


def combine_keys(key: U64, number: I64) -> U64:
    """Hash a key together with the number of its text, block or page."""
    with np.errstate(over="ignore"):
        return mix(key ^ (number.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)))


def cut_between_pages(ends: I64, rows: int) -> Iterator[tuple[int, int]]:
    """Cut a batch into parts of whole pages: about so many rows, or one page that has more.

    Args:
        ends: int64 [pages], the row after the last one of each page.
        rows: of a part, at most, unless it is one page.

    Yields:
        The first row of each part, and the row after its last one.

    >>> list(cut_between_pages(np.array([2, 3, 9, 10]), 4))
    [(0, 3), (3, 9), (9, 10)]
    """
    start = 0
    while len(ends) and start < ends[-1]:
        fits = int(np.searchsorted(ends, start + rows, side="right")) - 1
        first = int(np.searchsorted(ends, start, side="right"))
        end = int(ends[max(fits, first)])
        yield start, end
        start = end
