"""Lines that stand twice on their page."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, Bools
from ingest.page_spans import Pages, paired
from ingest.text import comparable_key


class Repeats(NamedTuple):
    """Where each text stands on its page, int64 [rows]: rows of the batch, -1 for none."""

    first: I64
    before: I64
    after: I64
    times: I64


def repeats(texts: pl.Series, pages: Pages, plain: Bools) -> Repeats:
    """Find equal texts of a page; texts are equal when their comparable forms are.

    Args:
        texts: the texts.
        pages: where the pages lie.
        plain: whether a text is known to be its own comparable form.

    >>> from ingest.page_spans import pages_of
    >>> page = pages_of(pl.Series(["p", "p", "p"]))
    >>> found = repeats(pl.Series(["a", "b", "a "]), page, np.array([True, True, False]))
    >>> found.first.tolist(), found.before.tolist(), found.times.tolist()
    ([0, 1, 0], [-1, -1, 0], [2, 1, 2])
    """
    hashed = texts.hash()
    odd = pl.Series(np.flatnonzero(~plain))
    if len(odd):
        hashed = hashed.scatter(odd, comparable_key(texts.gather(odd)))
    key = paired(hashed.to_numpy(), pages.page)
    order = np.argsort(key, kind="stable")
    same: NDArray[np.bool_] = np.r_[False, key[order][1:] == key[order][:-1]][: len(order)]
    group = np.cumsum(~same) - 1
    head = np.flatnonzero(~same)
    size = np.diff(np.r_[head, len(order)])
    found = Repeats(*(np.full(len(order), -1, np.int64) for _ in range(4)))
    found.first[order] = order[head][group] if len(head) else order
    found.before[order[1:][same[1:]]] = order[:-1][same[1:]]
    found.after[order[:-1][same[1:]]] = order[1:][same[1:]]
    found.times[order] = size[group] if len(head) else order
    return found
