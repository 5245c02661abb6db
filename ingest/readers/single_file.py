"""Text and HTML files, plain or compressed: a file is a page."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import compression, describe_os_error, read_pieces
from ingest.readers.records import Record, Slice
from ingest.readers.sources import STDIN, media_type

__all__ = ["describe_os_error", "join_pieces", "records", "too_large_message"]


def records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """The one record of a file, or of `data` where that is already open."""
    limit = settings.max_record_bytes
    record = Record(part.source, media_type=media_type(part.source))
    try:
        record = record._replace(content=join_pieces(data or read_pieces(part.source), limit))
    except SourceError as error:
        record = record._replace(error=str(error))
    yield record._replace(sha256=_stored_sha256(part.source, limit))


def _stored_sha256(source: str, limit: int) -> str | None:
    """The hash of a compressed file as it is stored; None of others, and of one that is too large.

    What is not compressed is hashed as the content it is, and not read twice.
    """
    try:
        if source == STDIN or not os.path.isfile(source) or os.path.getsize(source) > limit:
            return None
        with open(source, "rb") as file:
            if not compression(source, file.read(8)):
                return None
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def join_pieces(parts: Iterable[bytes], limit: int) -> bytes:
    """The whole of what comes in pieces.

    Raises:
        SourceError: it has more than `limit` bytes, or what the pieces raise.
    """
    made = bytearray()
    for part in parts:
        made += part
        if len(made) > limit:
            raise SourceError(too_large_message(limit))
    return bytes(made)


def too_large_message(limit: int) -> str:
    """What stands in `error` of a page that is larger than is read."""
    return f"has more than {limit} bytes; read.max_record_bytes in a config file sets the limit"
