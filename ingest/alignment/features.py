"""The evidence for every bead that ends in some cells of the band, all cells at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F32, I64, U64
from ingest.alignment.beads import REACH
from ingest.alignment.lines import NO_END, QUESTION
from ingest.encoder.vocabulary import COMMON, MIDDLE, NAME, NUMBER, RARE, SHORT_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.alignment.evidence import Evidence


_EDGE = 8  # cells either side of a diagonal, so that what a bead reaches back to is in the grid
_RATIO = 2.5  # times that a span of several lines may be as long as the other
_DEVIATION = 6.8  # variance of characters per character: Gale & Church 1993

BEAD = (
    "cosine", "margin", "margin_relative", "margin_lines",
    "words", "words_amount", "words_missed",
    "names", "names_missed", "short_names",
    "numbers", "numbers_missed",
    "length", "length_abs",
    "question", "ending",
    "furniture", "sentences", "sentences_same",
    "two", "three", "many", "more_lines", "two_two", "two_three",
)  # fmt: skip


def flat(grid: NDArray[Any]) -> NDArray[Any]:
    """The grid with margins about it, so that every place that a bead reaches back to is in it."""
    return np.pad(grid, ((REACH, 0), (_EDGE, _EDGE))).reshape(-1)


class Part:
    """Some cells of the band: the beads that end in them.

    Args:
        evidence: of the whole band.
        k, i, j: int64, diagonal, source and target line of each cell, of shapes that broadcast to
            that of `i`; some may lie outside the grid.
    """

    def __init__(self, evidence: Evidence, k: I64, i: I64, j: I64) -> None:
        self.e, self.k, self.i, self.j = evidence, k, i, j
        n, m = evidence.band.n, evidence.band.m
        self.i_at, self.j_at = np.clip(i, 0, n), np.clip(j, 0, m)
        self.inside = (i == self.i_at) & (j == self.j_at)
        self._places: dict[tuple[int, int], I64] = {}

    @classmethod
    def of(cls, evidence: Evidence, first: int, last: int) -> Part:
        """All cells of diagonals [first, last)."""
        i, j = evidence.band.cells(first, last)
        return cls(evidence, np.arange(first, last)[:, None], i, j)

    def some(self, where: NDArray[np.bool_]) -> Part:
        """Those of the cells that the mask marks."""
        i, j = self.i[where], self.j[where]
        return Part(self.e, i + j, i, j)

    def likely(self, a: int, b: int) -> NDArray[np.bool_]:
        """Where a bead can end whose sides are not of quite different lengths."""
        ok = self.exists(a, b)
        if a + b < 4:
            return ok
        s, t = self.e.spans
        x, y = s.chars[a].take(self.i_at), t.chars[b].take(self.j_at)
        ok &= np.maximum(x, y) < _RATIO * np.minimum(x, y)
        return ok

    def exists(self, a: int, b: int) -> NDArray[np.bool_]:
        """Where a bead of a source and b target lines can end."""
        ok: NDArray[np.bool_] = self.inside & (self.i >= a) & (self.j >= b)
        return ok

    def place(self, x: int, y: int) -> I64:
        """Where cell (i - x, j - y) stands in the padded grids."""
        if (x, y) not in self._places:
            k = self.k - (x + y)
            start = (k + REACH) * (self.e.band.width + 2 * _EDGE) + _EDGE - x
            self._places[x, y] = self.i + (start - self.e.band.low[np.maximum(k, 0)])
        return self._places[x, y]

    def block(self, a: int, b: int) -> F32:
        """Sum of `dots` over the bead."""
        total = np.zeros(self.i.shape, np.float32)
        for x in range(a):
            for y in range(b):
                total += self.e.dots.take(self.place(x, y))
        return total

    def margin(self, a: int, b: int) -> tuple[F32, F32]:
        """Cosine of the two spans; how far it stands over what is usual for them."""
        s, t = self.e.spans
        cosine = self.block(a, b) / (s.norm[a].take(self.i_at) * t.norm[b].take(self.j_at))
        usual = 0.5 * (s.mean[a].take(self.i_at) + t.mean[b].take(self.j_at))
        spread = 0.5 * (s.variance[a].take(self.i_at) + t.variance[b].take(self.j_at))
        return cosine, (cosine - usual) / np.sqrt(spread)

    def covered(self, a: int, b: int) -> tuple[U64, ...]:
        """Of each line of the bead, source then target, the words that the other span has."""
        s, t = self.e.marks
        found = []
        for x in range(a):
            whole = s.take(self.place(x, 0))
            for y in range(1, b):
                whole |= s.take(self.place(x, y))
            found.append(whole)
        for y in range(b):
            whole = t.take(self.place(0, y))
            for x in range(1, a):
                whole |= t.take(self.place(x, y))
            found.append(whole)
        return tuple(found)

    def matched(self, a: int, b: int) -> F32:
        """[kinds, diagonals, width]: words of each kind that the other span has, both ways."""
        masks = (self.e.source.units.masks, self.e.target.units.masks)
        total = np.zeros((len(masks[0]), *self.i.shape), np.float32)
        for at, found in enumerate(self.covered(a, b)):
            side, back = (0, at) if at < a else (1, at - a)
            line = (self.i_at, self.j_at)[side] - 1 - back
            np.maximum(line, 0, out=line)
            for kind, mask in enumerate(masks[side]):
                if mask.any():
                    total[kind] += np.bitwise_count(found & mask.take(line))
        return total

    def bead(self, a: int, b: int) -> Iterator[F32]:
        """The values of BEAD for beads of a source and b target lines, each in its turn."""
        s, t = self.e.spans
        cosine, margin = self.margin(a, b)
        margin = np.clip(margin, -3, 15) * np.float32(0.25)
        yield cosine
        yield margin
        yield margin * np.float32(4.0 / self.e.level)
        yield margin * np.float32((a + b - 2) / 2)
        matched = self.matched(a, b)
        slots = [s.slots[kind, a].take(self.i_at) + t.slots[kind, b].take(self.j_at)
                 for kind in range(len(matched))]  # fmt: skip
        got = matched[COMMON] + 2 * matched[MIDDLE] + 3 * matched[RARE]
        all_ = slots[COMMON] + 2 * slots[MIDDLE] + 3 * slots[RARE]
        yield got / (all_ + 4)
        yield np.sqrt(got) * np.float32(0.2)
        yield np.sqrt(all_ - got) * np.float32(0.2)
        yield np.minimum(matched[NAME] * np.float32(0.5), 4)
        yield np.minimum((slots[NAME] - matched[NAME]) * np.float32(0.25), 4)
        yield np.minimum(matched[SHORT_NAME] * np.float32(0.5), 4)
        yield np.minimum(matched[NUMBER] * np.float32(0.5), 3)
        yield np.minimum((slots[NUMBER] - matched[NUMBER]) * np.float32(0.5), 3)
        x, y = s.chars[a].take(self.i_at), t.chars[b].take(self.j_at)
        delta = (x - y) ** 2 / (np.float32(_DEVIATION) * (x + y) * np.float32(0.5))
        np.minimum(delta, 36, out=delta)
        yield delta * np.float32(0.1)
        yield np.sqrt(delta) * np.float32(0.5)
        ends = (self.e.source.units.ends, self.e.target.units.ends)
        e, f = (
            ends[0].take(np.maximum(self.i_at - 1, 0)),
            ends[1].take(np.maximum(self.j_at - 1, 0)),
        )
        yield ((e == QUESTION) != (f == QUESTION)).astype(np.float32)
        yield ((e == NO_END) != (f == NO_END)).astype(np.float32)
        short = (self.e.short[0].take(self.i_at), self.e.short[1].take(self.j_at))
        yield (short[0] & short[1]).astype(np.float32) if a == b == 1 else np.zeros_like(cosine)
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
