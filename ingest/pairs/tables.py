"""Rows of tables of pairs, gathered into frames.

An invalid row is reported with its number, and reading goes on with the next row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import polars as pl

from ingest.io.pairs_file import BATCH_SIZE

_MAX_BATCH_CHARS = 1 << 24
_MAX_BATCH_CELLS = 1 << 20  # rows × columns: each row of JSON may have columns of its own

Row: TypeAlias = Mapping[str, "str | None"]
NumberedRow: TypeAlias = tuple[int, "Row | str"]
"""Line number, 1-based, and the row, or what is wrong with it."""


class Rows(NamedTuple):
    """A batch of rows, the 1-based number of each in its file, and what the numbers count."""

    frame: pl.DataFrame
    numbers: pl.Series
    unit: str = "line"


class InvalidRow(NamedTuple):
    """A row that cannot be read, and why. `unit` is what is counted: lines, rows or records."""

    number: int
    problem: str
    unit: str = "line"


class Notice(NamedTuple):
    """What the user should know about a table, although nothing is wrong with its rows."""

    message: str


def batch_rows(rows: Iterable[NumberedRow], *, unit: str = "line") -> Iterator[Rows | InvalidRow]:
    """Gather rows into frames. Invalid rows are passed on at once.

    The columns of a frame are those that any of its rows has.

    Args:
        rows: the rows, with their numbers.
        unit: what the numbers count.
    """
    batch: list[Row] = []
    numbers: list[int] = []
    names: dict[str, None] = {}
    size = 0
    for number, row in rows:
        if isinstance(row, str):
            yield InvalidRow(number, row, unit)
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
            yield _frame(batch, numbers, names, unit)
            batch, numbers, names, size = [], [], {}, 0
    if batch:
        yield _frame(batch, numbers, names, unit)


def _frame(batch: list[Row], numbers: list[int], names: Iterable[str], unit: str) -> Rows:
    columns = {name: [row.get(name) for row in batch] for name in names}
    frame = pl.DataFrame(columns, dict.fromkeys(names, pl.String()))
    return Rows(frame, pl.Series(numbers, dtype=pl.Int64), unit)
