"""Write Parquet files in batches, and make lazy frames of batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from ingest._typing import Batches

PAIR_ROWS = 1 << 15  # pairs in a row group: about 20 MB of text


def sink(
    batches: Iterable[pl.DataFrame], columns: pl.Schema, to: Path, *, rows: int = PAIR_ROWS
) -> None:
    """Write frames to one file in order. At most one row group is held in memory.

    Args:
        batches: frames with these columns.
        columns: the schema of the file.
        to: the file to write.
        rows: rows per row group. They do not depend on the batches, so neither do the bytes.
    """

    def frames(*_pushed_down: Any) -> Iterator[pl.DataFrame]:
        return iter(batches)

    sink_lazy(register_io_source(frames, schema=columns), to, rows=rows)


def sink_lazy(frame: pl.LazyFrame, to: Path, *, rows: int | None = None) -> None:
    """Write a lazy frame to one file in row order.

    Args:
        frame: the frame.
        to: the file to write.
        rows: rows per row group; chosen by Polars if None.
    """
    # If given a path, Polars opens the file in a background thread, sometimes after it has already
    # raised an error. A file that the caller removed would then appear again.
    with to.open("wb") as file:
        frame.sink_parquet(file, row_group_size=rows, maintain_order=True)


def stream(batches: Batches, columns: pl.Schema) -> pl.LazyFrame:
    """A lazy frame of batches, which are made one by one when it is collected.

    Args:
        batches: makes the batches, in order; called once per query.
        columns: their schema.

    >>> lazy = stream(lambda: iter([pl.DataFrame({"a": [1, 2]})]), pl.Schema({"a": pl.Int64()}))
    >>> lazy.filter(pl.col("a") > 1).collect().rows()
    [(2,)]
    """

    def frames(
        names: list[str] | None, condition: pl.Expr | None, limit: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = limit
        for frame in batches():
            batch = frame
            if left is not None:
                batch = frame.head(left)
                left -= len(batch)
            if condition is not None:
                batch = batch.filter(condition)
            yield batch if names is None else batch.select(names)
            if left == 0:
                return

    return register_io_source(frames, schema=columns)
