"""How well scores tell good from bad, and how far probabilities are right."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

F64 = NDArray[np.float64]
_BINS = 10


def auc(good: F64, bad: F64) -> float:
    """Area under the ROC curve; ties count half.

    >>> auc(np.array([0.9, 0.5]), np.array([0.1, 0.5]))
    0.875
    """
    ranks = pl.Series(np.concatenate([good, bad])).rank("average").to_numpy()
    n = len(good)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(bad)))


def reliability(
    chance: F64, good: NDArray[np.bool_], weight: F64
) -> tuple[float, list[tuple[float, int, float, float]]]:
    """Expected calibration error, and a row a tenth: its low end, pairs, mean, share of good.

    >>> reliability(np.array([0.25, 0.25]), np.array([True, False]), np.ones(2))
    (0.25, [(0.2, 2, 0.25, 0.5)])
    """
    place = np.minimum((chance * _BINS).astype(int), _BINS - 1)
    rows, error = [], 0.0
    for tenth in range(_BINS):
        here = place == tenth
        total = float(weight[here].sum())
        if total:
            mean = float((chance * weight)[here].sum() / total)
            share = float((good * weight)[here].sum() / total)
            rows.append((tenth / _BINS, int(here.sum()), mean, share))
            error += total * abs(mean - share)
    return error / float(weight.sum()), rows
