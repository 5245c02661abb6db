"""CSV and TSV: one row is one page; the first row names the columns."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator
from typing import Literal

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.read import tables
from ingest.read.encoding import decode
from ingest.read.plain import too_large
from ingest.read.records import Record, Slice
from ingest.read.sources import suffix
from ingest.read.streams import pieces, stream

_SAMPLE = 1 << 20  # bytes that tell the encoding
_DELIMITERS = ",;\t|"
_ENDS = ("\n", "\r")
_LOOKED_AT = 1000  # lines that tell whether quotes mean something
# Like surrogateescape, which cannot stand for what is damaged in UTF-16.
_LONE = "ingest.lone"
codecs.register_error(_LONE, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


def records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """The pages of a file, a row a page; a row with too few or many fields is an error."""
    limit = settings.max_record_bytes
    try:
        table = _Table(part.source, limit)
        names = tuple(table.header)
        columns = tables.choose(names, settings, names)
    except SourceError as error:
        yield Record(part.source, error=str(error))
        return
    for number, row in enumerate(table):
        if isinstance(row, SourceError):
            yield Record(part.source, number, error=str(row))
        elif len(row) != len(names):
            wrong = f"has {len(row)} of {len(names)} fields"
            yield Record(part.source, number, error=wrong)
        else:
            yield tables.record(
                part.source, number, dict(zip(names, row, strict=True)), columns, limit
            )


def columns(part: Slice, settings: ReadConfig) -> tables.Columns | None:
    """The columns that the header names; None where there are none to read."""
    try:
        names = tuple(_Table(part.source, settings.max_record_bytes).header)
        return tables.choose(names, settings, names)
    except SourceError:
        return None


class _Table:
    """The rows of a file after its header, and what is wrong where no row can be had."""

    def __init__(self, source: str, limit: int) -> None:
        sample, parts = _sampled(pieces(source))
        encoding = decode(sample).encoding
        self._lines = _Lines(parts, encoding, limit)
        start = sample.decode(encoding, "replace").removeprefix("\ufeff")
        delimiter = _delimiter(source, start)
        self._rows = csv.reader(
            self._lines, delimiter=delimiter, quoting=_quoting(start, delimiter)
        )
        self._limit = limit
        self.header: list[str] = []
        while not self.header:
            found = self._next()
            if found is None:
                raise SourceError("is empty: it has no header")
            if isinstance(found, SourceError):
                raise found
            self.header = [name.strip() for name in found]

    def __iter__(self) -> Iterator[list[str] | SourceError]:
        while (row := self._next()) is not None:
            if row:  # a blank line is no row
                yield row

    def _next(self) -> list[str] | SourceError | None:
        before = csv.field_size_limit(self._limit)  # one for the whole process
        try:
            return next(self._rows, None)
        except (csv.Error, _LineTooLongError) as error:
            self._lines.end_line()
            large = isinstance(error, _LineTooLongError) or "field limit" in str(error)
            return SourceError(too_large(self._limit) if large else f"is no CSV: {error}")
        except SourceError as error:
            self._lines.stop()
            return error
        finally:
            csv.field_size_limit(before)


class _LineTooLongError(Exception):
    """Passes through the csv module, which would take the beginning of a line for a row."""


class _Lines:
    """The lines of a file, decoded; bytes that cannot be become lone surrogates."""

    def __init__(self, parts: Iterator[bytes], encoding: str, limit: int) -> None:
        self._file = io.TextIOWrapper(stream(parts), encoding, _LONE, newline="")
        self._limit = limit
        self._last = "\n"
        self._first = True
        self._stopped = False
        self._damage: SourceError | None = None  # found at the end of a line passed over

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._damage and not self._stopped:
            raise self._damage
        self._last = "" if self._stopped else self._file.readline(self._limit + 1)
        if not self._last:
            raise StopIteration
        if len(self._last) > self._limit and not self._last.endswith(_ENDS):
            raise _LineTooLongError
        if self._first:
            self._first = False
            return self._last.removeprefix("\ufeff")
        return self._last

    def end_line(self) -> None:
        """Pass over what is left of the line that was given last."""
        try:
            while self._last and not self._last.endswith(_ENDS):
                self._last = self._file.readline(_SAMPLE)
        except SourceError as error:
            self._damage = error

    def stop(self) -> None:
        """Give no more lines."""
        self._stopped = True


def _sampled(parts: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a stream, and the whole of it."""
    held: list[bytes] = []
    size = 0
    try:
        while size < _SAMPLE and (part := next(parts, b"")):
            held.append(part)
            size += len(part)
    except SourceError as error:
        if not held:
            raise
        return b"".join(held), itertools.chain(held, _raising(error))
    return b"".join(held), itertools.chain(held, parts)


def _raising(error: SourceError) -> Iterator[bytes]:
    yield from ()
    raise error


def _delimiter(source: str, start: str) -> str:
    r"""A tab in .tsv, else what the header has most of.

    >>> _delimiter("a.csv", 'id;"a, b, c";text\n1;2;3'), _delimiter("a.csv", "text")
    (';', ',')
    """
    header = re.sub(r'"[^"]*"', "", start.lstrip("\r\n").partition("\n")[0])
    if suffix(source) == ".tsv":
        return "\t"
    return max(_DELIMITERS, key=header.count)


def _quoting(start: str, delimiter: str) -> Literal[0, 3]:
    """Whether quotes mean something: in many TSV files they are letters like others.

    They are where every line of the start has all fields, and quoting would make fewer rows.
    """
    if delimiter != "\t":
        return csv.QUOTE_MINIMAL
    lines = start.splitlines(keepends=True)[:_LOOKED_AT]
    plain = [len(line.split(delimiter)) for line in lines if line.strip()]
    before = csv.field_size_limit(len(start))  # a quote without end makes one large field
    quoted = sum(1 for row in csv.reader(lines, delimiter=delimiter) if row)
    csv.field_size_limit(before)
    return csv.QUOTE_NONE if len(set(plain)) == 1 and quoted < len(plain) else csv.QUOTE_MINIMAL
