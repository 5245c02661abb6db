"""Read CSV and TSV: one row is one page; the first row contains the names of the columns.

An opening quote that is never closed would turn the rest of the file into one row. So the lines of
such a row are kept, and all but the first are read again as rows of their own. The CSV readers of
Polars and of the standard library cannot do that: the one fails, the other loses those rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import read_pieces
from ingest.readers import tables
from ingest.readers.columns import Columns, choose_columns
from ingest.readers.decoded import SURROGATES, open_text, text_file
from ingest.readers.dialect import (
    detect_delimiter,
    detect_quoting,
    double_escaped,
    find_declared_delimiter,
    has_escapes,
    split_inner_quotes,
)
from ingest.readers.records import Record, Slice, too_large_message

_SKIP_SIZE = 1 << 20  # characters of an overlong line that are read at once
_LINE_ENDS = ("\n", "\r")
_UNCLOSED = "opens a quote that is not closed"
# How often lines may be read again, on average. Quotes that are not closed can be placed so that
# each row reaches the end of the file; from then on, a row is one line.
_MAX_REREADS = 8


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield one record per row of a file, or of `data` if the source is already open.

    A row with too few or too many fields is an error.
    """
    limit = settings.max_record_bytes
    try:
        table = Table(part.source, limit, data=data)
        names = tuple(table.header)
        columns = choose_columns(names, settings, names)
    except SourceError as error:
        yield Record(part.source, error=str(error))
        return
    for number, row in enumerate(table):
        if isinstance(row, SourceError):
            yield Record(part.source, number, error=str(row))
        elif len(row) != len(names):
            message = f"has {len(row)} of {len(names)} fields"
            yield Record(part.source, number, error=message)
        else:
            yield tables.to_record(
                part.source, number, dict(zip(names, row, strict=True)), columns, limit
            )


def find_columns(part: Slice, settings: ReadConfig) -> Columns | None:
    """The columns to read; None if there are none or the file cannot be read."""
    try:
        names = tuple(Table(part.source, settings.max_record_bytes).header)
        return choose_columns(names, settings, names)
    except SourceError:
        return None


class Table:
    """The rows of a file after its header, with an error in place of each damaged row.

    Args:
        source: path, or '-' for standard input.
        limit: maximum number of characters in a row.
        header: whether the first row is a header.
        delimiter: the character between fields; detected if None.
        data: the bytes of the source if it is already open.

    Raises:
        SourceError: the file or its header cannot be read.
    """

    def __init__(
        self,
        source: str,
        limit: int,
        *,
        header: bool = True,
        delimiter: str | None = None,
        data: Iterator[bytes] | None = None,
    ) -> None:
        start, file = open_text(data or read_pieces(source), newline="")
        self._lines = _Lines(file, limit)
        if header and (declared := find_declared_delimiter(start)):
            next(self._lines)
            start, delimiter = start[declared.end() :], delimiter or declared[1]
        self._delimiter = delimiter or detect_delimiter(source, start)
        quoting = detect_quoting(start, self._delimiter)
        self._lines.escapes = quoting == csv.QUOTE_MINIMAL and has_escapes(start, self._delimiter)
        self._rows = csv.reader(self._lines, delimiter=self._delimiter, quoting=quoting)
        self._has_quotes = quoting == csv.QUOTE_MINIMAL
        self._limit = limit
        self.header: list[str] = []
        while header and not self.header:
            row = self._next()
            if row is None:
                raise SourceError("is empty: it has no header")
            if isinstance(row, SourceError):
                raise row
            self.header = [name.strip() for name in row]

    @property
    def line(self) -> int:
        """The line number of the start of the last row, 1-based."""
        return self._lines.first

    def split_again(self, row: list[str]) -> list[str] | None:
        """The last row, in which inner quotes are letters; None if it is unclear where they end."""
        text = self._lines.row()
        if not self._has_quotes or '"' not in text:
            return row
        return split_inner_quotes(text, self._delimiter, row)

    def __iter__(self) -> Iterator[list[str] | SourceError]:
        while (row := self._next()) is not None:
            if row:  # blank lines are skipped
                yield row

    def _next(self) -> list[str] | SourceError | None:
        """The next row or error. If a quote is not closed, only the first line is lost."""
        lines = self._lines
        lines.begin_row()
        previous_limit = csv.field_size_limit(self._limit)  # a setting of the whole process
        try:
            row = next(self._rows, None)
        except _TooLargeError:
            lines.reread()
            return SourceError(
                (f"{_UNCLOSED}, or " if lines.after else "") + too_large_message(self._limit)
            )
        except csv.Error as error:
            lines.reread()
            return SourceError(f"is not CSV: {error}")
        finally:
            csv.field_size_limit(previous_limit)
        if row is None:
            return lines.pop_damage()
        if lines.ended or (lines.after and _has_stray_quote(lines.row(), self._delimiter)):
            lines.reread()
            return SourceError(_UNCLOSED)
        return row


