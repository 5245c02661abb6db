"""Posteriors: the probability that a bead is on the path, given the scores of all beads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, I64
from ingest.alignment.beads import LINES, MARGIN, MAX_STEP, NEVER, SOURCE_LINES, Band

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.alignment.beads import Bead

# Returns the scores of diagonals [first, last): float32 [diagonals, types, width].
ReadScores = Callable[[int, int], F32]

_WINDOW = 224  # diagonals of a window whose posteriors are used
_OVERLAP = 48  # further diagonals before and after it, so that its free ends do not matter
_BATCH = 16  # windows computed at once
_NARROW = 16  # cells per diagonal for which the posteriors of a path are computed


def posteriors(scores: F32, band: Band) -> F32:
    """Compute the probability of every bead when the weight of a path is exp(sum of scores).

    This is the forward-backward algorithm on overlapping windows of diagonals. A short document is
    a single window, so its result is exact.

    Returns:
        float32 in the shape of `scores`, 0…1.
    """
    out = np.zeros_like(scores)
    for first, last, probabilities in _windows(lambda a, b: scores[a:b], band):
        out[first:last] = probabilities
    return out


def path_posteriors(path: list[Bead], scores: ReadScores, band: Band) -> F32:
    """Compute the posteriors of the beads of a path: float32 [beads].

    Args:
        path: the beads, without nulls.
        scores: reads the scores of the diagonals from a first to before a last.
        band: the cells that `scores` has.
    """
    kinds = np.array([bead.type for bead in path], np.int64)
    i = np.array([bead.i for bead in path], np.int64) + SOURCE_LINES[kinds]
    k = np.array([bead.i + bead.j for bead in path], np.int64) + LINES[kinds]
    out = np.zeros(len(path), np.float32)
    for first, last, probabilities in _windows(scores, band):
        at = np.flatnonzero((k >= first) & (k < last))
        out[at] = probabilities[k[at] - first, kinds[at], i[at] - band.low[k[at]]]
    return out


def _windows(scores: ReadScores, band: Band) -> Iterator[tuple[int, int, F32]]:
    """Yield (first diagonal, one past the last, their posteriors)."""
    d = band.diagonals
    if d <= _WINDOW + 2 * _OVERLAP:
        yield 0, d, batch_posteriors(scores(0, d)[None], band.low[None], band.inside(0, d)[None])[0]
        return
    starts = np.arange(0, d, _WINDOW) - _OVERLAP
    for chunk in np.array_split(starts, -(-len(starts) // _BATCH)):
        k = chunk[:, None] + np.arange(_WINDOW + 2 * _OVERLAP)
        real = (k >= 0) & (k < d)
        at = np.clip(k, 0, d - 1)
        first, last = int(at.min()), int(at.max()) + 1
        inside = band.inside(first, last)[at - first] & real[:, :, None]
        values = scores(first, last)[at - first]
        for start, p in zip(
            chunk.tolist(), batch_posteriors(values, band.low[at], inside), strict=True
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
    width = cells + 2 * MARGIN
    rows = np.arange(windows)
    used = np.asarray(inside.any(axis=2))
    first, last = used.argmax(axis=1), length - 1 - used[:, ::-1].argmax(axis=1)
    grid = (windows, length + 2 * MAX_STEP, width)
    never = np.float32(NEVER)
    forward, backward = np.full(grid, never), np.full(grid, never)
    forward[rows, first + MAX_STEP, MARGIN:-MARGIN] = np.where(inside[rows, first], 0, never)
    backward[rows, last + MAX_STEP, MARGIN:-MARGIN] = np.where(inside[rows, last], 0, never)
    scores = np.where(inside[:, :, None, :], scores, never)
    # flat indices in padded windows: where each bead begins, and where one that begins here ends
    step = np.arange(length)[:, None]
    window = np.arange(cells)

    def flat_indices(sign: int) -> I64:
        k = step + sign * LINES
        bounded = np.clip(k, 0, length - 1)
        column = low[:, :, None] + sign * SOURCE_LINES - low[:, bounded] + MARGIN
        begin = (rows * grid[1])[:, None, None] + k + MAX_STEP
        at: I64 = (begin * width + column)[..., None] + window
        return at

    begins = flat_indices(-1)
    for k in range(length):
        reached = _log_sum(forward.reshape(-1).take(begins[:, k]) + scores[:, k])
        here = forward[:, k + MAX_STEP, MARGIN:-MARGIN]
        np.maximum(here, np.where(inside[:, k], reached, never), out=here)
    onward = np.full((types, *grid), never)
    ends = flat_indices(1) + (np.arange(types) * int(np.prod(grid)))[:, None]
    for k in range(length - 1, -1, -1):
        reached = _log_sum(onward.reshape(-1).take(ends[:, k]))
        here = backward[:, k + MAX_STEP, MARGIN:-MARGIN]
        np.maximum(here, np.where(inside[:, k], reached, never), out=here)
        onward[:, :, k + MAX_STEP, MARGIN:-MARGIN] = (scores[:, k] + here[:, None]).swapaxes(0, 1)
    ended = (
        forward[rows, last + MAX_STEP, MARGIN:-MARGIN]
        + backward[rows, last + MAX_STEP, MARGIN:-MARGIN]
    )
    norm = _log_sum(ended)
    log_p = forward.reshape(-1).take(begins)
    log_p += scores
    log_p += backward[:, MAX_STEP:-MAX_STEP, None, MARGIN:-MARGIN]
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


def narrow_to_path(path: list[Bead], scores: ReadScores, band: Band) -> tuple[ReadScores, Band]:
    """Cut scores and band down to the cells around a path."""
    if band.width <= _NARROW:
        return scores, band
    at = np.array([(b.i + b.j, b.i) for b in path] + [(band.n + band.m, band.n)])
    center = np.floor(np.interp(np.arange(band.diagonals), at[:, 0], at[:, 1]) + 1e-6)
    narrow = Band.around(band.n, band.m, center.astype(np.int64), _NARROW)

    def read(first: int, last: int) -> F32:
        chunk = slice(first, last)
        column = narrow.low[chunk, None] + np.arange(_NARROW) - band.low[chunk, None]
        known = (column >= 0) & (column < band.width)
        at = np.clip(column, 0, band.width - 1)[:, None, :]
        values = np.take_along_axis(scores(first, last), at, axis=2)
        return np.where(known[:, None, :], values, np.float32(NEVER))

    return read, narrow
