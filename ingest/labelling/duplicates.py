"""Find segments that occur more than once on their page."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, Bools
from ingest.page_spans import PageSpans, combine_keys
from ingest.text import comparable_key


class Duplicates(NamedTuple):
    """Equal texts of a page, as row numbers of the batch: int64 [rows].

    Attributes:
        first: the first row with this text; the row itself if there is no earlier one.
        previous: the closest earlier row with this text; -1 if none.
        next: the closest later row with this text; -1 if none.
        times: how often the text occurs on the page.
    """

    first: I64
    previous: I64
    next: I64
    times: I64


def find_duplicates(
    texts: pl.Series, comparable: Bools, text_of: I64, pages: PageSpans
) -> Duplicates:
    """Find equal texts of a page. Texts are equal if their comparable forms are.

    Args:
        texts: the distinct texts.
        comparable: whether each of them is known to be its own comparable form.
        text_of: int64 [rows], the text of each row.
        pages: the pages of the batch.

    >>> from ingest.page_spans import find_pages
    >>> page = find_pages(pl.Series(["p", "p", "p"]))
    >>> rows = find_duplicates(
    ...     pl.Series(["a", "b", "a "]), np.array([True, True, False]), np.arange(3), page)
    >>> rows.first.tolist(), rows.previous.tolist(), rows.times.tolist()
    ([0, 1, 0], [-1, -1, 0], [2, 1, 2])
    """
    hashed = texts.hash()
    unsure = pl.Series(np.flatnonzero(~comparable))
    if len(unsure):
        hashed = hashed.scatter(unsure, comparable_key(texts.gather(unsure)))
    key = combine_keys(hashed.to_numpy()[text_of], pages.page)
    order = np.argsort(key, kind="stable")
    same: Bools = np.r_[False, key[order][1:] == key[order][:-1]][: len(order)]
    group = np.cumsum(~same) - 1
    head = np.flatnonzero(~same)
    size = np.diff(np.r_[head, len(order)])
    rows = Duplicates(*(np.full(len(order), -1, np.int64) for _ in range(4)))
    rows.first[order] = order[head][group] if len(head) else order
    rows.previous[order[1:][same[1:]]] = order[:-1][same[1:]]
    rows.next[order[:-1][same[1:]]] = order[1:][same[1:]]
    rows.times[order] = size[group] if len(head) else order
    return rows


def find_originals(duplicates: Duplicates, content: Bools) -> I64:
    """For each row, the row that counts as the original of its text: itself if there is no other.

    The first copy in the content is the original, even if boilerplate above shows the same words;
    without a copy in the content, it is the first one of the page.

    Args:
        duplicates: equal texts.
        content: whether each row is content.

    >>> from ingest.page_spans import find_pages
    >>> page = find_pages(pl.Series(["p", "p", "p"]))
    >>> rows = find_duplicates(pl.Series(["a"]), np.array([True]), np.zeros(3, int), page)
    >>> find_originals(rows, np.array([False, True, True])).tolist()
    [1, 1, 1]
    """
    rows = np.arange(len(content))
    first_content = np.full(len(content), len(content))
    np.minimum.at(first_content, duplicates.first[content], rows[content])
    original = first_content[duplicates.first]
    return np.where(original < len(content), original, duplicates.first)
