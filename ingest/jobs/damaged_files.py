"""Find the file of a run that is damaged."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ingest.errors import SourceError
from ingest.frames import (
    DETECTED,
    DOCUMENTS,
    FILTERED,
    LABELLED,
    PAIRS,
    SCORED,
    SEGMENTS,
    SPLIT,
    TRANSLATED,
    schema,
)
from ingest.io.file_kinds import check_is_file, describe_kind
from ingest.io.parquet import scan_parquet
from ingest.io.remake import describe_damage, describe_parquet_error, unreadable
from ingest.io.run_files import ARTICLES_FILE, PAIRS_FILE, RUN_FILE
from ingest.io.run_json import read_run

# What a command needs of the pairs of articles; the other columns only say why they were paired.
_PAGES = pl.Schema(
    {
        **{name: schema(PAIRS)[name] for name in ("source_doc", "target_doc")},
        "source_article": pl.Int64(),
        "target_article": pl.Int64(),
        **{name: schema(PAIRS)[name] for name in ("source_lang", "target_lang", "score")},
    }
)


class _Table(NamedTuple):
    """What a file of a run must have.

    Attributes:
        columns: its columns.
        filled: those that have a value in each row.
        counted: the name of its number of rows in `counts` of run.json; empty if it has none.
    """

    columns: pl.Schema
    filled: Sequence[str]
    counted: str = ""


_OF_A_PAIR = ("pair_id", "source_text", "target_text")
_TABLES = {
    "documents.parquet": _Table(schema(DOCUMENTS), ("doc_id", "uri", "source"), "pages"),
    "segments.parquet": _Table(
        schema(SEGMENTS, DETECTED, LABELLED),
        ("doc_id", "segment", "line", "start", "end", "text", "lang", "role", "article", "keep"),
        "segments",
    ),
    "pages.parquet": _Table(_PAGES, ()),
    PAIRS_FILE: _Table(schema(PAIRS), _OF_A_PAIR),
    # without `filled`: the pairs may be from elsewhere, and the step before has said what they lack
    "scored.parquet": _Table(schema(PAIRS, SCORED), ()),
    "filtered.parquet": _Table(schema(PAIRS, FILTERED), ()),
    "split.parquet": _Table(schema(PAIRS, SPLIT), ()),
    "translated.parquet": _Table(schema(PAIRS, TRANSLATED), _OF_A_PAIR),
}
TABLES = tuple(_TABLES)
"""The names of all tables in the folder of a run."""

TABLES_OF_RUN = ("documents.parquet", "segments.parquet")
_BLOCK = 1 << 20  # bytes
_TEXTS = {"text", "source_text", "target_text"}


def find_damage(
    place: Path, *, all_values: bool = True, names: Collection[str] = TABLES
) -> str | None:
    """Describe the first file of a run that is there and damaged; None if there is none.

    Args:
        place: the folder of the run; or a file of it, which is looked at first.
        all_values: whether to read all columns, not only those without text.
        names: the tables to look at.

    >>> find_damage(Path("no-such-folder")) is None
    True
    """
    folder = place if os.path.isdir(place) and place.name not in _TABLES else place.parent
    try:
        run = read_run(folder) if os.path.lexists(folder / RUN_FILE) else {}
    except SourceError as error:
        return str(error)
    for name in sorted(_TABLES, key=lambda name: name != place.name):
        path = folder / name
        is_looked_at = name in (*names, place.name)
        if not is_looked_at or not os.path.lexists(path):
            continue
        if what := _find_fault(path, _TABLES[name], run.get("counts", {}), all_values=all_values):
            return describe_damage(path, what)
    return None


def find_damaged_articles(folder: Path) -> str | None:
    """Describe the file of articles of a run if it is damaged; None if it is not.

    Few commands read it, so `find_damage` does not look at it.

    Args:
        folder: the folder of the run.
    """
    path, segments = folder / ARTICLES_FILE, folder / "segments.parquet"
    count = pl.struct("doc_id", "article").n_unique()
    try:
        lines = scan_parquet(segments).filter("keep").select(count)
        expected = int(lines.collect(engine="streaming").item())
    except (pl.exceptions.PolarsError, OSError) as error:
        return str(unreadable(segments, error))
    try:
        actual, is_cut = _count_lines(path)
    except OSError as error:
        return describe_damage(path, describe_kind(path) or f"cannot be read: {error.strerror}")
    if is_cut:
        return describe_damage(path, "is cut off")
    if actual != expected:
        return describe_damage(path, f"has {actual:,} articles, and the segments have {expected:,}")
    return None


def _count_lines(path: Path) -> tuple[int, bool]:
    """Return how many lines a file has, and whether the last one does not end."""
    count, last = 0, b"\n"
    check_is_file(path)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            count += block.count(b"\n")
            last = block[-1:]
    return count, last != b"\n"


def _find_fault(
    path: Path, table: _Table, counts: dict[str, Any], *, all_values: bool
) -> str | None:
    try:
        frame = scan_parquet(path)
        if fault := _find_wrong_column(frame.collect_schema(), table.columns):
            return fault
        rows = int(frame.select(pl.len()).collect().item())
        if isinstance(expected := counts.get(table.counted), int) and rows != expected:
            return f"has {rows:,} rows, but {RUN_FILE} says {expected:,}"
        # one column at a time, so that not all of the texts are in memory
        for name in table.columns if all_values else set(table.filled) - _TEXTS:
            nulls = frame.select(pl.col(name).null_count()).collect(engine="streaming").item()
            if nulls and name in table.filled:
                return f"column {name!r} has no value in {nulls:,} of {rows:,} rows"
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        return describe_parquet_error(path, error)
    return None


def _find_wrong_column(actual: pl.Schema, expected: pl.Schema) -> str | None:
    for name, dtype in expected.items():
        if name not in actual:
            return f"column {name!r} is missing"
        if actual[name] != dtype:
            return f"column {name!r} is {actual[name]}, must be {dtype}"
    return None
