"""Standard input and pipes: no suffix says what they hold, so their first line does."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import CHUNK, open_source
from ingest.readers import jsonl, single_file, warc
from ingest.readers.records import Record, Slice
from ingest.readers.sources import kind_from_magic


def records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """The records of a WARC or of JSON lines, else the one of a page; plain or compressed."""
    try:
        file = open_source(part.source)
        start = _first_line(file, settings.max_record_bytes)
    except SourceError as error:
        yield Record(part.source, error=str(error))
        return
    data = itertools.chain([start], iter(lambda: file.read1(CHUNK), b""))
    match kind_from_magic(start):
        case "warc":
            yield from warc.records(part, settings, data)
        case "parquet":
            yield Record(part.source, error="is Parquet, which is read from a file only; save it")
        case _ if jsonl.is_row(start):
            yield from jsonl.records(part, settings, data)
        case _:
            yield from single_file.records(part, settings, data)


def _first_line(file: io.BufferedReader, limit: int) -> bytes:
    """Up to the end of the first line that is not blank, or until it is larger than a record."""
    made = bytearray()
    while line := file.readline(limit + 1):
        made += line
        if line.strip() or len(made) > limit:
            break
    return bytes(made)
