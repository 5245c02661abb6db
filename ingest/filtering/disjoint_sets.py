"""Sets of rows that are merged step by step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64, U64, Bools


class DisjointSets:
    """Rows 0 … rows - 1, at first each in a set of its own; four bytes per row.

    A set is named after its least row. The result does not depend on the order of the merges.

    >>> sets = DisjointSets(5)
    >>> sets.merge(np.array([4, 1]), np.array([1, 3]))
    >>> sets.names(np.arange(5)).tolist()
    [0, 1, 2, 1, 1]
    """

    def __init__(self, rows: int) -> None:
        self._parent: NDArray[np.uint32] = np.arange(rows, dtype=np.uint32)

    def __len__(self) -> int:
        return len(self._parent)

    def names(self, rows: NDArray[np.integer]) -> I64:
        """Return the least row of the set of each row."""
        name = self._parent[rows]
        at = np.arange(len(name))
        while len(at):
            parent = self._parent[name[at]]
            moved = parent != name[at]
            at = at[moved]
            name[at] = parent[moved]
        self._parent[rows] = name
        names: I64 = name.astype(np.int64)
        return names

    def merge(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> None:
        """Merge the sets of each row on the left and the row on the right."""
        while True:
            one, other = self.names(left), self.names(right)
            differ = one != other
            if not differ.any():
                return
            left, right = one[differ], other[differ]
            low, high = np.minimum(left, right), np.maximum(left, right).astype(np.uint32)
            np.minimum.at(self._parent, high, low.astype(np.uint32))
            # halve the paths of what was merged until they are short
            while ((above := self._parent[self._parent[high]]) != self._parent[high]).any():
                self._parent[high] = above

    def are_merged(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> Bools:
        """Return whether both rows of each pair of rows are in one set."""
        merged: Bools = self.names(left) == self.names(right)
        return merged

    def merge_equal(self, key: U64, row: NDArray[np.integer]) -> None:
        """Merge the rows that have the same key."""
        order = np.argsort(key)
        key, row = key[order], row[order]
        same = key[1:] == key[:-1]
        self.merge(row[1:][same], row[:-1][same])
