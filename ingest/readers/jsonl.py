"""JSON lines: one object a line is one page; a line that is none is one error."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from typing import Any

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import as_stream, compression, open_source, read_line
from ingest.readers import tables
from ingest.readers.encoding import decode
from ingest.readers.records import Record, Slice
from ingest.readers.single_file import too_large_message

_BOM = b"\xef\xbb\xbf"
_PIECE = 1 << 20
_LOOKED_AT = 100  # lines that tell which columns there are


def slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut a file at ends of lines; one that is compressed, or cannot be read, stays whole."""
    try:
        with open(source, "rb", buffering=0) as file:
            if compression(source, file.read(8)):
                return [Slice(source, "jsonl", 0, size := os.path.getsize(source), 0, size)]
            file.seek(0)
            cuts, size = _cuts(file, shard_bytes)
    except OSError:
        return [Slice(source, "jsonl")]
    starts = [(0, 0), *cuts]
    stops = [*(at for at, _ in cuts), size]
    return [
        Slice(source, "jsonl", start, stop, first, stop - start)
        for (start, first), stop in zip(starts, stops, strict=True)
    ]


def _cuts(file: io.FileIO, shard_bytes: int) -> tuple[list[tuple[int, int]], int]:
    """Where lines begin, about `shard_bytes` apart, and their numbers; and the size of the file."""
    cuts: list[tuple[int, int]] = []
    at = lines = 0
    due = shard_bytes
    while piece := file.read(_PIECE):
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


def records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """The pages of the lines of a slice, or of `data` where that is already open."""
    for number, line in _lines(part, settings.max_record_bytes, data):
        if isinstance(line, SourceError):
            yield Record(part.source, number, error=str(line))
            continue
        try:
            row = _row(line)
            columns = _columns(row, settings)
        except SourceError as error:
            yield Record(part.source, number, error=str(error))
            continue
        for name in columns:
            if name and name not in row:
                row[name] = _inside(row, name)
        yield tables.record(part.source, number, row, columns, settings.max_record_bytes)


def columns(part: Slice, settings: ReadConfig) -> tables.Columns | None:
    """The columns of the first line that has some; no url and id named that no line has."""
    found: tables.Columns | None = None
    absent = {settings.url_column, settings.id_column} - {""}
    for number, line in _lines(part, settings.max_record_bytes):
        if number - part.first >= _LOOKED_AT or (found and not absent):
            break
        try:
            if not isinstance(line, SourceError):
                row = _row(line)
                absent = {name for name in absent if name not in row and _inside(row, name) is None}
                found = found or _columns(row, settings)
        except SourceError:
            continue
    return found and found._replace(
        url=None if found.url in absent else found.url, id=None if found.id in absent else found.id
    )


def is_row(line: bytes) -> bool:
    """Whether a line is one of JSON lines, as far as one can tell."""
    try:
        return bool(_row(line.lstrip().removeprefix(_BOM)))
    except SourceError:
        return False


def _lines(
    part: Slice, limit: int, data: Iterator[bytes] | None = None
) -> Iterator[tuple[int, bytes | SourceError]]:
    """The lines of a slice that are not blank, by number, and what is wrong with others."""
    # a pipe has no size
    file = as_stream(data) if data else open_source(part.source, part.start, part.stop or None)
    number = part.first
    while True:
        try:
            line, large = read_line(file, limit)
        except SourceError as error:
            yield number, error
            return
        if not line:
            return
        if number == 0:
            line = line.removeprefix(_BOM)
        if large:
            yield number, SourceError(too_large_message(limit))
        elif line.strip():
            yield number, line
        number += 1


def _row(line: bytes) -> dict[str, Any]:
    """The object of a line. Bytes that are no UTF-8 become lone surrogates, to be counted later."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        found = decode(line)
        text = found.text
        if found.encoding == "utf-8":
            text = line.decode("utf-8", "surrogateescape")
    try:
        row = json.loads(text)
    except RecursionError as error:
        raise SourceError("is nested too deep") from error
    except ValueError as error:
        raise SourceError(f"is no JSON: {error}") from error
    if not isinstance(row, dict):
        raise SourceError(f"is no JSON object but {type(row).__name__}")
    return row


def _columns(row: dict[str, Any], settings: ReadConfig) -> tables.Columns:
    names = tuple(row)
    texts = tuple(name for name, value in row.items() if isinstance(value, str))
    for name in (settings.html_column, settings.text_column):
        if "." in name and name not in row and _inside(row, name) is not None:
            names += (name,)
    try:
        return tables.choose_columns(names, settings, texts, rows_differ=True)
    except SourceError:  # where the text is null, or a number, its column is still found
        return tables.choose_columns(names, settings, names, rows_differ=True)


def _inside(row: dict[str, Any], path: str) -> Any:
    """The value at a dotted path, such as `data.text`."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
