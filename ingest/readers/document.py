"""Convert a record to a row of the documents frame: decode it, and render it if it is HTML."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import Any

from ingest.errors import SourceError
from ingest.readers import html
from ingest.readers.encoding import decode
from ingest.readers.formats import is_named_text
from ingest.readers.fragments import resolve_markup
from ingest.readers.html_source import Source
from ingest.readers.markdown import render_markdown
from ingest.readers.records import Record
from ingest.readers.repairs import repair_text
from ingest.readers.sniff import declared_charset, looks_like_html, why_not_a_page
from ingest.readers.subtitles import is_subtitles, subtitle_text
from ingest.readers.visual_order import repair_visual_order
from ingest.text import escape_file_name, scrub

_HEAD_SIZE = 4096  # bytes at the start of a page that decide whether it is HTML
_REPLACEMENT = "\ufffd"
# Characters of pages that are rendered together. A row counts as at least so many.
_GROUP_SIZE, _ROW_SIZE = 1 << 19, 1 << 8


def to_row(record: Record) -> dict[str, Any]:
    """One row of the documents frame, by column. Never raises: failures are in column `error`."""
    return next(to_rows([record]))


def to_rows(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Rows of the documents frame like `to_row`, in order. Small pages are rendered in groups."""
    rows: list[dict[str, Any]] = []
    sources: list[list[Source]] = []  # of the pages that are not rendered yet
    size = 0
    for record in records:
        row, pieces = _prepare(record)
        rows.append(row)
        sources.append(pieces)
        size += _ROW_SIZE + len(row.get("text", "")) + sum(len(source.html) for source in pieces)
        if size >= _GROUP_SIZE:
            yield from _finish(rows, sources)
            rows, sources, size = [], [], 0
    yield from _finish(rows, sources)


def _finish(rows: list[dict[str, Any]], sources: list[list[Source]]) -> Iterator[dict[str, Any]]:
    pages = [pieces for pieces in sources if pieces]
    rendered = iter(html.render_pages(pages) if pages else ())
    for row, pieces in zip(rows, sources, strict=True):
        if pieces:
            # what the page itself says comes before what its container says
            page = next(rendered)
            row.update({k: v for k, v in page.items() if v is not None or k not in row})
        if "text" in row:
            row["text"], turned = repair_visual_order(row["text"])
            row["repaired"] = "; ".join(filter(None, (row["repaired"], *turned))) or None
            row["chars"] = len(row["text"])
        yield row


def _prepare(record: Record) -> tuple[dict[str, Any], list[Source]]:
    """The row of a record, and its parsed source if it is a page to be rendered."""
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
    if record.published:
        row["published"] = record.published
    for name, value in (("title", record.title), ("author", record.author)):
        if value:  # ASCII letters need no repair
            row[name] = value if value.isascii() else repair_text(scrub(value))[0]
    if record.content is None:
        return row | {"sha256": record.sha256}, []
    content = record.content
    stored = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    row["sha256"] = record.sha256 or hashlib.sha256(stored).hexdigest()
    if record.error:
        return row, []
    try:
        decoded, row["encoding"], row["replaced"] = _decode_record(record, content)
    except SourceError as error:
        return row | {"error": str(error)}, []
    text = decoded
    if isinstance(content, bytes) and is_subtitles(decoded):
        row["media_type"], text = "text/plain", subtitle_text(decoded)
    elif record.media_type is None:
        is_cell, is_text = isinstance(content, str), is_named_text(record.source)
        row["media_type"], text = resolve_markup(
            text, entities=is_cell, strict=not is_cell and is_text
        )
    elif record.media_type == "text/markdown":
        row["media_type"], text = "text/html", render_markdown(text)
    encoded = None  # the text, where it need not be encoded again
    if row["encoding"] == "utf-8" and not (row["replaced"] or text is not decoded):
        encoded = stored.removeprefix(BOM_UTF8)
    text, row["repaired"] = repair_text(text, encoded)
    if row["media_type"] == "text/html":
        try:
            return row, html.read_source(text, None if row["repaired"] else encoded)
        except SourceError as error:
            return row | {"error": str(error)}, []
    return row | {"text": text}, []


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
