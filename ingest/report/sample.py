"""What is shown of what is too much to show: chosen at random, and the same each time."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.text import printable

Rows: TypeAlias = NDArray[np.int64]

SEED = 1  # of every choice, so that the same run makes the same bytes
CUT = 2000  # characters of a text that are shown
_NAME = 300  # of a name

# What JSON inside HTML spells as six bytes.
_SPELT_OUT = "[<>&\\x00-\\x1f\u2028\u2029]"


def choose(rows: Rows, most: int) -> Rows:
    """At most `most` of some rows, at random, in their order.

    >>> choose(np.arange(3), 5).tolist(), len(choose(np.arange(100), 5))
    ([0, 1, 2], 5)
    """
    if len(rows) <= most:
        return rows
    chosen = np.random.default_rng(SEED).choice(len(rows), most, replace=False)
    return rows[np.sort(chosen)]


def shuffled(count: int) -> Rows:
    """The numbers below `count` in a random order, the same each time."""
    return np.random.default_rng(SEED).permutation(count)


def within(order: Rows, costs: Rows, budget: int, most: int) -> Rows:
    """The first of `order` whose costs are in the budget, at least one, in their own order.

    >>> within(np.array([2, 0, 1]), np.array([5, 5, 5]), budget=10, most=9).tolist()
    [0, 2]
    """
    first = order[:most]
    fit = int(np.searchsorted(np.cumsum(costs[first]), budget, side="right"))
    return np.sort(first[: max(fit, 1)])


def cost(text: pl.Expr) -> pl.Expr:
    """Bytes that a text takes up in the page, once it is cut; an estimate where it is."""
    cut = text.str.slice(0, CUT)
    return cut.str.len_bytes().cast(pl.Int64) + 5 * cut.str.count_matches(_SPELT_OUT)


def shortened(text: pl.Expr) -> pl.Expr:
    """A text of at most CUT characters; an ellipsis stands for the rest.

    >>> pl.select(shortened(pl.lit("a" * 3000)).str.len_chars()).item()
    2001
    """
    return pl.when(text.str.len_chars() > CUT).then(text.str.slice(0, CUT) + "…").otherwise(text)


def name(column: str) -> pl.Expr:
    """A column of names, safe to show and not too long."""
    return printable(pl.col(column).str.slice(0, _NAME))
