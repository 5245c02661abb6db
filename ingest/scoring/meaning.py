"""How similar in meaning the words of two sides are, by the vectors of the encoder.

The vector of a sentence is the sum of its word vectors, so everything follows from three tables of
dot products per pair: words of one side with words of the other, and words of each side with
themselves. Pairs of about the same length share a batch. The shape of a pair's tables depends on
its own length only, so its values do not depend on the pairs in the same batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest._typing import F32, F64, I64, Bools

if TYPE_CHECKING:
    from ingest.scoring.words import PairWords, SideWords


MAX_WORDS = 256  # words of a side that are compared one by one
_WIDTHS = np.array([8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256])
_MAX_NUMBERS = 1 << 20  # numbers in the vectors of a batch: 4 MB, which stay in the CPU cache
_BATCH_SENTENCES = 256
_NEIGHBOURS = 4  # nearest sentences of the background that count
_MIN_SIMILARITY = 0.35  # a word less similar to its nearest word counts as missing
_SURE_SIMILARITY = 0.45  # similarity from which the nearest word counts as the translation
_TINY = 1e-6

# These names are stored in the model.
SIDE = (
    "covered", "covered_plain", "worst", "second_worst", "run", "last_third",
    "alone", "tail", "head", "order", "steps",
)  # fmt: skip
BOTH = ("cosine", "margin_first", "margin_second", "norms", "share_first", "share_second")
NAMES = (*BOTH, *(f"{name}_{side}" for side in ("first", "second") for name in SIDE))


def measure_meaning(
    words: PairWords, vectors: F32, background: tuple[F32, F32]
) -> tuple[F32, tuple[F32, F32]]:
    """Measure pairs.

    Args:
        words: the words of the pairs.
        vectors: float32 [distinct words, dimensions].
        background: unit vectors of sentences in the language of the first and of the second side,
            float32 [sentences, dimensions].

    Returns:
        float32 [pairs, NAMES]; and for each word of both sides its cosine with the nearest word of
        the other side, float32 [words].
    """
    sides = (words.first, words.second)
    pairs = len(sides[0].lengths)
    out = np.zeros((pairs, len(NAMES)), np.float32)
    similarity = [np.ones(len(side.code), np.float32) for side in sides]
    units = np.zeros((2, pairs, vectors.shape[1]), np.float32)
    # the last row stands for places without a word
    table = np.concatenate([vectors, np.zeros((1, vectors.shape[1]), np.float32)])
    width = [
        _WIDTHS[np.searchsorted(_WIDTHS, np.minimum(side.lengths, MAX_WORDS))] for side in sides
    ]
    has_words = np.minimum(sides[0].lengths, sides[1].lengths) > 0
    starts = [side.lengths.cumsum() - side.lengths for side in sides]
    shape = width[0] * (MAX_WORDS + 1) + width[1]
    for number in np.unique(shape[has_words]).tolist():
        widths = divmod(number, MAX_WORDS + 1)
        of_shape = np.flatnonzero(has_words & (shape == number))
        step = max(1, _MAX_NUMBERS // (max(widths) * table.shape[1]))
        for start in range(0, len(of_shape), step):
            rows = of_shape[start : start + step]
            places, present = zip(*map(_places, sides, starts, (rows, rows), widths), strict=True)
            codes = tuple(
                np.where(p, side.code[place], len(vectors))
                for side, place, p in zip(sides, places, present, strict=True)
            )
            out[rows], nearest, sentences = _compare(codes, table)
            for unit, vector in zip(units, sentences, strict=True):
                unit[rows] = vector
            for own, place, p, values in zip(similarity, places, present, nearest, strict=True):
                own[place[p]] = values[p]
    # the margin over sentences in the language of the other side
    for side, other in enumerate(background[::-1]):
        neighbours = _background_similarity(units[side][has_words], other)
        out[has_words, 1 + side] = out[has_words, 0] - neighbours
    return out, (similarity[0], similarity[1])


def _places(side: SideWords, starts: I64, rows: I64, width: int) -> tuple[I64, Bools]:
    """Return the indices of the words of some texts, [texts, width], and which of them exist."""
    place = np.arange(width)
    present = place < np.minimum(side.lengths[rows], MAX_WORDS)[:, None]
    return np.where(present, starts[rows][:, None] + place, 0), present


def _compare(codes: tuple[I64, ...], table: F32) -> tuple[F32, list[F32], list[F32]]:
    """Compare some pairs.

    Returns:
        The values of NAMES, with cosines in place of margins; for each side, the cosine of each
        word with the nearest word of the other side; and for each side, the unit vector of each
        text.
    """
    present = [code < len(table) - 1 for code in codes]
    first, second = (table[code] for code in codes)
    across = first @ second.transpose(0, 2, 1)
    # copies, because NumPy multiplies an array with itself by a slower routine
    within = (
        first @ first.copy().transpose(0, 2, 1),
        second @ second.copy().transpose(0, 2, 1),
    )
    norms = [np.sqrt(np.maximum(np.einsum("bii->bi", w), 0.0)) for w in within]
    inverse = [1.0 / np.maximum(norm, _TINY) for norm in norms]
    cosines = across * inverse[0][:, :, None]
    cosines *= inverse[1][:, None, :]
    # places without a word are less similar than any two words
    cosines -= 2.0 * (~present[0])[:, :, None]
    cosines -= 2.0 * (~present[1])[:, None, :]
    nearest = [
        np.where(present[0], cosines.max(axis=2), 0.0),
        np.where(present[1], cosines.max(axis=1), 0.0),
    ]
    nearest_place = (cosines.argmax(axis=2), cosines.argmax(axis=1))
    dots = (across.sum(axis=2), across.sum(axis=1))
    own_dots = [w.sum(axis=2) for w in within]
    text_norms = [np.sqrt(np.maximum(w.sum(axis=1), _TINY)) for w in own_dots]
    dot = dots[0].sum(axis=1)
    cosine = dot / (text_norms[0] * text_norms[1])
    values = [
        cosine, cosine, cosine, np.log(text_norms[0] / text_norms[1]),
        dot / text_norms[0] ** 2, dot / text_norms[1] ** 2,
    ]  # fmt: skip
    for side in (0, 1):
        values += _coverage(norms[side], nearest[side], present[side])
        values += _partial_gains(
            (dots[side], own_dots[side]), within[side], norms[side], present[side],
            (text_norms[side], text_norms[1 - side], cosine),
        )  # fmt: skip
        values += _word_order(nearest_place[side], nearest[side], norms[side])
    sentences = [
        vectors.sum(axis=1) / norm[:, None]
        for vectors, norm in zip((first, second), text_norms, strict=True)
    ]
    return np.stack(values, axis=1), nearest, sentences


def _background_similarity(rows: F32, background: F32) -> F32:
    """Return the mean cosine with the nearest sentences of the background."""
    out = np.zeros(len(rows), np.float32)
    transposed = round_to_bits(background).T
    for start in range(0, len(rows), _BATCH_SENTENCES):
        batch = round_to_bits(rows[start : start + _BATCH_SENTENCES])
        cosines = np.sort(batch @ transposed, axis=1)[:, -_NEIGHBOURS:]
        out[start : start + _BATCH_SENTENCES] = cosines.sum(axis=1) / _NEIGHBOURS
    return out


def round_to_bits(values: F32 | F64, bits: int = 20) -> F64:
    """Round values to multiples of 2**-bits, as float64.

    Matrix products of such numbers are exact. So neither the order of summation, nor the size of
    the batch, nor the number of threads changes the result.

    >>> float(round_to_bits(np.float32([0.1]), bits=4)[0])
    0.125
    """
    rounded: F64 = np.rint(np.ldexp(np.asarray(values, np.float64), bits))
    return np.ldexp(rounded, -bits)


def _coverage(norm: F32, nearest: F32, present: Bools) -> list[F32]:
    """Return how much of one side is on the other: the first six values of SIDE."""
    total = np.maximum(norm.sum(axis=1), _TINY)
    count = present.sum(axis=1, dtype=np.float32)
    weight = norm / total[:, None]
    lacking = np.sort(weight * np.clip(1.0 - nearest, 0.0, 1.0), axis=1)
    # the run of words that is most clearly missing: the maximum sum of a contiguous part
    need = np.cumsum(weight * np.where(present, _MIN_SIMILARITY - nearest, 0.0), axis=1)
    lowest = np.minimum(np.minimum.accumulate(need, axis=1), 0.0)
    lowest = np.concatenate([np.zeros_like(lowest[:, :1]), lowest[:, :-1]], axis=1)
    in_last_third = present & (3 * np.arange(present.shape[1]) >= 2 * count[:, None])
    last_weight = np.maximum((weight * in_last_third).sum(axis=1), _TINY)
    last_third = (weight * nearest * in_last_third).sum(axis=1) / last_weight
    covered = (weight * nearest).sum(axis=1)
    return [
        covered,
        (nearest * present).sum(axis=1) / np.maximum(count, 1.0),
        lacking[:, -1] * np.sqrt(count),
        lacking[:, -2] * np.sqrt(count),
        (need - lowest).max(axis=1),
        last_third - covered,
    ]


def _partial_gains(
    sums: tuple[F32, F32], within: F32, norm: F32, present: Bools, text: tuple[F32, F32, F32]
) -> list[F32]:
    """Return by how much the cosine rises without one word, without the end, or without the start.

    Args:
        sums: dot products of each word with the other side and with its own side.
        within: dot products of the words of this side.
        norm: norms of the word vectors.
        present: which places have a word.
        text: norm of this text's vector, norm of the other's, and their cosine.
    """
    dots, own_dots = sums
    text_norm, other_norm, cosine = text
    square = (text_norm**2)[:, None]
    dots_up_to = np.cumsum(dots, axis=1)
    dot = dots_up_to[:, -1:]
    without_word = _cosine(dot - dots, square - 2 * own_dots + norm**2, other_norm)
    square_up_to = np.cumsum(2 * np.tril(within, -1).sum(axis=2) + norm**2, axis=1)
    heads = _cosine(dots_up_to, square_up_to, other_norm)
    tails = _cosine(
        dot - dots_up_to, square + square_up_to - 2 * np.cumsum(own_dots, axis=1), other_norm
    )
    is_inner = present & np.roll(present, -1, axis=1)
    is_inner[:, -1] = False
    return [
        np.where(is_valid, value - cosine[:, None], -1.0).max(axis=1)
        for value, is_valid in ((without_word, present), (heads, is_inner), (tails, is_inner))
    ]


def _cosine(dot: F32, square: F32, other_norm: F32) -> F32:
    norms = np.sqrt(np.maximum(square, np.float32(1e-3))) * other_norm[:, None]
    return np.asarray(dot / norms, np.float32)


def _word_order(nearest_place: I64, nearest: F32, norm: F32) -> tuple[F32, F32]:
    """Return how well word orders agree.

    Returns:
        Correlation of the places of words and of their nearest words; and the share of neighbouring
        words whose nearest words are at most three places apart.
    """
    weight = np.where(nearest >= _SURE_SIMILARITY, norm, 0.0)
    total = np.maximum(weight.sum(axis=1), _TINY)[:, None]
    places = np.arange(nearest_place.shape[1], dtype=np.float32)
    x, y = np.broadcast_to(places, nearest_place.shape), nearest_place
    x = x - (weight * x).sum(axis=1)[:, None] / total
    y = y - (weight * y).sum(axis=1)[:, None] / total
    spread = np.sqrt((weight * x * x).sum(axis=1) * (weight * y * y).sum(axis=1))
    count = (weight > 0).sum(axis=1)
    correlation = (weight * x * y).sum(axis=1) / np.maximum(spread, _TINY)
    # few words say little, so their correlation is pulled towards one half
    order = (correlation * count + 1.0) / (count + 2.0)
    is_sure = (weight[:, 1:] > 0) & (weight[:, :-1] > 0)
    is_close = is_sure & (np.abs(np.diff(nearest_place, axis=1)) <= 3)
    return order, (is_close.sum(axis=1) + 1.0) / (is_sure.sum(axis=1) + 2.0)
