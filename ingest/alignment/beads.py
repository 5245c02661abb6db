"""The dynamic program: beads, a band of the grid, the best path and posteriors.

Cell (i, j) of the grid means that i source lines and j target lines have been used. The grid is
stored by anti-diagonals: diagonal k = i + j holds `width` cells, starting at i = low[k]. A band can
thus follow a path of any slope, and long runs of nulls cost no more than beads.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, I64

if TYPE_CHECKING:
    from collections.abc import Iterator


# (source lines, target lines) of each type of bead, nulls first
TYPES: tuple[tuple[int, int], ...] = (
    (1, 0), (0, 1), (1, 1),
    (1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (4, 1), (1, 5), (5, 1),
    (1, 6), (6, 1), (1, 7), (7, 1), (1, 8), (8, 1),
    (2, 2), (2, 3), (3, 2),
)  # fmt: skip
NULLS = 2  # number of nulls at the start of TYPES
MAX_STEP = 9  # diagonals that the largest bead crosses
_MARGIN = 8  # cells that a step moves sideways within the band, at most
NEVER = -1e30

_SOURCE_LINES = np.array([a for a, _ in TYPES])
_LINES = np.array([a + b for a, b in TYPES])


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

    @cached_property
    def steps(self) -> I64:
        """Where a bead of each type that ends in cell 0 of a diagonal begins.

        int64 [diagonals, types], indices into a flat grid. It is padded with MAX_STEP rows before
        the first and _MARGIN cells on either side, so that every step lands inside.
        """
        k = np.arange(self.diagonals)[:, None]
        before = np.maximum(k - _LINES, 0)
        column = self.low[:, None] - _SOURCE_LINES - self.low[before] + _MARGIN
        steps: I64 = (k - _LINES + MAX_STEP) * (self.width + 2 * _MARGIN) + column
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


def best_path(scores: NDArray[np.floating[Any]], band: Band) -> list[Bead]:
    """Find the path with the highest sum of scores (Viterbi 1967).

    Args:
        scores: [diagonals, types, width], score of the bead of each type that ends in each cell;
            NEVER if there is no such bead.
        band: the cells.

    Returns:
        The beads of the path, in order.
    """
    width = band.width + 2 * _MARGIN
    total = np.full((band.diagonals + MAX_STEP) * width, NEVER, np.float32)
    window = np.arange(band.width)
    steps = band.steps[:, :, None]
    start = _MARGIN - int(band.low[0])
    total[MAX_STEP * width + start] = 0.0
    for k in range(1, band.diagonals):
        reached = total.take(steps[k] + window)
        reached += scores[k]
        begin = (k + MAX_STEP) * width + _MARGIN
        reached.max(axis=0, out=total[begin : begin + band.width])
    beads = []
    k, i = band.n + band.m, band.n
    while k > 0:
        column = i - int(band.low[k])
        at = band.steps[k] + column
        kind = int(np.argmax(total[at] + scores[k, :, column]))
        a, b = TYPES[kind]
        beads.append(Bead(i - a, k - i - b, kind))
        i, k = i - a, k - a - b
    return beads[::-1]


_WINDOW = 224  # diagonals of a window whose posteriors are used
_OVERLAP = 48  # further diagonals before and after it, so that its free ends do not matter
_BATCH = 16  # windows computed batch_posteriors


def posteriors(scores: F32, band: Band) -> F32:
    """Compute the probability of every bead when the weight of a path is exp(sum of scores).

    This is the forward-backward algorithm on overlapping windows of diagonals. A short document is
    a single window, so its result is exact.

    Returns:
        float32 in the shape of `scores`, 0…1.
    """
    out = np.zeros_like(scores)
    for first, last, probabilities in _windows(scores, band):
        out[first:last] = probabilities
    return out


def path_posteriors(path: list[Bead], scores: F32, band: Band) -> F32:
    """Compute the posteriors of the beads of a path: float32 [beads]."""
    kinds = np.array([bead.type for bead in path], np.int64)
    i = np.array([bead.i for bead in path], np.int64) + _SOURCE_LINES[kinds]
    k = np.array([bead.i + bead.j for bead in path], np.int64) + _LINES[kinds]
    out = np.zeros(len(path), np.float32)
    for first, last, probabilities in _windows(scores, band):
        at = np.flatnonzero((k >= first) & (k < last))
        out[at] = probabilities[k[at] - first, kinds[at], i[at] - band.low[k[at]]]
    return out


def _windows(scores: F32, band: Band) -> Iterator[tuple[int, int, F32]]:
    """Yield (first diagonal, one past the last, their posteriors)."""
    d = band.diagonals
    if d <= _WINDOW + 2 * _OVERLAP:
        yield 0, d, batch_posteriors(scores[None], band.low[None], band.inside(0, d)[None])[0]
        return
    starts = np.arange(0, d, _WINDOW) - _OVERLAP
    for chunk in np.array_split(starts, -(-len(starts) // _BATCH)):
        k = chunk[:, None] + np.arange(_WINDOW + 2 * _OVERLAP)
        real = (k >= 0) & (k < d)
        at = np.clip(k, 0, d - 1)
        first, last = int(at.min()), int(at.max()) + 1
        inside = band.inside(first, last)[at - first] & real[:, :, None]
        for start, p in zip(
            chunk.tolist(), batch_posteriors(scores[at], band.low[at], inside), strict=True
        ):
            begin, end = start + _OVERLAP, min(start + _OVERLAP + _WINDOW, d)
            yield begin, end, p[_OVERLAP : _OVERLAP + end - begin]


def batch_posteriors(scores: F32, low: I64, inside: NDArray[np.bool_]) -> F32:
    """Compute the posteriors of several windows of diagonals at once.

    Args:
        scores: [windows, diagonals, types, width].
        low: [windows, diagonals], first i of each diagonal.
        inside: [windows, diagonals, width], which cells exist. A path begins in any cell of the
            first diagonal that has cells, and ends in any cell of the last.
    """
    windows, length, types, cells = scores.shape
    width = cells + 2 * _MARGIN
    rows = np.arange(windows)
    used = np.asarray(inside.any(axis=2))
    first, last = used.argmax(axis=1), length - 1 - used[:, ::-1].argmax(axis=1)
    grid = (windows, length + 2 * MAX_STEP, width)
    never = np.float32(NEVER)
    forward, backward = np.full(grid, never), np.full(grid, never)
    forward[rows, first + MAX_STEP, _MARGIN:-_MARGIN] = np.where(inside[rows, first], 0, never)
    backward[rows, last + MAX_STEP, _MARGIN:-_MARGIN] = np.where(inside[rows, last], 0, never)
    scores = np.where(inside[:, :, None, :], scores, never)
    # flat indices in padded windows: where each bead begins, and where one that begins here ends
    step = np.arange(length)[:, None]
    window = np.arange(cells)

    def flat_indices(sign: int) -> I64:
        k = step + sign * _LINES
        bounded = np.clip(k, 0, length - 1)
        column = low[:, :, None] + sign * _SOURCE_LINES - low[:, bounded] + _MARGIN
        begin = (rows * grid[1])[:, None, None] + k + MAX_STEP
        at: I64 = (begin * width + column)[..., None] + window
        return at

    begins = flat_indices(-1)
    for k in range(length):
        reached = _log_sum(forward.reshape(-1).take(begins[:, k]) + scores[:, k])
        here = forward[:, k + MAX_STEP, _MARGIN:-_MARGIN]
        np.maximum(here, np.where(inside[:, k], reached, never), out=here)
    onward = np.full((types, *grid), never)
    ends = flat_indices(1) + (np.arange(types) * int(np.prod(grid)))[:, None]
    for k in range(length - 1, -1, -1):
        reached = _log_sum(onward.reshape(-1).take(ends[:, k]))
        here = backward[:, k + MAX_STEP, _MARGIN:-_MARGIN]
        np.maximum(here, np.where(inside[:, k], reached, never), out=here)
        onward[:, :, k + MAX_STEP, _MARGIN:-_MARGIN] = (scores[:, k] + here[:, None]).swapaxes(0, 1)
    ended = (
        forward[rows, last + MAX_STEP, _MARGIN:-_MARGIN]
        + backward[rows, last + MAX_STEP, _MARGIN:-_MARGIN]
    )
    norm = _log_sum(ended)
    log_p = forward.reshape(-1).take(begins)
    log_p += scores
    log_p += backward[:, MAX_STEP:-MAX_STEP, None, _MARGIN:-_MARGIN]
    log_p -= norm[:, None, None, None]
    probabilities: F32 = np.exp(np.minimum(log_p, 0, out=log_p), out=log_p)
    return probabilities


def _log_sum(values: F32) -> F32:
    """Log of the sum of exponentials over axis 1; NEVER stays NEVER."""
    top = values.max(axis=1)
    values = values - top[:, None]
    np.exp(values, out=values)
    total: F32 = top + np.log(values.sum(axis=1))
    return np.maximum(total, np.float32(NEVER))


_CHUNK = 1 << 13  # diagonals
_NARROW = 16  # cells per diagonal for which the posteriors of a path are computed


def narrow_to_path(path: list[Bead], scores: F32, band: Band) -> tuple[F32, Band]:
    """Cut scores and band down to the cells around a path."""
    if band.width <= _NARROW:
        return scores, band
    at = np.array([(b.i + b.j, b.i) for b in path] + [(band.n + band.m, band.n)])
    center = np.floor(np.interp(np.arange(band.diagonals), at[:, 0], at[:, 1]) + 1e-6)
    narrow = Band.around(band.n, band.m, center.astype(np.int64), _NARROW)
    out = np.empty((band.diagonals, len(TYPES), _NARROW), np.float32)
    for first in range(0, band.diagonals, _CHUNK):
        chunk = slice(first, first + _CHUNK)
        column = narrow.low[chunk, None] + np.arange(_NARROW) - band.low[chunk, None]
        known = (column >= 0) & (column < band.width)
        at = np.clip(column, 0, band.width - 1)[:, None, :]
        values = np.take_along_axis(scores[chunk], at, axis=2)
        out[chunk] = np.where(known[:, None, :], values, np.float32(NEVER))
    return out, narrow
