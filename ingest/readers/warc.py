"""Read WARC files: one record is one page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import describe_os_error
from ingest.io.window import Window
from ingest.readers import archive, http
from ingest.readers.archive import Frame, Syntax
from ingest.readers.crawler_records import address, describe_own_record
from ingest.readers.records import Record, Slice, too_large_message

_VERSION = re.compile(rb"WARC/\d\.\d{1,2}[ \t]*\r?\n")
_NEXT_RECORD = re.compile(rb"WARC/\d\.\d{1,2}[ \t]*\r?\n(?=[A-Za-z-]{2,30}:)")


def cut_slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut a WARC file at the starts of records; see `archive.cut_slices`."""
    return archive.cut_slices(source, shard_bytes, SYNTAX)


def read_records(
    part: Slice,
    settings: ReadConfig,
    data: Iterator[bytes] | None = None,
    *,
    syntax: Syntax | None = None,
) -> Iterator[Record]:
    """Yield the pages of a slice, or of `data` if the source is already open.

    Records that are not pages are left out; those of the crawler itself are marked as such.
    Damaged records have an `error`.
    """
    limit, syntax = settings.max_record_bytes, syntax or SYNTAX
    try:
        frames = (
            archive.read_stream(Window(data), limit, is_wanted, syntax)
            if data
            else archive.read_frames(part, limit, is_wanted, syntax)
        )
        yield from to_records(part.source, frames, limit)
    except OSError as error:
        yield Record(part.source, part.start or None, error=describe_os_error(error))


def to_records(source: str, frames: Iterator[Frame], limit: int) -> Iterator[Record]:
    """Yield the pages among records of an archive."""
    for frame in frames:
        if (record := _to_record(source, frame, limit)) is not None:
            yield record


def is_wanted(fields: Mapping[str, str], start: bytes) -> bool:
    """Whether a record may be a page, or is the crawler's own, which are counted."""
    return describe_own_record(fields) is not None or http.may_be_page(fields, start)


def _to_record(source: str, frame: Frame, limit: int) -> Record | None:
    record = Record(source, frame.offset, url=address(frame.fields), error=frame.error)
    own = describe_own_record(frame.fields)
    if own and frame.error in (None, too_large_message(limit)):
        return record._replace(error=None, left_out=own)
    if frame.error:
        return record
    try:
        page = http.extract_page(frame.fields, frame.block, limit)
    except SourceError as error:
        return record._replace(error=str(error))
    if page is None:
        return None
    return record._replace(content=page.content, media_type=page.media_type, charset=page.charset)


def _read_header(window: Window, fields: dict[str, str]) -> int:
    """Add the header fields of a record to `fields`; returns the length of the header."""
    if not window.match(_VERSION):
        raise SourceError("no WARC record starts here")
    head = window.search(http.BLANK_LINE, http.MAX_HEADER)
    if head is None:
        if window.has(http.MAX_HEADER):
            raise SourceError("its header has no end")
        raise SourceError(window.damage or "its header is cut off")
    header = window.peek(0, head[0])
    if _NEXT_RECORD.search(header, 1):
        raise SourceError("its header is cut off: another record starts in it")
    fields |= http.parse_fields(header)
    return head[1]


SYNTAX = Syntax("warc", re.compile(rb"WARC/"), _NEXT_RECORD, _read_header)
