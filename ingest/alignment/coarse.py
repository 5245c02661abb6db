"""From coarse to fine: where the path runs, found on blocks of lines, so that cost grows linearly.

Lines are joined to blocks of 2, 4, 8, … lines until at most `_TOP` are left on the shorter side;
those are compared all with all, and each finer level only near the path of the coarser one, as in
vecalign (Thompson & Koehn 2019). A path here is the monotone chain with the most similarity above
the background; what is skipped costs nothing, so that long stretches without counterpart are
stepped over wherever they stand.
"""

from __future__ import annotations

import numpy as np

from ingest._typing import F32, I64
from ingest.alignment.beads import NEVER, REACH, Band
from ingest.alignment.spans import products

FULL = 40  # lines of the shorter side up to which every cell is looked at
WIDTH = 24  # cells of a diagonal of the band of lines
_BLOCK_WIDTH = 48  # and of a band of blocks
_TOP = 128
_LEAST = 1.5  # standard deviations above the background from which similarity counts
_EDGE = 8
_SAMPLE = 256


def band(source: F32, target: F32) -> Band:
    """The cells worth a look.

    Args:
        source: [lines, dimensions], sums of vectors; the side with fewer lines.
        target: the same of the other side.
    """
    n, m = len(source), len(target)
    if n <= FULL:
        return Band.full(n, m)
    sides = [(_centred_pairs(source), _centred_pairs(target))]
    while len(sides[-1][0]) > _TOP:
        sides.append((_halved(sides[-1][0]), _halved(sides[-1][1])))
    path: I64 | None = None
    while sides:
        a, b = sides.pop()
        if path is None:
            grid = Band.full(len(a), len(b))
        else:
            grid = Band.around(len(a), len(b), _finer(path, len(a), len(b)), _BLOCK_WIDTH)
        path = _chain(_excess(a, b, grid), grid)
    if path is None:
        return Band.full(n, m)
    return Band.around(n, m, _finer(path, n, m), WIDTH)


def _centred_pairs(sums: F32) -> F32:
    """Sums of two lines each, less the mean direction of the side: what all lines share."""
    norm = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    mean = sums.sum(axis=0) / max(float(norm.sum()), 1e-6)
    pairs = _halved(sums)
    pairs -= _halved(norm[:, None]) * mean
    return pairs


def _halved(sums: F32) -> F32:
    """Sums of two neighbours each."""
    return np.add.reduceat(sums, np.arange(0, len(sums), 2), axis=0)


def _finer(path: I64, n: int, m: int) -> I64:
    """The path of blocks as one of blocks half as long: an i for each diagonal."""
    k = np.arange(len(path))
    i, j = np.minimum(2 * path, n), np.minimum(2 * (k - path), m)
    at = i + j
    _, first = np.unique(at, return_index=True)
    finer = np.interp(np.arange(n + m + 1), at[first], i[first])
    return np.floor(finer + 1e-6).astype(np.int64)


def _excess(a: F32, b: F32, grid: Band) -> F32:
    """[diagonals, width]: similarity of blocks above the background, in deviations; 0 outside."""
    sides = []
    for x in (a, b):
        norm = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-6)
        sides.append(x / norm)
    a, b = sides
    background = []
    for x, y in ((a, b), (b, a)):
        some = y[np.unique(np.linspace(0, len(y) - 1, min(len(y), _SAMPLE)).astype(np.int64))]
        usual = x @ some.T
        background.append((usual.mean(axis=1), usual.std(axis=1)))
    i, j = grid.cells(0, grid.diagonals)
    ok = (i > 0) & (j > 0) & (i <= grid.n) & (j <= grid.m)
    i, j = np.clip(i - 1, 0, grid.n - 1), np.clip(j - 1, 0, grid.m - 1)
    mean = 0.5 * (background[0][0][i] + background[1][0][j])
    spread = 0.5 * (background[0][1][i] + background[1][1][j])
    z = (products(a, b, grid) - mean) / np.maximum(spread, 1e-3)
    excess: F32 = np.where(ok, np.maximum(z - _LEAST, 0), NEVER).astype(np.float32)
    return excess


def _chain(excess: F32, grid: Band) -> I64:
    """The monotone chain with the highest sum: its i on each diagonal."""
    width = grid.width + 2 * _EDGE
    total = np.full((grid.diagonals + REACH) * width, NEVER, np.float32)
    total[REACH * width + _EDGE - int(grid.low[0])] = 0.0
    steps = grid.steps[:, :3].tolist()
    w = grid.width
    for k in range(1, grid.diagonals):
        down, across, both = steps[k]
        begin = (k + REACH) * width + _EDGE
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
        here = total[(k + REACH) * width + _EDGE + column]
        if here == total[down]:
            i, k = i - 1, k - 1
        elif here == total[across]:
            k -= 1
        else:
            i, k = i - 1, k - 2
            path[k + 1] = i
        path[k] = i
    return path
