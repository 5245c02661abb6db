"""The dynamic programme: beads, a band of the grid they may pass through, best path, posteriors.

A cell (i, j) of the grid means that i source lines and j target lines are used up. The grid is
kept by anti-diagonals: diagonal k = i + j holds `width` cells from i = low[k] on, so that a band
follows a path of any slope, and long stretches of nulls cost no more than beads.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, I64

if TYPE_CHECKING:
    from collections.abc import Iterator


# (source lines, target lines) of each type of bead; nulls first.
TYPES: tuple[tuple[int, int], ...] = (
    (1, 0), (0, 1), (1, 1),
    (1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (4, 1), (1, 5), (5, 1),
    (1, 6), (6, 1), (1, 7), (7, 1), (1, 8), (8, 1),
    (2, 2), (2, 3), (3, 2),
)  # fmt: skip
NULLS = 2  # so many of TYPES are nulls
REACH = 9  # most diagonals that a bead crosses
_EDGE = 8  # most cells that a step moves sideways within the band
NEVER = -1e30

_TAKES = np.array([a for a, _ in TYPES])
_CROSSES = np.array([a + b for a, b in TYPES])


class Bead(NamedTuple):
    """Source lines [i, i + a) and target lines [j, j + b) are one pair, or a null."""

    i: int
    j: int
    type: int


class Band:
    """Which cells of the grid may be passed.

    Args:
        n, m: lines of source and target.
        low: int64 [n + m + 1], first i of each diagonal; each is its neighbour's or one more.
        width: cells of a diagonal.
    """

    def __init__(self, n: int, m: int, low: I64, width: int) -> None:
        self.n, self.m, self.low, self.width = n, m, low, width

    @classmethod
    def full(cls, n: int, m: int) -> Band:
        """All cells."""
        return cls(n, m, np.zeros(n + m + 1, np.int64), n + 1)

    @classmethod
    def around(cls, n: int, m: int, centre: I64, width: int) -> Band:
        """`width` cells about `centre`, an i for each diagonal that grows by 0 or 1."""
        return cls(n, m, centre - width // 2, width)

    @property
    def diagonals(self) -> int:
        return self.n + self.m + 1

    @cached_property
    def steps(self) -> I64:
        """Where a bead that ends in cell 0 of a diagonal begins, in a flat padded grid.

        int64 [diagonals, types]; the grid has REACH rows before the first and _EDGE cells either
        side, so that every step from a cell lands inside.
        """
        k = np.arange(self.diagonals)[:, None]
        before = np.maximum(k - _CROSSES, 0)
        column = self.low[:, None] - _TAKES - self.low[before] + _EDGE
        steps: I64 = (k - _CROSSES + REACH) * (self.width + 2 * _EDGE) + column
        return steps

    def cells(self, first: int, last: int) -> tuple[I64, I64]:
        """I and j of the cells of diagonals [first, last): int64 [diagonals, width] each.

        Some lie outside the grid.
        """
        i = self.low[first:last, None] + np.arange(self.width)
        return i, np.arange(first, last)[:, None] - i

    def inside(self, first: int, last: int) -> NDArray[np.bool_]:
        """Which cells lie in the grid: bool [diagonals, width]."""
        i, j = self.cells(first, last)
        ok: NDArray[np.bool_] = (i >= 0) & (i <= self.n) & (j >= 0) & (j <= self.m)
        return ok


def best_path(scores: NDArray[np.floating[Any]], band: Band) -> list[Bead]:
    """The beads of the path with the highest sum of scores: Viterbi (1967).

    Args:
        scores: [diagonals, types, width], of the bead of each type that ends in each cell;
            NEVER where there is none.
        band: the cells.
    """
    width = band.width + 2 * _EDGE
    total = np.full((band.diagonals + REACH) * width, NEVER, np.float32)
    window = np.arange(band.width)
    steps = band.steps[:, :, None]
    start = _EDGE - int(band.low[0])
    total[REACH * width + start] = 0.0
    for k in range(1, band.diagonals):
        reached = total.take(steps[k] + window)
        reached += scores[k]
        begin = (k + REACH) * width + _EDGE
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


_SPAN = 224  # diagonals of a window whose posteriors are kept
_OVERLAP = 48  # and before and after it, so that its free ends do not matter
_AT_ONCE = 16  # windows worked on side by side


def posteriors(scores: F32, band: Band) -> F32:
    """Probability of every bead under exp(sum of scores) of all paths: as `scores`, 0…1.

    The forward-backward algorithm, on windows of diagonals that overlap and are done side by side.
    A short document is one window, and exact.
    """
    out = np.zeros_like(scores)
    for first, last, chances in _windows(scores, band):
        out[first:last] = chances
    return out


def chances(path: list[Bead], scores: F32, band: Band) -> F32:
    """Of the posteriors, those of the beads of a path: float32 [beads]."""
    kinds = np.array([bead.type for bead in path], np.int64)
    i = np.array([bead.i for bead in path], np.int64) + _TAKES[kinds]
    k = np.array([bead.i + bead.j for bead in path], np.int64) + _CROSSES[kinds]
    out = np.zeros(len(path), np.float32)
    for first, last, found in _windows(scores, band):
        here = np.flatnonzero((k >= first) & (k < last))
        out[here] = found[k[here] - first, kinds[here], i[here] - band.low[k[here]]]
    return out


def _windows(scores: F32, band: Band) -> Iterator[tuple[int, int, F32]]:
    """(first diagonal, one past the last, posteriors of those)."""
    d = band.diagonals
    if d <= _SPAN + 2 * _OVERLAP:
        yield 0, d, together(scores[None], band.low[None], band.inside(0, d)[None])[0]
        return
    starts = np.arange(0, d, _SPAN) - _OVERLAP
    for chunk in np.array_split(starts, -(-len(starts) // _AT_ONCE)):
        k = chunk[:, None] + np.arange(_SPAN + 2 * _OVERLAP)
        real = (k >= 0) & (k < d)
        at = np.clip(k, 0, d - 1)
        first, last = int(at.min()), int(at.max()) + 1
        inside = band.inside(first, last)[at - first] & real[:, :, None]
        for start, p in zip(
            chunk.tolist(), together(scores[at], band.low[at], inside), strict=True
        ):
            begin, end = start + _OVERLAP, min(start + _OVERLAP + _SPAN, d)
            yield begin, end, p[_OVERLAP : _OVERLAP + end - begin]


def together(scores: F32, low: I64, inside: NDArray[np.bool_]) -> F32:
    """Posteriors of several stretches of diagonals at once.

    Args:
        scores: [stretches, diagonals, types, width].
        low: [stretches, diagonals], first i of each.
        inside: [stretches, diagonals, width], which cells there are. A path begins in any cell of
            the first diagonal that has one, and ends in any of the last.
    """
    many, length, types, cells = scores.shape
    width = cells + 2 * _EDGE
    rows = np.arange(many)
    some = np.asarray(inside.any(axis=2))
    first, last = some.argmax(axis=1), length - 1 - some[:, ::-1].argmax(axis=1)
    grid = (many, length + 2 * REACH, width)
    never = np.float32(NEVER)
    forth, back = np.full(grid, never), np.full(grid, never)
    forth[rows, first + REACH, _EDGE:-_EDGE] = np.where(inside[rows, first], 0, never)
    back[rows, last + REACH, _EDGE:-_EDGE] = np.where(inside[rows, last], 0, never)
    scores = np.where(inside[:, :, None, :], scores, never)
    # where each bead begins, and where the one ends that begins here: places in a padded stretch
    step = np.arange(length)[:, None]
    window = np.arange(cells)

    def places(sign: int) -> I64:
        k = step + sign * _CROSSES
        bounded = np.clip(k, 0, length - 1)
        column = low[:, :, None] + sign * _TAKES - low[:, bounded] + _EDGE
        begin = (rows * grid[1])[:, None, None] + k + REACH
        at: I64 = (begin * width + column)[..., None] + window
        return at

    begins = places(-1)
    for k in range(length):
        reached = _log_sum(forth.reshape(-1).take(begins[:, k]) + scores[:, k])
        here = forth[:, k + REACH, _EDGE:-_EDGE]
        np.maximum(here, np.where(inside[:, k], reached, never), out=here)
    onward = np.full((types, *grid), never)
    ends = places(1) + (np.arange(types) * int(np.prod(grid)))[:, None]
    for k in range(length - 1, -1, -1):
        reached = _log_sum(onward.reshape(-1).take(ends[:, k]))
        here = back[:, k + REACH, _EDGE:-_EDGE]
        np.maximum(here, np.where(inside[:, k], reached, never), out=here)
        onward[:, :, k + REACH, _EDGE:-_EDGE] = (scores[:, k] + here[:, None]).swapaxes(0, 1)
    ended = forth[rows, last + REACH, _EDGE:-_EDGE] + back[rows, last + REACH, _EDGE:-_EDGE]
    norm = _log_sum(ended)
    log_p = forth.reshape(-1).take(begins)
    log_p += scores
    log_p += back[:, REACH:-REACH, None, _EDGE:-_EDGE]
    log_p -= norm[:, None, None, None]
    found: F32 = np.exp(np.minimum(log_p, 0, out=log_p), out=log_p)
    return found


def _log_sum(values: F32) -> F32:
    """Log of the sum of exponentials over axis 1; NEVER stays."""
    top = values.max(axis=1)
    values = values - top[:, None]
    np.exp(values, out=values)
    total: F32 = top + np.log(values.sum(axis=1))
    return np.maximum(total, np.float32(NEVER))


_CHUNK = 1 << 13
_NEAR = 16  # cells of a diagonal that the posteriors of a path are worked out in


def near(path: list[Bead], scores: F32, band: Band) -> tuple[F32, Band]:
    """Scores and band cut down to the cells about a path."""
    if band.width <= _NEAR:
        return scores, band
    at = np.array([(b.i + b.j, b.i) for b in path] + [(band.n + band.m, band.n)])
    centre = np.floor(np.interp(np.arange(band.diagonals), at[:, 0], at[:, 1]) + 1e-6)
    narrow = Band.around(band.n, band.m, centre.astype(np.int64), _NEAR)
    out = np.empty((band.diagonals, len(TYPES), _NEAR), np.float32)
    for first in range(0, band.diagonals, _CHUNK):
        part = slice(first, first + _CHUNK)
        column = narrow.low[part, None] + np.arange(_NEAR) - band.low[part, None]
        known = (column >= 0) & (column < band.width)
        at = np.clip(column, 0, band.width - 1)[:, None, :]
        some = np.take_along_axis(scores[part], at, axis=2)
        out[part] = np.where(known[:, None, :], some, np.float32(NEVER))
    return out, narrow
