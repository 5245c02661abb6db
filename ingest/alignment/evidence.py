"""What speaks for each bead: numbers whose weighted sum is its score.

Additive by design, so that every bead of a band is judged at once: vectors of spans are sums of
vectors of lines, their products sums over blocks of the grid; the words of a line that another
line translates are bits of a mask, and what a span covers is the union of masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, I64
from ingest.alignment.beads import NEVER, NULLS, TYPES, Band
from ingest.alignment.document_stats import wholes
from ingest.alignment.features import BEAD, Part, flat
from ingest.alignment.lines import NO_END
from ingest.alignment.matches import matches
from ingest.alignment.spans import Side, products, spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest.alignment.beads import Bead
    from ingest.alignment.lines import Units
    from ingest.encoder.lexicon import Lexicon


_NEIGHBOURS = 2  # lines before and after

NULL = ("null", "null_noise", "null_short", "null_open", "null_best",
        "null_furniture", "null_rate", "null_near", "null_apart")  # fmt: skip
# What counts for more or less the further apart the sides are as wholes: evidence, and in what
APART = {
    "sentences_apart": ("sentences", "sentences"),
    "same_apart": ("sentences_same", "sentences"),
    "lines_apart": ("more_lines", "lines"),
}
NAMES = (*BEAD, *APART, *NULL)
_NULLS = NAMES.index(NULL[0])  # where they begin


class Evidence:
    """The evidence for all beads of a band of one pair of documents."""

    def __init__(self, source: Side, target: Side, lexicon: Lexicon, band: Band) -> None:
        # the vectors are not kept: those of a book are large
        none = np.zeros((0, 0), np.float32)
        self.source, self.target = source._replace(sums=none), target._replace(sums=none)
        self.band = band
        self.marks = tuple(map(flat, matches(source.units, target.units, lexicon, band)))
        self.wholes = wholes(source, target)
        half = self.wholes.wordy**0.5
        self.spans = (
            spans(source._replace(rate=source.rate / half), target),
            spans(target._replace(rate=target.rate * half), source),
        )
        self.dots = flat(products(source.sums, target.sums, band))
        self.rates = tuple(np.zeros((2, x.units.lines), np.float32) for x in (source, target))
        self.short = tuple(_short(x.units) for x in (source, target))
        self._look_for_noise()

    def _look_for_noise(self) -> None:
        """Best margin of each line with one line of the band; and how noisy the document is."""
        n, m = self.band.n, self.band.m
        best = (np.full(n + 1, -9.0, np.float32), np.full(m + 1, -9.0, np.float32))
        for first, last in _chunks(self.band):
            part = Part.of(self, first, last)
            z = part.margin(1, 1)[1]
            z[~part.exists(1, 1)] = -9.0
            np.maximum.at(best[0], part.i_at, z)
            np.maximum.at(best[1], part.j_at, z)
        self.best = (np.clip(best[0][1:], -2, 12), np.clip(best[1][1:], -2, 12))
        both = np.concatenate(self.best)
        if len(both):
            top = np.sort(both)[len(both) // 2 :]
            self.level = float(np.clip(top.mean(), 2.0, 12.0))
            plausible = 1.0 / (1.0 + np.exp(12.0 * (0.55 - both / self.level)))
            self.noise = float(1.0 - plausible.mean())
        else:
            self.noise, self.level = 1.0, 4.0

    def nulls(self, side: int) -> F32:
        """float32 [len(NULL), lines]: evidence that a line has no counterpart."""
        u = (self.source, self.target)[side].units
        best = self.best[side] / self.level
        one = np.ones(u.lines, np.float32)
        return np.stack([
            one,
            one * self.noise,
            (u.tokens <= 5) * one,
            (u.ends == NO_END) * one,
            best,
            u.furniture * one,
            *self.rates[side],
            one * self.wholes.lines,
        ])  # fmt: skip

    def learn_nulls(self, path: Sequence[Bead]) -> None:
        """Take from a first path how many lines have no counterpart, all over and near each line.

        What a null costs then depends on the document, and on where in it the line stands: page
        furniture comes in blocks.
        """
        self.rates = tuple(
            _rates(path, side, u.lines)
            for side, u in enumerate((self.source.units, self.target.units))
        )

    def features(self) -> F32:
        """float32 [len(NAMES), diagonals, types, width]: for learning; and 0 where none."""
        shape = (self.band.diagonals, self.band.width)
        out = np.zeros((len(NAMES), shape[0], len(TYPES), shape[1]), np.float32)
        for first, last in _chunks(self.band):
            part = Part.of(self, first, last)
            for t, (a, b) in enumerate(TYPES):
                where = part.likely(a, b)
                if t < NULLS:
                    at = (part.i_at, part.j_at)[t]
                    out[_NULLS:, first:last, t] = _line_values(self.nulls(t), at)
                else:
                    values = np.stack(list(part.some(where).bead(a, b)))
                    out[: len(BEAD), first:last, t][:, where] = values
        for name, (of, by) in APART.items():
            out[NAMES.index(name)] = out[NAMES.index(of)] * getattr(self.wholes, by)
        return out

    def of(self, beads: Sequence[Bead]) -> F32:
        """float32 [len(BEAD), beads]: the evidence for these, none of which is a null."""
        out = np.zeros((len(BEAD), len(beads)), np.float32)
        kinds = np.array([bead.type for bead in beads], np.int64)
        ends = np.array([(b.i + TYPES[b.type][0], b.j + TYPES[b.type][1]) for b in beads])
        for t in np.unique(kinds):
            which = np.flatnonzero(kinds == t)
            i, j = ends[which].T
            out[:, which] = np.stack(list(Part(self, i + j, i, j).bead(*TYPES[t])))
        return out

    def ratios(self, beads: Sequence[Bead]) -> list[float]:
        """Length of the target over that of the source, each as long as if it were English."""
        s, t = self.spans
        sizes = [(TYPES[bead.type], bead) for bead in beads]
        wordy = self.wholes.wordy
        return [
            float(wordy * t.chars[b, bead.j + b] / s.chars[a, bead.i + a]) for (a, b), bead in sizes
        ]

    def exists(self) -> NDArray[np.bool_]:
        """Bool [diagonals, types, width]: which beads there are."""
        part = Part.of(self, 0, self.band.diagonals)
        return np.stack([part.likely(a, b) for a, b in TYPES], axis=1)

    def scores(self, weights: F32, rough: F32) -> tuple[F32, NDArray[np.float16]]:
        """Weighted sums of the evidence for beads, with two sets of weights, one in half precision.

        [diagonals, types, width] each; NEVER where there is no bead, and for nulls.
        """
        weights, rough = self._of_document(weights), self._of_document(rough)
        shape = (self.band.diagonals, len(TYPES), self.band.width)
        exact, half = np.full(shape, NEVER, np.float32), np.full(shape, -np.inf, np.float16)
        out: tuple[NDArray[Any], ...] = (exact, half)
        for first, last in _chunks(self.band):
            part = Part.of(self, first, last)
            for t, (a, b) in enumerate(TYPES[NULLS:], NULLS):
                where = part.likely(a, b)
                few = np.count_nonzero(where) < where.size // 2
                cells = part.some(where) if few else part
                totals = [np.zeros(cells.i.shape, np.float32) for _ in out]
                for name, value in enumerate(cells.bead(a, b)):
                    for total, w in zip(totals, (weights, rough), strict=True):
                        np.add(total, value * w[name], out=total)
                for total, held in zip(totals, out, strict=True):
                    here: NDArray[Any] = held[first:last, t]
                    here[where] = total if few else total[where]
        return exact, half

    def _of_document(self, weights: F32) -> F32:
        """Weights of BEAD, with what APART adds to them in this document."""
        own = weights[: len(BEAD)].copy()
        for name, (of, by) in APART.items():
            own[BEAD.index(of)] += weights[NAMES.index(name)] * getattr(self.wholes, by)
        return own

    def score_nulls(self, scores: NDArray[Any], weights: F32) -> None:
        """Put the scores of nulls among those of beads."""
        never = np.float32(NEVER) if scores.dtype == np.float32 else np.float32(-np.inf)
        for t in range(NULLS):
            line = weights[_NULLS:] @ self.nulls(t)
            line = np.concatenate([[-np.inf], line]).astype(np.float32)
            line = np.maximum(line, never)
            for first, last in _chunks(self.band):
                part = Part.of(self, first, last)
                at = (part.i_at, part.j_at)[t]
                scores[first:last, t] = np.where(part.exists(*TYPES[t]), line[at], never)


def _short(units: Units) -> NDArray[np.bool_]:
    """Whether the line before is short, bool [lines + 1], and open at its end, as furniture is."""
    return np.concatenate([[False], (units.tokens <= 5) & (units.ends == NO_END)])


def _rates(path: Sequence[Bead], side: int, lines: int) -> F32:
    """float32 [2, lines]: log odds of a null in the document; share of nulls near each line."""
    null = np.zeros(lines, np.float32)
    null[[bead[side] for bead in path if bead.type == side]] = 1.0
    share = (null.sum() + 0.5) / (lines + 4.0)
    total = np.concatenate([[0.0], np.cumsum(null)])
    at = np.arange(lines)
    low, high = np.maximum(at - _NEIGHBOURS, 0), np.minimum(at + _NEIGHBOURS + 1, lines)
    near = (total[high] - total[low] - null) / np.maximum(high - low - 1, 1)
    return np.stack([np.full(lines, np.log(share / (1 - share)) + 2.0), near]).astype(np.float32)


def _line_values(values: F32, at: I64) -> F32:
    return np.concatenate([np.zeros((len(values), 1), np.float32), values], axis=1)[:, at]


def _chunks(band: Band) -> Iterator[tuple[int, int]]:
    """Diagonals so many at once that the arrays of a chunk stay in the cache."""
    size = max(64, 60_000 // band.width)
    for first in range(0, band.diagonals, size):
        yield first, min(first + size, band.diagonals)
