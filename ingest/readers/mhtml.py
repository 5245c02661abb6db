"""Read MHTML, in which browsers save a page with its images: the page is its first part of HTML."""

from __future__ import annotations

import binascii
import hashlib
import quopri
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from typing import NamedTuple

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import read_pieces
from ingest.readers.records import Record, Slice
from ingest.readers.single_file import join_pieces, stored_sha256

_MAX_HEADER = 1 << 16  # bytes
_MAX_DEPTH = 8  # parts inside parts
_HEADER_END = re.compile(rb"\r?\n[ \t]*\r?\n")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_TEXT = ("text/html", "application/xhtml+xml", "text/plain")


class _Part(NamedTuple):
    header: Message
    body: bytes


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield the one page of a file, or of `data` if the source is already open."""
    limit = settings.max_record_bytes
    record = Record(part.source)
    try:
        content = join_pieces(data or read_pieces(part.source), limit)
    except SourceError as error:
        yield record._replace(error=str(error), sha256=stored_sha256(part.source, limit))
        return
    digest = stored_sha256(part.source, limit) or hashlib.sha256(content).hexdigest()
    yield _to_record(record._replace(sha256=digest), content)


def _to_record(record: Record, content: bytes) -> Record:
    whole = _split_header(content)
    page = _find_page(whole, _MAX_DEPTH)
    if page is None:
        return record._replace(error="is MHTML without a part of HTML or text")
    location = whole.header["Snapshot-Content-Location"] or page.header["Content-Location"]
    charset = page.header.get_param("charset")
    return record._replace(
        content=_decode(page),
        media_type="text/plain" if _is_plain(page) else "text/html",
        charset=charset if isinstance(charset, str) else None,
        url=str(location).strip() if location else None,
    )


def _split_header(content: bytes) -> _Part:
    content = content.lstrip(b"\xef\xbb\xbf\r\n\t ")
    end = _HEADER_END.search(content, 0, _MAX_HEADER)
    head, body = (content[: end.start()], content[end.end() :]) if end else (content, b"")
    return _Part(BytesHeaderParser().parsebytes(head[:_MAX_HEADER] + b"\n\n"), body)


def _find_page(part: _Part, depth: int) -> _Part | None:
    """The part that the header names as the start, else the first of HTML, else of text."""
    if part.header.get_content_maintype() != "multipart":
        return part if part.header.get_content_type() in _TEXT else None
    boundary = part.header.get_param("boundary")
    if not depth or not isinstance(boundary, str) or not boundary.strip():
        return None
    start = part.header.get_param("start")
    pages: list[_Part] = []
    for inner in _split_parts(part.body, boundary.strip()):
        page = _find_page(inner, depth - 1)
        if page is None:
            continue
        if isinstance(start, str) and inner.header["Content-ID"] == start:
            return page
        pages.append(page)
    return next((page for page in pages if not _is_plain(page)), pages[0] if pages else None)


def _is_plain(part: _Part) -> bool:
    return part.header.get_content_type() == "text/plain"


def _split_parts(body: bytes, boundary: str) -> Iterator[_Part]:
    """Yield the parts between boundaries; the last one may be cut off."""
    escaped = re.escape(boundary.encode())
    mark = re.compile(rb"(?:\A|\r?\n)--" + escaped + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    at = None
    for match in mark.finditer(body):
        if at is not None:
            yield _split_header_of_part(body[at : match.start()])
        if match[1]:
            return
        at = match.end()
    if at is not None:
        yield _split_header_of_part(body[at:])


def _split_header_of_part(content: bytes) -> _Part:
    """The header and content of a part, which begins with the line end of its boundary."""
    content = content.removeprefix(b"\r").removeprefix(b"\n")
    if content.startswith((b"\n", b"\r\n")):  # no header: plain text
        return _Part(Message(), content)
    return _split_header(content)


def _decode(part: _Part) -> bytes:
    """The content of a part without its transfer encoding. Damage costs only what it hits."""
    match str(part.header["Content-Transfer-Encoding"] or "").strip().lower():
        case "quoted-printable":
            return quopri.decodestring(part.body)
        case "base64":
            digits = _NOT_BASE64.sub(b"", part.body)
            return binascii.a2b_base64(digits[: len(digits) // 4 * 4] + _padded(digits))
    return part.body


def _padded(digits: bytes) -> bytes:
    rest = digits[len(digits) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""
