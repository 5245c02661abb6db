"""What a WARC record holds as a page: HTTP taken off, or the reason why it is no page."""

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
from ingest.readers.single_file import join_pieces, too_large_message
from ingest.readers.sniff import looks_like_html

MOST_HEAD = 1 << 16  # bytes of a WARC or HTTP header; real ones have some hundred
BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\S{1,8}[ \t]+(\d{3})\b")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;[^\n]{0,1000})?\r?\n")
_PAGES = {
    "text/html": "text/html",
    "application/xhtml+xml": "text/html",
    "text/plain": "text/plain",
}
# Types that say nothing: servers send them for what they do not know.
_UNSAID = frozenset(
    ("application/octet-stream", "binary/octet-stream", "application/unknown", "unknown/unknown",
     "application/x-unknown-content-type", "*/*")
)  # fmt: skip
_XML = frozenset(("text/xml", "application/xml"))  # XHTML at times, more often a feed


class Page(NamedTuple):
    """The content of a page, what it is (None: the content must tell), and its declared charset."""

    content: bytes
    media_type: str | None
    charset: str | None


def fields(head: bytes) -> dict[str, str]:
    r"""The fields of a WARC or HTTP header by name in small letters, its first line left out.

    The first of two fields with one name counts, and a folded line goes on with the one before.

    >>> fields(b"HTTP/1.1 200 OK\r\nContent-Type: text/html;\r\n charset=utf-8\r\nX: y")
    {'content-type': 'text/html; charset=utf-8', 'x': 'y'}
    """
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    found: dict[str, str] = {}
    name = ""
    for line in text.split("\n")[1:]:
        if line[:1] in (" ", "\t") and name:
            found[name] += " " + line.strip()
            continue
        given, colon, value = line.partition(":")
        if colon:
            name = given.strip().lower()
            found.setdefault(name, value.strip())
    return found


def page(warc: Mapping[str, str], block: bytes, limit: int) -> Page | None:
    """The page that a WARC record holds; None where what it holds is no page.

    Pages are HTML and plain text: responses, and the resources and conversions that WET files and
    other tools write.

    Raises:
        SourceError: the response is a page that cannot be had.
    """
    said = warc.get("content-type", "")
    match warc.get("warc-type", "").lower():
        case "response" if said.lower().startswith("application/http") or not said:
            return _response(warc, block, limit)
        case "resource" | "conversion":
            return _typed(said, warc, block)
        case "":
            raise SourceError("its header has no WARC-Type")
    return None


def may_be_page(warc: Mapping[str, str], start: bytes) -> bool:
    """Whether a record may hold a page, by its headers: the start of its block is enough."""
    said = warc.get("content-type", "")
    match warc.get("warc-type", "").lower():
        case "response" if said.lower().startswith("application/http") or not said:
            found = BLANK_LINE.search(start)
            said = fields(start[: found.start()] if found else start).get("content-type", "")
        case "resource" | "conversion" | "":
            pass
        case _:
            return False
    return _kind(said, warc) is not None


def _response(warc: Mapping[str, str], block: bytes, limit: int) -> Page | None:
    if not block:
        return Page(b"", None, None)
    if not block.startswith(b"HTTP/"):
        raise SourceError("its response has no HTTP header")
    end = BLANK_LINE.search(block, 0, MOST_HEAD)
    http = fields(block[: end.start()] if end else block[:MOST_HEAD])
    said = http.get("content-type", "")
    if _kind(said, warc) is None:
        return None
    status = _STATUS.match(block)
    if status and not status[1].startswith(b"2"):
        raise SourceError(f"HTTP status {status[1].decode()}")
    body = _unpacked(block[end.end() :] if end else b"", http, limit)
    return _typed(said, warc, body)


def _typed(said: str, warc: Mapping[str, str], content: bytes) -> Page | None:
    charset = _CHARSET.search(said)
    kind = _kind(said, warc)
    if kind == "unsaid" and not is_text(content[:CHUNK]):
        return None
    if kind == "xml" and not looks_like_html(content[:CHUNK].decode("latin-1")):
        return None
    if kind is None:
        return None
    media_type = {"unsaid": None, "xml": "text/html"}.get(kind, kind)
    return Page(content, media_type, charset[1] if charset else None)


def _kind(said: str, warc: Mapping[str, str]) -> str | None:
    """text/html, text/plain, xml, unsaid, or None for what is no page."""
    for given in (said, warc.get("warc-identified-payload-type", "")):
        kind = given.partition(";")[0].strip().lower()
        if kind in _XML:
            return "xml"
        if "/" in kind and kind not in _UNSAID:
            return _PAGES.get(kind)
    return "unsaid"


def _unpacked(body: bytes, http: Mapping[str, str], limit: int) -> bytes:
    """The body without its transfer and content codings.

    Many tools store the body decoded beside the header that it came with. So a body that is not
    what its header says, but is text, is taken as it is.
    """
    if "chunked" in http.get("transfer-encoding", "").lower():
        body = _unchunked(body)
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


def _unchunked(body: bytes) -> bytes:
    made: list[bytes] = []
    at = 0
    while found := _CHUNK.match(body, at):
        size = int(found[1], 16)
        if not size:
            return b"".join(made)
        at = found.end() + size
        made.append(body[found.end() : at])
        at += 2 if body.startswith(b"\r\n", at) else body.startswith(b"\n", at)
        if at >= len(body):  # the connection ended before the last chunk: a browser shows this too
            return b"".join(made)
    if not made:
        return body
    raise SourceError("Transfer-Encoding chunked: the length of a chunk is damaged")


def _gzip(body: bytes, limit: int) -> bytes:
    return join_pieces(gunzip(_cut(body)), limit)


def _zstd(body: bytes, limit: int) -> bytes:
    return join_pieces(unzstd(_cut(body)), limit)


def _brotli(body: bytes, limit: int) -> bytes:
    try:
        return BrotliReader(io.BytesIO(body)).read(limit + 1)
    except OSError as error:
        raise SourceError(f"cannot be decompressed: {error}") from error


def _deflate(body: bytes, limit: int) -> bytes:
    """RFC 9110 says zlib; some servers send what is inside it alone."""
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        stream = zlib.decompressobj(bits)
        try:
            made = stream.decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(made) <= limit and not stream.eof:
            raise SourceError(TRUNCATED)
        return made
    raise SourceError("cannot be decompressed: Content-Encoding deflate is damaged")


def _cut(body: bytes) -> Iterator[bytes]:
    return (body[at : at + CHUNK] for at in range(0, len(body), CHUNK))


_CODINGS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd,
}  # fmt: skip
