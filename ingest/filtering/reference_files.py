"""Read the texts of test sets, which come in any format and with any columns.

It is enough to find all texts; which column has which language does not matter. So tables need no
header, and JSON any layout. In tables and JSON, fields of a single word are left out: they are IDs,
languages, domains and the like.
"""

from __future__ import annotations

import html
import io
import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.parquet import read_parquet
from ingest.io.parquet_bombs import MAX_RATIO, MIN_SIZE, refuse_bombs_in
from ingest.io.streams import read_pieces
from ingest.readers.delimited import Table
from ingest.readers.formats import suffix
from ingest.readers.lines import read_text
from ingest.text import scrub

_MAX_BYTES = ReadConfig().max_record_bytes
_PARQUET, _ARROW, _ZIP = b"PAR1", b"ARROW1", b"PK\x03\x04"
_ARROW_STREAM = b"\xff\xff\xff\xff"
_ARROW_SUFFIXES = (".arrow", ".feather")
# A damaged file can make Polars panic, and PanicException is not a PolarsError.
_FRAME_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
# The segments of SGM and XML of WMT, and of TMX. SGM is not XML, and damaged files are common.
_SEGMENT = re.compile(r"<seg\b[^<>]*>(.*?)</seg\s*>", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"<(bpt|ept|ph|it|ut)\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# A sentence in a script without spaces
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{4}")
# Files beside the texts of a data set
_NOT_TEXTS = re.compile(
    r"(readme|license|licence|copying|changelog)\b.*|dataset_infos?\.json|state\.json|export\.json"
    r"|.*\.(ids|md|py|sh|yaml|yml|lock|sha256)|\..*",
    re.IGNORECASE,
)


def read_texts(source: str) -> list[str]:
    """Read all texts of a file, or of all files below a folder or in a ZIP archive.

    Tables (TSV, CSV, JSON, JSON Lines, Parquet, Arrow), TMX, SGM, XML with <seg>, and plain lines
    are read, in any encoding, plain or compressed.

    Raises:
        SourceError: a file does not exist or cannot be read.

    >>> from ingest.resources import samples
    >>> read_texts(str(samples().parent / "pairs" / "harbour.tsv"))[1]
    'The ship reaches the harbour every morning at seven.'
    """
    if not os.path.isdir(source):
        return [text for text in _texts_of_file(source) if text.strip()]
    files = [path for path in sorted(Path(source).rglob("*")) if path.is_file()]
    files = [path for path in files if not _NOT_TEXTS.fullmatch(path.name)]
    if not files:
        raise SourceError(f"{source}: is a folder without files of texts")
    return [text for path in files for text in read_texts(str(path))]


def _texts_of_file(source: str) -> Iterable[str]:
    try:
        data = b"".join(read_pieces(source))
    except SourceError as error:
        raise SourceError(f"{source}: {error}") from error
    if not data.startswith(_ZIP):
        return _texts_of(source, data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            names = [name for name in names if not _NOT_TEXTS.fullmatch(os.path.basename(name))]
            return [
                text for name in names for text in _texts_of(f"{source}/{name}", archive.read(name))
            ]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise SourceError(f"{source}: cannot be read as a ZIP archive: {error}") from error


def _texts_of(source: str, data: bytes) -> Iterable[str]:
    end = suffix(source)
    is_stream = end in _ARROW_SUFFIXES and data.startswith(_ARROW_STREAM)
    if is_stream or data.startswith((_PARQUET, _ARROW)):
        return _sentences(_strings(_read_frame(source, data, is_stream=is_stream).to_dicts()))
    text = read_text(source, data).replace("\r", "\n")
    if segments := _SEGMENT.findall(text):
        return (html.unescape(_TAG.sub("", _CODE.sub(" ", segment))) for segment in segments)
    if text.lstrip()[:1] in ("{", "["):
        return _sentences(_json_texts(text))
    if end == ".csv":
        return _sentences(_csv_fields(source, text))
    lines = text.split("\n")
    if "\t" in text:  # quotes around a field make no difference to its words
        return _sentences(field for line in lines for field in line.split("\t"))
    return lines


def _read_frame(source: str, data: bytes, *, is_stream: bool) -> pl.DataFrame:
    try:
        if data.startswith(_PARQUET):
            return _read_parquet(source, data)
        return (pl.read_ipc_stream if is_stream else pl.read_ipc)(io.BytesIO(data))
    except _FRAME_ERRORS as error:
        kind = "Parquet" if data.startswith(_PARQUET) else "Arrow"
        raise SourceError(f"{source}: cannot be read as {kind}: {error}") from error


def _read_parquet(source: str, data: bytes) -> pl.DataFrame:
    """Read a file, unless its texts would take far more memory than anybody's do.

    Raises:
        SourceError: they would.
    """
    refuse_bombs_in(io.BytesIO(data), source, rows=None)
    frame = read_parquet(io.BytesIO(data))
    size = sum(map(_text_size, frame))  # a text that is stored once may be in any number of rows
    if size > max(MIN_SIZE, MAX_RATIO * len(data)):
        raise SourceError(
            f"{source}: has {size:,} bytes of text, more than {MAX_RATIO:,} times what is stored; "
            "keep one row of each text"
        )
    return frame


def _text_size(column: pl.Series) -> int:
    """Return the bytes of the texts of a column, also of those in lists and structs."""
    if column.dtype == pl.String:
        return int(column.str.len_bytes().sum())
    if isinstance(column.dtype, pl.List):
        return _text_size(column.explode())
    if isinstance(column.dtype, pl.Struct):
        return sum(map(_text_size, column.struct.unnest()))
    return 0


def _strings(value: Any) -> Iterator[str]:
    """Yield the strings inside lists and dictionaries of any depth."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            stack += reversed(value.values())
        elif isinstance(value, list):
            stack += reversed(value)


def _json_texts(text: str) -> Iterator[str]:
    """Yield the strings of one JSON value, or of one per line.

    A line that is not JSON is yielded itself, and so are the strings inside it.
    """
    try:
        yield from _strings(json.loads(text))
    except (ValueError, RecursionError):
        for line in text.split("\n"):
            try:
                yield from _strings(json.loads(line))
            except (ValueError, RecursionError):
                yield line
                yield from (_unquote(quoted) for quoted in _JSON_STRING.findall(line))


def _unquote(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted


def _csv_fields(source: str, text: str) -> Iterator[str]:
    """Yield the fields of a CSV file; of rows that cannot be read, the lines."""
    lines = text.split("\n")
    table = Table(source, _MAX_BYTES, header=False, data=iter([text.encode()]))
    for row in table:
        if isinstance(row, SourceError):
            yield from lines[table.line - 1 : table.line]
        else:
            yield from row


def _sentences(fields: Iterable[str]) -> Iterator[str]:
    """Leave out fields of a single word, and damaged characters of the others."""
    return (scrub(f) for f in fields if len(f.split(maxsplit=2)) > 1 or _UNSPACED.search(f))
