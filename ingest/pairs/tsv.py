r"""Read the rows of TSV, in which quotes are letters, unless a field needs them.

A field needs quotes if it contains a tab, a line break or a doubled quote. So `"A full quote"`
keeps its quotes, and `"say ""no"" to me"` is `say "no" to me`. Files that quote each field are
recognized, and files that ingest wrote have no quotes of this kind at all.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice

from ingest.errors import SourceError
from ingest.pairs.columns import find_text_columns, is_written_by_ingest
from ingest.pairs.text_lines import MAX_CHARS, read_lines

Line = tuple[int, "str | SourceError"]
_SAMPLE_LINES = 1000
_MAX_HEADER = 1000  # characters
_MIN_QUOTED_LINES = 3  # fewer lines with quotes around each field may be speech
_UNCLOSED = "opens a quote that is not closed"
# A quoted field may contain tabs and line breaks. It must end where a field ends.
_FIELD = re.compile(r'("(?:[^"]++|"")*+"(?=\t|\Z)|[^\t]*+)(?:\t|\Z)')


def read_rows(source: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the line number and the fields of each row, or what is wrong with it.

    Rows may differ in their number of fields. Blank lines are skipped.

    Raises:
        SourceError: the file cannot be read, or is not text.
    """
    lines = read_lines(source)
    sample = list(islice(lines, _SAMPLE_LINES))
    texts = [text for _, text in sample if isinstance(text, str) and text.strip()]
    if not texts:
        yield from ((number, str(error)) for number, error in sample if error)
        return
    reader = _Reader(deque(sample), lines, _width(texts))
    if is_written_by_ingest(texts[0].split("\t")):
        yield from reader.literal_rows()
        return
    quotes_all = _is_quoted(texts[0]) or (
        len(texts) >= _MIN_QUOTED_LINES and all(map(_is_quoted, texts))
    )
    for number, row in reader.rows():
        if isinstance(row, str):
            yield number, row
        else:
            yield number, [_unquote(field, always=quotes_all) for field in row]


def _width(texts: list[str]) -> int:
    """Return the number of fields of the header, or else the most frequent one."""
    names = [name.strip('" ') for name in texts[0].split("\t")]
    if len(names) > 1 and len(texts[0]) <= _MAX_HEADER and find_text_columns(names, None):
        return len(names)
    return Counter(text.count("\t") + 1 for text in texts).most_common(1)[0][0]


def _is_quoted(text: str) -> bool:
    """Return whether each field of a line has quotes around it, and a name or text in them."""
    fields = _split(text)
    return len(fields) > 1 and all(_is_quoted_field(field) and len(field) > 2 for field in fields)


def _is_quoted_field(field: str) -> bool:
    is_enclosed = len(field) > 1 and field[0] == field[-1] == '"'
    return is_enclosed and '"' not in field[1:-1].replace('""', "")


def _split(text: str) -> list[str]:
    r"""Split a row into fields, with their quotes.

    >>> _split('"a\tb"\tc "d"\t"e')
    ['"a\tb"', 'c "d"', '"e']
    """
    fields = [match[1] for match in _FIELD.finditer(text)]
    # the pattern matches once more at the end of the text
    return fields if text.endswith("\t") or not text else fields[:-1]


def _unquote(field: str, *, always: bool) -> str:
    r"""Remove the quotes around a field, if it needs them.

    >>> _unquote('"A full quote"', always=False), _unquote('"a ""b"" c"', always=False)
    ('"A full quote"', 'a "b" c')
    """
    if not field.startswith('"') or not _is_quoted_field(field):
        return field
    content = field[1:-1]
    if always or not content or any(mark in content for mark in ('""', "\t", "\n", "\r")):
        return content.replace('""', '"')
    return field


class _Reader:
    """Puts lines together to rows.

    A row continues on the next lines if it opens a quote that closes on one of them. Otherwise
    these lines are rows of their own.
    """

    def __init__(self, first: deque[Line], lines: Iterator[Line], width: int) -> None:
        self._pending = first
        self._lines = lines
        self._width = width

    def _next(self) -> Line | None:
        return self._pending.popleft() if self._pending else next(self._lines, None)

    def literal_rows(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield each line as a row."""
        while line := self._next():
            number, text = line
            if isinstance(text, SourceError):
                yield number, str(text)
            elif text:
                yield number, text.split("\t")

    def rows(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield each row, with the quotes of its fields."""
        while line := self._next():
            number, text = line
            if isinstance(text, SourceError):
                yield number, str(text)
                continue
            fields = text.split("\t")
            if len(fields) == 1 and not text.strip():
                continue
            if '"' not in text:
                yield number, fields
                continue
            if joined := self._join(text, is_complete=len(fields) == self._width):
                yield number, joined
            elif len(fields) == self._width:
                yield number, fields
            elif len(split := _split(text)) == self._width:
                yield number, split
            else:
                yield number, _UNCLOSED if _is_open(text) else fields

    def _join(self, text: str, *, is_complete: bool) -> list[str] | None:
        """Return the fields of a row of several lines; None if it does not continue."""
        if not _is_open(text):
            return None
        following: list[Line] = []
        parts = [text]
        size, quotes = len(text), text.count('"')
        while quotes % 2 and size <= MAX_CHARS and (line := self._next()):
            following.append(line)
            if isinstance(line[1], SourceError):
                break
            if is_complete and line[1].count("\t") + 1 >= self._width:
                break  # a quote at the start of a text, and the next row
            parts.append(line[1])
            size += len(line[1])
            quotes += line[1].count('"')
        if not quotes % 2 and len(fields := _split("\n".join(parts))) == self._width:
            return fields
        self._pending.extendleft(reversed(following))
        return None


def _is_open(text: str) -> bool:
    """Return whether a field of a line opens a quote that the line does not close."""
    return text.count('"') % 2 == 1 and (text.startswith('"') or '\t"' in text)
