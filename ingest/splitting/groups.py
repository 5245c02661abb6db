"""Merge pairs that must stay in one split because they share an ID, a text, a page or an article.

Hashes are read in ranges, so memory does not depend on how many pairs there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import polars as pl

from ingest._typing import I64, U64, Bools
from ingest.config import SplitConfig
from ingest.filtering.disjoint_sets import DisjointSets
from ingest.io.buckets import BucketStore
from ingest.splitting.keys import (
    CLUSTERS,
    DOCS,
    FIRST_SOURCE,
    FIRST_TARGET,
    TEXTS,
    PairKeys,
    hash_column,
)

PageClusters: TypeAlias = "Callable[[], Iterator[tuple[U64, U64]]]"
"""Returns an iterator over hashes of pages and of the clusters of articles on them."""


def hash_clusters(segments: pl.DataFrame) -> tuple[U64, U64]:
    """Return the clusters of articles on each page: hashes of doc_id and cluster."""
    known = segments.select("doc_id", "cluster").drop_nulls().unique()
    return hash_column(known["doc_id"]), hash_column(known["cluster"])


def merge_sharing(
    sets: DisjointSets,
    keys: PairKeys,
    used: Bools,
    page_clusters: PageClusters | None,
    config: SplitConfig,
) -> None:
    """Merge pairs that share something, and mark the first pair with each text on each side.

    Args:
        sets: one row per pair.
        keys: hashes of the pairs.
        used: bool [pairs], which may be in a split.
        page_clusters: the clusters of each page.
        config: what keeps pairs together.
    """
    _merge_sharing_texts(sets, keys, used)
    _merge_sharing_columns(sets, keys, used, ["pair_id"])
    if config.by == "page":
        _merge_sharing_columns(sets, keys, used, DOCS)
        _merge_sharing_columns(sets, keys, used, CLUSTERS)
        if page_clusters is not None:
            _merge_copies(sets, keys, used, page_clusters)


def _used_hashes(
    keys: PairKeys, used: Bools, columns: Sequence[str]
) -> Iterator[tuple[int, U64, I64]]:
    """Yield side, hashes and rows of pairs that are used, without null."""
    for start, hashes in keys.batches(columns):
        for side, column in enumerate(hashes):
            present = used[start : start + len(column)] & (column != 0)
            yield side, column[present], np.flatnonzero(present) + start


def _merge_sharing_columns(
    sets: DisjointSets, keys: PairKeys, used: Bools, columns: Sequence[str]
) -> None:
    with BucketStore({"row": np.uint32}) as store:
        for _, column, row in _used_hashes(keys, used, columns):
            # pairs of a page are neighbours, as a rule
            is_repeated = np.zeros(len(column), bool)
            is_repeated[1:] = column[1:] == column[:-1]
            sets.merge(row[is_repeated], row[np.flatnonzero(is_repeated) - 1])
            store.append(column[~is_repeated], row=row[~is_repeated])
        for records in store.ranges():
            sets.merge_equal(records["key"], records["row"])


def _merge_sharing_texts(sets: DisjointSets, keys: PairKeys, used: Bools) -> None:
    with BucketStore({"row": np.uint32, "side": np.uint8}) as store:
        for side, column, row in _used_hashes(keys, used, TEXTS):
            store.append(column, row=row, side=np.full(len(row), side))
        for records in store.ranges():
            order = np.lexsort((records["row"], records["side"], records["key"]))
            key, row, sides = (records[name][order] for name in ("key", "row", "side"))
            same = key[1:] == key[:-1]
            sets.merge(row[1:][same], row[:-1][same])
            is_first = np.ones(len(key), bool)
            is_first[1:] = ~same
            for of_side, flag in enumerate((FIRST_SOURCE, FIRST_TARGET)):
                keys.flags[row[is_first & (sides == of_side)]] |= np.uint8(flag)


def _merge_copies(
    sets: DisjointSets, keys: PairKeys, used: Bools, page_clusters: PageClusters
) -> None:
    """Merge pairs of pages with copies of an article."""
    with (
        BucketStore({"row": np.uint32}) as rows,
        BucketStore({"cluster": np.uint64}) as clusters,
        BucketStore({"row": np.uint32}) as by_cluster,
    ):
        for doc, cluster in page_clusters():
            clusters.append(doc, cluster=cluster)
        for _, doc, row in _used_hashes(keys, used, DOCS):
            # one pair of each page is enough: those of a page are merged already
            first = np.unique(doc, return_index=True)[1]
            rows.append(doc[first], row=row[first])
        for of_pages in zip(rows.by_bucket(), clusters.by_bucket(), strict=True):
            docs, copies = (records[np.argsort(records["key"])] for records in of_pages)
            at = np.searchsorted(docs["key"], copies["key"])
            at = np.minimum(at, max(len(docs) - 1, 0))
            is_known = docs["key"][at] == copies["key"] if len(docs) else np.zeros(len(at), bool)
            by_cluster.append(copies["cluster"][is_known], row=docs["row"][at[is_known]])
        for records in by_cluster.ranges():
            sets.merge_equal(records["key"], records["row"])


def sharing_rows(
    keys: PairKeys, chosen: Bools, page_clusters: PageClusters | None, config: SplitConfig
) -> Bools:
    """Return which pairs share a text, a page or a copy of an article with a chosen pair.

    Args:
        keys: hashes of the pairs.
        chosen: bool [pairs]. What is kept in memory grows with their number.
        page_clusters: the clusters of each page.
        config: what keeps pairs together.
    """
    groups: list[Sequence[str]] = [("pair_id",), TEXTS]
    if config.by == "page":
        groups += [DOCS, CLUSTERS]
    shares = np.zeros(len(chosen), bool)
    for names in groups:
        values = [np.unique(column) for _, column, _ in _used_hashes(keys, chosen, names)]
        wanted = np.unique(np.concatenate([np.empty(0, np.uint64), *values]))
        if names == DOCS and page_clusters is not None:
            of_chosen = [cluster[np.isin(doc, wanted)] for doc, cluster in page_clusters()]
            known = np.unique(np.concatenate([np.empty(0, np.uint64), *of_chosen]))
            copies = [doc[np.isin(cluster, known)] for doc, cluster in page_clusters()]
            wanted = np.unique(np.concatenate([wanted, *copies]))
        for start, hashes in keys.batches(names):
            for column in hashes:
                shares[start : start + len(column)] |= np.isin(column, wanted)
    return shares
