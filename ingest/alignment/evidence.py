"""The evidence for each bead: features whose weighted sum is the score of the bead.

All evidence is additive, so that every bead of a band can be scored at once. Vectors of spans are
sums of vectors of lines, and their products are sums over blocks of the grid. The words of a line
that another line translates are bits of a mask, and the mask of a span is the union of masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, I64
from ingest.alignment.beads import NEVER, NULLS, TYPES, Band
from ingest.alignment.document_stats import compare_documents
from ingest.alignment.features import BEAD_FEATURES, CellFeatures, GridWindow
from ingest.alignment.lines import NO_END
from ingest.alignment.matches import WordMatches
from ingest.alignment.spans import Side, line_products, measure_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest.alignment.beads import Bead
    from ingest.alignment.lines import IndexedLines
    from ingest.encoder.lexicon import Lexicon


_CELLS = 60_000  # cells of a range of diagonals, so that its arrays fit in the cache
_DIAGONALS = 64  # diagonals of a range, at least
_NEIGHBORS = 2  # lines before and after a line that count as near
_SHORT = 5  # words of a short line, at most

# Names as stored in weights.json; "furniture" is boilerplate.
NULL_FEATURES = ("null", "null_noise", "null_short", "null_open", "null_best",
                 "null_furniture", "null_rate", "null_near", "null_apart")  # fmt: skip
# Products of a bead feature and a document statistic: some features count for more or less the
# further apart the documents are.
DOCUMENT_FEATURES = {
    "sentences_apart": ("sentences", "sentences"),
    "same_apart": ("sentences_same", "sentences"),
    "lines_apart": ("more_lines", "lines"),
}
FEATURE_NAMES = (*BEAD_FEATURES, *DOCUMENT_FEATURES, *NULL_FEATURES)
_FIRST_NULL = FEATURE_NAMES.index(NULL_FEATURES[0])


class Evidence:
    """The evidence for all beads in a band of one document pair.

    Its attributes are those of `features.BeadInputs`, and those of nulls.
    """

    def __init__(self, source: Side, target: Side, lexicon: Lexicon, band: Band) -> None:
        self.source, self.target = source, target
        self.band = band
        self.stats = compare_documents(source, target)
        half = self.stats.length_ratio**0.5
        self.spans = (
            measure_spans(source._replace(rate=source.rate / half), target),
            measure_spans(target._replace(rate=target.rate * half), source),
        )
        self.products = line_products(source.vectors.read, target.vectors.read, band)
        self.matches = WordMatches(source.lines, target.lines, lexicon, band)
        self.null_rates = tuple(
            np.zeros((2, side.lines.size), np.float32) for side in (source, target)
        )
        self.fragments = _follow_fragment(source.lines), _follow_fragment(target.lines)
        self.level = 4.0
        self.noise = 1.0
        self._measure_noise()

    def _measure_noise(self) -> None:
        """Find the best margin of each line with any line in the band, and the share of noise."""
        n, m = self.band.n, self.band.m
        best = (np.full(n + 1, -9.0, np.float32), np.full(m + 1, -9.0, np.float32))
        for first, last in diagonal_chunks(self.band):
            cells = CellFeatures.of_diagonals(self, first, last)
            z = cells.margin(1, 1)[1]
            z[~cells.exists(1, 1)] = -9.0
            np.maximum.at(best[0], cells.i_at, z)
            np.maximum.at(best[1], cells.j_at, z)
        self.best_margins = (np.clip(best[0][1:], -2, 12), np.clip(best[1][1:], -2, 12))
        both = np.concatenate(self.best_margins)
        if len(both):
            top = np.sort(both)[len(both) // 2 :]
            self.level = float(np.clip(top.mean(), 2.0, 12.0))
            plausible = 1.0 / (1.0 + np.exp(12.0 * (0.55 - both / self.level)))
            self.noise = float(1.0 - plausible.mean())

    def null_features(self, side: int) -> F32:
        """Evidence that a line has no counterpart: float32 [len(NULL_FEATURES), lines]."""
        lines = (self.source, self.target)[side].lines
        best = self.best_margins[side] / self.level
        one = np.ones(lines.size, np.float32)
        return np.stack([
            one,
            one * self.noise,
            (lines.tokens <= _SHORT) * one,
            (lines.ends == NO_END) * one,
            best,
            lines.boilerplate * one,
            *self.null_rates[side],
            one * self.stats.lines,
        ])  # fmt: skip

    def learn_nulls(self, path: Sequence[Bead]) -> None:
        """Learn from a first path how many lines have no counterpart, overall and near each line.

        The cost of a null then depends on the document and on the place of the line in it, because
        boilerplate comes in blocks.
        """
        self.null_rates = tuple(
            _null_rates(path, number, side.lines.size)
            for number, side in enumerate((self.source, self.target))
        )

    def features(self) -> F32:
        """All features, for training: float32 [len(FEATURE_NAMES), diagonals, types, width].

        0 where there is no bead.
        """
        shape = (self.band.diagonals, self.band.width)
        out = np.zeros((len(FEATURE_NAMES), shape[0], len(TYPES), shape[1]), np.float32)
        for first, last in diagonal_chunks(self.band):
            cells = CellFeatures.of_diagonals(self, first, last)
            for t, (a, b) in enumerate(TYPES):
                mask = cells.plausible(a, b)
                if t < NULLS:
                    at = (cells.i_at, cells.j_at)[t]
                    out[_FIRST_NULL:, first:last, t] = _take_lines(self.null_features(t), at)
                else:
                    values = np.stack(list(cells.select(mask).bead_features(a, b)))
                    out[: len(BEAD_FEATURES), first:last, t][:, mask] = values
        for name, (feature, stat) in DOCUMENT_FEATURES.items():
            row = out[FEATURE_NAMES.index(feature)]
            out[FEATURE_NAMES.index(name)] = row * getattr(self.stats, stat)
        return out

    def bead_features(self, beads: Sequence[Bead]) -> F32:
        """Features of beads of a path, no nulls: float32 [len(BEAD_FEATURES), beads]."""
        out = np.zeros((len(BEAD_FEATURES), len(beads)), np.float32)
        kinds = np.array([bead.type for bead in beads], np.int64)
        ends = np.array([(b.i + TYPES[b.type][0], b.j + TYPES[b.type][1]) for b in beads])
        for first, last in diagonal_chunks(self.band):
            begin, end = np.searchsorted(ends.sum(axis=1), (first, last)).tolist()
            window = GridWindow(self, first, last)
            for t in np.unique(kinds[begin:end]):
                which = begin + np.flatnonzero(kinds[begin:end] == t)
                i, j = ends[which].T
                cells = CellFeatures(self, window, i + j, i, j)
                out[:, which] = np.stack(list(cells.bead_features(*TYPES[t])))
        return out

    def length_ratios(self, beads: Sequence[Bead]) -> list[float]:
        """Length of the target over that of the source for each bead, both scaled to English."""
        s, t = self.spans
        sizes = [(TYPES[bead.type], bead) for bead in beads]
        ratio = self.stats.length_ratio
        return [
            float(ratio * t.chars[b, bead.j + b] / s.chars[a, bead.i + a]) for (a, b), bead in sizes
        ]

    def bead_mask(self) -> NDArray[np.bool_]:
        """Which beads exist: bool [diagonals, types, width]."""
        cells = CellFeatures.of_diagonals(self, 0, self.band.diagonals)
        return np.stack([cells.plausible(a, b) for a, b in TYPES], axis=1)

    def scores(
        self, first: int, last: int, weights: F32, first_weights: F32
    ) -> tuple[F32, NDArray[np.float16]]:
        """Score beads that end on some diagonals with two sets of weights, the second in float16.

        Returns:
            Two arrays [last - first, types, width]. NEVER, or -inf in the second, where there is no
            bead, and for nulls.
        """
        both = self._document_weights(weights), self._document_weights(first_weights)
        shape = (last - first, len(TYPES), self.band.width)
        exact, half = np.full(shape, NEVER, np.float32), np.full(shape, -np.inf, np.float16)
        out: tuple[NDArray[Any], ...] = (exact, half)
        chunk = CellFeatures.of_diagonals(self, first, last)
        for t, (a, b) in enumerate(TYPES[NULLS:], NULLS):
            mask = chunk.plausible(a, b)
            sparse = np.count_nonzero(mask) < mask.size // 2
            cells = chunk.select(mask) if sparse else chunk
            totals = [np.zeros(cells.i.shape, np.float32) for _ in out]
            for number, value in enumerate(cells.bead_features(a, b)):
                for total, w in zip(totals, both, strict=True):
                    np.add(total, value * w[number], out=total)
            for total, scores in zip(totals, out, strict=True):
                target: NDArray[Any] = scores[:, t]
                target[mask] = total if sparse else total[mask]
        return exact, half

    def _document_weights(self, weights: F32) -> F32:
        """Weights of BEAD_FEATURES in this document, including those of DOCUMENT_FEATURES."""
        adjusted = weights[: len(BEAD_FEATURES)].copy()
        for name, (feature, stat) in DOCUMENT_FEATURES.items():
            weight = weights[FEATURE_NAMES.index(name)]
            adjusted[BEAD_FEATURES.index(feature)] += weight * getattr(self.stats, stat)
        return adjusted

    def null_scores(self, weights: F32) -> tuple[F32, ...]:
        """Scores of nulls of each side: float32 [lines + 1], of the line before each cell."""
        out = []
        for t in range(NULLS):
            line = weights[_FIRST_NULL:] @ self.null_features(t)
            out.append(np.concatenate([[-np.inf], line]).astype(np.float32))
        return tuple(out)

    def add_nulls(self, scores: NDArray[Any], first: int, nulls: tuple[F32, ...]) -> None:
        """Write what `null_scores` returned into the scores of the diagonals from `first` on."""
        never = np.float32(NEVER) if scores.dtype == np.float32 else np.float32(-np.inf)
        i, j = self.band.cells(first, first + len(scores))
        for t, (at, line) in enumerate(zip((i, j), nulls, strict=True)):
            a, b = TYPES[t]
            exists = (i >= a) & (i <= self.band.n) & (j >= b) & (j <= self.band.m)
            values = np.maximum(line[np.clip(at, 0, len(line) - 1)], never)
            scores[:, t] = np.where(exists, values, never)


def _follow_fragment(lines: IndexedLines) -> NDArray[np.bool_]:
    """Whether the line before is short and has no end mark, as boilerplate is: bool [lines + 1]."""
    return np.concatenate([[False], (lines.tokens <= _SHORT) & (lines.ends == NO_END)])


def _null_rates(path: Sequence[Bead], side: int, lines: int) -> F32:
    """Log odds of a null in the document, and share of nulls near each line: float32 [2, lines]."""
    null = np.zeros(lines, np.float32)
    null[[bead[side] for bead in path if bead.type == side]] = 1.0
    share = (null.sum() + 0.5) / (lines + 4.0)
    total = np.concatenate([[0.0], np.cumsum(null)])
    at = np.arange(lines)
    low, high = np.maximum(at - _NEIGHBORS, 0), np.minimum(at + _NEIGHBORS + 1, lines)
    near = (total[high] - total[low] - null) / np.maximum(high - low - 1, 1)
    return np.stack([np.full(lines, np.log(share / (1 - share)) + 2.0), near]).astype(np.float32)


def _take_lines(values: F32, at: I64) -> F32:
    """Values of the line before each cell; 0 before the first line."""
    return np.concatenate([np.zeros((len(values), 1), np.float32), values], axis=1)[:, at]


def diagonal_chunks(band: Band) -> Iterator[tuple[int, int]]:
    """Yield ranges of diagonals that are compared at once."""
    size = max(_DIAGONALS, _CELLS // band.width)
    for first in range(0, band.diagonals, size):
        yield first, min(first + size, band.diagonals)
