"""Extract the page from a WARC record: parse HTTP and undo its codings."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from fastwarc.stream_io import BrotliReader

from ingest.errors import SourceError
from ingest.io.streams import CHUNK, TRUNCATED, gunzip, unzstd
from ingest.readers.encoding import is_text
from ingest.readers.records import too_large_message
from ingest.readers.single_file import join_pieces
from ingest.readers.sniff import looks_like_html

MAX_HEADER = 1 << 16  # bytes of a WARC or HTTP header; real ones have a few hundred
BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\S{1,8}[ \t]+(\d{3})\b")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\n]{0,1000})?\r?\n")
_PAGES = {
    "text/html": "text/html",
    "application/xhtml+xml": "text/html",
    "text/plain": "text/plain",
}
# Types that servers send if they do not know the type.
_UNKNOWN_TYPES = frozenset(
    ("application/octet-stream", "binary/octet-stream", "application/unknown", "unknown/unknown",
     "application/x-unknown-content-type", "*/*")
)  # fmt: skip
_XML = frozenset(("text/xml", "application/xml"))  # sometimes XHTML, more often a feed


class Page(NamedTuple):
    """The content of a page, its media type (None: not declared), and its declared charset."""

    content: bytes
    media_type: str | None
    charset: str | None


def parse_fields(head: bytes) -> dict[str, str]:
    r"""The fields of a WARC or HTTP header by lowercase name, without its first line.

    The first of several fields with one name counts. A folded line continues the field before it.

    >>> parse_fields(b"HTTP/1.1 200 OK\r\nContent-Type: text/html;\r\n charset=utf-8\r\nX: y")
    {'content-type': 'text/html; charset=utf-8', 'x': 'y'}
    """
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    parsed: dict[str, list[str]] = {}  # the lines of each field
    name = ""
    for line in text.split("\n")[1:]:
        if line[:1] in (" ", "\t") and name:
            parsed[name].append(line.strip())
            continue
        label, colon, value = line.partition(":")
        if colon:
            name = label.strip().lower()
            parsed.setdefault(name, [value.strip()])
    return {name: " ".join(lines) for name, lines in parsed.items()}


def extract_page(warc: Mapping[str, str], block: bytes, limit: int) -> Page | None:
    """The page in a WARC record; None if its content is not a page.

    Pages are HTML or plain text in responses, and in the resources and conversions of WET files
    and other tools.

    Args:
        warc: the WARC header.
        block: the content of the record.
        limit: maximum size of the page in bytes.

    Raises:
        SourceError: the record is a page, but its content cannot be read.
    """
    declared = warc.get("content-type", "")
    match warc.get("warc-type", "").lower():
        case "response" if declared.lower().startswith("application/http") or not declared:
            return _extract_response(warc, block, limit)
        case "resource" | "conversion":
            return _make_page(declared, warc, block)
        case "":
            raise SourceError("its header has no WARC-Type")
    return None


def may_be_page(warc: Mapping[str, str], start: bytes) -> bool:
    """Whether a record may be a page, by its headers. `start` is the beginning of its block."""
    declared = warc.get("content-type", "")
    match warc.get("warc-type", "").lower():
        case "response" if declared.lower().startswith("application/http") or not declared:
            end = BLANK_LINE.search(start)
            declared = parse_fields(start[: end.start()] if end else start).get("content-type", "")
        case "resource" | "conversion" | "":
            pass
        case _:
            return False
    return _page_kind(declared, warc) is not None


def _extract_response(warc: Mapping[str, str], block: bytes, limit: int) -> Page | None:
    if not block:
        return Page(b"", None, None)
    if not block.startswith(b"HTTP/"):
        raise SourceError("its response has no HTTP header")
    end = BLANK_LINE.search(block, 0, MAX_HEADER)
    http = parse_fields(block[: end.start()] if end else block[:MAX_HEADER])
    declared = http.get("content-type", "")
    if _page_kind(declared, warc) is None:
        return None
    status = _STATUS.match(block)
    if status and not status[1].startswith(b"2"):
        raise SourceError(f"HTTP status {status[1].decode()}")
    body = _decode_body(block[end.end() :] if end else b"", http, limit)
    return _make_page(declared, warc, body)


def _make_page(declared: str, warc: Mapping[str, str], content: bytes) -> Page | None:
    charset = _CHARSET.search(declared)
    kind = _page_kind(declared, warc)
    if kind == "unknown" and not is_text(content[:CHUNK]):
        return None
    if kind == "xml" and not looks_like_html(content[:CHUNK].decode("latin-1")):
        return None
    if kind is None:
        return None
    media_type = {"unknown": None, "xml": "text/html"}.get(kind, kind)
    return Page(content, media_type, charset[1] if charset else None)


def _page_kind(declared: str, warc: Mapping[str, str]) -> str | None:
    """text/html, text/plain, xml, unknown, or None if it cannot be a page."""
    for label in (declared, warc.get("warc-identified-payload-type", "")):
        kind = label.partition(";")[0].strip().lower()
        if kind in _XML:
            return "xml"
        if "/" in kind and kind not in _UNKNOWN_TYPES:
            return _PAGES.get(kind)
    return "unknown"


def _decode_body(body: bytes, http: Mapping[str, str], limit: int) -> bytes:
    """Undo the transfer and content codings of a body.

    Many tools store the decoded body with the original header. So a body that cannot be decoded
    but is text is used as it is.
    """
    if "chunked" in http.get("transfer-encoding", "").lower():
        body = _join_chunks(body)
    codings = [c.strip().lower() for c in http.get("content-encoding", "").split(",")]
    for coding in reversed(codings):
        if not body or not (decoder := _CODINGS.get(coding)):
            continue
        try:
            body = decoder(body, limit)
        except SourceError:
            if not is_text(body[:CHUNK]):
                raise
    if len(body) > limit:
        raise SourceError(too_large_message(limit))
    return body


def _join_chunks(body: bytes) -> bytes:
    chunks: list[bytes] = []
    at = 0
    while match := _CHUNK.match(body, at):
        size = int(match[1], 16)
        if not size:
            return b"".join(chunks)
        at = match.end() + size
        chunks.append(body[match.end() : at])
        at += 2 if body.startswith(b"\r\n", at) else body.startswith(b"\n", at)
        if at >= len(body):  # the connection ended early; browsers show such a page as well
            return b"".join(chunks)
    if not chunks:
        return body
    raise SourceError("Transfer-Encoding chunked: the length of a chunk is damaged")


def _gunzip(body: bytes, limit: int) -> bytes:
    return join_pieces(gunzip(_pieces(body)), limit)


def _unzstd(body: bytes, limit: int) -> bytes:
    return join_pieces(unzstd(_pieces(body)), limit)


def _unbrotli(body: bytes, limit: int) -> bytes:
    # FastWARC is installed with Resiliparse anyway. Unlike the package `brotli`, its reader ignores
    # bytes after the end of the data and rejects data that are cut off.
    try:
        return BrotliReader(io.BytesIO(body)).read(limit + 1)
    except OSError as error:
        raise SourceError(f"cannot be decompressed: {error}") from error


def _inflate(body: bytes, limit: int) -> bytes:
    """RFC 9110 requires the zlib format; some servers send raw deflate data."""
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        stream = zlib.decompressobj(bits)
        try:
            content = stream.decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(content) <= limit and not stream.eof:
            raise SourceError(TRUNCATED)
        return content
    raise SourceError("cannot be decompressed: Content-Encoding deflate is damaged")


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[at : at + CHUNK] for at in range(0, len(body), CHUNK))


_CODINGS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate, "br": _unbrotli, "zstd": _unzstd,
}  # fmt: skip
