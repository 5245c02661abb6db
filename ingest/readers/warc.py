"""WARC files: one page a record, however the file is compressed, whatever damage it has.

The framing is done here and not by a library, so that damage costs the record that it hits and no
other. Where a record is not what its header says, the next one is looked for.
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
_NEXT = re.compile(rb"WARC/\d\.\d{1,2}[ \t]*\r?\n(?=[A-Za-z-]{2,30}:)")
_NUMBER = re.compile(r"[0-9]{1,18}")
_MEMBER = re.compile(rb"\x1f\x8b\x08")
_PADDING, _NOT_PADDING = re.compile(rb"\0"), re.compile(rb"[^\0]")
_BETWEEN = b"\r\n\r\n"  # what stands between two records; some writers put less, or more
_MOST_BETWEEN = 64
_HOP = 1 << 12  # bytes read at once where only headers are looked at
_FEED = 1 << 14  # stored bytes of a gzip member that are looked at together
_LOOKED_AT = 1 << 26  # bytes of a first record that is looked at to see how a file is made


class _Frame(NamedTuple):
    """One record, or what stands where one should be, and then `error` says what is wrong."""

    offset: int
    fields: dict[str, str]
    block: bytes = b""
    error: str | None = None


_Wanted = Callable[[dict[str, str], bytes], bool]  # by header, and the start of the block


def slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut a WARC at the beginnings of records.

    One whose records are compressed together, or that cannot be read, stays whole. Each record
    belongs to the slice in which it begins.
    """
    try:
        with open(source, "rb", buffering=0) as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            form = compression(source, file.read(8))
            if form is None:
                cuts = _cuts_of_records(file, shard_bytes)
            elif form == "gzip" and _member_a_record(file):
                cuts = _cuts_of_members(file, size, shard_bytes)
            else:
                cuts = []
    except OSError:
        return [Slice(source, "warc")]
    ends = [*cuts, size]
    return [
        Slice(source, "warc", start, stop, 0, stop - start)
        for start, stop in zip([0, *cuts], ends, strict=True)
    ]


def records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """The pages of a slice, or of `data` where that is already open.

    What is no page is left out, what is damaged has an `error`.
    """
    limit = settings.max_record_bytes
    try:
        for frame in _in_stream(Window(data), limit) if data else _frames(part, limit):
            if (record := _record(part.source, frame, limit)) is not None:
                yield record
    except OSError as error:
        yield Record(part.source, part.start or None, error=describe_os_error(error))


def _frames(part: Slice, limit: int) -> Iterator[_Frame]:
    if os.path.exists(part.source) and not os.path.isfile(part.source):  # a pipe
        yield from _in_stream(Window(read_pieces(part.source)), limit)
        return
    with open(part.source, "rb", buffering=0) as file:
        form = compression(part.source, file.read(8))
        if form is None:
            yield from _in_stream(FileWindow(file, part.start), limit, stop=part.stop)
        elif form == "gzip" and _member_a_record(file):
            yield from _in_members(FileWindow(file, part.start), limit, part.stop)
        else:
            yield from _in_stream(Window(read_pieces(part.source)), limit)


def _record(source: str, frame: _Frame, limit: int) -> Record | None:
    record = Record(source, frame.offset, url=_url(frame.fields), error=frame.error)
    if frame.error:
        return record
    try:
        page = http.page(frame.fields, frame.block, limit)
    except SourceError as error:
        return record._replace(error=str(error))
    if page is None:
        return None
    return record._replace(content=page.content, media_type=page.media_type, charset=page.charset)


def _url(fields: dict[str, str]) -> str | None:
    """The address of a record: WARC 1.0 as published writes it in angle brackets."""
    return fields.get("warc-target-uri", "").removeprefix("<").removesuffix(">").strip() or None


def _in_stream(
    window: Window, limit: int, wanted: _Wanted = http.may_be_page, stop: int | None = None
) -> Iterator[_Frame]:
    """The wanted records of a stream of bytes that begin before `stop`, and all damage."""
    reported = False
    while window.has(1) and (stop is None or window.offset < stop):
        frame = _frame(window, limit, wanted)
        if frame is not None:
            yield frame
        reported = frame is not None and frame.error is not None
    if window.damage and not reported:
        yield _Frame(window.offset, {}, error=window.damage)


def _frame(window: Window, limit: int, wanted: _Wanted) -> _Frame | None:
    """The record that begins here, None where it is not wanted; the window goes on to the next."""
    offset = window.offset
    fields: dict[str, str] = {}
    try:
        body = _header(window, fields)
        length = _length(fields)
        large = length > limit + http.MOST_HEAD
        # in a stream, the end of a large record could be looked at only by holding it
        end = None if large and not window.seekable else _end(window, body, length)
    except SourceError as error:
        window.skip_to(_NEXT, 1)
        return _Frame(offset, fields, error=str(error))
    found = None
    if wanted(fields, window.peek(body, min(length, _HOP))):
        block = b"" if large else window.peek(body, length)
        found = _Frame(offset, fields, block, too_large_message(limit) if large else None)
    if end is None:
        window.skip_to(_NEXT, body)
    else:
        window.advance(end)
    return found


