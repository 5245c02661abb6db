"""Read text and HTML files, plain or compressed: one file is one page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.opening import file_size, is_file, open_binary
from ingest.io.streams import HEAD, STDIN, compression, read_pieces
from ingest.readers.formats import media_type
from ingest.readers.records import Record, Slice, too_large_message


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield the one record of a file, or of `data` if the source is already open."""
    limit = settings.max_record_bytes
    record = Record(part.source, media_type=media_type(part.source))
    try:
        record = record._replace(content=join_pieces(data or read_pieces(part.source), limit))
    except SourceError as error:
        record = record._replace(error=str(error))
    yield record._replace(sha256=stored_sha256(part.source, limit))


def stored_sha256(source: str, limit: int) -> str | None:
    """The hash of a compressed file as stored; None if it is not compressed or too large.

    For a file that is not compressed, the hash of its content is the same.
    """
    try:
        if source == STDIN or not is_file(source) or file_size(source) > limit:
            return None
        with open_binary(source) as file:
            if not compression(source, file.read(HEAD)):
                return None
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def join_pieces(pieces: Iterable[bytes], limit: int) -> bytes:
    """Join pieces of bytes.

    Raises:
        SourceError: there are more than `limit` bytes. Errors of the pieces are passed on.
    """
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > limit:
            raise SourceError(too_large_message(limit))
    return bytes(content)
