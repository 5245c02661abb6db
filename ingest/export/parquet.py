"""Parquet: the frame itself, of which no more than a row group is held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from ingest.export.selection import ROWS, Selection

FOLDER = False


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    sink(selection.batches(), selection.columns, dest)
    return {}


def sink(batches: Iterable[pl.DataFrame], columns: pl.Schema, to: Path) -> None:
    """Frames to one file, one after the other."""

    def frames(*_pushed: Any) -> Iterator[pl.DataFrame]:
        return iter(batches)

    register_io_source(frames, schema=columns).sink_parquet(
        to, row_group_size=ROWS, maintain_order=True
    )
