"""Find the band of the grid from coarse to fine, so that cost grows linearly.

Lines are joined to blocks of 2, 4, 8, … lines until the shorter side has at most `_TOP` blocks.
Those are compared all with all. Each finer level is compared only near the path of the coarser one,
as in vecalign (Thompson & Koehn 2019). A path is the monotone chain with the highest similarity
above the background. Skipping a block costs nothing, so long stretches without a counterpart do not
pull the path aside.
"""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from ingest._typing import F32, I64
from ingest.alignment.beads import MAX_STEP, NEVER, Band
from ingest.alignment.spans import ReadRows, line_products, row_blocks, take_rows
from ingest.io.scratch import RowStore

FULL = 40  # if the shorter side has no more lines than this, the band holds every cell
WIDTH = 24  # cells per diagonal of the band of lines
_BLOCK_WIDTH = 48  # cells per diagonal of a band of blocks
_TOP = 128  # blocks of the shorter side at the coarsest level, at most
_MIN_DEVIATIONS = 1.5  # standard deviations above the background from which similarity counts
_EDGE = 8  # padding on either side of a diagonal, as in `beads`
_ROWS = 1 << 13  # vectors or diagonals in memory at once; an even number
MAX_IN_MEMORY = 1 << 24  # bytes of vectors of one kind; more go to a temporary file
_SAMPLE = 256  # blocks of the other side that estimate the background


def find_band(source: ReadRows, target: ReadRows, lines: tuple[int, int]) -> Band:
    """Find the cells that alignment should consider.

    Args:
        source: reads the vectors of the lines; the side with fewer lines.
        target: the same for the other side.
        lines: number of lines of both.
    """
    n, m = lines
    if n <= FULL:
        return Band.full(n, m)
    with ExitStack() as stack:
        levels = [
            [stack.enter_context(_centered_pairs(*side)) for side in ((source, n), (target, m))]
        ]
        while len(levels[-1][0]) > _TOP:
            levels.append([stack.enter_context(_sum_pairs(blocks)) for blocks in levels[-1]])
        grid = Band.full(len(levels[-1][0]), len(levels[-1][1]))
        finer = [(n, m, WIDTH), *((len(a), len(b), _BLOCK_WIDTH) for a, b in levels)]
        for (x, y, width), (a, b) in zip(finer[-2::-1], levels[::-1], strict=True):
            path = _best_chain(_similarity_excess(a, b, grid), grid)
            a.close()
            b.close()
            grid = Band.around(x, y, _refine(path, x, y), width)
    return grid


def _centered_pairs(vectors: ReadRows, lines: int) -> RowStore:
    """Sum pairs of lines and subtract the mean direction of the side, which all lines share."""
    norm = np.zeros(lines, np.float32)
    total = np.zeros((1, vectors(0, 0).shape[1]), np.float32)
    for first in range(0, lines, _ROWS):
        rows = vectors(first, min(first + _ROWS, lines))
        norm[first : first + _ROWS] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        # Row after row, because a sum of sums would be rounded otherwise.
        total = np.concatenate([total, rows]).sum(axis=0, keepdims=True)
    mean = total[0] / max(float(norm.sum()), 1e-6)
    store = RowStore(total.shape[1], np.float32, max_in_memory=MAX_IN_MEMORY)
    for first in range(0, lines, _ROWS):
        pairs = _add_neighbors(vectors(first, min(first + _ROWS, lines)))
        pairs -= _add_neighbors(norm[first : first + _ROWS, None]) * mean
        store.append(pairs)
    return store


def _sum_pairs(blocks: RowStore) -> RowStore:
    """Sum each row with its neighbor."""
    store = RowStore(blocks.read(0, 0).shape[1], np.float32, max_in_memory=MAX_IN_MEMORY)
    for rows in blocks.batches(_ROWS):
        store.append(_add_neighbors(rows))
    return store


def _add_neighbors(rows: F32) -> F32:
    """Sum rows 0 and 1, 2 and 3, …; a last row without a neighbor stays as it is."""
    return np.add.reduceat(rows, np.arange(0, len(rows), 2), axis=0)


def _refine(path: I64, n: int, m: int) -> I64:
    """Convert a path of blocks to a path of blocks half as long: an i for each diagonal."""
    k = np.arange(len(path))
    i, j = np.minimum(2 * path, n), np.minimum(2 * (k - path), m)
    at = i + j
    _, first = np.unique(at, return_index=True)
    finer = np.interp(np.arange(n + m + 1), at[first], i[first])
    return np.floor(finer + 1e-6).astype(np.int64)


def _similarity_excess(a: RowStore, b: RowStore, grid: Band) -> F32:
    """Similarity of blocks above the background, in standard deviations: [diagonals, width].

    0 where the similarity is not high enough; NEVER outside the grid.
    """
    x, y = _unit_rows(a), _unit_rows(b)
    background = _background(x, grid.n, y, grid.m), _background(y, grid.m, x, grid.n)
    excess = line_products(x, y, grid)
    for first in range(0, grid.diagonals, _ROWS):
        last = min(first + _ROWS, grid.diagonals)
        i, j = grid.cells(first, last)
        ok = (i > 0) & (j > 0) & (i <= grid.n) & (j <= grid.m)
        i, j = np.clip(i - 1, 0, grid.n - 1), np.clip(j - 1, 0, grid.m - 1)
        mean = 0.5 * (background[0][0][i] + background[1][0][j])
        spread = 0.5 * (background[0][1][i] + background[1][1][j])
        z = (excess[first:last] - mean) / np.maximum(spread, 1e-3)
        excess[first:last] = np.where(ok, np.maximum(z - _MIN_DEVIATIONS, 0), NEVER)
    return excess


def _unit_rows(blocks: RowStore) -> ReadRows:
    """Read the rows of blocks scaled to length 1."""

    def read(start: int, stop: int) -> F32:
        rows = blocks.read(start, stop)
        unit: F32 = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
        return unit

    return read


def _background(x: ReadRows, n: int, y: ReadRows, m: int) -> tuple[F32, F32]:
    """Mean and deviation of the cosines of each row of x with rows sampled from y."""
    sample = take_rows(y, np.unique(np.linspace(0, m - 1, min(m, _SAMPLE)).astype(np.int64)))
    mean, deviation = np.empty((2, n), np.float32)
    for first, last in row_blocks(n):
        cosines = x(first, last) @ sample.T
        mean[first:last], deviation[first:last] = cosines.mean(axis=1), cosines.std(axis=1)
    return mean, deviation


def _best_chain(excess: F32, grid: Band) -> I64:
    """Find the monotone chain with the highest sum: its i on each diagonal."""
    width = grid.width + 2 * _EDGE
    total = np.full((grid.diagonals + MAX_STEP) * width, NEVER, np.float32)
    total[MAX_STEP * width + _EDGE - int(grid.low[0])] = 0.0
    steps = np.empty((grid.diagonals, 3), np.int64)
    w = grid.width
    for first in range(0, grid.diagonals, _ROWS):
        last = min(first + _ROWS, grid.diagonals)
        steps[first:last] = grid.steps(first, last)[:, :3] + first * width
        for k, (down, across, both) in enumerate(steps[first:last].tolist(), first):
            if not k:
                continue
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
        down, across, _ = (steps[k] + column).tolist()
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
