"""The dynamic program: beads, a band of the grid, and the best path.

Cell (i, j) of the grid means that i source lines and j target lines have been used. The grid is
stored by anti-diagonals: diagonal k = i + j holds `width` cells, starting at i = low[k]. A band can
thus follow a path of any slope, and long runs of nulls cost no more than beads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64

# (source lines, target lines) of each type of bead, nulls first
TYPES: tuple[tuple[int, int], ...] = (
    (1, 0), (0, 1), (1, 1),
    (1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (4, 1), (1, 5), (5, 1),
    (1, 6), (6, 1), (1, 7), (7, 1), (1, 8), (8, 1),
    (2, 2), (2, 3), (3, 2),
)  # fmt: skip
NULLS = 2  # number of nulls at the start of TYPES
MAX_STEP = 9  # diagonals that the largest bead crosses
MARGIN = 8  # cells that a step moves sideways within the band, at most
NEVER = -1e30
_CHUNK = 1 << 10  # diagonals whose steps are in memory at once

SOURCE_LINES = np.array([a for a, _ in TYPES])
LINES = np.array([a + b for a, b in TYPES])


class Bead(NamedTuple):
    """A pair, or null, of source lines [i, i + a) and target lines [j, j + b).

    `type` is an index of TYPES, which gives (a, b).
    """

    i: int
    j: int
    type: int


class Band:
    """The cells of the grid that a path may pass through.

    Args:
        n, m: lines of source and target.
        low: int64 [n + m + 1], first i of each diagonal; it grows by 0 or 1 per diagonal.
        width: cells per diagonal.
    """

    def __init__(self, n: int, m: int, low: I64, width: int) -> None:
        self.n, self.m, self.low, self.width = n, m, low, width

    @classmethod
    def full(cls, n: int, m: int) -> Band:
        """Return a band of all cells."""
        return cls(n, m, np.zeros(n + m + 1, np.int64), n + 1)

    @classmethod
    def around(cls, n: int, m: int, center: I64, width: int) -> Band:
        """Return a band of `width` cells around `center`: int64, i of each diagonal.

        `center` grows by 0 or 1 per diagonal.
        """
        return cls(n, m, center - width // 2, width)

    @property
    def diagonals(self) -> int:
        """Number of diagonals."""
        return self.n + self.m + 1

    def steps(self, first: int, last: int) -> I64:
        """Where a bead of each type that ends in cell 0 of a diagonal begins.

        int64 [last - first, types], indices into a flat grid of the diagonals from `first` on. It
        is padded with MAX_STEP rows before the first and MARGIN cells on either side, so that
        every step lands inside.
        """
        k = np.arange(first, last)[:, None]
        before = np.maximum(k - LINES, 0)
        column = self.low[first:last, None] - SOURCE_LINES - self.low[before] + MARGIN
        steps: I64 = (k - first - LINES + MAX_STEP) * (self.width + 2 * MARGIN) + column
        return steps

    def cells(self, first: int, last: int) -> tuple[I64, I64]:
        """I and j of the cells of diagonals [first, last): int64 [diagonals, width] each.

        Some cells lie outside the grid; see `inside`.
        """
        i = self.low[first:last, None] + np.arange(self.width)
        return i, np.arange(first, last)[:, None] - i

    def inside(self, first: int, last: int) -> NDArray[np.bool_]:
        """Which of these cells lie in the grid: bool [diagonals, width]."""
        i, j = self.cells(first, last)
        ok: NDArray[np.bool_] = (i >= 0) & (i <= self.n) & (j >= 0) & (j <= self.m)
        return ok


class PathSearch:
    """Search for the path with the highest sum of scores (Viterbi 1967), some diagonals at a time.

    Only the sums of the last MAX_STEP diagonals are kept, and one byte per cell: the type of the
    bead by which the best path enters it.

    Args:
        band: the cells.
    """

    def __init__(self, band: Band) -> None:
        self._band = band
        self._row = band.width + 2 * MARGIN  # cells of a padded diagonal
        self._entered_by = np.zeros((band.diagonals, band.width), np.uint8)
        self._last = np.full(MAX_STEP * self._row, NEVER, np.float32)
        self._done = 0  # diagonals

    def advance(self, scores: NDArray[np.floating[Any]]) -> None:
        """Take in the scores of the next diagonals.

        Args:
            scores: [diagonals, types, width], score of the bead of each type that ends in each
                cell; NEVER if there is no such bead.
        """
        band, row = self._band, self._row
        first, last = self._done, self._done + len(scores)
        total = np.full((len(scores) + MAX_STEP) * row, NEVER, np.float32)
        total[: MAX_STEP * row] = self._last
        window = np.arange(band.width)
        steps = band.steps(first, last)[:, :, None]
        if not first:
            total[MAX_STEP * row + MARGIN - int(band.low[0])] = 0.0
        for k in range(not first, len(scores)):
            reached = total.take(steps[k] + window)
            reached += scores[k]
            begin = (k + MAX_STEP) * row + MARGIN
            reached.max(axis=0, out=total[begin : begin + band.width])
        for begin in range(0, len(scores), _CHUNK):
            chunk = slice(begin, begin + _CHUNK)
            sums = total.take(steps[chunk] + window) + scores[chunk]
            self._entered_by[first:last][chunk] = sums.argmax(axis=1)
        self._last = total[len(scores) * row :].copy()
        self._done = last

    def path(self) -> list[Bead]:
        """Return the beads of the best path, in order, once all diagonals are taken in."""
        band = self._band
        beads = []
        k, i = band.n + band.m, band.n
        while k > 0:
            kind = int(self._entered_by[k, i - int(band.low[k])])
            a, b = TYPES[kind]
            beads.append(Bead(i - a, k - i - b, kind))
            i, k = i - a, k - a - b
        return beads[::-1]


def best_path(scores: NDArray[np.floating[Any]], band: Band) -> list[Bead]:
    """Find the path with the highest sum of scores: the beads of the path, in order.

    Args:
        scores: [diagonals, types, width], as in `PathSearch.advance`, for all diagonals.
        band: the cells.
    """
    search = PathSearch(band)
    search.advance(scores)
    return search.path()
