"""Convert a record to a row of the documents frame: decode it, and render it if it is HTML."""

from __future__ import annotations

import hashlib
from typing import Any

from ingest.errors import SourceError
from ingest.readers import html
from ingest.readers.encoding import decode
from ingest.readers.records import Record
from ingest.readers.repairs import repair_text
from ingest.readers.sniff import declared_charset, looks_like_html, why_not_a_page
from ingest.readers.visual_order import repair_visual_order
from ingest.text import escape_file_name, scrub

_HEAD_SIZE = 4096  # bytes at the start of a page that decide whether it is HTML
_REPLACEMENT = "\ufffd"


def to_row(record: Record) -> dict[str, Any]:
    """One row of the documents frame, by column. Never raises: failures are in column `error`."""
    source = escape_file_name(record.source)
    name = record.record if record.key is None else scrub(record.key)
    row: dict[str, Any] = {
        "doc_id": doc_id(record.source, record.record),
        "uri": source if record.record is None else f"{source}#{name}",
        "source": source,
        "record": record.record,
        "media_type": record.media_type,
        "url": record.url and scrub(record.url),
        "error": record.error and scrub(record.error),
    }
    if record.content is None:
        return row | {"sha256": record.sha256}
    content = record.content
    stored = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    row["sha256"] = record.sha256 or hashlib.sha256(stored).hexdigest()
    try:
        text, row["encoding"], row["replaced"] = _decode_record(record, content)
    except SourceError as error:
        return row | {"error": str(error)}
    text, row["repaired"] = repair_text(text)
    if record.media_type is None:
        row["media_type"] = "text/html" if looks_like_html(text) else "text/plain"
    if row["media_type"] == "text/html":
        row |= html.render(text)
    else:
        row["text"] = text
    row["text"], turned = repair_visual_order(row["text"])
    row["repaired"] = "; ".join(filter(None, (row["repaired"], *turned))) or None
    row["chars"] = len(row["text"])
    return row


def _decode_record(record: Record, content: bytes | str) -> tuple[str, str | None, int]:
    """The text of a record, its encoding, and the number of U+FFFD that were inserted."""
    if isinstance(content, str):  # decoded by its container
        text = scrub(content)
        return text, None, text.count(_REPLACEMENT) - content.count(_REPLACEMENT)
    if reason := why_not_a_page(content):
        raise SourceError(reason)
    may_be_html = record.media_type == "text/html" or (
        record.media_type is None and looks_like_html(content[:_HEAD_SIZE].decode("latin-1"))
    )
    return decode(content, record.charset, declared_charset(content) if may_be_html else None)


def doc_id(source: str, record: int | None) -> str:
    """16 hex digits that identify a page: the start of the SHA-256 of its source and record.

    >>> doc_id("pages/a.txt", None)
    '3029f2adf55cd6c7'
    """
    key = source if record is None else f"{source}#{record}"
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
