"""Apply corrections to files of pairs, holding one batch in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from ingest.errors import FrameError
from ingest.frames import EDITED, FILTERED, PAIRS, schema
from ingest.io.pairs_file import BATCH_SIZE
from ingest.io.parquet import PAIR_ROWS, scan_parquet, sink_lazy, stream
from ingest.io.parquet_bombs import refuse_bombs
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.io.snapshot import Snapshot
from ingest.review.corrections import Corrections, read_corrections
from ingest.review.pairs import PairChanges, find_pair_changes

PAIRS_FILES = (
    "pairs.parquet", "translated.parquet", "scored.parquet", "filtered.parquet", "split.parquet",
)  # fmt: skip
"""The files of pairs in the folder of a run."""


class CorrectedPairs(NamedTuple):
    """A file of pairs, and what corrections change in it.

    Attributes:
        path: the file.
        pairs: its pairs.
        changes: what corrections say about them.
    """

    path: Path
    pairs: pl.LazyFrame
    changes: PairChanges

    def write(self, to: Path) -> None:
        """Write the corrected pairs."""
        sink_lazy(_apply(self.pairs, self.changes), to, rows=PAIR_ROWS)


def find_corrected(folder: Path, corrections: Corrections) -> list[CorrectedPairs]:
    """Find what corrections change in the files of pairs of a run.

    Raises:
        SourceError: a file cannot be read.
        FrameError: a file lacks a column, or a column has another type.
    """
    found = []
    for path in (folder / name for name in PAIRS_FILES):
        if corrections.pairs.is_empty() or not path.is_file():
            continue
        pairs = scan_parquet(path)
        file = Snapshot(path)
        columns = file.read(pairs.collect_schema)
        _check(path, columns)
        refuse_bombs(path)

        def find(pairs: pl.LazyFrame = pairs, columns: pl.Schema = columns) -> PairChanges:
            return find_pair_changes(_batches(pairs), columns, corrections)

        found.append(CorrectedPairs(path, pairs, file.read(find)))
    return found


def apply_stored(pairs: pl.LazyFrame, folder: Path) -> pl.LazyFrame:
    """Apply the corrections that are stored in the folder of a run, if there are any, to new pairs.

    Args:
        pairs: the pairs.
        folder: the run whose pages they come from.

    Raises:
        SourceError: the corrections cannot be read.

    >>> apply_stored(pl.LazyFrame({"pair_id": ["1"]}), Path("no-such-folder")).collect().item()
    '1'
    """
    path = folder / CORRECTIONS_FILE
    if not os.path.lexists(path):
        return pairs
    corrections = read_corrections(path)
    changes = find_pair_changes(_batches(pairs), pairs.collect_schema(), corrections)
    return _apply(pairs, changes)


def _apply(pairs: pl.LazyFrame, changes: PairChanges) -> pl.LazyFrame:
    if not changes.changed:
        return pairs
    columns = pl.Schema({**pairs.collect_schema(), **changes.new_columns})

    def corrected() -> Iterator[pl.DataFrame]:
        for number, batch in enumerate(_batches(pairs)):
            yield changes.apply(batch, number * BATCH_SIZE)

    return stream(corrected, columns)


def _batches(pairs: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    count = int(pairs.select(pl.len()).collect().item())
    for start in range(0, count, BATCH_SIZE):
        yield pairs.slice(start, BATCH_SIZE).collect()


def _check(path: Path, columns: pl.Schema) -> None:
    for name in schema(PAIRS):
        if name not in columns:
            raise FrameError(f"{path}: column {name!r} is missing; ingest align makes it")
    for name, dtype in schema(PAIRS, EDITED, FILTERED[:2]).items():
        if columns.get(name, dtype) != dtype:
            raise FrameError(f"{path}: column {name!r} is {columns[name]}, must be {dtype}")
