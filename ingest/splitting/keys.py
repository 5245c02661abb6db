"""What is kept of each pair: a byte of flags in memory, and hashes in a temporary file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import polars as pl

from ingest._typing import I64, U8, U64, Bools
from ingest.errors import FrameError
from ingest.frames import HUMAN_METHODS
from ingest.io.pairs_file import BATCH_SIZE
from ingest.io.scratch import RowStore
from ingest.minhash import text_keys

TEXTS = ("source_text", "target_text")
DOCS = ("source_doc", "target_doc")
CLUSTERS = ("cluster", "source_cluster", "target_cluster")
TRAIN, DEV, TEST = "train", "dev", "test"
CODES = {TRAIN: 1, DEV: 2, TEST: 3}
"""Numbers of splits; 0 is none."""

KEEP, MACHINE, WAS_DEV, WAS_TEST, FIRST_SOURCE, FIRST_TARGET = (1 << n for n in range(6))
"""Flags: kept by the filter, translated by a machine, in dev or test before, the first with this
text on the source or target side."""

_MAX_IN_MEMORY = 1 << 24  # bytes of hashes


class PairBatches(Protocol):
    """Pairs that can be read in batches, several times: a file or a frame."""

    columns: pl.Schema
    count: int

    def batches(self, *, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the pairs in order, with these columns or all."""


class FramePairs:
    """A frame of pairs in batches."""

    def __init__(self, pairs: pl.DataFrame) -> None:
        self._pairs, self.columns, self.count = pairs, pairs.schema, len(pairs)

    def batches(self, *, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the pairs in order, with these columns or all."""
        pairs = self._pairs if columns is None else self._pairs.select(columns)
        return pairs.iter_slices(BATCH_SIZE)


class PairKeys:
    """Flags of all pairs, and hashes of their IDs, pages, clusters and texts; null is 0.

    Attributes:
        flags: uint8 [pairs].
        names: the columns that have hashes.

    Raises:
        FrameError: a pair has no pair_id, or `keep` is neither true nor false.
    """

    def __init__(self, pairs: PairBatches) -> None:
        clusters = [name for name in CLUSTERS if pairs.columns.get(name) == pl.String]
        self.names = ("pair_id", *DOCS, *clusters, *TEXTS)
        self.flags: U8 = np.zeros(pairs.count, np.uint8)
        self._store = RowStore(len(self.names), np.uint64, max_in_memory=_MAX_IN_MEMORY)
        optional = ["keep"] if "keep" in pairs.columns else []
        kept = pairs.columns.get("keep", pl.Boolean())
        if kept != pl.Boolean and not kept.is_integer():
            raise FrameError(
                f"split: column 'keep' has type {kept}, must be Boolean, as ingest filter writes it"
            )
        optional += ["split"] if pairs.columns.get("split") == pl.String else []
        start = 0
        for batch in pairs.batches(columns=[*self.names, "method", *optional]):
            if missing := batch["pair_id"].null_count():
                raise FrameError(
                    f"split: pair_id is null in {missing:,} pairs; give every pair an ID"
                )
            self.flags[start : start + len(batch)] = _flags(batch)
            hashes = [hash_column(batch[name]) for name in self.names[: -len(TEXTS)]]
            texts = [text_keys(batch[name]) for name in TEXTS]
            self._store.append(np.column_stack([*hashes, *texts]))
            start += len(batch)

    def __enter__(self) -> PairKeys:
        return self

    def __exit__(self, *_error: object) -> None:
        self._store.close()

    def have(self, flags: int) -> Bools:
        """Return whether each pair has any of these flags."""
        return (self.flags & flags) > 0

    def batches(self, columns: Sequence[str]) -> Iterator[tuple[int, list[U64]]]:
        """Yield hashes of these columns in batches, with the number of the first row of each."""
        at = [self.names.index(name) for name in columns if name in self.names]
        start = 0
        for rows in self._store.batches(BATCH_SIZE):
            yield start, [np.ascontiguousarray(rows[:, n]) for n in at]
            start += len(rows)


def first_texts(
    keys: PairKeys, pairs: PairBatches, among: Bools | None = None
) -> Iterator[tuple[I64, U64, pl.Series]]:
    """Yield batches of distinct texts: the row of the first pair with each, its key, the text.

    Args:
        keys: hashes of the pairs, and flags at the first pair with each text.
        pairs: all pairs.
        among: bool [pairs], which pairs to read; all if None.
    """
    batches = zip(keys.batches(TEXTS), pairs.batches(columns=TEXTS), strict=True)
    for (start, hashes), batch in batches:
        rows = slice(start, start + len(batch))
        for name, key, flag in zip(TEXTS, hashes, (FIRST_SOURCE, FIRST_TARGET), strict=True):
            is_first = (keys.flags[rows] & flag) > 0
            at = np.flatnonzero(is_first if among is None else is_first & among[rows])
            if len(at):
                yield at + start, key[at], batch[name].fill_null("").gather(at)


def hash_column(column: pl.Series) -> U64:
    """Hash a column of strings; null becomes 0."""
    return (column.hash() * column.is_not_null()).to_numpy()


def _flags(batch: pl.DataFrame) -> U8:
    keep = pl.col("keep").cast(pl.Boolean) if "keep" in batch.columns else pl.lit(True)
    flags = {KEEP: keep, MACHINE: ~pl.col("method").is_in(HUMAN_METHODS).fill_null(False)}
    if "split" in batch.columns:
        flags |= {WAS_DEV: pl.col("split") == DEV, WAS_TEST: pl.col("split") == TEST}
    bits = [is_set.cast(pl.UInt8).fill_null(0) * flag for flag, is_set in flags.items()]
    return batch.select(flags=pl.sum_horizontal(bits).cast(pl.UInt8))["flags"].to_numpy()
