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


class WordMatches:
    """Finds which words of two lines translate each other, for some diagonals at a time."""

    def __init__(
        self, source: IndexedLines, target: IndexedLines, lexicon: Lexicon, band: Band
    ) -> None:
        self._source, self._target, self._band = source, target, band
        # Words meet by keys: numbers of stems, then those of the skeletons that both sides have.
        stems = len(lexicon.idf)
        shared = np.intersect1d(source.skeleton, target.skeleton)
        shared = shared[shared != 0]
        in_target = np.zeros(stems, bool)
        in_target[target.stem[target.stem >= 0]] = True
        s_word, self._source_key = _source_keys(source, lexicon, in_target, shared)
        self._source_rows = _first_rows(s_word, len(source.stem))
        with_stem = np.flatnonzero(target.stem >= 0)
        with_skeleton = np.flatnonzero(np.isin(target.skeleton, shared))
        skeleton_keys = stems + np.searchsorted(shared, target.skeleton[with_skeleton])
        t_key = np.concatenate([target.stem[with_stem], skeleton_keys])
        t_word = np.concatenate([with_stem, with_skeleton])
        # slots of the target, sorted by (key, line)
        order = np.argsort(t_word, kind="stable")
        t_word, t_key = t_word[order], t_key[order]
        slot, row = _join(target.word, _first_rows(t_word, len(target.stem)))
        postings = t_key[row] * target.size + target.line[slot]
        order = np.argsort(postings, kind="stable")
        self._postings, self._target_slot = postings[order], slot[order].astype(np.int32)
        # range of target lines that each source line meets within the band
        lines = np.arange(band.n)
        first_k = np.searchsorted(band.low, lines + 1 - band.width, side="right")
        last_k = np.searchsorted(band.low, lines + 1, side="right") - 1
        self._lowest = np.clip(first_k - lines - 2, 0, None)
        self._highest = np.clip(last_k - lines - 2, None, target.size - 1)

    def masks(self, first: int, last: int) -> tuple[U64, U64]:
        """Find the matches in the cells of diagonals [first, last): two masks [diagonals, width].

        In cell (i, j), the first mask marks the words of source line i - 1 that target line j - 1
        translates; the second mask is the reverse.
        """
        source, target, band = self._source, self._target, self._band
        masks = (
            np.zeros((last - first, band.width), np.uint64),
            np.zeros((last - first, band.width), np.uint64),
        )
        i_range = int(band.low[first]) - 1, int(band.low[last - 1]) + band.width - 1
        begin, end = np.searchsorted(source.line, i_range).tolist()
        s_slot, row = _join(source.word[begin:end], self._source_rows)
        s_slot += begin
        line = source.line[s_slot]
        base = self._source_key[row] * target.size
        lowest = np.maximum(self._lowest[line], first - line - 2)
        highest = np.minimum(self._highest[line], last - line - 3)
        start = np.searchsorted(self._postings, base + lowest)
        stop = np.searchsorted(self._postings, base + highest, side="right")
        count = np.maximum(stop - start, 0)
        s = np.repeat(s_slot, count)
        t = self._target_slot[expand_ranges(start, count)]
        i, j = source.line[s] + 1, target.line[t] + 1
        cell = (i + j - first) * band.width + i - band.low[i + j]
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


def _first_rows(words: I64, n_words: int) -> I64:
    """First row of each word in the sorted `words`, and one past the last."""
    return np.searchsorted(words, np.arange(n_words + 1))


def _join(slots: I64, first: I64) -> tuple[I64, I64]:
    """Join slots with rows: (slot, row) for each match. The rows of a word begin at `first`."""
    count = (first[1:] - first[:-1])[slots]
    slot = np.repeat(np.arange(len(slots)), count)
    return slot, expand_ranges(first[slots], count)
