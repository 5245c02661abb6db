"""Find the records of a web archive, compressed or not, damaged or not.

We find the boundaries of records ourselves, because FastWARC loses all records after a damaged
one. Here, damage affects only the record that contains it: if a record does not match its header,
we search for the start of the next one. What a header looks like is the `Syntax` of the format.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest.errors import SourceError
from ingest.io.members import Member, Members, open_members
from ingest.io.opening import expect, is_pipe, open_raw
from ingest.io.remote_file import RemoteFile
from ingest.io.streams import HEAD, compression, read_pieces
from ingest.io.window import FileWindow, Window
from ingest.readers import http
from ingest.readers.records import Slice, too_large_message

_NUMBER = re.compile(r"[0-9]{1,18}")
_BETWEEN = b"\r\n\r\n"  # between two records; some writers put less or more
_MAX_BETWEEN = 64
_HEADER_STEP = 1 << 12  # bytes read at once if only headers are needed
_MEMBER_STEP = 1 << 14  # bytes of a member that are skipped at once
_MAX_PROBE = 1 << 26  # bytes of a record that are inspected to find its boundaries


class Frame(NamedTuple):
    """One record, or an `error` if the bytes at `offset` are not a valid record.

    Attributes:
        offset: where it starts, in the stream or in the file as stored.
        fields: its header, with the names that WARC has, in lower case.
        block: its content.
        error: what is wrong with it.
    """

    offset: int
    fields: dict[str, str]
    block: bytes = b""
    error: str | None = None


Filter = Callable[[dict[str, str], bytes], bool]
"""Whether a record is wanted, by its header and the start of its block."""


class Syntax(NamedTuple):
    """How records of a format start.

    Attributes:
        kind: the reader of the format.
        start: matches the start of a record at its first byte.
        next: finds the start of a record inside other bytes, where chance must be unlikely.
        read_header: adds the header at the window to the fields, and returns its length. It raises
            SourceError if the header is damaged.
    """

    kind: str
    start: re.Pattern[bytes]
    next: re.Pattern[bytes]
    read_header: Callable[[Window, dict[str, str]], int]


def cut_slices(source: str, shard_bytes: int, syntax: Syntax) -> list[Slice]:
    """Cut a file at the starts of records.

    A file whose records are compressed together, or that cannot be read, becomes one slice. Each
    record belongs to the slice in which it starts.
    """
    try:
        with open_raw(source) as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            form = compression(source, file.read(HEAD))
            members = open_members(file, form)
            if form is None:
                cuts = _find_record_cuts(file, shard_bytes, syntax)
            elif members and _has_one_record_per_member(file, members, syntax):
                cuts = members.find_cuts(file, 0, size, shard_bytes, syntax.start)
            else:
                cuts = []
    except OSError:
        return [Slice(source, syntax.kind)]
    except SourceError:
        cuts = []
    ends = [*cuts, size]
    return [
        Slice(source, syntax.kind, start, stop, 0, stop - start)
        for start, stop in zip([0, *cuts], ends, strict=True)
    ]


def read_frames(part: Slice, limit: int, wanted: Filter, syntax: Syntax) -> Iterator[Frame]:
    """Yield the wanted records of a slice, and all damage.

    Raises:
        OSError: the file cannot be read.
    """
    if is_pipe(part.source):
        yield from read_stream(Window(read_pieces(part.source)), limit, wanted, syntax)
        return
    with open_raw(part.source) as file:
        form = compression(part.source, file.read(HEAD))
        try:
            members = open_members(file, form)
        except SourceError as error:
            yield Frame(0, {}, error=str(error))
            return
        expect(file, part.start, part.stop)
        if form is None:
            window = FileWindow(file, part.start)
            yield from read_stream(window, limit, wanted, syntax, stop=part.stop)
        elif members and _has_one_record_per_member(file, members, syntax):
            window = FileWindow(file, part.start)
            yield from read_members(window, members, limit, wanted, syntax, stop=part.stop)
        else:
            yield from read_stream(Window(read_pieces(part.source)), limit, wanted, syntax)


def read_stream(
    window: Window, limit: int, wanted: Filter, syntax: Syntax, stop: int | None = None
) -> Iterator[Frame]:
    """Yield the wanted records of a stream that start before `stop`, and all damage."""
    reported = False
    while window.has(1) and (stop is None or window.offset < stop):
        frame = _read_frame(window, limit, wanted, syntax)
        if frame is not None:
            yield frame
        reported = frame is not None and frame.error is not None
    if window.damage and not reported:
        yield Frame(window.offset, {}, error=window.damage)


def _read_frame(window: Window, limit: int, wanted: Filter, syntax: Syntax) -> Frame | None:
    """Read the record at the window and move to the next; None if it is not wanted."""
    offset = window.offset
    fields: dict[str, str] = {}
    try:
        body = syntax.read_header(window, fields)
        length = _content_length(fields)
        large = length > limit + http.MAX_HEADER
        # In a stream, checking the end of a large record would mean to hold all of it.
        end = None if large and not window.seekable else _find_end(window, body, length, syntax)
    except SourceError as error:
        window.skip_to(syntax.next, 1)
        return Frame(offset, fields, error=str(error))
    frame = None
    if wanted(fields, window.peek(body, min(length, _HEADER_STEP))):
        block = b"" if large else window.peek(body, length)
        frame = Frame(offset, fields, block, too_large_message(limit) if large else None)
    if end is None:
        window.skip_to(syntax.next, body)
    else:
        window.advance(end)
    return frame


def _content_length(fields: dict[str, str]) -> int:
    length = fields.get("content-length", "")
    if not _NUMBER.fullmatch(length):
        raise SourceError("its header has no numeric Content-Length")
    return int(length)


def _find_end(window: Window, body: int, length: int, syntax: Syntax) -> int:
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
    sound = syntax.start.match(following) is not None or (at_end and not following)
    if not sound and after.startswith(_BETWEEN):  # the next record is damaged, or inside this one
        sound = syntax.next.search(window.peek(body, min(length, _MAX_PROBE))) is None
    if not sound:
        raise SourceError(f"its header declares {length} bytes, but no record follows them")
    return body + length + len(after) - len(following)


def read_members(
    file: FileWindow,
    members: Members,
    limit: int,
    wanted: Filter,
    syntax: Syntax,
    *,
    stop: int,
) -> Iterator[Frame]:
    """Yield the records of members that start before `stop`, with the member's offset.

    If a member has several records, their offsets count up from that of the member. At most as
    many records are read as the member has stored bytes, so offsets stay below the next member's.
    """
    while file.has(1) and file.offset < stop:
        if members.skip_padding(file):
            continue
        member = members.open(file)
        frames = read_stream(Window(member.pieces()), limit, wanted, syntax)
        for number, frame in enumerate(frames):
            if number >= member.consumed > 0:
                break
            yield frame._replace(offset=file.offset + number)
        if length := members.length(file, member):
            file.advance(length)
        else:
            members.seek(file, 1, syntax.start)


def _has_one_record_per_member(
    file: io.FileIO | RemoteFile, members: Members, syntax: Syntax
) -> bool:
    """Whether the first member has one record, or is damaged, so that members must be searched."""
    first = FileWindow(file)
    while members.skip_padding(first):
        pass
    member = members.open(first)
    window = Window(member.pieces())
    damaged = _read_frame(window, _MAX_PROBE, _skip_all, syntax)
    if not window.has(1):
        return not (damaged and member.ended) or _next_has_record(first, members, member, syntax)
    if not (damaged or _read_frame(window, _MAX_PROBE, _skip_all, syntax)):
        return False
    while window.has(1):  # the checksum decides whether the record or the member is damaged
        window.advance(_MEMBER_STEP)
    return window.damage is not None


def _next_has_record(first: FileWindow, members: Members, member: Member, syntax: Syntax) -> bool:
    """Whether the member after the first starts with a record, and not inside of one."""
    first.advance(member.consumed)
    while members.skip_padding(first):
        pass
    at = first.offset
    return not first.has(1) or (members.seek(first, 0, syntax.start) and first.offset == at)


def _find_record_cuts(file: io.FileIO | RemoteFile, shard_bytes: int, syntax: Syntax) -> list[int]:
    window = FileWindow(file, step=_HEADER_STEP)
    cuts: list[int] = []
    due = shard_bytes
    while window.has(1):
        if window.offset >= due:
            cuts.append(window.offset)
            due = window.offset + shard_bytes
        _read_frame(window, _MAX_PROBE, _skip_all, syntax)
    return cuts


def _skip_all(_fields: dict[str, str], _start: bytes) -> bool:
    return False
