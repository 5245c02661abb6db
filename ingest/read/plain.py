"""Text files, plain or compressed: a file is a page."""

from __future__ import annotations

import gzip
import hashlib
import sys
import zlib
from typing import Any

import zstandard

from ingest.errors import SourceError
from ingest.read.encoding import decode
from ingest.read.sources import STDIN


def page(source: str) -> dict[str, Any]:
    """One row of the documents frame. Whatever goes wrong stands in its `error`."""
    row: dict[str, Any] = {
        "doc_id": doc_id(source, None),
        "uri": (name := source.encode("utf-8", "backslashreplace").decode()),
        "source": name,
        "media_type": "text/plain",
    }
    try:
        stored = _stored(source)
        row["sha256"] = hashlib.sha256(stored).hexdigest()
        text, row["encoding"], row["replaced"] = decode(_unpacked(source, stored))
    except SourceError as error:
        row["error"] = str(error)
    else:
        row |= {"text": text, "chars": len(text)}
    return row


def doc_id(source: str, record: int | None) -> str:
    """16 hex digits that name a page: the start of SHA-256 over its source and record.

    >>> doc_id("pages/a.txt", None)
    '3029f2adf55cd6c7'
    """
    key = source if record is None else f"{source}#{record}"
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _stored(source: str) -> bytes:
    try:
        if source == STDIN:
            return sys.stdin.buffer.read()
        with open(source, "rb") as file:
            return file.read()
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(f"cannot be read: {reason[0].lower()}{reason[1:]}") from error


def _unpacked(source: str, stored: bytes) -> bytes:
    try:
        if source.lower().endswith(".gz"):
            return gzip.decompress(stored)
        if source.lower().endswith(".zst"):
            reader = zstandard.ZstdDecompressor().stream_reader(stored, read_across_frames=True)
            return reader.read()
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise SourceError(f"cannot be decompressed: {error}") from error
    return stored
