"""Find the file of a run that is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ingest.errors import SourceError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, PAIRS, SEGMENTS, schema
from ingest.io.parquet import scan_parquet
from ingest.io.run_files import RUN_FILE
from ingest.jobs.run_json import RUN_AGAIN, read_run

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
        advice: how to make it again.
    """

    columns: pl.Schema
    filled: Sequence[str]
    counted: str
    advice: str


_TABLES = {
    "documents.parquet": _Table(schema(DOCUMENTS), ("doc_id", "uri", "source"), "pages", RUN_AGAIN),
    "segments.parquet": _Table(
        schema(SEGMENTS, DETECTED, LABELLED),
        ("doc_id", "segment", "line", "start", "end", "text", "lang", "role", "article", "keep"),
        "segments",
        RUN_AGAIN,
    ),
    "pages.parquet": _Table(_PAGES, (), "", "to rebuild it: ingest pair {folder} --overwrite"),
    "pairs.parquet": _Table(
        schema(PAIRS),
        ("pair_id", "source_text", "target_text"),
        "",
        "to rebuild it: ingest align {folder} --overwrite -o {path}",
    ),
}
_TEXTS = {"text", "source_text", "target_text"}


def find_damage(folder: Path, *, all_values: bool = True) -> str | None:
    """Describe the first file of a run that is there and damaged; None if there is none.

    Args:
        folder: the folder of the run.
        all_values: whether to read all columns, not only those without text.

    >>> find_damage(Path("no-such-folder")) is None
    True
    """
    counts = {}
    if (folder / RUN_FILE).exists():
        try:
            counts = read_run(folder).get("counts", {})
        except SourceError as error:
            return str(error)
    for name, table in _TABLES.items():
        path = folder / name
        if path.exists() and (what := _find_fault(path, table, counts, all_values=all_values)):
            return f"{path}: {what}; {table.advice.format(folder=folder, path=path)}"
    return None


def _find_fault(
    path: Path, table: _Table, counts: dict[str, Any], *, all_values: bool
) -> str | None:
    if not path.is_file():
        return "is a folder"
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
        return f"cannot be read as Parquet: {error}"
    return None


def _find_wrong_column(actual: pl.Schema, expected: pl.Schema) -> str | None:
    for name, dtype in expected.items():
        if name not in actual:
            return f"column {name!r} is missing"
        if actual[name] != dtype:
            return f"column {name!r} is {actual[name]}, must be {dtype}"
    return None
