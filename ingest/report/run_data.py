"""Open the files of a run that exist."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ingest.errors import FrameError, SourceError
from ingest.frames import (
    DETECTED,
    DOCUMENTS,
    FILTERED,
    LABELLED,
    PAIRS,
    SEGMENTS,
    SPLIT,
    TRANSLATED,
    schema,
)
from ingest.io.parquet import scan_parquet
from ingest.io.parquet_bombs import refuse_bombs
from ingest.io.remake import unreadable
from ingest.io.run_files import ARTICLES_FILE, check_is_parquet, point_to_run, refuse_incomplete
from ingest.io.run_json import read_run_if_any

RUN_FILE, DOCUMENTS_FILE, SEGMENTS_FILE = "run.json", "documents.parquet", "segments.parquet"
PAIRS_FILES = ("pairs.parquet", "translated.parquet")

# Columns that the report needs; it can do without the others.
_DOCUMENT_COLUMNS = ("doc_id", "uri", "source", "title", "url", "text", "chars", "error")
_SEGMENT_COLUMNS = (
    "doc_id", "segment", "line", "text", "lang", "role", "role_score", "role_by", "article",
    "duplicate_of", "keep",
)  # fmt: skip
_PAIR_COLUMNS = ("source_lang", "target_lang", "source_text", "target_text")


class RunData(NamedTuple):
    """The files of a run, as lazy frames; None for a file that does not exist."""

    run: dict[str, Any]
    documents: pl.LazyFrame | None
    segments: pl.LazyFrame | None
    pairs: pl.LazyFrame | None
    pairs_files: list[str]


def open_run(out: Path, pairs: Path | None = None) -> RunData:
    """Open the files of a run.

    Args:
        out: folder written by `ingest run`.
        pairs: file of pairs to use instead of those in `out`.

    Raises:
        SourceError: there is nothing to report on, or a file cannot be read.
        FrameError: a file lacks a column.
    """
    if not out.is_dir():
        raise SourceError(f"{out}: is not a directory; give the OUT folder of ingest run")
    documents = _scan(out / DOCUMENTS_FILE, _DOCUMENT_COLUMNS, schema(DOCUMENTS))
    segments = _scan(out / SEGMENTS_FILE, _SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
    # copies of some files of a run are welcome, but a run that lost one is damaged
    is_run = (out / RUN_FILE).exists() and (out / ARTICLES_FILE).exists()
    if is_run:
        refuse_incomplete(out)
    if pairs is not None and not pairs.is_file():
        raise SourceError(f"{pairs}: is not a file; give a Parquet file of pairs")
    if pairs is not None:
        check_is_parquet(pairs)
    columns = schema(PAIRS, TRANSLATED, FILTERED, SPLIT)
    paths = [pairs] if pairs else [out / name for name in PAIRS_FILES]
    frames = {p.name: f for p in paths if (f := _scan(p, _PAIR_COLUMNS, columns)) is not None}
    for path in paths:
        if path.name in frames:
            refuse_bombs(path)
    run = read_run_if_any(out)
    if documents is None and segments is None and not frames and not run:
        hint = point_to_run(out) or "give the OUT folder of ingest run"
        raise SourceError(f"{out}: has no files of a run; {hint}")
    all_pairs = pl.concat(frames.values(), how="diagonal_relaxed") if frames else None
    return RunData(run, documents, segments, all_pairs, list(frames))


def _scan(path: Path, needed: Sequence[str], columns: pl.Schema) -> pl.LazyFrame | None:
    if not path.exists():
        return None
    try:
        frame = scan_parquet(path)
        actual = frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(path, error) from error
    for name in needed:
        if name not in actual:
            raise FrameError(f"{path}: column {name!r} is missing; ingest run makes it")
    for name, dtype in columns.items():  # any numeric type will do for a number
        given = actual.get(name, dtype)
        if given != dtype and not (given.is_numeric() and dtype.is_numeric()):
            raise FrameError(f"{path}: column {name!r} is {given}, must be {dtype}")
    return frame
