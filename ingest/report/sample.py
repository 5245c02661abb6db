"""Sample what is too large to show: at random, but the same each time."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.text import printable

Rows: TypeAlias = NDArray[np.int64]

SEED = 1  # fixed, so that the same run gives the same bytes
MAX_CHARS = 2000  # of a text
_MAX_NAME_CHARS = 300

# Characters that JSON inside HTML writes as six bytes.
_ESCAPED = "[<>&\\x00-\\x1f\u2028\u2029]"


def choose(rows: Rows, limit: int) -> Rows:
    """Choose at most `limit` rows at random; keep their order.

    >>> choose(np.arange(3), 5).tolist(), len(choose(np.arange(100), 5))
    ([0, 1, 2], 5)
    """
    if len(rows) <= limit:
        return rows
    chosen = np.random.default_rng(SEED).choice(len(rows), limit, replace=False)
    return rows[np.sort(chosen)]


def shuffled_range(count: int) -> Rows:
    """Return the numbers below `count` in a random order, the same each time."""
    return np.random.default_rng(SEED).permutation(count)


def take_within(order: Rows, costs: Rows, budget: int, limit: int) -> Rows:
    """Take the first rows of `order` that fit into the budget, at least one; sort them.

    >>> take_within(np.array([2, 0, 1]), np.array([5, 5, 5]), budget=10, limit=9).tolist()
    [0, 2]
    """
    first = order[:limit]
    fit = int(np.searchsorted(np.cumsum(costs[first]), budget, side="right"))
    return np.sort(first[: max(fit, 1)])


def text_bytes(text: pl.Expr) -> pl.Expr:
    """Estimate how many bytes a text takes up in the page after `shorten`."""
    cut = text.str.slice(0, MAX_CHARS)
    return cut.str.len_bytes().cast(pl.Int64) + 5 * cut.str.count_matches(_ESCAPED)


def shorten(text: pl.Expr) -> pl.Expr:
    """Cut a text after MAX_CHARS characters and add an ellipsis.

    >>> pl.select(shorten(pl.lit("a" * 3000)).str.len_chars()).item()
    2001
    """
    cut = text.str.slice(0, MAX_CHARS) + "…"
    return pl.when(text.str.len_chars() > MAX_CHARS).then(cut).otherwise(text)


def clean_name(column: str) -> pl.Expr:
    """Return a column of names without control characters, cut to a reasonable length."""
    return printable(pl.col(column).str.slice(0, _MAX_NAME_CHARS))
