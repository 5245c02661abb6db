"""Find texts with a band of their MinHash signatures in common, by buckets on disk.

`ingest.minhash.similar_pairs` does the same in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64, U16, U64, Bools
from ingest.codepoints import mix
from ingest.io.buckets import BucketStore
from ingest.io.scratch import RowStore
from ingest.minhash import BANDS, ROWS

_BANDS_AT_ONCE = 3  # whose keys are on disk at the same time
_PAIR_BATCH = 1 << 11  # pairs of signatures compared at once; each may map two new places

Records: TypeAlias = NDArray[Any]
"""A structured array: one record per text."""


def pairs_by_band(
    signatures: Callable[[], Iterator[tuple[U16, Mapping[str, NDArray[Any]]]]],
    fields: Mapping[str, type[np.generic]],
    order: tuple[str, ...],
) -> Iterator[tuple[Records, I64, I64]]:
    """Yield pairs of texts whose signatures may be similar.

    Of the texts with the same band, in order, each is paired with the one before it and with the
    first. That is enough to find the connected components.

    Args:
        signatures: yields batches of signatures, and fields of the same texts. Called repeatedly.
        fields: names and types of the fields.
        order: names of fields. They decide the order of texts, the first one most.

    Yields:
        Records, and indices into them of the earlier and the later text of each pair.
    """
    for start in range(0, BANDS, _BANDS_AT_ONCE):
        bands = range(start, min(start + _BANDS_AT_ONCE, BANDS))
        with ExitStack() as stack:
            by_band = {band: stack.enter_context(BucketStore(fields)) for band in bands}
            for values, columns in signatures():
                for band, store in by_band.items():
                    store.append(_band_keys(values, band), **columns)
            for store in by_band.values():
                for records in store.ranges():
                    yield from _pairs(records, order)
                store.close()


def _band_keys(values: U16, band: int) -> U64:
    key = np.zeros(len(values), np.uint64)
    with np.errstate(over="ignore"):
        for column in values[:, band * ROWS : (band + 1) * ROWS].T:
            key = mix(key * np.uint64(31) + column)
    return key


def _pairs(records: Records, order: tuple[str, ...]) -> Iterator[tuple[Records, I64, I64]]:
    by_key = np.argsort(records["key"])
    key = records["key"][by_key]
    differs = np.ones(len(key) + 1, bool)
    differs[1:-1] = key[1:] != key[:-1]
    shared = ~(differs[1:] & differs[:-1])  # most keys occur once
    records, is_first = sort_records(records[by_key[shared]], order)
    later = np.flatnonzero(~is_first)
    first = (np.flatnonzero(is_first)[np.cumsum(is_first) - 1])[later]
    if len(later):
        yield records, later - 1, later
        yield records, first, later


def sort_records(records: Records, order: tuple[str, ...]) -> tuple[Records, Bools]:
    """Sort records by key and then by these fields.

    Returns:
        The records, and whether each is the first with its key.
    """
    records = records[np.lexsort([records[name] for name in (*order[::-1], "key")])]
    is_first = np.ones(len(records), bool)
    is_first[1:] = records["key"][1:] != records["key"][:-1]
    return records, is_first


def agreeing(
    signatures: RowStore, left: NDArray[np.integer], right: NDArray[np.integer], least: float
) -> Bools:
    """Return which pairs of signatures agree in at least this share of their values."""
    agree = np.empty(len(left), bool)
    for start in range(0, len(left), _PAIR_BATCH):
        batch = slice(start, start + _PAIR_BATCH)
        rows = signatures.rows()  # a new map, so that what was read before is not mapped any more
        agree[batch] = (rows[left[batch]] == rows[right[batch]]).mean(axis=1) >= least
    return agree
