"""Spans of neighboring lines. Vectors, lengths and word counts of a span are sums over lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, I64

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.alignment.beads import Band
    from ingest.alignment.lines import IndexedLines
    from ingest.io.scratch import RowStore


MAX_LINES = 8  # of a span
_MIN_BACKGROUND = 3  # background vectors; if there are fewer lines, zero vectors fill up
_BLOCK = 1 << 12  # vectors multiplied at once
_SAMPLE = 128  # lines of the other side that a span is compared with to estimate the background


# Returns rows [start, stop) of an array of vectors: float32 [rows, dimensions].
ReadRows = Callable[[int, int], F32]


class Side(NamedTuple):
    """One side of a document pair."""

    lines: IndexedLines
    vectors: RowStore  # [lines, dimensions] float32, vectors of the lines, not normalized
    rate: float  # characters this language needs for the same content, relative to English


class Spans(NamedTuple):
    """Statistics of the spans of 1 … MAX_LINES lines that end before line i.

    Each array has the shape [MAX_LINES + 1, lines + 1], indexed by length and end.
    """

    norm: F32
    mean: F32  # of the cosines with lines sampled from the whole other side
    variance: F32  # of the same cosines
    chars: F32
    sentences: F32
    slots: NDArray[np.uint16]  # [KINDS, MAX_LINES + 1, lines + 1], compared words of each kind


def _window_sums(values: NDArray[np.float32]) -> Iterator[tuple[int, F32]]:
    """Yield (a, sums over the a lines before i, for i in 0 … lines) for a = 1 … MAX_LINES.

    The sums are updated in place.
    """
    n = len(values)
    total = np.zeros((n + 1, *values.shape[1:]), np.float32)
    for a in range(1, MAX_LINES + 1):
        if a <= n:
            total[a:] += values[: n + 1 - a]
        yield a, total


def measure_spans(side: Side, other: Side) -> Spans:
    """Compute the statistics of all spans of `side`, with `other` as background."""
    n = side.lines.size
    norm, mean, variance, chars, sentences = np.ones((5, MAX_LINES + 1, n + 1), np.float32)
    m = other.lines.size
    sample = np.unique(np.linspace(0, max(m - 1, 0), min(m, _SAMPLE)).astype(np.int64))
    background = take_rows(other.vectors.read, sample)
    lengths = np.linalg.norm(background, axis=1, keepdims=True)
    background = (background / np.maximum(lengths, 1e-6))[lengths[:, 0] > 0]
    if (missing := _MIN_BACKGROUND - len(background)) > 0:
        zeros = np.zeros((missing, background.shape[1]), np.float32)
        background = np.concatenate([background, zeros])
    for first in range(0, max(n, 1), 16384):
        begin = max(first - MAX_LINES, 0)
        last = min(first + 16384, n)
        vectors = side.vectors.read(begin, last)
        block = slice(first, last + 1)
        for (a, sums), (_, dots) in zip(
            _window_sums(vectors), _window_sums(vectors @ background.T), strict=True
        ):
            rows = sums[first - begin :]
            norm[a, block] = np.maximum(np.sqrt(np.einsum("ij,ij->i", rows, rows)), 1e-6)
            cosines = dots[first - begin :] / norm[a, block, None]
            mean[a, block] = average = cosines.mean(axis=1)
            square = np.einsum("ij,ij->i", cosines, cosines) / len(background)
            variance[a, block] = np.maximum(square - average**2, 1e-3)
    for a, total in _window_sums(side.lines.chars):
        chars[a] = np.maximum(total, 1.0) / side.rate
    for a, total in _window_sums(side.lines.sentences):
        sentences[a] = total
    counts = np.bitwise_count(side.lines.masks).astype(np.float32)
    slots = np.zeros((len(counts), MAX_LINES + 1, n + 1), np.uint16)
    for kind, words in enumerate(counts):
        for a, total in _window_sums(words):
            slots[kind, a] = total
    return Spans(norm, mean, variance, chars, sentences, slots)


def take_rows(vectors: ReadRows, rows: I64) -> F32:
    """Read some of the vectors, one by one."""
    return np.concatenate([vectors(0, 0), *(vectors(row, row + 1) for row in rows.tolist())])


def row_blocks(rows: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows whose vectors are multiplied at once.

    Products of matrices round differently at the end of a matrix than elsewhere. So a block has a
    round number of rows, and the last one is never small.
    """
    starts = range(0, max(rows - _BLOCK // 2, 1), _BLOCK)
    for start in starts:
        yield start, rows if start == starts[-1] else start + _BLOCK


def line_products(source: ReadRows, target: ReadRows, band: Band) -> F32:
    """Compute dot products of lines: [diagonals, width].

    Cell (i, j) holds the product of source line i - 1 and target line j - 1; cells outside the
    grid hold 0.
    """
    out = np.zeros((band.diagonals, band.width), np.float32)
    if not band.n or not band.m:
        return out
    if band.width > band.n:
        whole = source(0, band.n)
        for first, last in row_blocks(band.m):
            product = whole @ target(first, last).T
            i, j = band.cells(first, last + band.n + 1)
            ok = (i > 0) & (i <= band.n) & (j > first) & (j <= last)
            out[first : last + band.n + 1][ok] = product[i[ok] - 1, j[ok] - 1 - first]
        return out
    step = 128  # diagonals whose lines are multiplied as one block
    for first in range(0, band.diagonals, step):
        last = min(first + step, band.diagonals)
        i, j = band.cells(first, last)
        ok = (i > 0) & (j > 0) & (i <= band.n) & (j <= band.m)
        if not ok.any():
            continue
        i, j = i[ok] - 1, j[ok] - 1
        i0, j0 = int(i.min()), int(j.min())
        block = source(i0, int(i.max()) + 1) @ target(j0, int(j.max()) + 1).T
        out[first:last][ok] = block[i - i0, j - j0]
    return out
