"""Runs of lines: the vectors of a run are summed, and so are its lengths and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.alignment.beads import Band
    from ingest.alignment.lines import Units


LONGEST = 8  # lines of a span
_BACKGROUND = 3  # least of them; fewer lines are helped out by what is like nothing
_SAMPLE = 128  # lines of the other side that a span is compared with to learn the background


class Side(NamedTuple):
    """One side: its lines, their vectors, and what each language needs to be measured by."""

    units: Units
    sums: F32  # [lines, dimensions], not normalised
    rate: float  # characters of this language for the same content, English being 1


class Spans(NamedTuple):
    """Of spans of 1 … LONGEST lines that end before line i: [LONGEST + 1, lines + 1] each."""

    norm: F32
    mean: F32  # of the cosines with lines all over the other side
    variance: F32
    chars: F32
    sentences: F32
    slots: F32  # [KINDS, LONGEST + 1, lines + 1]


def _windows(values: NDArray[np.float32]) -> Iterator[tuple[int, F32]]:
    """(a, sums over the a lines that end before i, for i in 0 … lines), a = 1 … LONGEST."""
    n = len(values)
    total = np.zeros((n + 1, *values.shape[1:]), np.float32)
    for a in range(1, LONGEST + 1):
        if a <= n:
            total[a:] += values[: n + 1 - a]
        yield a, total


def spans(side: Side, other: Side) -> Spans:
    n = side.units.lines
    norm, mean, variance, chars, sentences = np.ones((5, LONGEST + 1, n + 1), np.float32)
    m = other.units.lines
    sample = np.unique(np.linspace(0, max(m - 1, 0), min(m, _SAMPLE)).astype(np.int64))
    directions = other.sums[sample]
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = (directions / np.maximum(lengths, 1e-6))[lengths[:, 0] > 0]
    if (few := _BACKGROUND - len(directions)) > 0:
        nothing = np.zeros((few, side.sums.shape[1]), np.float32)
        directions = np.concatenate([directions, nothing])
    for first in range(0, max(n, 1), 16384):
        begin = max(first - LONGEST, 0)
        last = min(first + 16384, n)
        some = side.sums[begin:last]
        to = slice(first, last + 1)
        for (a, sums), (_, products_) in zip(
            _windows(some), _windows(some @ directions.T), strict=True
        ):
            rows = sums[first - begin :]
            norm[a, to] = np.maximum(np.sqrt(np.einsum("ij,ij->i", rows, rows)), 1e-6)
            cosines = products_[first - begin :] / norm[a, to, None]
            mean[a, to] = usual = cosines.mean(axis=1)
            square = np.einsum("ij,ij->i", cosines, cosines) / len(directions)
            variance[a, to] = np.maximum(square - usual**2, 1e-3)
    for a, total in _windows(side.units.chars):
        chars[a] = np.maximum(total, 1.0) / side.rate
    for a, total in _windows(side.units.sentences):
        sentences[a] = total
    counts = np.bitwise_count(side.units.masks).astype(np.float32)
    slots = np.zeros((len(counts), LONGEST + 1, n + 1), np.float32)
    for kind, held in enumerate(counts):
        for a, total in _windows(held):
            slots[kind, a] = total
    return Spans(norm, mean, variance, chars, sentences, slots)


def products(source: F32, target: F32, band: Band) -> F32:
    """[diagonals, width]: in cell (i, j), the product of lines i - 1 and j - 1; 0 outside."""
    out = np.zeros((band.diagonals, band.width), np.float32)
    if not band.n or not band.m:
        return out
    if band.width > band.n:
        whole = source @ target.T
        i, j = band.cells(0, band.diagonals)
        ok = (i > 0) & (j > 0) & (i <= band.n) & (j <= band.m)
        out[ok] = whole[i[ok] - 1, j[ok] - 1]
        return out
    step = 128  # diagonals whose lines are multiplied as one block
    for first in range(0, band.diagonals, step):
        last = min(first + step, band.diagonals)
        i, j = band.cells(first, last)
        ok = (i > 0) & (j > 0) & (i <= band.n) & (j <= band.m)
        if not ok.any():
            continue
        i, j = i[ok] - 1, j[ok] - 1
        i0, j0 = i.min(), j.min()
        block = source[i0 : i.max() + 1] @ target[j0 : j.max() + 1].T
        out[first:last][ok] = block[i - i0, j - j0]
    return out
