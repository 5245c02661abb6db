"""Features of beads, computed for many cells of the band at once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, I64, U64
from ingest.alignment.beads import MAX_STEP
from ingest.alignment.lines import NO_END, QUESTION
from ingest.encoder.vocabulary import COMMON, MIDDLE, NAME, NUMBER, RARE, SHORT_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.alignment.beads import Band
    from ingest.alignment.matches import WordMatches
    from ingest.alignment.spans import Side, Spans


_MARGIN = 8  # padding on either side of a diagonal, so that a bead never reaches outside the grid
_MAX_RATIO = 2.5  # of the lengths of the two sides, in beads of several lines
_VARIANCE = 6.8  # of characters, per character: Gale & Church 1993

# Names as stored in weights.json; "furniture" is boilerplate.
BEAD_FEATURES = (
    "cosine", "margin", "margin_relative", "margin_lines",
    "words", "words_amount", "words_missed",
    "names", "names_missed", "short_names",
    "numbers", "numbers_missed",
    "length", "length_abs",
    "question", "ending",
    "furniture", "sentences", "sentences_same",
    "two", "three", "many", "more_lines", "two_two", "two_three",
)  # fmt: skip


class BeadInputs(Protocol):
    """What the features of beads are computed from.

    Attributes:
        band: the cells.
        source, target: the two sides.
        spans: statistics of the spans of source and target.
        matches: finds which words of two lines translate each other.
        products: the dot products of lines: [diagonals, width].
        fragments: for source and target, bool [lines + 1]: whether the line before a cell is short
            and has no end mark.
        level: typical margin of lines that have a counterpart.
    """

    band: Band
    source: Side
    target: Side
    spans: tuple[Spans, Spans]
    matches: WordMatches
    products: F32
    fragments: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    level: float


class GridWindow:
    """What the beads that end on some diagonals of the band reach back to.

    Its grids are flat. They begin MAX_STEP diagonals before `first` and are padded on either side,
    so that every cell a bead reaches back to is inside.

    Args:
        inputs: inputs for the whole band.
        first, last: the diagonals, from the first to before the last.
    """

    def __init__(self, inputs: BeadInputs, first: int, last: int) -> None:
        self.begin = first - MAX_STEP  # diagonal of the first row of the grids
        self._inputs, self._known = inputs, (max(self.begin, 0), last)

    @cached_property
    def products(self) -> NDArray[Any]:
        """The dot products of lines."""
        return self._pad(self._inputs.products[slice(*self._known)])

    @cached_property
    def matches(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The two masks of `WordMatches`."""
        source, target = self._inputs.matches.masks(*self._known)
        return self._pad(source), self._pad(target)

    def _pad(self, grid: NDArray[Any]) -> NDArray[Any]:
        return np.pad(grid, ((max(-self.begin, 0), 0), (_MARGIN, _MARGIN))).reshape(-1)


