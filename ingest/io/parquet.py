"""Parquet files: read and written a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

PAIR_ROWS = 1 << 15  # pairs of a row group: some 20 MB of text


def sink(
    batches: Iterable[pl.DataFrame], columns: pl.Schema, to: Path, *, rows: int = PAIR_ROWS
) -> None:
    """Write frames to one file, one after the other; no more than a row group is held.

    Args:
        batches: frames with these columns.
        columns: the schema of the file.
        to: the file to write.
        rows: rows of a row group; they do not depend on the batches, so neither do the bytes.
    """

    def frames(*_pushed: Any) -> Iterator[pl.DataFrame]:
        return iter(batches)

    register_io_source(frames, schema=columns).sink_parquet(
        to, row_group_size=rows, maintain_order=True
    )
