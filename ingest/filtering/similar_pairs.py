"""Mark near-duplicates among pairs whose signatures are in a temporary file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ingest._typing import U16, Bools
from ingest.codepoints import mix
from ingest.filtering.disjoint_sets import DisjointSets
from ingest.filtering.signature_bands import Records, agreeing, pairs_by_band, sort_records
from ingest.io.buckets import BucketStore
from ingest.io.scratch import RowStore

RANK = ("grade", "rating", "at")
"""Fields that decide which of two pairs is better: the one with the lower numbers."""

RANK_FIELDS: Mapping[str, type[np.generic]] = {
    "grade": np.uint64,
    "rating": np.uint64,
    "at": np.uint32,
}
BATCH = 1 << 15  # pairs whose keys are read at once
_ROUNDS = 256  # pairs of a component that are compared with all others of the component
_EDGE_BATCH = 1 << 18
_MAX_IN_MEMORY = 1 << 22  # bytes of edges


def mark_near_duplicates(
    signatures: RowStore, left: Callable[[], Iterator[Records]], pairs: int, threshold: float
) -> Bools:
    """Find pairs that are similar to a better pair that is kept.

    Pairs are similar if their signatures agree in at least `threshold` of their values. In each
    connected component, the best pair is kept and pairs similar to it are marked; then the best of
    the rest is kept, and so on. After 256 kept pairs per component, the rest are compared with only
    a few others, so some similar pairs may be kept.

    Args:
        signatures: the signatures of all pairs.
        left: yields the pairs to compare, with the fields of RANK, in batches of BATCH signatures.
        pairs: number of signatures.
        threshold: least share of equal values of similar signatures, 0…1.

    Returns:
        bool [pairs], which to drop.
    """

    def batches() -> Iterator[tuple[U16, dict[str, NDArray[np.generic]]]]:
        for number, (values, records) in enumerate(
            zip(signatures.batches(BATCH), left(), strict=True)
        ):
            at = records["at"] - number * BATCH
            yield values[at], {name: records[name] for name in RANK}

    sets = DisjointSets(pairs)
    with RowStore(2, np.uint32, max_in_memory=_MAX_IN_MEMORY) as edges:
        for records, earlier, later in pairs_by_band(batches, RANK_FIELDS, RANK):
            sides = records["at"][earlier], records["at"][later]
            agree = agreeing(signatures, *sides, threshold)
            edge = np.column_stack([side[agree] for side in sides])
            sets.merge(edge[:, 0], edge[:, 1])
            edges.append(edge)
        return _mark(sets, edges, signatures, left, threshold)


def _mark(
    sets: DisjointSets,
    edges: RowStore,
    signatures: RowStore,
    left: Callable[[], Iterator[Records]],
    threshold: float,
) -> Bools:
    """Mark the near-duplicates of each component, given the edges between similar pairs."""
    marked = np.zeros(len(sets), bool)
    is_linked = np.zeros(len(sets), bool)
    for edge in edges.batches(_EDGE_BATCH):
        is_linked[edge] = True
    open_pairs = [np.empty(0, [("key", np.uint64), *RANK_FIELDS.items()])]
    with BucketStore(RANK_FIELDS) as store:
        for records in left():
            linked = records[is_linked[records["at"]]]
            component = mix(sets.names(linked["at"]))
            store.append(component, **{name: linked[name] for name in RANK})
        for records in store.ranges():
            in_order, is_first = sort_records(records, RANK)
            open_pairs.append(_keep_best(in_order, is_first, signatures, marked, threshold))
    _mark_by_edges(np.concatenate(open_pairs), edges, marked)
    return marked


def _keep_best(
    in_order: Records, is_first: Bools, signatures: RowStore, marked: Bools, threshold: float
) -> Records:
    """Mark what is similar to the best pairs of each component.

    Args:
        in_order: the pairs of some components, sorted by component and rank.
        is_first: whether each is the first of its component.
        signatures: the signatures of all pairs.
        marked: bool [all pairs], to which the marks are added.
        threshold: least share of equal values.

    Returns:
        The pairs that are still neither kept nor marked.
    """
    component, at = np.cumsum(is_first), in_order["at"]
    rest = np.arange(len(in_order))
    for _ in range(_ROUNDS):
        is_best = np.diff(component[rest], prepend=0) > 0
        best = rest[is_best][np.cumsum(is_best) - 1][~is_best]
        others = rest[~is_best]
        if not len(others):
            return in_order[:0]
        is_similar = agreeing(signatures, at[best], at[others], threshold)
        marked[at[others[is_similar]]] = True
        rest = others[~is_similar]
    return in_order[rest]


def _mark_by_edges(open_pairs: Records, edges: RowStore, marked: Bools) -> None:
    """Mark pairs that are similar to a better one that is not marked, from the best to the last."""
    if not len(open_pairs):
        return
    at = open_pairs["at"][np.lexsort([open_pairs[name] for name in RANK[::-1]])]
    by_number = np.argsort(at)
    found = []
    for edge in edges.batches(_EDGE_BATCH):
        place = np.minimum(np.searchsorted(at, edge, sorter=by_number), len(at) - 1)
        is_open = (at[by_number[place]] == edge).all(axis=1)
        found.append(by_number[place[is_open]])
    pairs = np.concatenate([np.empty((0, 2), np.int64), *found])
    for earlier, later in pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))].tolist():
        marked[at[later]] |= not marked[at[earlier]]
