"""Set the thresholds of the filter so that clean pairs pass, instead of by guessing.

For each rule, the pairs are sorted by what the rule measures. The threshold is the value of the
pair that has k others beyond it, the same k for all rules: the largest for which all rules together
drop no more than the given share of the clean pairs.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np
import polars as pl

from ingest._typing import F64
from ingest.config import FilterConfig
from ingest.filtering.rules import rule_values

SHARE = 0.02
"""Share of the clean pairs that all calibrated rules together may drop."""

MIN_PAIRS = 100
"""With fewer, two in a hundred are less than two pairs: thresholds are then only the extremes."""

# `quality` and `score` weigh all evidence, so most of the share is theirs. The other rules are
# safety nets: each may drop a tenth as many.
_MAIN = ("min_quality", "min_score")
_OTHERS = 10
_FOLDS = 10
_DECIMALS = 3


def calibrate(
    clean: pl.DataFrame, config: FilterConfig, *, fixed: Collection[str] = (), share: float = SHARE
) -> dict[str, float]:
    """Return the settings of the filter that keep all but a small share of clean pairs.

    Rules about columns that the pairs do not have are left alone. So is a maximum that would be 0,
    which means no limit: then hardly any clean pair tells how much is too much.

    Args:
        clean: pairs that should be kept, best with the columns of `ingest.score`.
        config: the current settings. Rules that it switches off stay off.
        fixed: settings that must not change.
        share: how many of the clean pairs may be dropped, 0…1.

    >>> from ingest.alignment import align_lines
    >>> clean = align_lines(["صباح الخير يا أمي", "قرأت كتابا"], ["Good morning, mother", "I read"])
    >>> settings = calibrate(clean, FilterConfig())
    >>> settings["min_words"], settings["max_words"]
    (2, 4)
    """
    values = rule_values(clean)
    settings = [
        name
        for name in values.columns
        if name not in fixed and getattr(config, name) and values[name].count()
    ]
    # what a rule measures, the worst first; null is never dropped
    badness = {
        name: (values[name].cast(pl.Float64) * (-1 if name.startswith("min_") else 1))
        .fill_null(-math.inf).to_numpy()
        for name in settings
    }  # fmt: skip
    if not badness:
        return {}
    ranks = _find_ranks(badness, share)
    thresholds = {name: _threshold(name, worst, ranks[name]) for name, worst in badness.items()}
    return {n: value for n, value in thresholds.items() if value or n.startswith("min_")}


def _find_ranks(badness: dict[str, F64], share: float) -> dict[str, int]:
    """Return how many clean pairs may be beyond each threshold: as many as `share` allows."""
    pairs = len(next(iter(badness.values())))
    low, high = 0, math.floor(share * pairs)
    while low < high:
        middle = (low + high + 1) // 2
        is_few = _count_dropped(badness, _ranks(badness, middle)) <= share * pairs
        low, high = (middle, high) if is_few else (low, middle - 1)
    return _ranks(badness, low)


def _ranks(names: Iterable[str], rank: int) -> dict[str, int]:
    return {name: rank if name in _MAIN else rank // _OTHERS for name in names}


def _count_dropped(badness: dict[str, F64], ranks: dict[str, int]) -> int:
    """Count the pairs that are dropped by thresholds from the other nine tenths of the pairs."""
    fold = np.arange(len(next(iter(badness.values())))) % _FOLDS
    is_dropped = np.zeros(len(fold), bool)
    for name, worst in badness.items():
        for n in range(_FOLDS):
            others = np.sort(worst[fold != n])[::-1]
            if len(others):
                rank = ranks[name] * len(others) // len(fold)
                is_dropped |= (fold == n) & (worst > others[rank])
    return int(is_dropped.sum())


def _threshold(name: str, worst: F64, rank: int) -> float:
    """Return the threshold that `rank` pairs are beyond, rounded so that no more are."""
    value = float(np.sort(worst)[::-1][rank])
    value = -value if name.startswith("min_") else value
    if name.endswith("_words"):
        return int(value)
    scale = 10.0**_DECIMALS
    rounded = math.floor(value * scale) if name.startswith("min_") else math.ceil(value * scale)
    return rounded / scale