class _TooLargeError(Exception):
    """A row exceeds the limit.

    An exception stops the csv module, which would return the beginning of the row as a whole row.
    """


class _Lines:
    """The lines of a file, which can be read again from the second line of the current row on.

    Attributes:
        first: number of the first line of the row.
        after: the other lines of the row, in UTF-8.
        ended: whether the row reached the end of the file, which happens only inside quotes.
        escapes: whether a backslash before a quote means that the quote belongs to the text.
    """

    def __init__(self, file: io.TextIOBase, limit: int) -> None:
        # A stack: lines to be read again are on top.
        self._files = [file]
        self._limit = limit
        self._damage: SourceError | None = None
        self._bom = "\ufeff"
        self._count = 0
        self._rereads_left = 0  # bytes
        self.escapes = False
        self.begin_row()

    def begin_row(self) -> None:
        """Start a row at the next line."""
        self.first = self._count + 1
        self._first = ""
        self._size = 0
        self.after = bytearray()
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        may_continue = not self._first or self._rereads_left >= 0
        line = self._read(self._limit + 1) if may_continue else ""
        if not line:
            self.ended = True
            raise StopIteration
        if self.escapes:
            line = double_escaped(line)
        self._count += 1
        if len(line) > self._limit and not line.endswith(_LINE_ENDS):
            if self._first:  # will be reported as a row of its own
                self.after += line.encode("utf-8", SURROGATES)
                raise _TooLargeError
            while line and not line.endswith(_LINE_ENDS):
                line = self._read(_SKIP_SIZE)
            raise _TooLargeError
        self._size += len(line)
        if not self._first:
            self._first = line = line.removeprefix(self._bom)
            self._bom = ""
        else:
            self.after += line.encode("utf-8", SURROGATES)
            if self._size > self._limit:
                raise _TooLargeError
        return line

    def _read(self, size: int) -> str:
        while True:
            try:
                line = self._files[-1].readline(size)
            except SourceError as error:
                self._damage = error
                self._files[-1] = io.StringIO()
                continue
            if len(self._files) == 1:
                self._rereads_left += _MAX_REREADS * len(line)
                return line
            if line:
                return line
            self._files.pop()

    def row(self) -> str:
        """The lines of the row."""
        return self._first + self.after.decode("utf-8", SURROGATES)

    def reread(self) -> None:
        """Read the lines after the first of the row again, as rows of their own."""
        self._count = self.first
        if self.after:
            self._rereads_left -= len(self.after)
            self._files.append(text_file([bytes(self.after)], newline=""))

    def pop_damage(self) -> SourceError | None:
        """Why the file ended too early, reported once."""
        damage, self._damage = self._damage, None
        return damage


def _has_stray_quote(row: str, delimiter: str) -> bool:
    r"""Whether a quote in a row closes a field, although it looks like an opening quote.

    >>> _has_stray_quote('1,"a\n2,"b"', ","), _has_stray_quote('1,"a\n2,",b', ",")
    (True, False)
    """
    ends = re.escape(delimiter) + r"\r\n"
    fields = re.findall(rf'("(?:[^"]++|"")*+"?)?([^{ends}]*+)(?:[{ends}]|\Z)', row)
    return any(rest.strip() and quoted[-2:-1] in (delimiter, "\r", "\n") for quoted, rest in fields)
