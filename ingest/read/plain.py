"""Text and HTML files, plain or compressed: a file is a page."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.read.records import Record, Slice
from ingest.read.sources import STDIN, media_type
from ingest.read.streams import CHUNK, compression, gunzip, unreadable, unzstd

__all__ = ["records", "too_large", "unpacked", "unreadable"]


def records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """The one record of a file."""
    record = Record(part.source, media_type=media_type(part.source))
    try:
        stored = _stored(part.source)
        record = record._replace(sha256=hashlib.sha256(stored).hexdigest())
        yield record._replace(content=unpacked(part.source, stored, settings.max_record_bytes))
    except SourceError as error:
        yield record._replace(error=str(error))


def _stored(source: str) -> bytes:
    try:
        if source == STDIN:
            return sys.stdin.buffer.read()
        with open(source, "rb") as file:
            return file.read()
    except OSError as error:
        raise SourceError(unreadable(error)) from error


def unpacked(name: str, stored: bytes, limit: int) -> bytes:
    """Decompress by the suffix of a name; other bytes come back as they are.

    Raises:
        SourceError: the data is damaged, or has more than `limit` bytes.
    """
    form = compression(name, b"")
    if form is None:
        return stored
    parts = (stored[at : at + CHUNK] for at in range(0, len(stored), CHUNK))
    made = bytearray()
    for piece in gunzip(parts) if form == "gzip" else unzstd(parts):
        made += piece
        if len(made) > limit:
            raise SourceError(too_large(limit))
    return bytes(made)


def too_large(limit: int) -> str:
    """What stands in `error` of a page that is larger than is read."""
    return f"has more than {limit} bytes; read.max_record_bytes in a config file sets the limit"
