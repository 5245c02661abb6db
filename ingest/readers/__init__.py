"""Sources to documents: one reader a format, one dispatch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from ingest.config import Config, ReadConfig, RunConfig, config_of
from ingest.frames import BLOCK, DOCUMENTS, schema
from ingest.readers import (
    dataframe,
    delimited,
    document,
    jsonl,
    parquet,
    single_file,
    stdin,
    tables,
    warc,
)
from ingest.readers.records import Record, Slice
from ingest.readers.sources import STDIN, find_sources, reader_kind

__all__ = ["describe_guesses", "plan_slices", "read", "read_batches", "records"]

_READERS = {
    "file": single_file.records,
    "warc": warc.records,
    "jsonl": jsonl.records,
    "csv": delimited.records,
    "parquet": parquet.records,
    "pipe": stdin.records,
}
_SLICERS = {"warc": warc.slices, "jsonl": jsonl.slices, "parquet": parquet.slices}
_COLUMNS = {"jsonl": jsonl.columns, "csv": delimited.columns, "parquet": parquet.columns}
_BY_ROWS = ("parquet",)  # kinds whose slices are no ranges of bytes


def read(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | pl.DataFrame,
    *,
    config: Config | ReadConfig | None = None,
) -> pl.DataFrame:
    """Read pages into a documents frame: one row a page, sorted by source and record.

    A page that cannot be read is a row with its `error`, and never an exception.

    Args:
        sources: files, folders, globs, or '-' for standard input; or a frame, whose rows are read
            like those of a table in a file: `source` is then "frame".
        config: which columns of tables hold what, and the limit on the size of a page.

    Raises:
        SourceError: no file was found.
        FrameError: a frame has no column that is known to hold text.

    >>> from ingest.resources import samples
    >>> read(samples()).select("media_type", "encoding", "error").row(0)
    ('text/plain', 'utf-8', None)
    >>> read(pl.DataFrame({"id": [7], "text": ["Good morning"]})).select("uri", "chars").row(0)
    ('frame#7', 12)
    """
    settings = config_of(config, ReadConfig)
    if isinstance(sources, (pl.DataFrame, pl.LazyFrame)):
        return _frame([document.to_row(record) for record in dataframe.records(sources, settings)])
    parts = plan_slices(
        find_sources(sources).files,
        shard_bytes=config_of(
            None if isinstance(config, ReadConfig) else config, RunConfig
        ).shard_bytes,
    )
    return pl.concat(read_batches(parts, settings))


def plan_slices(files: Iterable[str], *, shard_bytes: int) -> list[Slice]:
    """Cut files into slices of about `shard_bytes`; those that cannot be cut stay whole."""
    parts: list[Slice] = []
    for file in files:
        of = reader_kind(file)
        size = os.path.getsize(file) if file != STDIN and os.path.isfile(file) else 0
        if (slicer := _SLICERS.get(of)) and (size > shard_bytes or of in _BY_ROWS):
            parts += slicer(file, shard_bytes)
        else:
            parts.append(Slice(file, of, 0, size, 0, size))
    return parts


def describe_guesses(parts: Iterable[Slice], settings: ReadConfig) -> list[str]:
    """Which columns of tables were taken by their names, a line for files that are alike.

    A pipe is left alone, since to look into it would take from it.
    """
    files: dict[str, list[str]] = {}
    for part in parts:
        columns = _COLUMNS.get(part.kind)
        if columns is None or part.first or not os.path.isfile(part.source):
            continue
        found = columns(part, settings)
        if found and (guessed := tables.said(found, settings)):
            files.setdefault(guessed, []).append(part.source)
    return [
        names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "") + f": {guessed}"
        for guessed, names in files.items()
    ]


def read_records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """The records of a slice, in order; what cannot be read is a record with an `error`."""
    return _READERS[part.kind](part, settings)


def read_batches(
    parts: Iterable[Slice], settings: ReadConfig, *, batch_chars: int = 1 << 62
) -> Iterator[pl.DataFrame]:
    """Documents frames of whole pages, each closed when its text reaches `batch_chars`.

    At least one frame comes, so that what follows always has columns to look at.
    """
    rows: list[dict[str, Any]] = []
    size = made = 0
    for part in parts:
        for record in read_records(part, settings):
            rows.append(document.to_row(record))
            size += rows[-1].get("chars", 0)
            if size >= batch_chars:
                yield _frame(rows)
                made, rows, size = made + 1, [], 0
    if rows or not made:
        yield _frame(rows)


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The documents frame of rows, whose blocks come as tuples."""
    flat = [b for row in rows for b in row.get("blocks") or ()]
    number = [n for n, row in enumerate(rows) for _ in row.get("blocks") or ()]
    blocks = (
        pl.DataFrame(flat, dict(BLOCK.to_schema()), orient="row")
        .select(row=pl.Series(number, dtype=pl.UInt32), blocks=pl.struct(pl.all()))
        .group_by("row", maintain_order=True)
        .agg("blocks")
    )
    columns = schema(DOCUMENTS)
    plain_columns = {name: dtype for name, dtype in columns.items() if name != "blocks"}
    frame = pl.DataFrame([{k: v for k, v in r.items() if k != "blocks"} for r in rows],
                         plain_columns)  # fmt: skip
    return (
        frame.with_row_index("row")
        .join(blocks, on="row", how="left", maintain_order="left")
        .select(columns.names())
    )
