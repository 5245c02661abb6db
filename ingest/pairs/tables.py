"""Read tables of pairs in batches: TSV and CSV, JSON Lines, Parquet.

An invalid row is reported with its line number, and reading goes on with the next row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from ingest.errors import SourceError
from ingest.io.pairs_file import BATCH_SIZE
from ingest.pairs.columns import find_text_columns
from ingest.pairs.rows import unnest_translation
from ingest.pairs.text_lines import MAX_CHARS, is_damaged, read_lines
from ingest.readers.delimited import Table
from ingest.readers.formats import suffix

_MAGIC = b"PAR1"
_DEFAULT_NAMES = ("source_text", "target_text")  # columns of a file without a header
_NEEDS_HEADER = (
    ": a table of more than two columns needs a header that names two, such as ar and en"
)
# A damaged file can make Polars panic, and PanicException is not a PolarsError.
_PARQUET_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
_MAX_BATCH_CHARS = 1 << 24
_MAX_BATCH_CELLS = 1 << 20  # rows × columns: each row of JSON may have columns of its own

Row: TypeAlias = Mapping[str, "str | None"]
NumberedRow: TypeAlias = tuple[int, "Row | str"]
"""Line number, 1-based, and the row, or what is wrong with it."""


class Rows(NamedTuple):
    """A batch of rows, and the 1-based number of each in its file."""

    frame: pl.DataFrame
    numbers: pl.Series


class InvalidRow(NamedTuple):
    """A line that is not a row, and why."""

    number: int
    problem: str


def read_delimited(source: str, langs: tuple[str, str] | None) -> Iterator[Rows | InvalidRow]:
    """Read a TSV or CSV file. Its first row is a header if it names the columns of the texts."""
    table = Table(
        source, MAX_CHARS, header=False, delimiter=None if suffix(source) == ".csv" else "\t"
    )
    names: list[str] = []

    def rows() -> Iterator[NumberedRow]:
        for row in table:
            if isinstance(row, SourceError):
                yield table.line, str(row)
                continue
            if not names:
                names.extend(name.strip() for name in row)
                if find_text_columns(names, langs):
                    continue
                names[:] = _DEFAULT_NAMES
            if len(row) != len(names):
                no_header = names == list(_DEFAULT_NAMES) and len(row) > len(names)
                hint = _NEEDS_HEADER if no_header else ""
                yield table.line, f"has {len(row)} of {len(names)} fields{hint}"
            elif any(map(is_damaged, row)):
                yield table.line, "contains bytes that are not valid text"
            else:
                # TSV files that ingest writes have empty fields for null
                yield table.line, {n: v or None for n, v in zip(names, row, strict=True)}

    yield from batch_rows(rows())


def read_jsonl(source: str) -> Iterator[Rows | InvalidRow]:
    """Read a file with one JSON object per line."""

    def rows() -> Iterator[NumberedRow]:
        for number, line in read_lines(source):
            if isinstance(line, SourceError):
                yield number, str(line)
            elif line.strip():
                yield number, _parse_object(line)

    yield from batch_rows(rows())


def read_parquet(source: str) -> Iterator[Rows | InvalidRow]:
    """Read a Parquet file.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with open(source, "rb") as file:
            if file.read(4) != _MAGIC:
                raise SourceError(f"{source}: is not a Parquet file, although its name says so")
        frame = pl.scan_parquet(source, glob=False, hive_partitioning=False)
        size = int(frame.select(pl.len()).collect().item())
        for start in range(0, size, BATCH_SIZE):
            batch = unnest_translation(frame.slice(start, BATCH_SIZE).collect())
            yield Rows(batch, pl.int_range(start + 1, start + 1 + len(batch), eager=True))
    except (*_PARQUET_ERRORS, OSError) as error:
        raise SourceError(f"{source}: cannot be read as Parquet: {error}") from error


def batch_rows(rows: Iterable[NumberedRow]) -> Iterator[Rows | InvalidRow]:
    """Gather rows into frames. Invalid rows are passed on at once.

    The columns of a frame are those that any of its rows has.
    """
    batch: list[Row] = []
    numbers: list[int] = []
    names: dict[str, None] = {}
    size = 0
    for number, row in rows:
        if isinstance(row, str):
            yield InvalidRow(number, row)
            continue
        batch.append(row)
        numbers.append(number)
        names |= dict.fromkeys(row)
        size += sum(len(value) for value in row.values() if value)
        if (
            len(batch) == BATCH_SIZE
            or size >= _MAX_BATCH_CHARS
            or len(batch) * len(names) >= _MAX_BATCH_CELLS
        ):
            yield _frame(batch, numbers, names)
            batch, numbers, names, size = [], [], {}, 0
    if batch:
        yield _frame(batch, numbers, names)


def _frame(batch: list[Row], numbers: list[int], names: Iterable[str]) -> Rows:
    columns = {name: [row.get(name) for row in batch] for name in names}
    frame = pl.DataFrame(columns, dict.fromkeys(names, pl.String()))
    return Rows(frame, pl.Series(numbers, dtype=pl.Int64))


def _parse_object(line: str) -> Row | str:
    """Parse a JSON object, with its values as text, or return the problem."""
    if is_damaged(line):
        return "contains bytes that are not valid UTF-8"
    try:
        row = json.loads(line)
    except RecursionError:
        return "is nested too deeply"
    except ValueError as error:
        return f"is not valid JSON: {error}"
    if not isinstance(row, dict):
        return f"must be a JSON object, is {type(row).__name__}"
    if isinstance(texts := row.pop("translation", None), dict):
        row |= texts
    elif texts is not None:
        row["translation"] = texts
    values = {name: _as_text(value) for name, value in row.items()}
    if any(value and is_damaged(value) for value in values.values()) or any(
        map(is_damaged, values)
    ):
        return "contains half of a character, such as a lone \\ud800"
    return values


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
