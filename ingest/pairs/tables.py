"""Tables of pairs in batches: TSV and CSV, JSON lines, Parquet.

What is no row is told with the number of its line, and the next is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import polars as pl

from ingest.errors import SourceError
from ingest.io.pairs_file import BATCH
from ingest.pairs.columns import choose
from ingest.pairs.rows import unnested
from ingest.pairs.text_lines import LONGEST, damaged, lines
from ingest.readers.delimited import Table
from ingest.readers.sources import suffix

_MAGIC = b"PAR1"
_TEXTS = ("source_text", "target_text")  # of a file without a header
_NO_HEADER = ": what has more than two columns needs a header that names two, such as ar and en"
# A damaged file can make Polars panic, which is no Exception.
_DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
_CHARACTERS = 1 << 24  # of a batch


class Rows(NamedTuple):
    """Some rows, and the number of each in its file, 1-based."""

    frame: pl.DataFrame
    numbers: pl.Series


class Bad(NamedTuple):
    """What is no row, and why."""

    number: int
    why: str


def delimited(source: str, langs: tuple[str, str] | None) -> Iterator[Rows | Bad]:
    """The rows of a TSV or CSV file. Its first is a header if it names the texts."""
    table = Table(
        source, LONGEST, header=False, delimiter=None if suffix(source) == ".csv" else "\t"
    )
    names: list[str] = []

    def rows() -> Iterator[tuple[int, dict[str, str | None] | str]]:
        for row in table:
            if isinstance(row, SourceError):
                yield table.line, str(row)
                continue
            if not names:
                names.extend(name.strip() for name in row)
                if choose(names, langs):
                    continue
                names[:] = _TEXTS
            if len(row) != len(names):
                wrong = f"has {len(row)} of {len(names)} fields"
                bare = names == list(_TEXTS) and len(row) > len(names)
                yield table.line, wrong + (_NO_HEADER if bare else "")
            elif any(map(damaged, row)):
                yield table.line, "holds bytes that are no text"
            else:
                # an empty field is a null, as our own TSV has it
                yield table.line, {n: v or None for n, v in zip(names, row, strict=True)}

    yield from batched(rows())


def jsonl(source: str) -> Iterator[Rows | Bad]:
    """The objects of the lines of a file."""

    def rows() -> Iterator[tuple[int, dict[str, str | None] | str]]:
        for number, line in lines(source):
            if isinstance(line, SourceError):
                yield number, str(line)
            elif line.strip():
                yield number, _object(line)

    yield from batched(rows())


def parquet(source: str) -> Iterator[Rows | Bad]:
    """The rows of a Parquet file.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with open(source, "rb") as file:
            if file.read(4) != _MAGIC:
                raise SourceError(f"{source}: is no Parquet file, whatever its name says")
        frame = pl.scan_parquet(source, glob=False, hive_partitioning=False)
        size = int(frame.select(pl.len()).collect().item())
        for at in range(0, size, BATCH):
            some = unnested(frame.slice(at, BATCH).collect())
            yield Rows(some, pl.int_range(at + 1, at + 1 + len(some), eager=True))
    except (*_DAMAGE, OSError) as error:
        raise SourceError(f"{source}: cannot be read as Parquet: {error}") from error


def batched(rows: Iterable[tuple[int, Mapping[str, str | None] | str]]) -> Iterator[Rows | Bad]:
    """Rows as frames, and what is wrong with others, each as soon as it is known.

    Columns are all that some row of a batch has.
    """
    held: list[Mapping[str, str | None]] = []
    numbers: list[int] = []
    size = 0
    for number, row in rows:
        if isinstance(row, str):
            yield Bad(number, row)
            continue
        held.append(row)
        numbers.append(number)
        size += sum(len(value) for value in row.values() if value)
        if len(held) == BATCH or size >= _CHARACTERS:
            yield _rows(held, numbers)
            held, numbers, size = [], [], 0
    if held:
        yield _rows(held, numbers)


def _rows(held: list[Mapping[str, str | None]], numbers: list[int]) -> Rows:
    names = dict.fromkeys(name for row in held for name in row)
    columns = {name: [row.get(name) for row in held] for name in names}
    frame = pl.DataFrame(columns, dict.fromkeys(names, pl.String()))
    return Rows(frame, pl.Series(numbers, dtype=pl.Int64))


def _object(line: str) -> dict[str, str | None] | str:
    """The object of a line, its values as text; or what is wrong with the line."""
    if damaged(line):
        return "holds bytes that are no UTF-8"
    try:
        row = json.loads(line)
    except RecursionError:
        return "is nested too deep"
    except ValueError as error:
        return f"is no JSON: {error}"
    if not isinstance(row, dict):
        return f"is no JSON object but {type(row).__name__}"
    if isinstance(texts := row.pop("translation", None), dict):
        row |= texts
    elif texts is not None:
        row["translation"] = texts
    made = {name: _as_text(value) for name, value in row.items()}
    if any(value and damaged(value) for value in made.values()) or any(map(damaged, made)):
        return "holds half a character, such as \\ud800 alone"
    return made


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
