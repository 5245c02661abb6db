"""Read JSON lines: the object on each line is one page; an invalid line is one error."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.members import Members, open_members
from ingest.io.opening import expect, open_raw, size_of
from ingest.io.remote_file import RemoteFile
from ingest.io.streams import HEAD, as_stream, compression, open_source, read_line, read_pieces
from ingest.io.window import FileWindow
from ingest.readers import tables
from ingest.readers.columns import Columns, choose_columns, nested_names
from ingest.readers.decoded import narrow
from ingest.readers.encoding import decode
from ingest.readers.records import Record, Slice, too_large_message
from ingest.readers.sniff import wide_encoding
from ingest.text import describe_parse_error

_BOM = b"\xef\xbb\xbf"
_PIECE_SIZE = 1 << 20
_MAX_MEMBER = 1 << 24  # stored bytes; a file with larger members is hardly worth cutting
_MAX_INSIDE = 16  # members that begin inside of a line, after which no better ones are expected
_SAMPLE_LINES = 100  # lines from which columns are found


def cut_slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut a file at line ends, and a compressed one where a line begins with a member.

    A file that cannot be cut or read becomes one slice.
    """
    try:
        with open_raw(source) as file:
            size, start = size_of(file), file.read(HEAD)
            if form := compression(source, start):
                cuts = _find_member_cuts(file, open_members(file, form), shard_bytes)
            elif wide_encoding(start):
                cuts = []
            else:
                file.seek(0)
                expect(file, 0, size)
                cuts, size = _find_cuts(file, shard_bytes)
    except OSError:
        return [Slice(source, "jsonl")]
    except SourceError:
        cuts = []
    starts = [(0, 0), *cuts]
    stops = [*(at for at, _ in cuts), size]
    return [
        Slice(source, "jsonl", start, stop, first, stop - start)
        for (start, first), stop in zip(starts, stops, strict=True)
    ]


def _find_cuts(file: io.FileIO | RemoteFile, shard_bytes: int) -> tuple[list[tuple[int, int]], int]:
    """(offset, number) of lines about `shard_bytes` apart, and the size of the file."""
    cuts: list[tuple[int, int]] = []
    at = lines = 0
    due = shard_bytes
    while piece := file.read(_PIECE_SIZE):
        begin = 0
        while due <= at + len(piece):
            end = piece.find(b"\n", max(due - at - 1, begin)) + 1
            if not end:
                break
            lines += piece.count(b"\n", begin, end)
            begin = end
            cuts.append((at + end, lines))
            due = at + end + shard_bytes
        lines += piece.count(b"\n", begin)
        at += len(piece)
    return [cut for cut in cuts if cut[0] < at], at


