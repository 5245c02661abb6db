"""Measure how well scores separate good pairs from bad ones, and how accurate probabilities are."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F64, Bools

_BINS = 10


def auc(good: F64, bad: F64) -> float:
    """Return the area under the ROC curve; ties count half.

    >>> auc(np.array([0.9, 0.5]), np.array([0.1, 0.5]))
    0.875
    """
    ranks = pl.Series(np.concatenate([good, bad])).rank("average").to_numpy()
    n = len(good)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(bad)))


def reliability(
    probability: F64, is_good: Bools, weight: F64
) -> tuple[float, list[tuple[float, int, float, float]]]:
    """Return the expected calibration error, and a row for each tenth of the probability.

    A row has the lower limit, number of pairs, mean probability and share of good pairs.

    >>> reliability(np.array([0.25, 0.25]), np.array([True, False]), np.ones(2))
    (0.25, [(0.2, 2, 0.25, 0.5)])
    """
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    rows, error = [], 0.0
    for number in range(_BINS):
        inside = bins == number
        total = float(weight[inside].sum())
        if total:
            mean = float((probability * weight)[inside].sum() / total)
            share = float((is_good * weight)[inside].sum() / total)
            rows.append((number / _BINS, int(inside.sum()), mean, share))
            error += total * abs(mean - share)
    return error / float(weight.sum()), rows
