"""Sets of hashes, in which arrays of hashes are looked up."""

from __future__ import annotations

import numpy as np

from ingest._typing import I64, U64, Bools

_SLOTS = 4  # per key, at least


def sort_distinct(keys: U64) -> U64:
    """Return the distinct keys, ascending. Several times as fast as `np.unique`, which hashes them.

    >>> sort_distinct(np.array([3, 1, 3], np.uint64)).tolist()
    [1, 3]
    """
    ordered = np.sort(keys)
    distinct: U64 = ordered[np.r_[True, ordered[1:] != ordered[:-1]][: len(keys)]]
    return distinct


class KeyTable:
    """A set of 64-bit hashes.

    Sorted hashes with the same first bits are neighbours. A table with a slot for each value of
    these bits tells where they begin, and rules out most hashes that are not in the set.

    Args:
        keys: the distinct hashes, ascending.
    """

    def __init__(self, keys: U64) -> None:
        bits = max(_SLOTS * len(keys), 1 << 8).bit_length()
        self._shift = np.uint64(64 - bits)
        count = np.bincount(self._slot(keys), minlength=1 << bits)
        self._first = np.cumsum(count) - count
        self._is_filled = count > 0
        self._most = int(count.max())
        self._keys = np.append(keys, np.uint64(0))  # one more, to step on
        self._size = len(keys)

    def _slot(self, keys: U64) -> I64:
        return (keys >> self._shift).astype(np.int64)

    def find(self, keys: U64) -> tuple[I64, Bools]:
        """Look up hashes.

        Returns:
            index: int64 [keys], the position of each in the set; arbitrary if it is not there.
            known: bool [keys], whether it is there.

        >>> table = KeyTable(np.array([5, 7 << 60], np.uint64))
        >>> index, known = table.find(np.array([7 << 60, 6], np.uint64))
        >>> int(index[0]), known.tolist()
        (1, [True, False])
        """
        index, known = np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
        slot = self._slot(keys)
        possible = np.flatnonzero(self._is_filled[slot])
        wanted, at = keys[possible], self._first[slot[possible]]
        for _ in range(self._most - 1):
            at += (self._keys[at] < wanted) & (at < self._size)
        index[possible] = np.minimum(at, self._size - 1)
        known[possible] = (self._keys[at] == wanted) & (at < self._size)
        return index, known
