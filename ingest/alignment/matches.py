"""Which words of two lines translate one another, as bits: what a span covers is a union."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64, U64

if TYPE_CHECKING:
    from ingest.alignment.beads import Band
    from ingest.alignment.lines import Units
    from ingest.encoder.lexicon import Lexicon


def matches(source: Units, target: Units, lexicon: Lexicon, band: Band) -> tuple[U64, U64]:
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
        many = np.maximum(hi - lo, 0)
        s = np.repeat(s_slot, many)
        t = t_slot[np.arange(many.sum()) + np.repeat(lo - (np.cumsum(many) - many), many)]
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
    many = end - begin
    pair = np.arange(many.sum()) + np.repeat(begin - (np.cumsum(many) - many), many)
    to = lexicon.to[pair].astype(np.int64)
    word = np.repeat(with_stem, many)
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
    many = (first[1:] - first[:-1])[slots]
    slot = np.repeat(np.arange(len(slots)), many)
    row = np.arange(len(slot)) + np.repeat(first[slots] - (np.cumsum(many) - many), many)
    return slot, row
