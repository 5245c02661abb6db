"""Merge pairs with texts whose MinHash signatures are similar, by buckets on disk.

This finds the same sets as `ingest.minhash.similar_pairs`, but holds one bucket of keys in memory,
and compares only texts that are not in one set already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from ingest._typing import U16, U64
from ingest.codepoints import mix
from ingest.io.buckets import BucketStore
from ingest.io.scratch import RowStore
from ingest.minhash import BANDS, ROWS, text_signatures
from ingest.splitting.disjoint_sets import DisjointSets
from ingest.splitting.keys import PairBatches, PairKeys, first_texts

_BANDS_AT_ONCE = 3  # whose keys are on disk at the same time
_ROW_BATCH = 1 << 15  # signatures read at once
_PAIR_BATCH = 1 << 11  # pairs of signatures compared at once; each may map two new places
_MAX_IN_MEMORY = 1 << 22  # bytes of signatures
_RECORD: Mapping[str, type[np.generic]] = {"text": np.uint64, "pair": np.uint32, "at": np.uint32}


def merge_similar(
    sets: DisjointSets, keys: PairKeys, pairs: PairBatches, min_similarity: float
) -> None:
    """Merge pairs with similar texts. Each distinct text is compared once.

    Texts are compared in the order of their keys, which does not depend on the order of rows.

    Args:
        sets: one row per pair.
        keys: hashes of the pairs, and flags at the first pair with each text.
        pairs: all pairs.
        min_similarity: least share of equal values of two signatures, 0…1.
    """
    with (
        RowStore(BANDS * ROWS, np.uint16, max_in_memory=_MAX_IN_MEMORY) as signatures,
        RowStore(1, np.uint64, max_in_memory=_MAX_IN_MEMORY) as text_keys,
        RowStore(1, np.uint32, max_in_memory=_MAX_IN_MEMORY) as rows,
    ):
        for row, key, texts in first_texts(keys, pairs):
            signatures.append(text_signatures(texts))
            text_keys.append(key[:, None])
            rows.append(row[:, None])
        for first in range(0, BANDS, _BANDS_AT_ONCE):
            bands = range(first, min(first + _BANDS_AT_ONCE, BANDS))
            _merge_by_bands(sets, (signatures, text_keys, rows), bands, min_similarity)


def _merge_by_bands(
    sets: DisjointSets, stores: Sequence[RowStore], bands: range, min_similarity: float
) -> None:
    """Merge the pairs with similar texts that have one of these bands in common."""
    with ExitStack() as stack:
        by_band = {band: stack.enter_context(BucketStore(_RECORD)) for band in bands}
        start = 0
        batches = zip(*(store.batches(_ROW_BATCH) for store in stores), strict=True)
        for values, text, pair in batches:
            at = np.arange(start, start + len(values))
            for band, store in by_band.items():
                key = _band_keys(values[:, band * ROWS : (band + 1) * ROWS])
                store.append(key, text=text[:, 0], pair=pair[:, 0], at=at)
            start += len(values)
        for store in by_band.values():
            for records in store.ranges():
                _merge_in_range(sets, stores[0], records, min_similarity)
            store.close()


def _band_keys(values: U16) -> U64:
    key = np.zeros(len(values), np.uint64)
    with np.errstate(over="ignore"):
        for column in values.T:
            key = mix(key * np.uint64(31) + column)
    return key


def _merge_in_range(
    sets: DisjointSets, signatures: RowStore, records: NDArray[np.void], min_similarity: float
) -> None:
    """Compare each text with the one before it, and with the first, that has the same key."""
    order = np.argsort(records["key"])
    key = records["key"][order]
    differs = np.ones(len(key) + 1, bool)
    differs[1:-1] = key[1:] != key[:-1]
    shared = ~(differs[1:] & differs[:-1])  # most keys occur once
    records, key = records[order[shared]], key[shared]
    order = np.lexsort((records["text"], key))
    records, key = records[order], key[order]
    is_first = np.ones(len(key), bool)
    is_first[1:] = key[1:] != key[:-1]
    later = np.flatnonzero(~is_first)
    first = np.flatnonzero(is_first)[np.cumsum(is_first) - 1][later]
    for earlier in (later - 1, first):
        is_open = ~sets.are_merged(records["pair"][earlier], records["pair"][later])
        _merge_pairs(
            sets, signatures, records[earlier[is_open]], records[later[is_open]], min_similarity
        )


def _merge_pairs(
    sets: DisjointSets,
    signatures: RowStore,
    left: NDArray[np.void],
    right: NDArray[np.void],
    min_similarity: float,
) -> None:
    """Merge the pairs whose signatures agree often enough."""
    for start in range(0, len(left), _PAIR_BATCH):
        batch = slice(start, start + _PAIR_BATCH)
        one, other = left[batch], right[batch]
        is_open = ~sets.are_merged(one["pair"], other["pair"])
        one, other = one[is_open], other[is_open]
        values = signatures.rows()  # a new map, so that what was read before is not mapped any more
        agree = values[one["at"]] == values[other["at"]]
        enough = agree.mean(axis=1) >= min_similarity
        sets.merge(one["pair"][enough], other["pair"][enough])
