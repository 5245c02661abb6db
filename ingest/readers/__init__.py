"""Read sources into a documents frame. There is one reader per format."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

import numpy as np
import polars as pl

from ingest.config import Config, ReadConfig, RunConfig, config_of
from ingest.errors import SourceError
from ingest.frames import BLOCK, DOCUMENTS, schema
from ingest.io.access import access, in_parallel
from ingest.io.opening import file_size, is_file
from ingest.io.storage_files import raise_outage, read_ahead
from ingest.io.streams import describe_os_error
from ingest.io.urls import is_remote
from ingest.readers import (
    arc,
    dataframe,
    delimited,
    document,
    feeds,
    json_file,
    jsonl,
    mhtml,
    parquet,
    single_file,
    stdin,
    wacz,
    warc,
)
from ingest.readers.columns import describe_guesses as describe_column_guesses
from ingest.readers.formats import COMPRESSED
from ingest.readers.records import Record, Slice
from ingest.readers.sources import STDIN, find_sources, reader_kind

__all__ = [
    "batch_records",
    "describe_guesses",
    "expansion",
    "plan_slices",
    "read",
    "read_batches",
    "read_records",
]

_READERS = {
    "file": single_file.read_records,
    "warc": warc.read_records,
    "arc": arc.read_records,
    "wacz": wacz.read_records,
    "mhtml": mhtml.read_records,
    "feed": feeds.read_records,
    "json": json_file.read_records,
    "jsonl": jsonl.read_records,
    "csv": delimited.read_records,
    "parquet": parquet.read_records,
    "pipe": stdin.read_records,
}
_SLICERS = {
    "warc": warc.cut_slices,
    "arc": arc.cut_slices,
    "wacz": wacz.cut_slices,
    "jsonl": jsonl.cut_slices,
    "parquet": parquet.cut_slices,
}
_COLUMNS = {
    "json": json_file.find_columns,
    "jsonl": jsonl.find_columns,
    "csv": delimited.find_columns,
    "parquet": parquet.find_columns,
}
# How many bytes of text a stored byte of a compressed file holds, at least. HTML has four to eight.
_EXPANSION = 4
# A page counts as at least so many characters: those without text take memory, too.
_ROW_SIZE = 64
_OPEN_AT_ONCE = 8  # objects; a few megabytes of each are in memory
_IN_ORDER = ("warc", "arc", "wacz", "jsonl")  # formats whose slices are read in order
_ALWAYS_CUT = ("parquet", "wacz")  # formats whose slices are not simply ranges of bytes


def read(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | pl.DataFrame,
    *,
    config: Config | ReadConfig | None = None,
) -> pl.DataFrame:
    """Read pages into a documents frame: one row per page, sorted by source and record.

    A page that cannot be read becomes a row with an `error`, and never an exception.

    Args:
        sources: files, folders, globs, URLs, or '-' for standard input; or a frame whose rows are
            read like those of a table in a file, with "frame" as `source`.
        config: the columns of tables to read, and the size limit of a page.

    Raises:
        SourceError: no file was found.
        FrameError: no column of a frame is known to contain text.

    >>> from ingest.resources import samples
    >>> read(samples()).select("media_type", "encoding", "error").row(0)
    ('text/plain', 'utf-8', None)
    >>> read(pl.DataFrame({"id": [7], "text": ["Good morning"]})).select("uri", "chars").row(0)
    ('frame#7', 12)
    """
    settings = config_of(config, ReadConfig)
    if isinstance(sources, (pl.DataFrame, pl.LazyFrame)):
        return _to_frame(list(document.to_rows(dataframe.read_records(sources, settings))))
    run = config_of(None if isinstance(config, ReadConfig) else config, RunConfig)
    with access(None):
        parts = plan_slices(find_sources(sources).files, shard_bytes=run.shard_bytes)
        frame = pl.concat(read_batches(parts, settings))
        try:
            raise_outage()
        except OSError as error:
            raise SourceError(f"{error.filename}: {describe_os_error(error)}") from error
    return frame


def plan_slices(files: Iterable[str], *, shard_bytes: int) -> list[Slice]:
    """Cut files into slices of about `shard_bytes` of text. Some formats cannot be cut."""
    files = list(files)
    remote = [file for file in files if is_remote(file)]
    cut = partial(_cut, shard_bytes=shard_bytes)
    # the answers of a store take long, so that it is asked for several files at the same time
    parts = dict(zip(remote, in_parallel(cut, remote, at_once=_OPEN_AT_ONCE), strict=True))
    return [part for file in files for part in parts.get(file) or cut(file)]


def _cut(file: str, *, shard_bytes: int) -> list[Slice]:
    kind = reader_kind(file)
    slice_bytes = max(shard_bytes // expansion(file, kind), 1)
    size = file_size(file) if file != STDIN and is_file(file) else 0
    if (slicer := _SLICERS.get(kind)) and (size > slice_bytes or kind in _ALWAYS_CUT):
        return slicer(file, slice_bytes)
    return [Slice(file, kind, 0, size, 0, size)]


def expansion(file: str, kind: str) -> int:
    """How many bytes of text a stored byte of a file stands for, by its name and kind of reader.

    >>> expansion("a.warc.gz", "warc"), expansion("a.html", "file")
    (4, 1)
    """
    is_compressed = kind == "parquet" or file.lower().endswith(COMPRESSED)
    return _EXPANSION if is_compressed else 1


def describe_guesses(parts: Iterable[Slice], settings: ReadConfig) -> list[str]:
    """Describe the columns that were guessed by their names: one line per group of similar files.

    Pipes are not inspected, because that would consume their data.
    """

    def describe(part: Slice) -> str | None:
        columns = _COLUMNS[part.kind](part, settings) if is_file(part.source) else None
        return describe_column_guesses(columns, settings) if columns else None

    files: dict[str, list[str]] = {}
    tables = [part for part in parts if part.kind in _COLUMNS and not part.first]
    remote = [part for part in tables if is_remote(part.source)]
    known = dict(zip(remote, in_parallel(describe, remote, at_once=_OPEN_AT_ONCE), strict=True))
    for part in tables:
        if message := known[part] if part in known else describe(part):
            files.setdefault(message, []).append(part.source)
    return [
        names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "") + f": {message}"
        for message, names in files.items()
    ]


def read_records(
    part: Slice, settings: ReadConfig, left_out: Counter[str] | None = None
) -> Iterator[Record]:
    """Yield the records of a slice in order. One that cannot be read has an `error`.

    Args:
        part: the slice.
        settings: how to read it.
        left_out: where to count the crawler's own records in web archives, by what they are.
    """
    for record in _READERS[part.kind](part, settings):
        if record.left_out is None:
            yield record
        elif left_out is not None:
            left_out[record.left_out] += 1


def read_batches(
    parts: Iterable[Slice],
    settings: ReadConfig,
    *,
    batch_chars: int = 1 << 62,
    batch_pages: int | None = None,
    reader: Callable[[Slice], Iterator[Record]] | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield documents frames of whole pages with about `batch_chars` characters of text each.

    At least one frame is yielded, so that its columns are always known.

    Args:
        parts: the slices.
        settings: how to read them.
        batch_chars: as for `batch_records`.
        batch_pages: as for `batch_records`.
        reader: what yields the records of a slice; `read_records` if None.
    """
    parts = read_ahead(parts, _range_of)
    read_part = reader or partial(read_records, settings=settings)
    records = chain.from_iterable(read_part(part) for part in parts)
    batches = batch_records(records, batch_chars=batch_chars, batch_pages=batch_pages)
    yield next(batches, _to_frame([]))
    yield from batches


