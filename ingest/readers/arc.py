"""Read ARC files, in which web archives stored pages before there was WARC: one record is one page.

A record is a line with the address, the IP address, the date, the media type and the length, and
then the response of the server. The first record describes the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.window import Window
from ingest.readers import archive, warc
from ingest.readers.archive import Syntax
from ingest.readers.records import Record, Slice

_MAX_LINE = 1 << 14  # bytes; addresses may be long
_LINE_END = re.compile(rb"\n")
_SCHEME = rb"(?:filedesc|https?|ftp|dns|gopher|whois|metadata|urn)"
_HEADER = re.compile(
    _SCHEME + rb":\S.* (?:[0-9A-Fa-f.:]{2,45}|-) \d{8,17} "
    rb"(?P<type>\S+)(?: .*)? (?P<length>\d{1,18})$"
)
_NO_HEADER = "no ARC record starts here"


def cut_slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut an ARC file at the starts of records; see `archive.cut_slices`."""
    return archive.cut_slices(source, shard_bytes, SYNTAX)


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield the pages of a slice, or of `data` if the source is already open.

    Records that are not pages are left out. Damaged records have an `error`.
    """
    return warc.read_records(part, settings, data, syntax=SYNTAX)


def _read_header(window: Window, fields: dict[str, str]) -> int:
    """Add the header of a record to `fields`, with the names of WARC; returns its length."""
    found = window.search(_LINE_END, _MAX_LINE)
    if found is None:
        if window.damage:
            raise SourceError(window.damage)
        raise SourceError(_NO_HEADER if window.has(_MAX_LINE) else "its header is cut off")
    line = window.peek(0, found[0]).rstrip(b"\r")
    header = _HEADER.match(line)
    if header is None:
        raise SourceError(_NO_HEADER)
    text = line.decode("utf-8", "replace")
    media_type, length = header["type"].decode("latin-1"), header["length"].decode()
    is_response = window.peek(found[1], 5) == b"HTTP/"
    is_description = line.startswith(b"filedesc:")
    fields |= {
        "warc-type": "warcinfo" if is_description else "response" if is_response else "resource",
        "warc-target-uri": text.split(" ", 1)[0],
        "content-type": "application/http" if is_response else media_type,
        "content-length": length,
    }
    return found[1]


# An address at the start of a line is not enough to find a record inside a page.
_NEXT_RECORD = re.compile(
    rb"(?<=\n)(?=" + _SCHEME + rb":\S{1,2000}+ (?:[0-9A-Fa-f.:]{2,45}|-) \d{14} )"
)
SYNTAX = Syntax("arc", re.compile(_SCHEME + rb":\S"), _NEXT_RECORD, _read_header)
