"""What speaks for each bead: numbers whose weighted sum is its score.

Additive by design, so that every bead of a band is judged at once: vectors of spans are sums of
vectors of lines, their products sums over blocks of the grid; the words of a line that another
line translates are bits of a mask, and what a span covers is the union of masks.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.align.beads import NEVER, NULLS, REACH, TYPES, Band
from ingest.align.units import COMMON, MIDDLE, NAME, NO_END, NUMBER, QUESTION, RARE, SHORT_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest.align.beads import Bead
    from ingest.align.lexicon import Lexicon
    from ingest.align.units import Units

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

LONGEST = 8  # lines of a span
_EDGE = 8
_NEIGHBOURS = 2  # lines before and after
_RATIO = 2.5  # times that a span of several lines may be as long as the other
_SAMPLE = 128  # lines of the other side that a span is compared with to learn the background
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
NULL = ("null", "null_noise", "null_short", "null_open", "null_best",
        "null_furniture", "null_rate", "null_near")  # fmt: skip
NAMES = BEAD + NULL


class Side(NamedTuple):
    """One side: its lines, their vectors, and what each language needs to be measured by."""

    units: Units
    sums: F32  # [lines, dimensions], not normalised
    rate: float  # characters of this language for the same content, English being 1


class Evidence:
    """The evidence for all beads of a band of one pair of documents."""

    def __init__(self, source: Side, target: Side, lexicon: Lexicon, band: Band) -> None:
        # the vectors are not kept: those of a book are large
        none = np.zeros((0, 0), np.float32)
        self.source, self.target = source._replace(sums=none), target._replace(sums=none)
        self.band = band
        self.marks = tuple(map(_flat, _matches(source.units, target.units, lexicon, band)))
        self.spans = (_spans(source, target), _spans(target, source))
        self.dots = _flat(products(source.sums, target.sums, band))
        self.rates = tuple(np.zeros((2, x.units.lines), np.float32) for x in (source, target))
        self.short = tuple(_short(x.units) for x in (source, target))
        self._look_for_noise()

    def _look_for_noise(self) -> None:
        """Best margin of each line with one line of the band; and how noisy the document is."""
        n, m = self.band.n, self.band.m
        best = (np.full(n + 1, -9.0, np.float32), np.full(m + 1, -9.0, np.float32))
        for first, last in _chunks(self.band):
            part = _Part.of(self, first, last)
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
            part = _Part.of(self, first, last)
            for t, (a, b) in enumerate(TYPES):
                where = part.likely(a, b)
                if t < NULLS:
                    at = (part.i_at, part.j_at)[t]
                    out[len(BEAD) :, first:last, t] = _line_values(self.nulls(t), at)
                else:
                    values = np.stack(list(part.some(where).bead(a, b)))
                    out[: len(BEAD), first:last, t][:, where] = values
        return out

    def of(self, beads: Sequence[Bead]) -> F32:
        """float32 [len(BEAD), beads]: the evidence for these, none of which is a null."""
        out = np.zeros((len(BEAD), len(beads)), np.float32)
        kinds = np.array([bead.type for bead in beads], np.int64)
        ends = np.array([(b.i + TYPES[b.type][0], b.j + TYPES[b.type][1]) for b in beads])
        for t in np.unique(kinds):
            which = np.flatnonzero(kinds == t)
            i, j = ends[which].T
            out[:, which] = np.stack(list(_Part(self, i + j, i, j).bead(*TYPES[t])))
        return out

    def ratios(self, beads: Sequence[Bead]) -> list[float]:
        """Length of the target over that of the source, each as long as if it were English."""
        s, t = self.spans
        sizes = [(TYPES[bead.type], bead) for bead in beads]
        return [float(t.chars[b, bead.j + b] / s.chars[a, bead.i + a]) for (a, b), bead in sizes]

    def exists(self) -> NDArray[np.bool_]:
        """Bool [diagonals, types, width]: which beads there are."""
        part = _Part.of(self, 0, self.band.diagonals)
        return np.stack([part.likely(a, b) for a, b in TYPES], axis=1)

    def scores(self, weights: F32, rough: F32) -> tuple[F32, NDArray[np.float16]]:
        """Weighted sums of the evidence for beads, with two sets of weights, one in half precision.

        [diagonals, types, width] each; NEVER where there is no bead, and for nulls.
        """
        shape = (self.band.diagonals, len(TYPES), self.band.width)
        exact, half = np.full(shape, NEVER, np.float32), np.full(shape, -np.inf, np.float16)
        out: tuple[NDArray[Any], ...] = (exact, half)
        for first, last in _chunks(self.band):
            part = _Part.of(self, first, last)
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

    def score_nulls(self, scores: NDArray[Any], weights: F32) -> None:
        """Put the scores of nulls among those of beads."""
        never = np.float32(NEVER) if scores.dtype == np.float32 else np.float32(-np.inf)
        for t in range(NULLS):
            line = weights[len(BEAD) :] @ self.nulls(t)
            line = np.concatenate([[-np.inf], line]).astype(np.float32)
            line = np.maximum(line, never)
            for first, last in _chunks(self.band):
                part = _Part.of(self, first, last)
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


def _flat(grid: NDArray[Any]) -> NDArray[Any]:
    """The grid with margins about it, so that every place that a bead reaches back to is in it."""
    return np.pad(grid, ((REACH, 0), (_EDGE, _EDGE))).reshape(-1)


def _line_values(values: F32, at: I64) -> F32:
    return np.concatenate([np.zeros((len(values), 1), np.float32), values], axis=1)[:, at]


def _chunks(band: Band) -> Iterator[tuple[int, int]]:
    """Diagonals so many at once that the arrays of a chunk stay in the cache."""
    size = max(64, 60_000 // band.width)
    for first in range(0, band.diagonals, size):
        yield first, min(first + size, band.diagonals)


class _Spans(NamedTuple):
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


def _spans(side: Side, other: Side) -> _Spans:
    n = side.units.lines
    norm, mean, variance, chars, sentences = np.ones((5, LONGEST + 1, n + 1), np.float32)
    m = other.units.lines
    sample = np.unique(np.linspace(0, max(m - 1, 0), min(m, _SAMPLE)).astype(np.int64))
    directions = other.sums[sample]
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = (directions / np.maximum(lengths, 1e-6))[lengths[:, 0] > 0]
    if not len(directions):
        directions = np.zeros((1, side.sums.shape[1]), np.float32)
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
    counts = _count(side.units.masks).astype(np.float32)
    slots = np.zeros((len(counts), LONGEST + 1, n + 1), np.float32)
    for kind, count in enumerate(counts):
        for a, total in _windows(count):
            slots[kind, a] = total
    return _Spans(norm, mean, variance, chars, sentences, slots)


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


def _matches(source: Units, target: Units, lexicon: Lexicon, band: Band) -> tuple[U64, U64]:
    """Which words of two lines translate one another: two masks [diagonals, width].

    In cell (i, j): bits of the words of line i - 1 that line j - 1 has, and the other way round.
    """
    shape = (band.diagonals, band.width)
    marks = (np.zeros(shape, np.uint64), np.zeros(shape, np.uint64))
    if not len(source.line) or not len(target.line):
        return marks
    # keys of both sides: numbers of stems, then those of consonants and digits that both have
    stems = len(lexicon.idf)
    shared = np.intersect1d(source.bones, target.bones)
    shared = shared[shared != 0]
    seen = np.zeros(stems, bool)
    seen[target.stem[target.stem >= 0]] = True
    word_of, key_of = _keys(source, lexicon, seen, shared)
    t_word = np.flatnonzero(target.stem >= 0)
    b_word = np.flatnonzero(np.isin(target.bones, shared))
    t_key = np.concatenate([target.stem[t_word],
                            stems + np.searchsorted(shared, target.bones[b_word])])  # fmt: skip
    t_word = np.concatenate([t_word, b_word])
    # slots of the target in the order of (key, line)
    order = np.argsort(t_word, kind="stable")
    t_word, t_key = t_word[order], t_key[order]
    slot, row = _join(target.word, t_word, len(target.stem))
    m = target.lines
    post = t_key[row] * m + target.line[slot]
    order = np.argsort(post, kind="stable")
    post, t_slot = post[order], slot[order]
    # of the source, line by line: where each may go
    first_k = np.searchsorted(band.low, np.arange(band.n) + 1 - band.width, side="right")
    last_k = np.searchsorted(band.low, np.arange(band.n) + 1, side="right") - 1
    least = np.clip(first_k - np.arange(band.n) - 2, 0, None)
    most = np.clip(last_k - np.arange(band.n) - 2, None, m - 1)
    for first in range(0, len(source.line), 200_000):
        part = slice(first, first + 200_000)
        s_slot, row = _join(source.word[part], word_of, len(source.stem))
        s_slot += first
        line = source.line[s_slot]
        base = key_of[row] * m
        lo = np.searchsorted(post, base + least[line])
        hi = np.searchsorted(post, base + most[line], side="right")
        count = np.maximum(hi - lo, 0)
        s = np.repeat(s_slot, count)
        t = t_slot[np.arange(count.sum()) + np.repeat(lo - (np.cumsum(count) - count), count)]
        i, j = source.line[s] + 1, target.line[t] + 1
        at = (i + j) * band.width + i - band.low[i + j]
        one = np.uint64(1)
        np.bitwise_or.at(marks[0].reshape(-1), at, one << source.bit[s].astype(np.uint64))
        np.bitwise_or.at(marks[1].reshape(-1), at, one << target.bit[t].astype(np.uint64))
    return marks


def _keys(source: Units, lexicon: Lexicon, seen: NDArray[np.bool_], shared: I64) -> tuple[I64, I64]:
    """(word, key) sorted by word: all that a word of the source may be in the target."""
    with_stem = np.flatnonzero(source.stem >= 0)
    stem = source.stem[with_stem]
    begin, end = lexicon.first[stem], lexicon.first[stem + 1]
    count = end - begin
    pair = np.arange(count.sum()) + np.repeat(begin - (np.cumsum(count) - count), count)
    to = lexicon.to[pair].astype(np.int64)
    word = np.repeat(with_stem, count)
    ok = seen[to]
    same = seen[stem]  # the same word on both sides, such as a Latin name in Arabic text
    bones = np.flatnonzero(np.isin(source.bones, shared))
    words = np.concatenate([word[ok], with_stem[same], bones])
    keys = np.concatenate([to[ok], stem[same],
                           len(seen) + np.searchsorted(shared, source.bones[bones])])  # fmt: skip
    order = np.lexsort((keys, words))
    return words[order], keys[order]


def _join(slots: I64, words: I64, n_words: int) -> tuple[I64, I64]:
    """(slot, row) of each slot and each row of the sorted `words` that is of its word."""
    first = np.searchsorted(words, np.arange(n_words + 1))
    count = (first[1:] - first[:-1])[slots]
    slot = np.repeat(np.arange(len(slots)), count)
    row = np.arange(len(slot)) + np.repeat(first[slots] - (np.cumsum(count) - count), count)
    return slot, row


def _count(masks: U64) -> NDArray[np.uint8]:
    """Bits that are set."""
    if hasattr(np, "bitwise_count"):
        return np.bitwise_count(masks)
    parts = np.ascontiguousarray(masks)[..., None].view(np.uint16)  # NumPy before 2.0
    counted: NDArray[np.uint8] = _bits()[parts].sum(axis=-1, dtype=np.uint8)
    return counted


@cache
def _bits() -> NDArray[np.uint8]:
    return np.array([bin(v).count("1") for v in range(1 << 16)], np.uint8)


class _Part:
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
    def of(cls, evidence: Evidence, first: int, last: int) -> _Part:
        """All cells of diagonals [first, last)."""
        i, j = evidence.band.cells(first, last)
        return cls(evidence, np.arange(first, last)[:, None], i, j)

    def some(self, where: NDArray[np.bool_]) -> _Part:
        """Those of the cells that the mask marks."""
        i, j = self.i[where], self.j[where]
        return _Part(self.e, i + j, i, j)

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
                    total[kind] += _count(found & mask.take(line))
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
