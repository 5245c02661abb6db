"""Read standard input and pipes. They have no suffix, so the first line decides the format."""

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


def read_records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """Yield the records of a WARC file, of JSON lines or of one page; all may be compressed."""
    try:
        file = open_source(part.source)
        start = _read_first_line(file, settings.max_record_bytes)
    except SourceError as error:
        yield Record(part.source, error=str(error))
        return
    data = itertools.chain([start], iter(lambda: file.read1(CHUNK), b""))
    match kind_from_magic(start):
        case "warc":
            yield from warc.read_records(part, settings, data)
        case "parquet":
            message = "is Parquet, which cannot be read from a pipe; save it to a file"
            yield Record(part.source, error=message)
        case _ if jsonl.is_row(start):
            yield from jsonl.read_records(part, settings, data)
        case _:
            yield from single_file.read_records(part, settings, data)


def _read_first_line(file: io.BufferedReader, limit: int) -> bytes:
    """Read to the end of the first non-blank line, or until there are more than `limit` bytes."""
    start = bytearray()
    while line := file.readline(limit + 1):
        start += line
        if line.strip() or len(start) > limit:
            break
    return bytes(start)
