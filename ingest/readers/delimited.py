"""CSV and TSV: one row is one page; the first row names the columns.

A quote that opens a field and is not closed would make one row of all that follows. The lines of
such a row are therefore kept, and all but the first are read again, as rows of their own.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Literal

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import read_pieces
from ingest.readers import tables
from ingest.readers.decoded import SURROGATES, open_text, text_file
from ingest.readers.records import Record, Slice
from ingest.readers.single_file import too_large_message
from ingest.readers.sources import suffix

_PIECE = 1 << 20  # characters of a line that is passed over
_DELIMITERS = ",;\t|"
_ENDS = ("\n", "\r")
_OPEN = "opens a quote that is not closed"
_LOOKED_AT = 1000  # lines that tell whether quotes mean something


def records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """The pages of a file, a row a page; a row with too few or many fields is an error."""
    limit = settings.max_record_bytes
    try:
        table = Table(part.source, limit)
        names = tuple(table.header)
        columns = tables.choose_columns(names, settings, names)
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
        names = tuple(Table(part.source, settings.max_record_bytes).header)
        return tables.choose_columns(names, settings, names)
    except SourceError:
        return None


class Table:
    """The rows of a file after its header, and what is wrong where no row can be had.

    Args:
        source: path, or '-' for standard input.
        limit: most characters of a row.
        header: whether there is one.
        delimiter: what parts fields; found out where not given.

    Raises:
        SourceError: the file cannot be read, or its header.
    """

    def __init__(
        self, source: str, limit: int, *, header: bool = True, delimiter: str | None = None
    ) -> None:
        start, file = open_text(read_pieces(source), newline="")
        self._lines = _Lines(file, limit)
        self._delimiter = delimiter or _delimiter(source, start)
        self._rows = csv.reader(
            self._lines, delimiter=self._delimiter, quoting=_quoting(start, self._delimiter)
        )
        self._limit = limit
        self.header: list[str] = []
        while header and not self.header:
            found = self._next()
            if found is None:
                raise SourceError("is empty: it has no header")
            if isinstance(found, SourceError):
                raise found
            self.header = [name.strip() for name in found]

    @property
    def line(self) -> int:
        """Where the last row begins: a line of the file, 1-based."""
        return self._lines.first

    def __iter__(self) -> Iterator[list[str] | SourceError]:
        while (row := self._next()) is not None:
            if row:  # a blank line is no row
                yield row

    def _next(self) -> list[str] | SourceError | None:
        """The next row. Of one whose quote is not closed, only the first line is lost."""
        lines = self._lines
        lines.begin_row()
        before = csv.field_size_limit(self._limit)  # one for the whole process
        try:
            row = next(self._rows, None)
        except _TooLargeError:
            lines.again()
            return SourceError(
                (f"{_OPEN}, or " if lines.after else "") + too_large_message(self._limit)
            )
        except csv.Error as error:
            lines.again()
            return SourceError(f"is no CSV: {error}")
        finally:
            csv.field_size_limit(before)
        if row is None:
            return lines.damage()
        if lines.ended or (lines.after and _stray(lines.row(), self._delimiter)):
            lines.again()
            return SourceError(_OPEN)
        return row


class _TooLargeError(Exception):
    """Passes through the csv module, which would take the beginning of a row for all of it."""


class _Lines:
    """The lines of a file, and those after the first of a row once more.

    `first` is the number of a row's first line; `after` holds the latter; `ended` says whether the
    row went on to the end of the file, which a row does only inside quotes.
    """

    def __init__(self, file: io.TextIOBase, limit: int) -> None:
        # what comes again comes before the rest: the last of these is read first
        self._files = [file]
        self._limit = limit
        self._damage: SourceError | None = None
        self._mark = "\ufeff"
        self._taken = 0
        self.begin_row()

    def begin_row(self) -> None:
        """The next line is the first of a row."""
        self.first = self._taken + 1
        self._first = ""
        self._size = 0
        self.after = bytearray()
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._read(self._limit + 1)
        if not line:
            self.ended = True
            raise StopIteration
        self._taken += 1
        if len(line) > self._limit and not line.endswith(_ENDS):
            if self._first:  # it is told of as a row of its own
                self.after += line.encode("utf-8", SURROGATES)
                raise _TooLargeError
            while line and not line.endswith(_ENDS):
                line = self._read(_PIECE)
            raise _TooLargeError
        self._size += len(line)
        if not self._first:
            self._first = line = line.removeprefix(self._mark)
            self._mark = ""
        else:
            self.after += line.encode("utf-8", SURROGATES)
            if self._size > self._limit:
                raise _TooLargeError
        return line

    def _read(self, most: int) -> str:
        while True:
            try:
                line = self._files[-1].readline(most)
            except SourceError as error:
                self._damage = error
                self._files[-1] = io.StringIO()
                continue
            if line or len(self._files) == 1:
                return line
            self._files.pop()

    def row(self) -> str:
        """The lines of the row."""
        return self._first + self.after.decode("utf-8", SURROGATES)

    def again(self) -> None:
        """Give the lines after the first of the row once more, as rows of their own."""
        self._taken = self.first
        if self.after:
            self._files.append(text_file([bytes(self.after)], newline=""))

    def damage(self) -> SourceError | None:
        """Why the file ended too early; told once."""
        found, self._damage = self._damage, None
        return found


def _stray(row: str, delimiter: str) -> bool:
    r"""Whether a quote in a row closes a field where it looks like opening one.

    >>> _stray('1,"a\n2,"b"', ","), _stray('1,"a\n2,",b', ",")
    (True, False)
    """
    ends = re.escape(delimiter) + r"\r\n"
    fields = re.findall(rf'("(?:[^"]++|"")*+"?)?([^{ends}]*+)(?:[{ends}]|\Z)', row)
    return any(rest.strip() and quoted[-2:-1] in (delimiter, "\r", "\n") for quoted, rest in fields)


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
