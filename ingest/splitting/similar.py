"""Merge pairs with texts whose MinHash signatures are similar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ingest._typing import U16
from ingest.filtering.disjoint_sets import DisjointSets
from ingest.filtering.signature_bands import agreeing, pairs_by_band
from ingest.io.scratch import RowStore
from ingest.minhash import BANDS, ROWS, text_signatures
from ingest.splitting.keys import PairBatches, PairKeys, first_texts

_ROW_BATCH = 1 << 15  # signatures read at once
_PAIR_BATCH = 1 << 11  # pairs compared at once, before looking which are merged already
_MAX_IN_MEMORY = 1 << 22  # bytes of signatures
_FIELDS: Mapping[str, type[np.generic]] = {"text": np.uint64, "pair": np.uint32, "at": np.uint32}


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

        def batches() -> Iterator[tuple[U16, Mapping[str, NDArray[np.generic]]]]:
            stores = (signatures, text_keys, rows)
            start = 0
            for values, text, pair in zip(*(s.batches(_ROW_BATCH) for s in stores), strict=True):
                at = np.arange(start, start + len(values))
                yield values, {"text": text[:, 0], "pair": pair[:, 0], "at": at}
                start += len(values)

        for records, earlier, later in pairs_by_band(batches, _FIELDS, ("text",)):
            pair, at = records["pair"], records["at"]
            is_open = ~sets.are_merged(pair[earlier], pair[later])
            left, right = earlier[is_open], later[is_open]
            for start in range(0, len(left), _PAIR_BATCH):
                one, other = (side[start : start + _PAIR_BATCH] for side in (left, right))
                is_open = ~sets.are_merged(pair[one], pair[other])
                one, other = one[is_open], other[is_open]
                agree = agreeing(signatures, at[one], at[other], min_similarity)
                sets.merge(pair[one[agree]], pair[other[agree]])
