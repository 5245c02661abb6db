"""The files of OUT that are there, opened."""

from __future__ import annotations

import json
import math
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
from ingest.io.run_files import check_is_parquet

RUN, DOCUMENTS_FILE, SEGMENTS_FILE = "run.json", "documents.parquet", "segments.parquet"
PAIRS_FILES = ("pairs.parquet", "translated.parquet")

# What is read of each; the rest may be missing.
_OF_DOCUMENTS = ("doc_id", "uri", "source", "title", "url", "text", "chars", "error")
_OF_SEGMENTS = (
    "doc_id", "segment", "line", "text", "lang", "role", "role_score", "role_by", "article",
    "duplicate_of", "keep",
)  # fmt: skip
_OF_PAIRS = ("source_lang", "target_lang", "source_text", "target_text")


class Files(NamedTuple):
    """What OUT holds: frames that are yet to be read; None where a file is not there."""

    run: dict[str, Any]
    documents: pl.LazyFrame | None
    segments: pl.LazyFrame | None
    pairs: pl.LazyFrame | None
    shown: list[str]  # names of the files of pairs


def opened(out: Path, pairs: Path | None = None) -> Files:
    """What there is of a run.

    Args:
        out: folder that `ingest run` made.
        pairs: file of pairs, in place of those in `out`.

    Raises:
        SourceError: there is nothing to report on, or a file cannot be read.
        FrameError: a file lacks a column.
    """
    if not out.is_dir():
        raise SourceError(f"{out}: is no folder; name the OUT that ingest run made")
    documents = _scan(out / DOCUMENTS_FILE, _OF_DOCUMENTS, schema(DOCUMENTS))
    segments = _scan(out / SEGMENTS_FILE, _OF_SEGMENTS, schema(SEGMENTS, DETECTED, LABELLED))
    if pairs is not None and not pairs.is_file():
        raise SourceError(f"{pairs}: is no file; name a Parquet file of pairs")
    if pairs is not None:
        check_is_parquet(pairs)
    columns = schema(PAIRS, TRANSLATED, FILTERED, SPLIT)
    named = [pairs] if pairs else [out / name for name in PAIRS_FILES]
    of_pairs = {p.name: f for p in named if (f := _scan(p, _OF_PAIRS, columns)) is not None}
    run = _run(out / RUN)
    if documents is None and segments is None and not of_pairs and not run:
        raise SourceError(f"{out}: holds nothing of a run; name the OUT that ingest run made")
    joined = pl.concat(of_pairs.values(), how="diagonal_relaxed") if of_pairs else None
    return Files(run, documents, segments, joined, list(of_pairs))


def _scan(path: Path, needed: Sequence[str], columns: pl.Schema) -> pl.LazyFrame | None:
    if not path.exists():
        return None
    try:
        frame = pl.scan_parquet(path, glob=False)
        found = frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{path}: cannot be read as Parquet: {error}") from error
    for name in needed:
        if name not in found:
            raise FrameError(f"{path}: column {name!r} is missing; ingest run makes it")
    for name, dtype in columns.items():  # a number is as good as another
        given = found.get(name, dtype)
        if given != dtype and not (given.is_numeric() and dtype.is_numeric()):
            raise FrameError(f"{path}: column {name!r} is {given}, must be {dtype}")
    return frame


def _finite(number: str) -> float | str:
    """A number of JSON; as it is written where it is too large for one, as NaN is."""
    value = float(number)
    return value if math.isfinite(value) else number


def _run(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        run = json.loads(path.read_bytes(), parse_constant=str, parse_float=_finite)
    except (ValueError, OSError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from error
    if not isinstance(run, dict):
        raise SourceError(f"{path}: holds no object; ingest run makes it")
    return run
