"""Sums of learned vectors."""

from __future__ import annotations

import numpy as np

from ingest._typing import F32, I64

_OWNERS = 1 << 10  # owners that are summed at once, so that their sums stay in the cache


def sum_vectors(owner: I64, row: I64, vectors: F32, owners: int) -> F32:
    """Sum the vectors of each owner, in the order of its tokens: float32 [owners, width].

    Args:
        owner: int64 [tokens], whose token it is; ascending.
        row: int64 [tokens], the row of its vector.
        vectors: float32 [rows, width].
        owners: the number of owners.

    >>> vectors = np.eye(2, dtype=np.float32)
    >>> sum_vectors(np.array([0, 2, 2]), np.array([1, 0, 1]), vectors, 3).tolist()
    [[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    """
    size = np.bincount(owner, minlength=owners)
    first = np.cumsum(size) - size
    # Owners with most tokens come first: those with an n-th token are then the first so many.
    order = np.argsort(-size, kind="stable")
    sums = np.zeros((owners, vectors.shape[1]), np.float32)
    for start in range(0, owners, _OWNERS):
        some = order[start : start + _OWNERS]
        of_some = np.zeros((len(some), vectors.shape[1]), np.float32)
        having = np.cumsum(np.bincount(size[some])[::-1])[::-1]  # at least so many tokens
        for nth, count in enumerate(having[1:].tolist()):
            of_some[:count] += vectors.take(row[first[some[:count]] + nth], axis=0)
        sums[some] = of_some
    return sums