class CellFeatures:
    """Features of the beads that end in certain cells of the band.

    Args:
        inputs: inputs for the whole band.
        window: the diagonals that have the cells.
        k, i, j: int64, diagonal, source line and target line of each cell, in shapes that broadcast
            to that of `i`. Some cells may lie outside the grid.
    """

    def __init__(self, inputs: BeadInputs, window: GridWindow, k: I64, i: I64, j: I64) -> None:
        self.inputs, self.window, self.k, self.i, self.j = inputs, window, k, i, j
        n, m = inputs.band.n, inputs.band.m
        self.i_at, self.j_at = np.clip(i, 0, n), np.clip(j, 0, m)
        self.inside = (i == self.i_at) & (j == self.j_at)
        self._offsets: dict[tuple[int, int], I64] = {}

    @classmethod
    def of_diagonals(cls, inputs: BeadInputs, first: int, last: int) -> CellFeatures:
        """All cells of diagonals [first, last)."""
        i, j = inputs.band.cells(first, last)
        return cls(inputs, GridWindow(inputs, first, last), np.arange(first, last)[:, None], i, j)

    def select(self, mask: NDArray[np.bool_]) -> CellFeatures:
        """The cells that the mask marks."""
        i, j = self.i[mask], self.j[mask]
        return CellFeatures(self.inputs, self.window, i + j, i, j)

    def exists(self, a: int, b: int) -> NDArray[np.bool_]:
        """Where a bead of a source and b target lines can end."""
        ok: NDArray[np.bool_] = self.inside & (self.i >= a) & (self.j >= b)
        return ok

    def plausible(self, a: int, b: int) -> NDArray[np.bool_]:
        """Where such a bead can end and its sides do not differ too much in length."""
        ok = self.exists(a, b)
        if a + b < 4:
            return ok
        s, t = self.inputs.spans
        x, y = s.chars[a].take(self.i_at), t.chars[b].take(self.j_at)
        ok &= np.maximum(x, y) < _MAX_RATIO * np.minimum(x, y)
        return ok

    def flat_index(self, x: int, y: int) -> I64:
        """Index of cell (i - x, j - y) in the grids of the window."""
        if (x, y) not in self._offsets:
            k = self.k - (x + y)
            row = (k - self.window.begin) * (self.inputs.band.width + 2 * _MARGIN)
            start = row + _MARGIN - x
            self._offsets[x, y] = self.i + (start - self.inputs.band.low[np.maximum(k, 0)])
        return self._offsets[x, y]

    def block_product(self, a: int, b: int) -> F32:
        """Sum of the dot products over the lines of the bead."""
        total = np.zeros(self.i.shape, np.float32)
        for x in range(a):
            for y in range(b):
                total += self.window.products.take(self.flat_index(x, y))
        return total

    def margin(self, a: int, b: int) -> tuple[F32, F32]:
        """Cosine of the two spans, and its distance from their background in deviations."""
        s, t = self.inputs.spans
        norms = s.norm[a].take(self.i_at) * t.norm[b].take(self.j_at)
        cosine = self.block_product(a, b) / norms
        mean = 0.5 * (s.mean[a].take(self.i_at) + t.mean[b].take(self.j_at))
        variance = 0.5 * (s.variance[a].take(self.i_at) + t.variance[b].take(self.j_at))
        return cosine, (cosine - mean) / np.sqrt(variance)

    def matched_masks(self, a: int, b: int) -> tuple[U64, ...]:
        """For each line of the bead, source then target, the words that match the other span."""
        s, t = self.window.matches
        masks = []
        for x in range(a):
            union = s.take(self.flat_index(x, 0))
            for y in range(1, b):
                union |= s.take(self.flat_index(x, y))
            masks.append(union)
        for y in range(b):
            union = t.take(self.flat_index(0, y))
            for x in range(1, a):
                union |= t.take(self.flat_index(x, y))
            masks.append(union)
        return tuple(masks)

    def matched_counts(self, a: int, b: int) -> F32:
        """Matching words of each kind, on both sides together: [kinds, diagonals, width]."""
        kinds = (self.inputs.source.lines.masks, self.inputs.target.lines.masks)
        total = np.zeros((len(kinds[0]), *self.i.shape), np.float32)
        for at, matched in enumerate(self.matched_masks(a, b)):
            side, back = (0, at) if at < a else (1, at - a)
            line = (self.i_at, self.j_at)[side] - 1 - back
            np.maximum(line, 0, out=line)
            for kind, mask in enumerate(kinds[side]):
                if mask.any():
                    total[kind] += np.bitwise_count(matched & mask.take(line))
        return total

    def bead_features(self, a: int, b: int) -> Iterator[F32]:
        """Yield the values of BEAD_FEATURES, in order, for beads of a source and b target lines."""
        s, t = self.inputs.spans
        cosine, margin = self.margin(a, b)
        margin = np.clip(margin, -3, 15) * np.float32(0.25)
        yield cosine
        yield margin
        yield margin * np.float32(4.0 / self.inputs.level)
        yield margin * np.float32((a + b - 2) / 2)
        matched = self.matched_counts(a, b)
        slots = [s.slots[kind, a].take(self.i_at) + t.slots[kind, b].take(self.j_at)
                 for kind in range(len(matched))]  # fmt: skip
        matched_words = matched[COMMON] + 2 * matched[MIDDLE] + 3 * matched[RARE]
        all_words = slots[COMMON] + 2 * slots[MIDDLE] + 3 * slots[RARE]
        yield matched_words / (all_words + 4)
        yield np.sqrt(matched_words) * np.float32(0.2)
        yield np.sqrt(all_words - matched_words) * np.float32(0.2)
        yield np.minimum(matched[NAME] * np.float32(0.5), 4)
        yield np.minimum((slots[NAME] - matched[NAME]) * np.float32(0.25), 4)
        yield np.minimum(matched[SHORT_NAME] * np.float32(0.5), 4)
        yield np.minimum(matched[NUMBER] * np.float32(0.5), 3)
        yield np.minimum((slots[NUMBER] - matched[NUMBER]) * np.float32(0.5), 3)
        x, y = s.chars[a].take(self.i_at), t.chars[b].take(self.j_at)
        delta = (x - y) ** 2 / (np.float32(_VARIANCE) * (x + y) * np.float32(0.5))
        np.minimum(delta, 36, out=delta)
        yield delta * np.float32(0.1)
        yield np.sqrt(delta) * np.float32(0.5)
        source_end = self.inputs.source.lines.ends.take(np.maximum(self.i_at - 1, 0))
        target_end = self.inputs.target.lines.ends.take(np.maximum(self.j_at - 1, 0))
        yield ((source_end == QUESTION) != (target_end == QUESTION)).astype(np.float32)
        yield ((source_end == NO_END) != (target_end == NO_END)).astype(np.float32)
        if a == b == 1:
            left, right = self.inputs.fragments
            yield (left.take(self.i_at) & right.take(self.j_at)).astype(np.float32)
        else:
            yield np.zeros_like(cosine)
        more = np.abs(s.sentences[a].take(self.i_at) - t.sentences[b].take(self.j_at))
        yield np.minimum(more, 4) * np.float32(0.5)
        yield (more == 0).astype(np.float32) if a + b > 2 else np.zeros_like(cosine)
        flags = (
            (a, b) in ((1, 2), (2, 1)),
            (a, b) in ((1, 3), (3, 1)),
            min(a, b) == 1 and max(a, b) > 3,
            (a + b - 2) / 4,
            (a, b) == (2, 2),
            (a, b) in ((2, 3), (3, 2)),
        )
        for flag in flags:
            yield np.full(self.i.shape, flag, np.float32)
