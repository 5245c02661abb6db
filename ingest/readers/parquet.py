"""Parquet: one row is one page; read batch by batch."""

from __future__ import annotations

import os
from collections.abc import Iterator

import polars as pl

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import compression, describe_os_error
from ingest.readers import tables
from ingest.readers.records import Record, Slice
from ingest.text import scrub

_MAGIC = b"PAR1"
_ROWS = 1 << 8  # rows held at once
# A damaged file can make Polars panic, which is no Exception.
_DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


def slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut a file into ranges of rows, `start` to `stop`; one that cannot be read stays whole."""
    try:
        size = os.path.getsize(source)
        rows: int = _scan(source).select(pl.len()).collect().item()
    except (SourceError, OSError, *_DAMAGE):
        return [Slice(source, "parquet")]
    most = max(1, -(-rows * shard_bytes // max(size, 1)))
    parts = []
    for start in range(0, max(rows, 1), most):
        stop = min(start + most, rows)
        stored = size * (stop - start) // max(rows, 1)
        parts.append(Slice(source, "parquet", start, stop, start, stored))
    return parts


def records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """The pages of the rows of a slice; where the file is damaged, the last has an `error`."""
    number = part.start
    try:
        frame = _scan(part.source)
        columns = _columns(frame, settings)
        wanted = [pl.col(name) for name in dict.fromkeys(columns) if name]
        length = part.stop - part.start if part.stop else None
        rows = frame.select(wanted).slice(part.start, length)
        for batch in rows.collect_batches(chunk_size=_ROWS, maintain_order=True):
            for row in batch.iter_rows(named=True):
                yield tables.record(part.source, number, row, columns, settings.max_record_bytes)
                number += 1
        if number < part.stop:  # Polars can end early on damage, and say nothing
            yield Record(part.source, number, error=f"cannot be read from row {number} on")
    except SourceError as error:
        if not part.first:  # it is said once, not by each slice
            yield Record(part.source, error=str(error))
    except OSError as error:
        yield Record(part.source, number or None, error=describe_os_error(error))
    except _DAMAGE as error:
        said = str(error).partition("\n")[0]
        yield Record(part.source, number, error=f"cannot be read from row {number} on: {said}")


def columns(part: Slice, settings: ReadConfig) -> tables.Columns | None:
    """The columns to read; None where there are none."""
    try:
        return _columns(_scan(part.source), settings)
    except (SourceError, OSError, *_DAMAGE):
        return None


def _scan(source: str) -> pl.LazyFrame:
    with open(source, "rb") as file:  # whose error says more than that of Polars
        head = file.read(8)
        if not head.startswith(_MAGIC) and compression(source, head):
            raise SourceError("is Parquet inside a compressed file; decompress that first")
        file.seek(0)
        # Polars takes no name that is not UTF-8; an open file it keeps open for itself
        named = source if scrub(source) == source else file
        return pl.scan_parquet(named, glob=False, hive_partitioning=False, low_memory=True)


def _columns(frame: pl.LazyFrame, settings: ReadConfig) -> tables.Columns:
    return tables.of_schema(frame.collect_schema(), settings)
