"""Sums of learned vectors."""

from __future__ import annotations

import numpy as np

from ingest._typing import F64, I64

_OWNERS = 1 << 8  # owners whose vectors are held at once


def sum_vectors(owner: I64, row: I64, vectors: F64, owners: int) -> F64:
    """Sum the vectors of each owner: float64 [owners, width].

    Args:
        owner: int64 [tokens], whose token it is; ascending.
        row: int64 [tokens], the row of its vector.
        vectors: float64 [rows, width].
        owners: the number of owners.

    >>> sum_vectors(np.array([0, 2, 2]), np.array([1, 0, 1]), np.eye(2), 3).tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    """
    sums = np.zeros((owners, vectors.shape[1]))
    for start in range(0, owners, _OWNERS):
        low, high = np.searchsorted(owner, (start, start + _OWNERS))
        if low < high:
            filled, starts = np.unique(owner[low:high], return_index=True)
            sums[filled] = np.add.reduceat(vectors[row[low:high]], starts, axis=0)
    return sums