def _find_member_cuts(
    file: io.FileIO | RemoteFile, members: Members | None, shard_bytes: int
) -> list[tuple[int, int]]:
    """(offset, number of the line) of members that begin with a line, about `shard_bytes` apart.

    Lines are counted, so all members are decompressed once. What follows a damaged one is not cut,
    because it is not read either.
    """
    cuts: list[tuple[int, int]] = []
    window = FileWindow(file)
    lines = inside = 0
    due, last = shard_bytes, b"\n"
    while members and window.has(1) and inside < _MAX_INSIDE:
        if members.skip_padding(window):
            continue
        if last != b"\n":
            inside += 1
        elif window.offset >= due:
            cuts.append((window.offset, lines))
            due = window.offset + shard_bytes
        member = members.open(window)
        try:
            for piece in member.pieces():
                if not window.offset and member.consumed < HEAD and wide_encoding(piece[:HEAD]):
                    return []
                lines += piece.count(b"\n")
                last = piece[-1:]
                if member.consumed > _MAX_MEMBER:
                    return cuts
        except SourceError:
            break
        window.advance(member.consumed)
    return cuts


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield one record per line of a slice, or of `data` if the source is already open."""
    for number, line in _read_lines(part, settings.max_record_bytes, data):
        if isinstance(line, SourceError):
            yield Record(part.source, number, error=str(line))
            continue
        yield to_record(part.source, number, line, settings)


def to_record(source: str, number: int, stored: bytes, settings: ReadConfig) -> Record:
    """Convert the bytes of an object to a record, which may have an `error`."""
    try:
        return row_to_record(source, number, parse_object(stored), settings)
    except SourceError as error:
        return Record(source, number, error=str(error))


def row_to_record(source: str, number: int, row: dict[str, Any], settings: ReadConfig) -> Record:
    """Convert a parsed object to a record.

    Raises:
        SourceError: no column is known to contain text.
    """
    columns = choose_row_columns(row, settings)
    for name in columns:
        if name and name not in row:
            row[name] = _lookup(row, name)
    return tables.to_record(source, number, row, columns, settings.max_record_bytes)


def find_columns(part: Slice, settings: ReadConfig) -> Columns | None:
    """The columns of the first valid line, without a named url or id that no line has."""
    chosen: Columns | None = None
    absent = {settings.url_column, settings.id_column} - {""}
    for number, line in _read_lines(part, settings.max_record_bytes):
        if number - part.first >= _SAMPLE_LINES or (chosen and not absent):
            break
        try:
            if not isinstance(line, SourceError):
                row = parse_object(line)
                absent = {name for name in absent if name not in row and _lookup(row, name) is None}
                chosen = chosen or choose_row_columns(row, settings)
        except SourceError:
            continue
    return chosen and chosen._replace(
        url=None if chosen.url in absent else chosen.url,
        id=None if chosen.id in absent else chosen.id,
    )


def _read_lines(
    part: Slice, limit: int, data: Iterator[bytes] | None = None
) -> Iterator[tuple[int, bytes | SourceError]]:
    """Yield the number and content of each non-blank line, or an error instead of the content."""
    # a pipe has no size
    if part.start:  # of a compressed file, too
        file = open_source(part.source, part.start, part.stop)
    else:  # a part that is not the first is in UTF-8
        file = as_stream(narrow(data or read_pieces(part.source, 0, part.stop or None)))
    number = part.first
    while True:
        try:
            line, overlong = read_line(file, limit)
        except SourceError as error:
            yield number, error
            return
        if not line:
            return
        if overlong:
            yield number, SourceError(too_large_message(limit))
        elif line := _strip(line):
            yield number, line
        number += 1


def _strip(line: bytes) -> bytes:
    """A line without white space, record separators (RFC 7464) and byte order marks around it.

    Files that were joined have marks inside.
    """
    while (line := line.strip(b" \t\r\n\x0b\x0c\x1e")).startswith(_BOM):
        line = line.removeprefix(_BOM)
    return line


def parse_object(line: bytes) -> dict[str, Any]:
    """Parse an object. Invalid UTF-8 becomes lone surrogates, to be counted later.

    Raises:
        SourceError: it is not a JSON object.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text, encoding, _ = decode(line)
        if encoding == "utf-8":
            text = line.decode("utf-8", "surrogateescape")
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"is not JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise SourceError(describe_parse_error(error)) from error
    if not isinstance(row, dict):
        raise SourceError(f"is not a JSON object but {type(row).__name__}")
    return row


def choose_row_columns(row: dict[str, Any], settings: ReadConfig) -> Columns:
    """The columns to read from an object, some of which may be inside other objects.

    Raises:
        SourceError: no column is known to contain text.
    """
    names = tuple(row)
    inside: list[tuple[str, Any]] = []
    if any(isinstance(value, dict) for value in row.values()):
        inside = [(name, value) for name, value in nested_names(row) if name not in row]
        names += tuple(name for name, _ in inside)
    for name in (settings.html_column, settings.text_column):
        if "." in name and name not in names and _lookup(row, name) is not None:
            names += (name,)
    candidates = (
        (name for name, value in row.items() if _is_text(value)),
        # the text may be null or a number in this row: what is inside another object is not it
        (name for name, value in row.items() if not isinstance(value, dict)),
        (name for name, value in inside if _is_text(value)),
    )
    for texts in map(tuple, candidates):
        with suppress(SourceError):
            return choose_columns(names, settings, texts, rows_differ=True)
    return choose_columns(tuple(row), settings, tuple(row), rows_differ=True)


def _is_text(value: Any) -> bool:
    """Whether a value is text or a list that may contain text."""
    return isinstance(value, str) or (
        isinstance(value, list) and any(isinstance(item, (str, dict, list)) for item in value)
    )


def _lookup(row: dict[str, Any], path: str) -> Any:
    """The value at a dotted path, such as `data.text`."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
