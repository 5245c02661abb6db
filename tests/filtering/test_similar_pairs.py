"""Near-duplicates and disjoint sets, compared with simple implementations in memory."""

from __future__ import annotations

import numpy as np
import pytest

from ingest.filtering import similar_pairs
from ingest.filtering.disjoint_sets import DisjointSets
from ingest.filtering.similar_pairs import mark_near_duplicates
from ingest.io.buckets import BucketStore
from ingest.io.scratch import RowStore
from ingest.minhash import BANDS, ROWS, components
from ingest.minhash import similar_pairs as similar_in_memory


def near_duplicates(values, threshold, rounds):
    """Mark rows that are similar to an earlier row that is kept."""
    edges = [
        edge for both in similar_in_memory(values, threshold) for edge in zip(*both, strict=True)
    ]
    sides = np.array(edges, np.int64).reshape(-1, 2)
    group = components(len(values), [(sides[:, 0], sides[:, 1])])
    marked = np.zeros(len(values), bool)
    is_open = np.zeros(len(values), bool)
    for name in np.unique(group):
        rest = np.flatnonzero(group == name)
        for _ in range(rounds):
            if not len(rest):
                break
            first, rest = rest[0], rest[1:]
            similar = (values[rest] == values[first]).mean(axis=1) >= threshold
            marked[rest[similar]] = True
            rest = rest[~similar]
        is_open[rest] = True
    for later, earlier in sorted((b, a) for a, b in edges):
        if is_open[earlier] and is_open[later]:
            marked[later] |= not marked[earlier]
    return marked


@pytest.mark.parametrize("rounds", [1, 3, 256])
@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_marks_are_those_of_a_comparison_in_memory(rounds, limit, monkeypatch):
    monkeypatch.setattr(similar_pairs, "_ROUNDS", rounds)
    monkeypatch.setattr(similar_pairs, "BATCH", 64)
    monkeypatch.setattr(similar_pairs, "_MAX_IN_MEMORY", limit)
    monkeypatch.setitem(BucketStore.__init__.__kwdefaults__, "max_in_memory", limit)
    rng = np.random.default_rng(rounds)
    values = rng.integers(0, 9, (20, BANDS * ROWS))[rng.integers(0, 20, 300)]
    changed = rng.random(values.shape) < 0.12
    values = np.where(changed, rng.integers(0, 9, values.shape), values).astype(np.uint16)
    rank = rng.permutation(300)  # of each pair
    left = rng.random(300) < 0.9
    with RowStore(BANDS * ROWS, np.uint16, max_in_memory=limit) as signatures:
        signatures.append(values)

        def records():
            fields = [("grade", np.uint64), ("rating", np.uint64), ("at", np.uint32)]
            for start in range(0, 300, 64):
                at = np.flatnonzero(left[start : start + 64]) + start
                batch = np.empty(len(at), fields)
                batch["grade"], batch["rating"], batch["at"] = rank[at] // 7, rank[at], at
                yield batch

        marked = mark_near_duplicates(signatures, records, 300, 0.6)
    by_rank = np.flatnonzero(left)[np.argsort(rank[left])]
    wanted = np.zeros(300, bool)
    wanted[by_rank] = near_duplicates(values[by_rank], 0.6, rounds)
    assert wanted.sum() > 20
    assert (marked == wanted).all()


def test_disjoint_sets_equal_the_components_of_a_graph():
    rng = np.random.default_rng(5)
    for nodes in (1, 2, 30, 500):
        edges = rng.integers(0, nodes, (7, 2, nodes // 10 + 1))
        sets = DisjointSets(nodes)
        for left, right in edges:
            sets.merge(left, right)
        wanted = components(nodes, [(left, right) for left, right in edges])
        assert sets.names(np.arange(nodes)).tolist() == wanted.tolist()
        assert sets.are_merged(edges[:, 0].ravel(), edges[:, 1].ravel()).all()


def test_a_long_chain_is_merged_in_a_few_steps():
    sets = DisjointSets(100_000)
    sets.merge(np.arange(99_999), np.arange(1, 100_000))
    assert not sets.names(np.arange(100_000)).any()