def _range_of(part: Slice) -> tuple[str, int, int]:
    """The source of a slice, and its range in bytes if it has one."""
    start, stop = (part.start, part.stop) if part.kind in _IN_ORDER else (0, 0)
    return part.source, start, stop


def batch_records(
    records: Iterable[Record], *, batch_chars: int = 1 << 62, batch_pages: int | None = None
) -> Iterator[pl.DataFrame]:
    """Yield documents frames with about `batch_chars` characters of text each; none for no records.

    Args:
        records: the records.
        batch_chars: characters of a frame.
        batch_pages: the most pages of a frame, and of those that are read at the same time.

    >>> [len(frame) for frame in batch_records([Record("a.txt", content="a")] * 3, batch_chars=1)]
    [1, 1, 1]
    >>> [len(frame) for frame in batch_records([Record("a.txt", content="a")] * 3, batch_pages=2)]
    [2, 1]
    """
    if batch_pages:
        records = iter(records)
        while (first := next(records, None)) is not None:
            some = chain([first], islice(records, batch_pages - 1))
            yield from batch_records(some, batch_chars=batch_chars)
        return
    rows: list[dict[str, Any]] = []
    size = 0
    for row in document.to_rows(records):
        rows.append(row)
        size += max(row.get("chars", 0), _ROW_SIZE)
        if size >= batch_chars:
            yield _to_frame(rows)
            rows, size = [], 0
    if rows:
        yield _to_frame(rows)


def _to_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A documents frame from rows whose blocks are frames."""
    frames = [row["blocks"] for row in rows if "blocks" in row]
    counts = [len(row["blocks"]) if "blocks" in row else 0 for row in rows]
    number = np.repeat(np.arange(len(rows), dtype=np.uint32), counts)
    blocks = (
        pl.concat([pl.DataFrame(schema=BLOCK.to_schema()), *frames])
        .select(row=pl.Series(number), blocks=pl.struct(pl.all()))
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
