"""Read pages from Parquet files in batches: one row is one page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import polars as pl

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.access import polars_options
from ingest.io.opening import file_size, open_binary
from ingest.io.parquet import scan_parquet
from ingest.io.parquet_bombs import Bomb, BombFinder
from ingest.io.parquet_footer import read_row_groups
from ingest.io.storage_files import open_ranges, stamp_of_opened
from ingest.io.streams import HEAD, compression, describe_os_error
from ingest.io.urls import is_remote
from ingest.readers import tables
from ingest.readers.columns import Columns, choose_from_schema, select_path
from ingest.readers.records import Record, Slice, too_large_message
from ingest.text import scrub

_MAGIC = b"PAR1"
_BATCH_ROWS = 1 << 8
# A page is refused if it has this many times the bytes of the whole file, which no text is
# compressed to: a value that is stored once may stand in any number of rows.
_MAX_RATIO = 1_000
_MIN_BOMB = 1 << 22  # characters of a page that is not refused for that
_MAX_TEXTS = 1 << 22  # characters of a batch whose rows are converted together; at most _MIN_BOMB
_BOMB = f"has more than {_MAX_RATIO:,} times the bytes of its file, as no page does"
_MAX_FINDERS = 4  # files whose slices are read in turn
_finders: dict[tuple[Any, ...], BombFinder] = {}
# A damaged file can make Polars panic. PanicException is not a subclass of Exception.
_DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


def cut_slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut a file into ranges of rows. A file that cannot be read becomes one slice."""
    size = 0
    try:
        size = file_size(source)
        rows: int = _scan(source).select(pl.len()).collect().item()
    except (SourceError, OSError, *_DAMAGE):
        return [Slice(source, "parquet", size=size)]
    slice_rows = max(1, -(-rows * shard_bytes // max(size, 1)))
    parts = []
    for start in range(0, max(rows, 1), slice_rows):
        stop = min(start + slice_rows, rows)
        stored = size * (stop - start) // max(rows, 1)
        parts.append(Slice(source, "parquet", start, stop, start, stored))
    return parts


def read_records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """Yield one record per row of a slice. If the file is damaged, the last one has an `error`.

    Row groups that are bombs are not read: each gives one record with an `error`.
    """
    number = part.start
    try:
        frame = _scan(part.source)
        schema = frame.collect_schema()
        columns = choose_from_schema(schema, settings)
        wanted = [select_path(schema, name) for name in dict.fromkeys(columns) if name]
        rows = frame.select(wanted)
        roots = {name for expression in wanted for name in expression.meta.root_names()}
        limit = settings.max_record_bytes
        least = min(limit, max(_MIN_BOMB, _MAX_RATIO * file_size(part.source)))
        for start, stop, bomb in _spans(part, _find_bombs(part, frozenset(roots))):
            number = start
            if bomb:
                if bomb.start >= part.start:  # the first of the slices that have its rows
                    yield Record(part.source, number, error=f"cannot be read: {bomb.describe()}")
                continue
            span = rows.slice(start, stop and stop - start)
            for batch in span.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True):
                texts = [name for name in (columns.html, columns.text) if name]
                sizes = _text_sizes(batch, texts)
                for row, size in zip(_iter_rows(batch, texts, sizes, least), sizes, strict=True):
                    record = tables.to_record(part.source, number, row, columns, least)
                    if size <= limit and record.error == too_large_message(least):
                        record = record._replace(error=_BOMB)
                    yield record
                    number += 1
            if stop and number < stop:  # Polars may stop at damage without an error
                yield Record(part.source, number, error=f"cannot be read from row {number} on")
                return
    except SourceError as error:
        if not part.first:  # reported once per file
            yield Record(part.source, error=str(error))
    except OSError as error:
        yield Record(part.source, number or None, error=describe_os_error(error))
    except _DAMAGE as error:
        reason = str(error).partition("\n")[0]
        yield Record(part.source, number, error=f"cannot be read from row {number} on: {reason}")


def _spans(part: Slice, bombs: Sequence[Bomb]) -> Iterator[tuple[int, int | None, Bomb | None]]:
    """Cut a slice into the rows of each bomb and those between; None is the end of the file."""
    start, end = part.start, part.stop or None
    for bomb in bombs:
        if bomb.stop <= start or (end and bomb.start >= end):
            continue
        if start < bomb.start:
            yield start, bomb.start, None
        start = bomb.stop if end is None else min(bomb.stop, end)
        yield max(bomb.start, part.start), start, bomb
    if end is None or start < end:
        yield start, end, None


def _find_bombs(part: Slice, columns: frozenset[str]) -> Sequence[Bomb]:
    """Return the row groups of a slice that must not be read.

    Of an object, that takes a request for each page of these row groups.
    """
    source = part.source
    with _open(source) as file:
        stamp = stamp_of_opened(source) if is_remote(source) else os.stat(source).st_mtime_ns
        key = source, columns, file_size(source), stamp
        if key not in _finders:
            _finders[key] = BombFinder(read_row_groups(file), columns)
            while len(_finders) > _MAX_FINDERS:
                del _finders[next(iter(_finders))]
        return _finders[key].find(file, part.start, part.stop or None)


def _open(source: str) -> BinaryIO:
    return open_ranges(source, HEAD) if is_remote(source) else open(source, "rb", buffering=0)


def _iter_rows(
    batch: pl.DataFrame, texts: list[str], sizes: list[int], limit: int
) -> Iterator[dict[str, Any]]:
    """The rows of a batch. Texts that are too large are cut just above the limit."""
    if sum(sizes) <= min(limit, _MAX_TEXTS):
        yield from batch.iter_rows(named=True)
        return
    kinds = {name: batch.schema[name] for name in texts}
    start = [
        *(pl.col(n).str.slice(0, limit + 1) for n, kind in kinds.items() if kind == pl.String),
        *(pl.col(n).bin.slice(0, limit + 1) for n, kind in kinds.items() if kind == pl.Binary),
    ]
    # All at once, for a frame of one row may copy what all rows have. Then one at a time, for
    # `iter_rows` converts 512 rows at once.
    cut = batch.with_columns(start)
    for at in range(len(cut)):
        yield cut.row(at, named=True)


def _text_sizes(batch: pl.DataFrame, texts: list[str]) -> list[int]:
    """The characters or bytes of the largest text of each row; 0 for columns of other types."""
    sizes = [pl.repeat(0, pl.len(), dtype=pl.UInt64)]
    for name in texts:
        if batch.schema[name] == pl.String:
            sizes.append(pl.col(name).str.len_chars().cast(pl.UInt64))
        elif batch.schema[name] == pl.Binary:
            sizes.append(pl.col(name).bin.size().cast(pl.UInt64))
    return batch.select(pl.max_horizontal(sizes)).to_series().to_list()


def find_columns(part: Slice, settings: ReadConfig) -> Columns | None:
    """The columns to read; None if there are none or the file cannot be read."""
    try:
        return choose_from_schema(_scan(part.source).collect_schema(), settings)
    except (SourceError, OSError, *_DAMAGE):
        return None


def _scan(source: str) -> pl.LazyFrame:
    with open_binary(source, HEAD) as file:  # for an error that is clearer than that of Polars
        head = file.read(HEAD)
        if not head.startswith(_MAGIC) and compression(source, head):
            raise SourceError("is Parquet inside a compressed file; decompress it first")
        if is_remote(source):
            url, options = polars_options(source)
            return scan_parquet(url, low_memory=True, storage_options=options)
        file.seek(0)
        # Polars rejects names that are not UTF-8. It duplicates the handle of an open file.
        path_or_file = source if scrub(source) == source else file
        return scan_parquet(path_or_file, low_memory=True)