def _header(window: Window, fields: dict[str, str]) -> int:
    """Read the fields of a record; returns its length."""
    if not window.match(_VERSION):
        raise SourceError("no WARC record begins here")
    head = window.search(http.BLANK_LINE, http.MOST_HEAD)
    if head is None:
        if window.has(http.MOST_HEAD):
            raise SourceError("its header has no end")
        raise SourceError(window.damage or "its header is cut off")
    found = window.peek(0, head[0])
    if _NEXT.search(found, 1):
        raise SourceError("its header is cut off: another record begins in it")
    fields |= http.fields(found)
    return head[1]


def _length(fields: dict[str, str]) -> int:
    said = fields.get("content-length", "")
    if not _NUMBER.fullmatch(said):
        raise SourceError("its header has no Content-Length that is a number")
    return int(said)


def _end(window: Window, body: int, length: int) -> int:
    """Where the next record begins; checked, since a wrong length would tear records apart."""
    if not window.has(body + length):
        there = max(window.left - body, 0)
        cut_off = f"is cut off: its header says {length} bytes, {there} are there"
        raise SourceError(window.damage or cut_off)
    after = window.peek(body + length, _MOST_BETWEEN)
    following = after.lstrip(b"\r\n")
    ends = len(after) < _MOST_BETWEEN
    if not following and ends and window.damage:
        raise SourceError(window.damage)
    sound = following.startswith(b"WARC/") or (ends and not following)
    if not sound and after.startswith(_BETWEEN):  # the next record is damaged, or in this one
        sound = _NEXT.search(window.peek(body, min(length, _LOOKED_AT))) is None
    if not sound:
        raise SourceError(f"its header says {length} bytes, but no record follows them")
    return body + length + len(after) - len(following)


class _Member:
    """One gzip member of a file; `taken` is how many of its stored bytes have been used."""

    def __init__(self, file: FileWindow) -> None:
        self.taken = 0
        self.ended = False
        self._file = file

    def pieces(self) -> Iterator[bytes]:
        member = new_gzip_member()
        while not member.eof:
            data = self._file.peek(self.taken, _FEED)
            made = inflate(member, data)
            left = member.unused_data if member.eof else member.unconsumed_tail
            self.taken += len(data) - len(left)
            if made:
                yield made
            elif not data and not member.eof:
                raise SourceError(TRUNCATED)
        self.ended = True


def _in_members(file: FileWindow, limit: int, stop: int) -> Iterator[_Frame]:
    """The records of gzip members that begin before `stop`; their offset is that of the member.

    Should a member hold more than one, the others are counted on from there: the numbers stay
    below the next member's, since no more are given than the member has stored bytes.
    """
    while file.has(1) and file.offset < stop:
        if file.match(_PADDING):
            file.skip_to(_NOT_PADDING, 0)
            continue
        member = _Member(file)
        for number, frame in enumerate(_in_stream(Window(member.pieces()), limit)):
            if number >= member.taken > 0:
                break
            yield frame._replace(offset=file.offset + number)
        if member.ended:
            file.advance(member.taken)
        else:
            _to_member(file, 1)


def _to_member(file: FileWindow, start: int) -> bool:
    """Go to the next place at or after `start` where a member begins that begins a record."""
    while file.skip_to(_MEMBER, start):
        try:
            if _VERSION.match(inflate(new_gzip_member(), file.peek(0, _FEED))):
                return True
        except SourceError:
            pass
        start = 1
    return False


def _member_a_record(file: io.FileIO) -> bool:
    """Whether the first member holds one record, or is damaged so that others must be found."""
    member = _Member(FileWindow(file))
    window = Window(member.pieces())
    damaged = _frame(window, _LOOKED_AT, _nothing)
    if not window.has(1):
        return True
    if not (damaged or _frame(window, _LOOKED_AT, _nothing)):
        return False
    while window.has(1):  # what is damaged, the record or the member, is told by its checksum
        window.advance(_FEED)
    return window.damage is not None


def _cuts_of_members(file: io.FileIO, size: int, shard_bytes: int) -> list[int]:
    cuts: list[int] = []
    at = shard_bytes
    while at < size:
        window = FileWindow(file, at)
        if not _to_member(window, 0):
            break
        cuts.append(window.offset)
        at = window.offset + shard_bytes
    return cuts


def _cuts_of_records(file: io.FileIO, shard_bytes: int) -> list[int]:
    window = FileWindow(file, step=_HOP)
    cuts: list[int] = []
    due = shard_bytes
    while window.has(1):
        if window.offset >= due:
            cuts.append(window.offset)
            due = window.offset + shard_bytes
        _frame(window, _LOOKED_AT, _nothing)
    return cuts


def _nothing(_fields: dict[str, str], _start: bytes) -> bool:
    return False
