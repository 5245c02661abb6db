"""Compare the texts of some pairs exactly with all others.

The bigrams of the chosen texts are on disk, and so are those of the few texts that have enough of
them to match one. Then the chosen texts are indexed in chunks, so memory is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import polars as pl

from ingest._typing import I64, Bools
from ingest.filtering.contamination import Matches, ReferenceGrams
from ingest.filtering.disjoint_sets import DisjointSets
from ingest.filtering.text_grams import MIN_CONTAINED, GramFilter, TextGrams, least_common
from ingest.io.scratch import RowStore
from ingest.minhash import bigrams
from ingest.splitting.keys import TEXTS, PairBatches, PairKeys, first_texts

_REFERENCES = 1 << 18, 1 << 15  # bigrams and texts that are indexed at once: about 60 MB
_TEXTS = 1 << 15, 1 << 12  # bigrams and texts that are compared with them at once
_MAX_IN_MEMORY = 1 << 22  # bytes of bigrams
_REGROUP = 4  # a quarter of the references must have changed their group

Rows = Iterable[tuple[I64, pl.Series]]


def merge_matches(
    sets: DisjointSets, keys: PairKeys, pairs: PairBatches, drawn: Bools, min_similarity: float
) -> None:
    """Merge the drawn pairs with all pairs that match one of their texts.

    Args:
        sets: one row per pair.
        keys: hashes of the pairs, and flags at the first pair with each text.
        pairs: all pairs.
        drawn: bool [pairs].
        min_similarity: see `ingest.filtering.contamination`.
    """
    _compare(
        ((row, texts) for row, _, texts in first_texts(keys, pairs, drawn)),
        ((row, texts) for row, _, texts in first_texts(keys, pairs)),
        min_similarity,
        group_of=sets.names,
        matches_of=lambda row: _Merged(sets, row),
    )


def matching_rows(pairs: PairBatches, chosen: Bools, used: Bools, min_similarity: float) -> Bools:
    """Return which used pairs match a text of a chosen pair: bool [pairs]."""
    is_match = chosen.copy()
    _compare(
        _texts(pairs, chosen),
        _texts(pairs, used),
        min_similarity,
        group_of=np.zeros_like,
        matches_of=lambda row: _Marked(is_match, row),
    )
    return is_match


def _texts(pairs: PairBatches, which: Bools) -> Rows:
    start = 0
    for batch in pairs.batches(columns=TEXTS):
        at = np.flatnonzero(which[start : start + len(batch)])
        for name in TEXTS if len(at) else ():
            yield at + start, batch[name].gather(at)
        start += len(batch)


def _compare(
    references: Rows,
    texts: Rows,
    min_similarity: float,
    *,
    group_of: Callable[[I64], I64],
    matches_of: Callable[[I64], Matches],
) -> None:
    with _GramStore() as of_references, _GramStore() as of_texts:
        known = GramFilter()
        for row, batch in references:
            grams = TextGrams.of(batch)
            known.add(grams.gram)
            of_references.append(row, grams)
        for row, batch in texts:
            at, grams = _candidates(batch, known, min_similarity)
            of_texts.append(row[at], grams)
        for reference_row, grams in of_references.batches(*_REFERENCES):
            index = ReferenceGrams(grams, group_of(reference_row), min_similarity=min_similarity)
            for row, text_grams in of_texts.batches(*_TEXTS):
                group = group_of(reference_row)
                if _REGROUP * int((group != index.group).sum()) >= len(group):
                    index.regroup(group)
                index.match(text_grams, matches_of(row))


def _candidates(
    texts: pl.Series, known: GramFilter, min_similarity: float
) -> tuple[I64, TextGrams]:
    """Return the texts that may match a reference, and their bigrams that references may have."""
    text, gram = bigrams(texts.fill_null(""))
    has_known = np.zeros(len(texts), bool)
    has_known[text[known.may_contain(gram)]] = True
    text, gram = text[has_known[text]], gram[has_known[text]]
    grams = TextGrams.distinct(len(texts), text, gram)
    is_known = known.may_contain(grams.gram)
    count = np.bincount(grams.text[is_known], minlength=len(texts))
    enough = has_known & (count >= least_common(grams.size, min_similarity, MIN_CONTAINED))
    kept = is_known & enough[grams.text]
    number = np.cumsum(enough) - 1
    return np.flatnonzero(enough), TextGrams(
        grams.size[enough], number[grams.text[kept]], grams.gram[kept]
    )


class _GramStore:
    """Bigrams of texts, and the row of the pair of each text."""

    def __init__(self) -> None:
        self._texts = RowStore(3, np.uint32, max_in_memory=_MAX_IN_MEMORY)
        self._grams = RowStore(1, np.uint64, max_in_memory=_MAX_IN_MEMORY)

    def __enter__(self) -> _GramStore:
        return self

    def __exit__(self, *_error: object) -> None:
        self._texts.close()
        self._grams.close()

    def append(self, row: I64, grams: TextGrams) -> None:
        count = np.bincount(grams.text, minlength=len(row))
        self._texts.append(np.stack([row, grams.size, count], axis=1).astype(np.uint32))
        self._grams.append(grams.gram[:, None])

    def batches(self, grams: int, texts: int) -> Iterator[tuple[I64, TextGrams]]:
        """Yield rows and bigrams of at most so many texts, with about so many bigrams."""
        start = 0
        for batch in self._texts.batches(texts):
            row, size, count = batch.T.astype(np.int64)
            ends = np.cumsum(count)
            first = 0
            while first < len(row):
                before = ends[first] - count[first]
                last = max(int(np.searchsorted(ends, before + grams, side="right")), first + 1)
                gram = self._grams.read(start + before, start + ends[last - 1])[:, 0]
                text = np.repeat(np.arange(last - first), count[first:last])
                yield row[first:last], TextGrams(size[first:last], text, gram)
                first = last
            start += int(ends[-1])


class _Merged:
    """Pairs that match are in one set."""

    def __init__(self, sets: DisjointSets, row: I64) -> None:
        self._sets, self._row = sets, row

    def add(self, text: I64, group: I64) -> None:
        self._sets.merge(self._row[text], group)

    def contains(self, text: I64, group: I64) -> Bools:
        return self._sets.are_merged(self._row[text], group)


class _Marked:
    """Pairs that match any reference are marked."""

    def __init__(self, is_match: Bools, row: I64) -> None:
        self._is_match, self._row = is_match, row

    def add(self, text: I64, _group: I64) -> None:
        self._is_match[self._row[text]] = True

    def contains(self, text: I64, _group: I64) -> Bools:
        return self._is_match[self._row[text]]
