"""Which words of two lines translate each other, as bit masks; a span's mask is a union."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64, U64
from ingest.codepoints import expand_ranges

if TYPE_CHECKING:
    from ingest.alignment.beads import Band
    from ingest.alignment.lines import IndexedLines
    from ingest.encoder.lexicon import Lexicon

_SLOTS = 200_000  # slots of the source that are joined with the target at once


def match_words(
    source: IndexedLines, target: IndexedLines, lexicon: Lexicon, band: Band
) -> tuple[U64, U64]:
    """Find which words of two lines translate each other: two masks [diagonals, width].

    In cell (i, j), the first mask marks the words of source line i - 1 that target line j - 1
    translates; the second mask is the reverse.
    """
    shape = (band.diagonals, band.width)
    masks = (np.zeros(shape, np.uint64), np.zeros(shape, np.uint64))
    if not len(source.line) or not len(target.line):
        return masks
    # Words meet by keys: numbers of stems, then those of the skeletons that both sides have.
    stems = len(lexicon.idf)
    shared = np.intersect1d(source.skeleton, target.skeleton)
    shared = shared[shared != 0]
    in_target = np.zeros(stems, bool)
    in_target[target.stem[target.stem >= 0]] = True
    s_word, s_key = _source_keys(source, lexicon, in_target, shared)
    with_stem = np.flatnonzero(target.stem >= 0)
    with_skeleton = np.flatnonzero(np.isin(target.skeleton, shared))
    skeleton_keys = stems + np.searchsorted(shared, target.skeleton[with_skeleton])
    t_key = np.concatenate([target.stem[with_stem], skeleton_keys])
    t_word = np.concatenate([with_stem, with_skeleton])
    # slots of the target, sorted by (key, line)
    order = np.argsort(t_word, kind="stable")
    t_word, t_key = t_word[order], t_key[order]
    slot, row = _join(target.word, t_word, len(target.stem))
    m = target.size
    postings = t_key[row] * m + target.line[slot]
    order = np.argsort(postings, kind="stable")
    postings, t_slot = postings[order], slot[order]
    # range of target lines that each source line meets within the band
    first_k = np.searchsorted(band.low, np.arange(band.n) + 1 - band.width, side="right")
    last_k = np.searchsorted(band.low, np.arange(band.n) + 1, side="right") - 1
    lowest = np.clip(first_k - np.arange(band.n) - 2, 0, None)
    highest = np.clip(last_k - np.arange(band.n) - 2, None, m - 1)
    for first in range(0, len(source.line), _SLOTS):
        s_slot, row = _join(source.word[first : first + _SLOTS], s_word, len(source.stem))
        s_slot += first
        line = source.line[s_slot]
        base = s_key[row] * m
        begin = np.searchsorted(postings, base + lowest[line])
        end = np.searchsorted(postings, base + highest[line], side="right")
        count = np.maximum(end - begin, 0)
        s = np.repeat(s_slot, count)
        t = t_slot[expand_ranges(begin, count)]
        i, j = source.line[s] + 1, target.line[t] + 1
        cell = (i + j) * band.width + i - band.low[i + j]
        bit = np.uint64(1)
        np.bitwise_or.at(masks[0].reshape(-1), cell, bit << source.bit[s].astype(np.uint64))
        np.bitwise_or.at(masks[1].reshape(-1), cell, bit << target.bit[t].astype(np.uint64))
    return masks


def _source_keys(
    source: IndexedLines, lexicon: Lexicon, in_target: NDArray[np.bool_], shared: I64
) -> tuple[I64, I64]:
    """Return (word, key), sorted by word: the keys by which each source word may meet a target."""
    with_stem = np.flatnonzero(source.stem >= 0)
    stem = source.stem[with_stem]
    begin, end = lexicon.first[stem], lexicon.first[stem + 1]
    count = end - begin
    translation = lexicon.to[expand_ranges(begin, count)].astype(np.int64)
    word = np.repeat(with_stem, count)
    ok = in_target[translation]
    same = in_target[stem]  # the same word on both sides, such as a Latin name in Arabic text
    with_skeleton = np.flatnonzero(np.isin(source.skeleton, shared))
    words = np.concatenate([word[ok], with_stem[same], with_skeleton])
    skeleton_keys = len(in_target) + np.searchsorted(shared, source.skeleton[with_skeleton])
    keys = np.concatenate([translation[ok], stem[same], skeleton_keys])
    order = np.lexsort((keys, words))
    return words[order], keys[order]


def _join(slots: I64, words: I64, n_words: int) -> tuple[I64, I64]:
    """Join slots with the sorted `words`: (slot, row of `words`) for each match."""
    first = np.searchsorted(words, np.arange(n_words + 1))
    count = (first[1:] - first[:-1])[slots]
    slot = np.repeat(np.arange(len(slots)), count)
    return slot, expand_ranges(first[slots], count)
