"""Detect the dialect of CSV and TSV: the delimiter, and what quotes and backslashes mean."""

from __future__ import annotations

import csv
import re
from typing import Literal

from ingest.readers.formats import suffix

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 1000  # lines that decide whether quotes are special
_DECLARED_DELIMITER = re.compile(r'\s*"?sep=([^\s"]|\t)"?[ ]*(?:\r\n?|\n)', re.IGNORECASE)
_ESCAPED_QUOTE = re.compile(r'(?<!\\)((?:\\\\)*)\\"')


def find_declared_delimiter(start: str) -> re.Match[str] | None:
    r"""The line `sep=;` that Excel reads at the start of a file; its group 1 is the delimiter.

    >>> find_declared_delimiter("sep=;\nid;text\n")[1]
    ';'
    """
    return _DECLARED_DELIMITER.match(start)


def double_escaped(text: str) -> str:
    r'''Text whose quotes are escaped by doubling instead of by a backslash.

    >>> double_escaped(r'"He said \"yes\"",2')
    '"He said ""yes""",2'
    '''
    return _ESCAPED_QUOTE.sub(r'\1""', text)


def has_escapes(start: str, delimiter: str) -> bool:
    """Whether quotes are escaped by a backslash, as Spark and MySQL do, and not by doubling.

    They are if more rows at the start of the file are valid that way.
    """
    if '\\"' not in start:
        return False
    as_is, escaped = (_count_valid(text, delimiter) for text in (start, double_escaped(start)))
    return escaped > as_is


def _count_valid(start: str, delimiter: str) -> int:
    """The number of valid rows with as many fields as the header; the last one may be cut off."""
    previous_limit = csv.field_size_limit(len(start))
    rows = csv.reader(
        start.splitlines(keepends=True)[:_SAMPLE_LINES], delimiter=delimiter, strict=True
    )
    valid = fields = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error:
            continue
        fields = fields or len(row)
        valid += len(row) == fields
    csv.field_size_limit(previous_limit)
    return valid


def detect_delimiter(source: str, start: str) -> str:
    r"""A tab in .tsv files, else the most frequent delimiter of the header.

    >>> detect_delimiter("a.csv", 'id;"a, b";text\n1;2;3'), detect_delimiter("a.csv", "text")
    (';', ',')
    """
    header = re.sub(r'"[^"]*"', "", start.lstrip("\r\n").partition("\n")[0])
    if suffix(source) in (".tsv", ".tab"):
        return "\t"
    return max(_DELIMITERS, key=header.count)


def detect_quoting(start: str, delimiter: str) -> Literal[0, 3]:
    """Whether quotes are special. In many TSV files they are ordinary characters.

    They are taken as ordinary if all lines at the start have the same number of fields, and
    quoting would lead to fewer rows.
    """
    if delimiter != "\t":
        return csv.QUOTE_MINIMAL
    lines = start.splitlines(keepends=True)[:_SAMPLE_LINES]
    field_counts = [len(line.split(delimiter)) for line in lines if line.strip()]
    previous_limit = csv.field_size_limit(len(start))  # an unclosed quote makes one large field
    quoted = sum(1 for row in csv.reader(lines, delimiter=delimiter) if row)
    csv.field_size_limit(previous_limit)
    return (
        csv.QUOTE_NONE
        if len(set(field_counts)) == 1 and quoted < len(field_counts)
        else csv.QUOTE_MINIMAL
    )


def split_inner_quotes(text: str, delimiter: str, row: list[str]) -> list[str] | None:
    r"""The fields of a row of CSV whose inner quotes may not be escaped.

    In such a row, a quote ends a field only before a delimiter or the end of the row; all others
    are letters.

    Args:
        text: the row.
        delimiter: the character between fields.
        row: the fields as CSV has them; returned if the row is valid.

    Returns:
        The fields, or None if it is unclear where they end.

    >>> split_inner_quotes('"She said: "No"","x"', ",", [])
    ['She said: "No"', 'x']
    >>> split_inner_quotes('"She said ""No" again","x"', ",", []) is None
    True
    """
    mark = re.escape(delimiter)
    field = rf'(?:"(?:[^"]++|"")*+" *+|(?!")[^{mark}\r\n]*+)'
    if re.fullmatch(rf"{field}(?:{mark}{field})*+(?:\r\n|\r|\n)?", text):
        return row
    fields: list[str] = []
    rest = delimiter + text.rstrip("\r\n")
    while rest:
        match = re.match(rf'{mark}(?:"(.*?)"(?={mark}|\Z)|((?!")[^{mark}]*))', rest, re.DOTALL)
        if match is None or '""' in (match[1] or ""):
            return None
        fields.append(match[2] if match[1] is None else match[1])
        rest = rest[match.end() :]
    return fields
