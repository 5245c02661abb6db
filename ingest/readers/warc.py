"""Read WARC files, compressed or not, damaged or not: one record is one page.

We find the boundaries of records ourselves, because FastWARC loses all records after a damaged
one. Here, damage affects only the record that contains it: if a record does not match its header,
we search for the start of the next one.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import (
    TRUNCATED,
    compression,
    describe_os_error,
    inflate,
    new_gzip_member,
    read_pieces,
)
from ingest.io.window import FileWindow, Window
from ingest.readers import http
from ingest.readers.records import Record, Slice
from ingest.readers.single_file import too_large_message

_VERSION = re.compile(rb"WARC/\d\.\d{1,2}[ \t]*\r?\n")
_NEXT_RECORD = re.compile(rb"WARC/\d\.\d{1,2}[ \t]*\r?\n(?=[A-Za-z-]{2,30}:)")
_NUMBER = re.compile(r"[0-9]{1,18}")
_MEMBER = re.compile(rb"\x1f\x8b\x08")
_PADDING, _NOT_PADDING = re.compile(rb"\0"), re.compile(rb"[^\0]")
_BETWEEN = b"\r\n\r\n"  # between two records; some writers put less or more
_MAX_BETWEEN = 64
_HEADER_STEP = 1 << 12  # bytes read at once if only headers are needed
_MEMBER_STEP = 1 << 14  # stored bytes of a gzip member that are decompressed at once
_MAX_PROBE = 1 << 26  # bytes of a record that are inspected to find its boundaries


class _Frame(NamedTuple):
    """One record, or an `error` if the bytes at `offset` are not a valid record."""

    offset: int
    fields: dict[str, str]
    block: bytes = b""
    error: str | None = None


_Filter = Callable[[dict[str, str], bytes], bool]  # header, start of the block → wanted


def cut_slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut a WARC file at the starts of records.

    A file whose records are compressed together, or that cannot be read, becomes one slice. Each
    record belongs to the slice in which it starts.
    """
    try:
        with open(source, "rb", buffering=0) as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            form = compression(source, file.read(8))
            if form is None:
                cuts = _find_record_cuts(file, shard_bytes)
            elif form == "gzip" and _has_one_record_per_member(file):
                cuts = _find_member_cuts(file, size, shard_bytes)
            else:
                cuts = []
    except OSError:
        return [Slice(source, "warc")]
    ends = [*cuts, size]
    return [
        Slice(source, "warc", start, stop, 0, stop - start)
        for start, stop in zip([0, *cuts], ends, strict=True)
    ]


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield the pages of a slice, or of `data` if the source is already open.

    Records that are not pages are left out. Damaged records have an `error`.
    """
    limit = settings.max_record_bytes
    try:
        for frame in _read_stream(Window(data), limit) if data else _read_frames(part, limit):
            if (record := _to_record(part.source, frame, limit)) is not None:
                yield record
    except OSError as error:
        yield Record(part.source, part.start or None, error=describe_os_error(error))


def _read_frames(part: Slice, limit: int) -> Iterator[_Frame]:
    if os.path.exists(part.source) and not os.path.isfile(part.source):  # a pipe
        yield from _read_stream(Window(read_pieces(part.source)), limit)
        return
    with open(part.source, "rb", buffering=0) as file:
        form = compression(part.source, file.read(8))
        if form is None:
            yield from _read_stream(FileWindow(file, part.start), limit, stop=part.stop)
        elif form == "gzip" and _has_one_record_per_member(file):
            yield from _read_members(FileWindow(file, part.start), limit, part.stop)
        else:
            yield from _read_stream(Window(read_pieces(part.source)), limit)


def _to_record(source: str, frame: _Frame, limit: int) -> Record | None:
    record = Record(source, frame.offset, url=_url(frame.fields), error=frame.error)
    if frame.error:
        return record
    try:
        page = http.extract_page(frame.fields, frame.block, limit)
    except SourceError as error:
        return record._replace(error=str(error))
    if page is None:
        return None
    return record._replace(content=page.content, media_type=page.media_type, charset=page.charset)


def _url(fields: dict[str, str]) -> str | None:
    """The address of a record. WARC 1.0 files may have it in angle brackets."""
    return fields.get("warc-target-uri", "").removeprefix("<").removesuffix(">").strip() or None


def _read_stream(
    window: Window, limit: int, wanted: _Filter = http.may_be_page, stop: int | None = None
) -> Iterator[_Frame]:
    """Yield the wanted records of a stream that start before `stop`, and all damage."""
    reported = False
    while window.has(1) and (stop is None or window.offset < stop):
        frame = _read_frame(window, limit, wanted)
        if frame is not None:
            yield frame
        reported = frame is not None and frame.error is not None
    if window.damage and not reported:
        yield _Frame(window.offset, {}, error=window.damage)


def _read_frame(window: Window, limit: int, wanted: _Filter) -> _Frame | None:
    """Read the record at the window and move to the next; None if it is not wanted."""
    offset = window.offset
    fields: dict[str, str] = {}
    try:
        body = _read_header(window, fields)
        length = _content_length(fields)
        large = length > limit + http.MAX_HEADER
        # In a stream, checking the end of a large record would mean to hold all of it.
        end = None if large and not window.seekable else _find_end(window, body, length)
    except SourceError as error:
        window.skip_to(_NEXT_RECORD, 1)
        return _Frame(offset, fields, error=str(error))
    frame = None
    if wanted(fields, window.peek(body, min(length, _HEADER_STEP))):
        block = b"" if large else window.peek(body, length)
        frame = _Frame(offset, fields, block, too_large_message(limit) if large else None)
    if end is None:
        window.skip_to(_NEXT_RECORD, body)
    else:
        window.advance(end)
    return frame


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


def _content_length(fields: dict[str, str]) -> int:
    length = fields.get("content-length", "")
    if not _NUMBER.fullmatch(length):
        raise SourceError("its header has no numeric Content-Length")
    return int(length)


def _find_end(window: Window, body: int, length: int) -> int:
    """Where the next record starts. Raises if none does, because then the length is wrong."""
    if not window.has(body + length):
        available = max(window.left - body, 0)
        cut_off = f"is cut off: it has {available} of the {length} bytes that its header declares"
        raise SourceError(window.damage or cut_off)
    after = window.peek(body + length, _MAX_BETWEEN)
    following = after.lstrip(b"\r\n")
    at_end = len(after) < _MAX_BETWEEN
    if not following and at_end and window.damage:
        raise SourceError(window.damage)
    sound = following.startswith(b"WARC/") or (at_end and not following)
    if not sound and after.startswith(_BETWEEN):  # the next record is damaged, or inside this one
        sound = _NEXT_RECORD.search(window.peek(body, min(length, _MAX_PROBE))) is None
    if not sound:
        raise SourceError(f"its header declares {length} bytes, but no record follows them")
    return body + length + len(after) - len(following)


class _Member:
    """One gzip member of a file, with the number of stored bytes that were consumed so far."""

    def __init__(self, file: FileWindow) -> None:
        self.consumed = 0
        self.ended = False
        self._file = file

    def pieces(self) -> Iterator[bytes]:
        member = new_gzip_member()
        while not member.eof:
            data = self._file.peek(self.consumed, _MEMBER_STEP)
            output = inflate(member, data)
            left = member.unused_data if member.eof else member.unconsumed_tail
            self.consumed += len(data) - len(left)
            if output:
                yield output
            elif not data and not member.eof:
                raise SourceError(TRUNCATED)
        self.ended = True


def _read_members(file: FileWindow, limit: int, stop: int) -> Iterator[_Frame]:
    """Yield the records of gzip members that start before `stop`, with the member's offset.

    If a member has several records, their offsets count up from that of the member. At most as
    many records are read as the member has stored bytes, so offsets stay below the next member's.
    """
    while file.has(1) and file.offset < stop:
        if file.match(_PADDING):
            file.skip_to(_NOT_PADDING, 0)
            continue
        member = _Member(file)
        for number, frame in enumerate(_read_stream(Window(member.pieces()), limit)):
            if number >= member.consumed > 0:
                break
            yield frame._replace(offset=file.offset + number)
        if member.ended:
            file.advance(member.consumed)
        else:
            _seek_member(file, 1)


def _seek_member(file: FileWindow, start: int) -> bool:
    """Move to the next member at or after `start` that starts with a record; False if none does."""
    while file.skip_to(_MEMBER, start):
        try:
            if _VERSION.match(inflate(new_gzip_member(), file.peek(0, _MEMBER_STEP))):
                return True
        except SourceError:
            pass
        start = 1
    return False


def _has_one_record_per_member(file: io.FileIO) -> bool:
    """Whether the first member has one record, or is damaged, so that members must be searched."""
    member = _Member(FileWindow(file))
    window = Window(member.pieces())
    damaged = _read_frame(window, _MAX_PROBE, _skip_all)
    if not window.has(1):
        return True
    if not (damaged or _read_frame(window, _MAX_PROBE, _skip_all)):
        return False
    while window.has(1):  # the checksum decides whether the record or the member is damaged
        window.advance(_MEMBER_STEP)
    return window.damage is not None


def _find_member_cuts(file: io.FileIO, size: int, shard_bytes: int) -> list[int]:
    cuts: list[int] = []
    at = shard_bytes
    while at < size:
        window = FileWindow(file, at)
        if not _seek_member(window, 0):
            break
        cuts.append(window.offset)
        at = window.offset + shard_bytes
    return cuts


def _find_record_cuts(file: io.FileIO, shard_bytes: int) -> list[int]:
    window = FileWindow(file, step=_HEADER_STEP)
    cuts: list[int] = []
    due = shard_bytes
    while window.has(1):
        if window.offset >= due:
            cuts.append(window.offset)
            due = window.offset + shard_bytes
        _read_frame(window, _MAX_PROBE, _skip_all)
    return cuts


def _skip_all(_fields: dict[str, str], _start: bytes) -> bool:
    return False
