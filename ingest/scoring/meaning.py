"""How far the words of two sides mean the same, by the vectors of the encoder.

A sentence is the sum of its words, so all is told by three tables of products of a pair: words of
one side with words of the other, and of each side with itself. The tables of pairs of about the
same length are made together; a pair's own length decides how large they are, and so its numbers
are the same whatever stands beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest._typing import F32, F64, I64, Bools

if TYPE_CHECKING:
    from ingest.scoring.words import Side, Words


LONGEST = 256  # words of a side that are compared one by one
_SIZES = np.array([8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256])
_HELD = 1 << 20  # numbers of a table of vectors at once: 4 MB stay in the cache
_ROWS = 256  # sentences that are compared with the background at once
_NEAREST = 4
_MEANT = 0.35  # a word whose nearest word is less like it than this is taken not to be there
_SURE = 0.45  # from here on the nearest word tells where a word went
_TINY = 1e-6

SIDE = (
    "covered", "covered_plain", "worst", "second_worst", "run", "last_third",
    "alone", "tail", "head", "order", "steps",
)  # fmt: skip
BOTH = ("cosine", "margin_first", "margin_second", "norms", "share_first", "share_second")
NAMES = (*BOTH, *(f"{name}_{side}" for side in ("first", "second") for name in SIDE))


def meaning(found: Words, vectors: F32, background: tuple[F32, F32]) -> tuple[F32, tuple[F32, F32]]:
    """float32 [pairs, NAMES]; and of each word of both sides how like its nearest word is.

    Args:
        found: the words.
        vectors: float32 [distinct words, dimensions].
        background: unit vectors of sentences in the language of the first side, and of the second.
    """
    sides = (found.first, found.second)
    pairs = len(sides[0].lengths)
    out = np.zeros((pairs, len(NAMES)), np.float32)
    like = [np.ones(len(side.code), np.float32) for side in sides]
    units = np.zeros((2, pairs, vectors.shape[1]), np.float32)
    table = np.concatenate([vectors, np.zeros((1, vectors.shape[1]), np.float32)])
    size = [_SIZES[np.searchsorted(_SIZES, np.minimum(x.lengths, LONGEST))] for x in sides]
    some = np.minimum(sides[0].lengths, sides[1].lengths) > 0
    starts = [side.lengths.cumsum() - side.lengths for side in sides]
    shape = size[0] * (LONGEST + 1) + size[1]
    for both in np.unique(shape[some]).tolist():
        widths = divmod(both, LONGEST + 1)
        which = np.flatnonzero(some & (shape == both))
        step = max(1, _HELD // (max(widths) * table.shape[1]))
        for at in range(0, len(which), step):
            rows = which[at : at + step]
            places, there = zip(*map(_places, sides, starts, (rows, rows), widths), strict=True)
            codes = tuple(
                np.where(t, x.code[p], len(vectors))
                for x, p, t in zip(sides, places, there, strict=True)
            )
            out[rows], near, whole = _compared(codes, table)
            for unit, vector in zip(units, whole, strict=True):
                unit[rows] = vector
            for own, p, t, values in zip(like, places, there, near, strict=True):
                own[p[t]] = values[t]
    for side, other in enumerate(background[::-1]):
        out[some, 1 + side] = out[some, 0] - _near(units[side][some], other)
    return out, (like[0], like[1])


def _places(side: Side, starts: I64, rows: I64, width: int) -> tuple[I64, Bools]:
    """Where the words of these texts stand, [texts, width]; and which are there."""
    place = np.arange(width)
    there = place < np.minimum(side.lengths[rows], LONGEST)[:, None]
    return np.where(there, starts[rows][:, None] + place, 0), there


def _compared(codes: tuple[I64, ...], table: F32) -> tuple[F32, list[F32], list[F32]]:
    """The values of some pairs but their margins; of each word how like the nearest is; vectors."""
    there = [code < len(table) - 1 for code in codes]
    s, t = (table[code] for code in codes)
    across = s @ t.transpose(0, 2, 1)
    # copies, since a product of an array with itself takes a slower way
    within = (s @ s.copy().transpose(0, 2, 1), t @ t.copy().transpose(0, 2, 1))
    sizes = [np.sqrt(np.maximum(np.einsum("bii->bi", w), 0.0)) for w in within]
    inverse = [1.0 / np.maximum(size, _TINY) for size in sizes]
    like = across * inverse[0][:, :, None]
    like *= inverse[1][:, None, :]
    # a place without a word is less like any word than words are
    like -= 2.0 * (~there[0])[:, :, None]
    like -= 2.0 * (~there[1])[:, None, :]
    best = [np.where(there[0], like.max(axis=2), 0.0), np.where(there[1], like.max(axis=1), 0.0)]
    to = (like.argmax(axis=2), like.argmax(axis=1))
    dots = (across.sum(axis=2), across.sum(axis=1))
    own = [w.sum(axis=2) for w in within]
    norms = [np.sqrt(np.maximum(w.sum(axis=1), _TINY)) for w in own]
    dot = dots[0].sum(axis=1)
    cosine = dot / (norms[0] * norms[1])
    values = [
        cosine, cosine, cosine, np.log(norms[0] / norms[1]), dot / norms[0] ** 2,
        dot / norms[1] ** 2,
    ]  # fmt: skip
    for side in (0, 1):
        values += _covered(sizes[side], best[side], there[side])
        values += _parts(
            (dots[side], own[side]), within[side], sizes[side], there[side],
            (norms[side], norms[1 - side], cosine),
        )  # fmt: skip
        values += _order(to[side], best[side], sizes[side])
    whole = [x.sum(axis=1) / norm[:, None] for x, norm in zip((s, t), norms, strict=True)]
    return np.stack(values, axis=1), best, whole


def _near(rows: F32, background: F32) -> F32:
    """Mean cosine with the nearest sentences of the background."""
    out = np.zeros(len(rows), np.float32)
    other = exact(background).T
    for at in range(0, len(rows), _ROWS):
        cosines = np.sort(exact(rows[at : at + _ROWS]) @ other, axis=1)[:, -_NEAREST:]
        out[at : at + _ROWS] = cosines.sum(axis=1) / _NEAREST
    return out


def exact(values: F32 | F64, bits: int = 20) -> F64:
    """Values as float64 multiples of 2**-bits.

    Matrix products of such numbers are exact, so that no order of summation, and so no size of a
    batch and no number of threads, shows in the result.

    >>> float(exact(np.float32([0.1]), bits=4)[0])
    0.125
    """
    rounded: F64 = np.rint(np.ldexp(np.asarray(values, np.float64), bits))
    return np.ldexp(rounded, -bits)


def _covered(size: F32, best: F32, there: Bools) -> list[F32]:
    """How far the words of one side are on the other: the first of SIDE."""
    total = np.maximum(size.sum(axis=1), _TINY)
    count = there.sum(axis=1, dtype=np.float32)
    weight = size / total[:, None]
    lacking = np.sort(weight * np.clip(1.0 - best, 0.0, 1.0), axis=1)
    need = np.cumsum(weight * np.where(there, _MEANT - best, 0.0), axis=1)
    lowest = np.minimum(np.minimum.accumulate(need, axis=1), 0.0)
    lowest = np.concatenate([np.zeros_like(lowest[:, :1]), lowest[:, :-1]], axis=1)
    late = there & (3 * np.arange(there.shape[1]) >= 2 * count[:, None])
    last = (weight * best * late).sum(axis=1) / np.maximum((weight * late).sum(axis=1), _TINY)
    covered = (weight * best).sum(axis=1)
    return [
        covered,
        (best * there).sum(axis=1) / np.maximum(count, 1.0),
        lacking[:, -1] * np.sqrt(count),
        lacking[:, -2] * np.sqrt(count),
        (need - lowest).max(axis=1),
        last - covered,
    ]


def _parts(
    sums: tuple[F32, F32], within: F32, size: F32, there: Bools, whole: tuple[F32, F32, F32]
) -> list[F32]:
    """How much nearer the sides come without one word, the end, or the beginning of this one.

    Args:
        sums: products of each word with the other side, and with its own.
        within: products of the words of this side.
        size: lengths of their vectors.
        there: which places have a word.
        whole: length of this side's vector and of the other's, and their cosine.
    """
    dots, own = sums
    norm, other, cosine = whole
    square = (norm**2)[:, None]
    parts = np.cumsum(dots, axis=1)
    dot = parts[:, -1:]
    left = _cosine(dot - dots, square - 2 * own + size**2, other)
    upto = np.cumsum(2 * np.tril(within, -1).sum(axis=2) + size**2, axis=1)
    heads = _cosine(parts, upto, other)
    tails = _cosine(dot - parts, square + upto - 2 * np.cumsum(own, axis=1), other)
    inner = there & np.roll(there, -1, axis=1)
    inner[:, -1] = False
    return [
        np.where(where, value - cosine[:, None], -1.0).max(axis=1)
        for value, where in ((left, there), (heads, inner), (tails, inner))
    ]


def _cosine(dot: F32, square: F32, other: F32) -> F32:
    length = np.sqrt(np.maximum(square, np.float32(1e-3))) * other[:, None]
    return np.asarray(dot / length, np.float32)


def _order(to: I64, best: F32, size: F32) -> tuple[F32, F32]:
    """Correlation of places on both sides; and how often the next word goes near the last."""
    w = np.where(best >= _SURE, size, 0.0)
    total = np.maximum(w.sum(axis=1), _TINY)[:, None]
    x, y = np.broadcast_to(np.arange(to.shape[1], dtype=np.float32), to.shape), to
    x = x - (w * x).sum(axis=1)[:, None] / total
    y = y - (w * y).sum(axis=1)[:, None] / total
    spread = np.sqrt((w * x * x).sum(axis=1) * (w * y * y).sum(axis=1))
    sure = (w > 0).sum(axis=1)
    # few words tell little: the correlation is drawn to one half
    together = ((w * x * y).sum(axis=1) / np.maximum(spread, _TINY) * sure + 1.0) / (sure + 2.0)
    both = (w[:, 1:] > 0) & (w[:, :-1] > 0)
    close = both & (np.abs(np.diff(to, axis=1)) <= 3)
    return together, (close.sum(axis=1) + 1.0) / (both.sum(axis=1) + 2.0)
