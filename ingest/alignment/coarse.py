"""Find the band of the grid from coarse to fine, so that cost grows linearly.

Lines are joined to blocks of 2, 4, 8, … lines until the shorter side has at most `_TOP` blocks.
Those are compared all with all. Each finer level is compared only near the path of the coarser one,
as in vecalign (Thompson & Koehn 2019). A path is the monotone chain with the highest similarity
above the background. Skipping a block costs nothing, so long stretches without a counterpart do not
pull the path aside.
"""

from __future__ import annotations

import numpy as np

from ingest._typing import F32, I64
from ingest.alignment.beads import MAX_STEP, NEVER, Band
from ingest.alignment.spans import line_products

FULL = 40  # if the shorter side has no more lines than this, the band holds every cell
WIDTH = 24  # cells per diagonal of the band of lines
_BLOCK_WIDTH = 48  # cells per diagonal of a band of blocks
_TOP = 128  # blocks of the shorter side at the coarsest level, at most
_MIN_DEVIATIONS = 1.5  # standard deviations above the background from which similarity counts
_EDGE = 8  # padding on either side of a diagonal, as in `beads`
_SAMPLE = 256  # blocks of the other side that estimate the background


def find_band(source: F32, target: F32) -> Band:
    """Find the cells that alignment should consider.

    Args:
        source: [lines, dimensions], vectors of the lines; the side with fewer lines.
        target: the same for the other side.
    """
    n, m = len(source), len(target)
    if n <= FULL:
        return Band.full(n, m)
    sides = [(_centered_pairs(source), _centered_pairs(target))]
    while len(sides[-1][0]) > _TOP:
        sides.append((_sum_pairs(sides[-1][0]), _sum_pairs(sides[-1][1])))
    path: I64 | None = None
    while sides:
        a, b = sides.pop()
        if path is None:
            grid = Band.full(len(a), len(b))
        else:
            grid = Band.around(len(a), len(b), _refine(path, len(a), len(b)), _BLOCK_WIDTH)
        path = _best_chain(_similarity_excess(a, b, grid), grid)
    if path is None:
        return Band.full(n, m)
    return Band.around(n, m, _refine(path, n, m), WIDTH)


def _centered_pairs(sums: F32) -> F32:
    """Sum pairs of lines and subtract the mean direction of the side, which all lines share."""
    norm = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    mean = sums.sum(axis=0) / max(float(norm.sum()), 1e-6)
    pairs = _sum_pairs(sums)
    pairs -= _sum_pairs(norm[:, None]) * mean
    return pairs


def _sum_pairs(sums: F32) -> F32:
    """Sum each row with its neighbor."""
    return np.add.reduceat(sums, np.arange(0, len(sums), 2), axis=0)


def _refine(path: I64, n: int, m: int) -> I64:
    """Convert a path of blocks to a path of blocks half as long: an i for each diagonal."""
    k = np.arange(len(path))
    i, j = np.minimum(2 * path, n), np.minimum(2 * (k - path), m)
    at = i + j
    _, first = np.unique(at, return_index=True)
    finer = np.interp(np.arange(n + m + 1), at[first], i[first])
    return np.floor(finer + 1e-6).astype(np.int64)


def _similarity_excess(a: F32, b: F32, grid: Band) -> F32:
    """Similarity of blocks above the background, in standard deviations: [diagonals, width].

    0 where the similarity is not high enough; NEVER outside the grid.
    """
    sides = []
    for x in (a, b):
        norm = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
        sides.append(x / norm)
    a, b = sides
    background = []
    for x, y in ((a, b), (b, a)):
        sample = y[np.unique(np.linspace(0, len(y) - 1, min(len(y), _SAMPLE)).astype(np.int64))]
        cosines = x @ sample.T
        background.append((cosines.mean(axis=1), cosines.std(axis=1)))
    i, j = grid.cells(0, grid.diagonals)
    ok = (i > 0) & (j > 0) & (i <= grid.n) & (j <= grid.m)
    i, j = np.clip(i - 1, 0, grid.n - 1), np.clip(j - 1, 0, grid.m - 1)
    mean = 0.5 * (background[0][0][i] + background[1][0][j])
    spread = 0.5 * (background[0][1][i] + background[1][1][j])
    z = (line_products(a, b, grid) - mean) / np.maximum(spread, 1e-3)
    excess: F32 = np.where(ok, np.maximum(z - _MIN_DEVIATIONS, 0), NEVER).astype(np.float32)
    return excess


def _best_chain(excess: F32, grid: Band) -> I64:
    """Find the monotone chain with the highest sum: its i on each diagonal."""
    width = grid.width + 2 * _EDGE
    total = np.full((grid.diagonals + MAX_STEP) * width, NEVER, np.float32)
    total[MAX_STEP * width + _EDGE - int(grid.low[0])] = 0.0
    steps = grid.steps[:, :3].tolist()
    w = grid.width
    for k in range(1, grid.diagonals):
        down, across, both = steps[k]
        begin = (k + MAX_STEP) * width + _EDGE
        here = total[begin : begin + w]
        np.add(total[both : both + w], excess[k], out=here)
        np.maximum(here, total[down : down + w], out=here)
        np.maximum(here, total[across : across + w], out=here)
    path = np.empty(grid.diagonals, np.int64)
    k, i = grid.diagonals - 1, grid.n
    path[k] = i
    while k > 0:
        column = i - int(grid.low[k])
        down, across, both = (s + column for s in steps[k])
        here = total[(k + MAX_STEP) * width + _EDGE + column]
        if here == total[down]:
            i, k = i - 1, k - 1
        elif here == total[across]:
            k -= 1
        else:
            i, k = i - 1, k - 2
            path[k + 1] = i
        path[k] = i
    return path
