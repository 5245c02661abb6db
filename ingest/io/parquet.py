"""Write Parquet files in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

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
