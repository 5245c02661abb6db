"""Read pairs from TSV and CSV. Whether the first row is a header, its content decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice

from ingest.errors import SourceError
from ingest.pairs import tsv
from ingest.pairs.archives import open_pieces
from ingest.pairs.headers import find_header
from ingest.pairs.tables import InvalidRow, Notice, NumberedRow, Rows, batch_rows
from ingest.pairs.text_lines import MAX_CHARS, is_damaged
from ingest.readers.delimited import Table
from ingest.readers.formats import suffix

_SAMPLE_ROWS = 200
_INNER_QUOTE = "has a quote inside a field that is not doubled"
_NumberedFields = tuple[int, "list[str] | str"]


def read_delimited(
    source: str,
    langs: tuple[str, str] | None,
    chosen: tuple[str, str] | None = None,
) -> Iterator[Rows | InvalidRow | Notice]:
    """Read a TSV or CSV file.

    Args:
        source: the file.
        langs: source and target language, to choose between several columns.
        chosen: names or 1-based numbers of the columns of the texts.

    Raises:
        SourceError: the file cannot be read, or it is unclear which columns have the texts.
    """
    rows = _read_csv(source) if suffix(source) == ".csv" else tsv.read_rows(source)
    sample = list(islice(rows, _SAMPLE_ROWS))
    fields = [row for _, row in sample if isinstance(row, list)]
    if not fields:
        yield from (InvalidRow(number, str(problem)) for number, problem in sample)
        return
    width = Counter(map(len, fields)).most_common(1)[0][0]
    first = next(at for at, row in enumerate(fields) if len(row) == width or at == 0)
    header = find_header(_from_width(fields, width, first), langs, chosen, source)
    if header.guessed:
        names = ", ".join(repr(name) for name in fields[first])
        yield Notice(f"the first row was taken as a header: {names}")
    if header.has_row and len(sample) == 1:
        yield Notice("has a header, and no other row")
    numbered = chain(sample, rows)
    yield from batch_rows(_to_rows(numbered, header.names, fields[first], header.has_row))


def _from_width(fields: list[list[str]], width: int, first: int) -> list[list[str]]:
    """Return the rows from the header on. A header may be narrower than the rows."""
    return fields[first:] if len(fields[first]) == width else fields


def _to_rows(
    numbered: Iterator[_NumberedFields], names: list[str], first: list[str], has_header: bool
) -> Iterator[NumberedRow]:
    for number, row in numbered:
        if isinstance(row, str):
            yield number, row
        elif row is first and has_header:
            continue
        elif len(row) != len(names):
            yield number, f"has {len(row)} of {len(names)} fields"
        elif any(map(is_damaged, row)):
            yield number, "contains bytes that are not valid text"
        else:
            # TSV files that ingest writes have empty fields for null
            yield number, {n: v or None for n, v in zip(names, row, strict=True)}


def _read_csv(source: str) -> Iterator[_NumberedFields]:
    try:
        table = Table(source, MAX_CHARS, header=False, data=open_pieces(source))
    except SourceError as error:
        raise SourceError(f"{source}: {error}") from error
    for row in table:
        if isinstance(row, SourceError):
            yield table.line, str(row)
        else:
            yield table.line, table.split_again(row) or _INNER_QUOTE
