"""Read pairs from Parquet, and from Arrow files as `save_to_disk` writes them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import polars as pl

from ingest.errors import SourceError
from ingest.io.pairs_file import BATCH_SIZE
from ingest.io.parquet import scan_parquet
from ingest.io.parquet_bombs import refuse_bombs
from ingest.io.streams import report_read
from ingest.pairs.tables import Rows

_PARQUET_MAGIC = b"PAR1"
_ARROW_MAGIC = b"ARROW1"
_ARROW_STREAM = b"\xff\xff\xff\xff"
# A damaged file can make Polars panic, and PanicException is not a PolarsError.
_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)


def read_parquet(source: str) -> Iterator[Rows]:
    """Read a Parquet file, a batch at a time.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with open(source, "rb") as file:
            if file.read(4) != _PARQUET_MAGIC:
                raise SourceError(f"{source}: is not a Parquet file, although its name says so")
        frame = scan_parquet(source)
        size = int(frame.select(pl.len()).collect().item())
        refuse_bombs(source)
        for start in range(0, size, BATCH_SIZE):
            yield _rows(frame.slice(start, BATCH_SIZE).collect(), start)
            report_read(_share(source, start, size))
    except _ERRORS as error:
        raise SourceError(f"{source}: cannot be read as Parquet: {_reason(error)}") from error


def read_arrow(source: str) -> Iterator[Rows]:
    """Read an Arrow file or stream. The whole file is held in memory.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        # Polars reads from where the system is in the file, which a buffer of Python hides
        with open(source, "rb", buffering=0) as file:
            start = file.read(len(_ARROW_MAGIC))
            file.seek(0)
            if start == _ARROW_MAGIC:
                frame = pl.read_ipc(file)  # in a path, it would expand `[`, `*` and `?`
            elif start.startswith(_ARROW_STREAM):
                frame = pl.read_ipc_stream(file)
            else:
                raise SourceError(f"{source}: is not an Arrow file, although its name says so")
        for at in range(0, len(frame), BATCH_SIZE):
            yield _rows(frame[at : at + BATCH_SIZE], at)
            report_read(_share(source, at, len(frame)))
    except _ERRORS as error:
        raise SourceError(f"{source}: cannot be read as Arrow: {_reason(error)}") from error


def _share(source: str, start: int, rows: int) -> int:
    """Return about how many bytes of a file the batch takes that begins at a row."""
    batch = min(BATCH_SIZE, rows - start)
    return os.path.getsize(source) * batch // rows


def _reason(error: BaseException) -> str:
    """Return what an error of Polars says, without the values of its own that follow."""
    return str(error).partition("(Error {")[0]


def _rows(batch: pl.DataFrame, start: int) -> Rows:
    return Rows(batch, pl.int_range(start + 1, start + 1 + len(batch), eager=True), "row")
