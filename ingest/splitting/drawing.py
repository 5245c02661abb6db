"""Draw groups of pairs for dev and test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, U8, Bools
from ingest.filtering.disjoint_sets import DisjointSets
from ingest.io.buckets import BucketStore
from ingest.splitting.keys import CODES, TRAIN, PairBatches

_ROW_BATCH = 1 << 20
_GROUPS_AT_ONCE = 1 << 18  # groups of several pairs whose names are in memory


class Groups:
    """The sizes of groups: sets of pairs that are used.

    Args:
        sets: the pairs that must stay together.
        used: bool [pairs], which may be in a split.
        allowed: bool [pairs], which may be in dev or test.

    Attributes:
        allowed: bool [pairs], which may be in dev or test.
        size: uint32 [pairs], number of such pairs, at the first pair of each group.
    """

    def __init__(self, sets: DisjointSets, used: Bools, allowed: Bools) -> None:
        self._sets, self._used, self.allowed = sets, used, allowed
        self.size: NDArray[np.uint32] = np.zeros(len(used), np.uint32)
        self._is_shared = np.zeros(len(used), bool)
        for row, group in self.rows():
            self._is_shared[group[group != row]] = True
            np.add.at(self.size, group[allowed[row]], 1)

    def rows(self) -> Iterator[tuple[I64, I64]]:
        """Yield the rows that are used, and their groups."""
        for start in range(0, len(self._used), _ROW_BATCH):
            row = np.flatnonzero(self._used[start : start + _ROW_BATCH]) + start
            yield row, self._sets.names(row)

    def names(self, pairs: PairBatches) -> Iterator[tuple[I64, list[str]]]:
        """Yield groups of which a pair may be drawn, and their names: their least pair_id."""
        for row, names in self._id_batches(pairs):
            group = self._sets.names(row)
            is_alone = (self.size[group] > 0) & ~self._is_shared[group]
            yield group[is_alone], names.filter(pl.Series(is_alone)).to_list()
        shared = np.flatnonzero(self._is_shared & (self.size > 0))
        for start in range(0, len(shared), _GROUPS_AT_ONCE):
            yield self._least_ids(pairs, shared[start : start + _GROUPS_AT_ONCE])

    def _id_batches(self, pairs: PairBatches) -> Iterator[tuple[I64, pl.Series]]:
        start = 0
        for batch in pairs.batches(columns=["pair_id"]):
            row = np.flatnonzero(self._used[start : start + len(batch)])
            yield row + start, batch["pair_id"].gather(row)
            start += len(batch)

    def _least_ids(self, pairs: PairBatches, wanted: I64) -> tuple[I64, list[str]]:
        is_wanted = np.zeros(len(self.size), bool)
        is_wanted[wanted] = True
        parts: list[pl.DataFrame] = []
        by_group = pl.DataFrame(schema={"group": pl.Int64, "pair_id": pl.String})
        for row, names in self._id_batches(pairs):
            group = self._sets.names(row)
            part = pl.DataFrame({"group": group, "pair_id": names})
            parts.append(part.filter(pl.Series(is_wanted[group])))
            if sum(map(len, parts)) > _GROUPS_AT_ONCE:
                by_group = _least(pl.concat([by_group, *parts]))
                parts = []
        by_group = _least(pl.concat([by_group, *parts]))
        return by_group["group"].to_numpy(), by_group["pair_id"].to_list()


def _least(ids: pl.DataFrame) -> pl.DataFrame:
    return ids.group_by("group").agg(pl.col("pair_id").min())


def draw(groups: Groups, pairs: PairBatches, wanted: dict[str, int], seed: int) -> U8:
    """Draw groups for dev and test, and return the code of each pair's split; 0 for none.

    Args:
        groups: the pairs that must stay together.
        pairs: all pairs.
        wanted: how many pairs dev and test should have.
        seed: chooses the draw.
    """
    code_of = np.full(pairs.count, CODES[TRAIN], np.uint8)
    if any(wanted.values()):
        with BucketStore({"tie": np.uint64, "group": np.uint32}) as draws:
            for group, names in groups.names(pairs):
                number = _draw_numbers(seed, names)
                draws.append(number[:, 0], tie=number[:, 1], group=group)
            for name, chosen in _choose_groups(draws, groups.size, wanted).items():
                code_of[chosen] = CODES[name]
    codes = np.zeros(pairs.count, np.uint8)
    for row, group in groups.rows():
        code = code_of[group]
        codes[row] = np.where(groups.allowed[row] | (code == CODES[TRAIN]), code, 0)
    return codes


def _draw_numbers(seed: int, names: list[str]) -> NDArray[np.uint64]:
    """Return two random numbers for each name: uint64 [names, 2]. The second one decides ties."""
    start = hashlib.sha256(f"{seed} ".encode())
    digests = bytearray()
    for name in names:
        digest = start.copy()
        digest.update(name.encode())
        digests += digest.digest()[:16]
    return np.frombuffer(digests, ">u8").reshape(-1, 2).astype(np.uint64)


def _in_order(draws: BucketStore) -> Iterator[I64]:
    """Yield groups in the order of the draw."""
    for records in draws.ranges():
        yield records["group"][np.lexsort((records["tie"], records["key"]))].astype(np.int64)


def _choose_groups(
    draws: BucketStore, sizes: NDArray[np.uint32], wanted: dict[str, int]
) -> dict[str, list[int]]:
    """Choose groups for dev and test, going through them in the order of the draw."""
    left = dict(wanted)
    chosen: dict[str, list[int]] = {name: [] for name in wanted}
    for groups in _in_order(draws):
        for group, size in zip(groups.tolist(), sizes[groups].tolist(), strict=True):
            name = next((name for name in left if size <= left[name]), None)
            if name:
                left[name] -= size
                chosen[name].append(group)
            if not any(left.values()):
                break
        if not any(left.values()):
            break
    # If every group is too large, the smallest is better than none, provided that train keeps half.
    total, used = int(sizes.sum()), sum(wanted.values()) - sum(left.values())
    for name in (name for name in chosen if wanted[name] and not chosen[name]):
        taken = np.array([g for of_split in chosen.values() for g in of_split], np.int64)
        smallest, least = -1, np.iinfo(np.int64).max
        for groups in _in_order(draws):
            rest = groups[~np.isin(groups, taken)]
            if len(rest) and sizes[rest].min() < least:
                smallest = int(rest[np.argmin(sizes[rest])])
                least = int(sizes[smallest])
        if smallest >= 0 and 2 * (used + least) <= total:
            chosen[name].append(smallest)
            used += least
    return chosen
