"""Read pages from a Polars frame: one row is one page."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from ingest.config import ReadConfig
from ingest.errors import FrameError, SourceError
from ingest.frames import check
from ingest.readers import tables
from ingest.readers.columns import choose_from_schema, select_path
from ingest.readers.records import Record

SOURCE = "frame"


def read_records(frame: pl.DataFrame, settings: ReadConfig) -> Iterator[Record]:
    """Yield one record per row.

    Raises:
        FrameError: no column is known to contain pages, or a named column is missing.
    """
    check(frame, verb="read")
    try:
        columns = choose_from_schema(frame.schema, settings)
    except SourceError as error:
        raise FrameError(f"read: the frame {error}, or in ReadConfig(text_column=…)") from error
    wanted = frame.select(
        select_path(frame.schema, name) for name in dict.fromkeys(filter(None, columns))
    )
    for number, row in enumerate(wanted.iter_rows(named=True)):
        yield tables.to_record(SOURCE, number, row, columns, settings.max_record_bytes)
