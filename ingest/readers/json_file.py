"""Read JSON that is not lines: arrays of objects, and objects one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import read_pieces
from ingest.readers.columns import Columns
from ingest.readers.decoded import narrow
from ingest.readers.json_values import split_objects
from ingest.readers.jsonl import choose_row_columns, parse_object, row_to_record
from ingest.readers.records import Record, Slice

_SAMPLE_OBJECTS = 100  # objects from which columns are found


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield one record per object of a file, or of `data` if the source is already open.

    An object without a page, but with one list of objects, such as the answer of a server with its
    `items`, stands for those.
    """
    number = 0
    for row in _read_rows(part, settings, data):
        try:
            if isinstance(row, SourceError):
                raise row
            record = row_to_record(part.source, number, row, settings)
        except SourceError as error:
            record = Record(part.source, number, error=str(error))
        yield record
        number += 1
    if not number:
        yield Record(part.source, error="has no JSON object, and so no page")


def find_columns(part: Slice, settings: ReadConfig) -> Columns | None:
    """The columns of the first valid object."""
    for row in islice(_read_rows(part, settings), _SAMPLE_OBJECTS):
        if not isinstance(row, SourceError):
            with suppress(SourceError):
                return choose_row_columns(row, settings)
    return None


def _read_rows(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[dict[str, Any] | SourceError]:
    pieces = narrow(data or read_pieces(part.source))
    try:
        for stored in split_objects(pieces, settings.max_record_bytes):
            yield from [stored] if isinstance(stored, SourceError) else _unpack(stored, settings)
    except SourceError as error:  # before the first piece
        yield error


def _unpack(stored: bytes, settings: ReadConfig) -> Iterable[dict[str, Any] | SourceError]:
    """The pages of an object: itself, or those in its list of objects."""
    try:
        row = parse_object(stored)
    except SourceError as error:
        return [error]
    with suppress(SourceError):
        choose_row_columns(row, settings)
        return [row]
    lists = [
        value
        for value in row.values()
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
    ]
    return lists[0] if len(lists) == 1 else [row]
