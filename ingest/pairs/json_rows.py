"""Read pairs from JSON: an object per line, an array, or columns of lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import chain, zip_longest
from typing import Any

from ingest.errors import SourceError
from ingest.pairs.archives import open_pieces
from ingest.pairs.columns import find_text_columns
from ingest.pairs.dictionaries import texts_by_language
from ingest.pairs.names import parse_name
from ingest.pairs.tables import InvalidRow, NumberedRow, Row, Rows, batch_rows
from ingest.pairs.text_lines import MAX_CHARS, is_damaged, read_lines
from ingest.readers.decoded import narrow, take_sample
from ingest.readers.formats import suffix
from ingest.readers.json_values import split_objects
from ingest.text import describe_parse_error

_LINES = (".jsonl", ".ndjson", ".jl")
_TEXTS = ("source_text", "target_text")
_MAX_ARRAY_BYTES = 1 << 28  # of an array of arrays, which is parsed at once


def read_json(source: str) -> Iterator[Rows | InvalidRow]:
    """Read a file of JSON: by its beginning, lines of objects or anything else.

    Raises:
        SourceError: the file cannot be read.
    """
    if _has_lines(source):
        yield from batch_rows(_read_lines(source))
    else:
        yield from batch_rows(_read_objects(source), unit="record")


def _has_lines(source: str) -> bool:
    """Return whether a file has a value per line; its name decides if its first lines do not."""
    lines = (text for _, text in read_lines(source) if not isinstance(text, str) or text.strip())
    first, second = next(lines, None), next(lines, None)
    if not isinstance(first, str):
        return True
    begin = first.lstrip("\ufeff\x1e \t")[:1]
    named_lines = suffix(source) in _LINES
    try:
        value = json.loads(first.strip("\ufeff\x1e"))
    except (ValueError, RecursionError):
        is_broken_object = isinstance(second, str) and second.lstrip()[:1] == "{" == begin
        return is_broken_object or (named_lines and begin != "[" and first.strip() != "{")
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        return False
    return second is not None


def _read_lines(source: str) -> Iterator[NumberedRow]:
    for number, line in read_lines(source):
        if isinstance(line, SourceError):
            yield number, str(line)
        elif line.strip():
            value = _parse(line)
            yield number, value if isinstance(value, str) else _to_row(value[0])


def _read_objects(source: str) -> Iterator[NumberedRow]:
    try:
        start, pieces = take_sample(narrow(open_pieces(source)))
        if b"".join(start.split()[:2])[:2] == b"[[":
            yield from enumerate(map(_to_row, _parse_array(b"".join(pieces), source)), 1)
            return
        number = 0
        for stored in split_objects(pieces, MAX_CHARS):
            value = str(stored) if isinstance(stored, SourceError) else _parse(_decode(stored))
            rows = [value] if isinstance(value, str) else _unpack(value[0])
            for row in rows:
                number += 1
                yield number, row
    except SourceError as error:
        raise SourceError(f"{source}: {error}") from error


def _decode(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _parse_array(data: bytes, source: str) -> list[Any]:
    if len(data) > _MAX_ARRAY_BYTES:
        raise SourceError(f"is an array of arrays of more than {_MAX_ARRAY_BYTES >> 20} MiB")
    value = _parse(_decode(data))
    if isinstance(value, str):
        raise SourceError(value)
    return value[0] if isinstance(value[0], list) else [value[0]]


def _parse(text: str) -> tuple[Any] | str:
    """Parse a value, in a tuple, or return the problem."""
    if is_damaged(text):
        return "contains bytes that are not valid UTF-8"
    try:
        return (json.loads(text.strip("\ufeff\x1e")),)
    except json.JSONDecodeError as error:
        return f"is not valid JSON: {error}"
    except (ValueError, RecursionError) as error:
        return describe_parse_error(error)


def _unpack(value: Any) -> Iterator[Row | str]:
    """Return the rows of an object: itself, those in its list of objects, or of its columns."""
    if isinstance(value, dict) and not texts_by_language(value.get("translation")):
        lists = [v for v in value.values() if isinstance(v, list) and v]
        objects = [v for v in lists if all(isinstance(item, dict) for item in v)]
        if len(objects) == 1:
            yield from map(_to_row, objects[0])
            return
        columns = {k: list(v.values()) if isinstance(v, dict) else v for k, v in value.items()}
        if len(columns) > 1 and all(isinstance(v, list) for v in columns.values()):
            for row in zip_longest(*columns.values()):
                yield _to_row(dict(zip(columns, row, strict=True)))
            return
    yield _to_row(value)


def _to_row(row: Any) -> Row | str:
    """Convert an object, or a list of two texts, to a row of texts, or return the problem."""
    if isinstance(row, list) and len(row) == 2 and all(isinstance(text, str) for text in row):
        row = dict(zip(_TEXTS, row, strict=True))
    if not isinstance(row, dict):
        return f"must be a JSON object, is {type(row).__name__}"
    for name, value in row.items():
        if texts := texts_by_language(value):
            row = {**{key: other for key, other in row.items() if key != name}, **texts}
            break
    for name, value in row.items():
        if isinstance(value, list | dict) and _is_text_column(name, tuple(row)):
            kind = "a list" if isinstance(value, list) else "an object"
            return f"{name!r} is not a text, but {kind}"
    values = {name: _as_text(value) for name, value in row.items()}
    if any(map(is_damaged, chain(values, filter(None, values.values())))):
        return "contains half of a character, such as a lone \\ud800"
    return values


@cache
def _is_named_by_language(name: str) -> bool:
    meaning = parse_name(name)
    return meaning is not None and meaning.lang is not None


def _is_text_column(name: str, names: tuple[str, ...]) -> bool:
    """Return whether a value of an object must be a text, by its name."""
    if _is_named_by_language(name):
        return True
    columns = find_text_columns(names, None)
    return columns is not None and name in columns.texts


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
