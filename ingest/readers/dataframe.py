"""A frame that one has already: one row is one page."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from ingest.config import ReadConfig
from ingest.errors import FrameError, SourceError
from ingest.frames import check
from ingest.readers import tables
from ingest.readers.records import Record

SOURCE = "frame"


def records(frame: pl.DataFrame, settings: ReadConfig) -> Iterator[Record]:
    """The pages of the rows.

    Raises:
        FrameError: which column holds the pages is not known, or the one that is named is missing.
    """
    check(frame, verb="read")
    try:
        columns = tables.of_schema(frame.schema, settings)
    except SourceError as error:
        raise FrameError(f"read: the frame {error}, or in ReadConfig(text_column=…)") from error
    wanted = frame.select(list(dict.fromkeys(filter(None, columns))))
    for number, row in enumerate(wanted.iter_rows(named=True)):
        yield tables.record(SOURCE, number, row, columns, settings.max_record_bytes)
