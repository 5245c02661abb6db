"""Read and write Parquet files, and make lazy frames of batches.

Every Parquet file is opened here: Polars itself takes `[`, `*` and `?` in a path for a pattern, and
`lang=ar` in a folder for a column. A rule of the linter forbids its readers elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import polars as pl
from polars.io.plugins import register_io_source

from ingest._typing import Batches
from ingest.io.file_kinds import check_is_file

PAIR_ROWS = 1 << 15  # pairs in a row group: about 20 MB of text

UNEXPLAINED = "transport error"  # in an error of Polars: a file could not be written
_PROBE = 1 << 16  # bytes: more than the file system has left in a block that is in use

ParquetSource: TypeAlias = "str | os.PathLike[str] | BinaryIO | bytes"


def scan_parquet(
    source: ParquetSource | Sequence[Path],
    *,
    low_memory: bool = False,
    storage_options: Mapping[str, str] | None = None,
) -> pl.LazyFrame:
    """Return a lazy frame of a file, or of several with the same columns.

    Args:
        source: a path, taken literally; paths; a URL; or an open file or its content.
        low_memory: read less at a time.
        storage_options: for a URL, all that is needed to read it.

    Raises:
        OSError: a path is that of a folder, a pipe or another thing that is not a file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory(suffix="[1]") as folder:
    ...     sink([pl.DataFrame({"a": [1, 2]})], pl.Schema({"a": pl.Int64()}), Path(folder, "*"))
    ...     scan_parquet(Path(folder, "*")).select(pl.len()).collect().item()
    2
    """
    with ExitStack() as opened:
        located: Any = source
        if storage_options is None:
            if isinstance(source, (str, os.PathLike)):
                check_is_file(source)
                [located] = _locate([source], opened)
            elif isinstance(source, Sequence) and not isinstance(source, bytes):
                located = _locate(source, opened)
        return pl.scan_parquet(
            located,
            glob=False,
            hive_partitioning=False,
            low_memory=low_memory,
            storage_options=None if storage_options is None else dict(storage_options),
            credential_provider=None,
        )


def _locate(paths: Sequence[str | os.PathLike[str]], opened: ExitStack) -> list[Any]:
    """Return what Polars takes for each of these files: their paths, or the open files.

    It takes the start of `file:x` for that of a URL, and no path that is not UTF-8. Of an open
    file, it keeps a descriptor of its own.
    """
    whole = [os.path.abspath(path) for path in paths]
    if all(map(_is_utf8, whole)):
        return whole
    return [opened.enter_context(open(path, "rb")) for path in whole]


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_parquet(source: ParquetSource, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read a file, or these columns of it.

    Args:
        source: a path, taken literally; or an open file or its content.
        columns: the names of the columns to read, in this order; all if None.
    """
    scan = scan_parquet(source)
    return (scan if columns is None else scan.select(columns)).collect()


def sink(
    batches: Iterable[pl.DataFrame], columns: pl.Schema, to: Path, *, rows: int = PAIR_ROWS
) -> None:
    """Write frames to one file in order. A few row groups are held in memory.

    Args:
        batches: frames with these columns.
        columns: the schema of the file.
        to: the file to write.
        rows: rows per row group. They do not depend on the batches, so neither do the bytes.
    """

    def frames(*_pushed_down: Any) -> Iterator[pl.DataFrame]:
        return iter(batches)

    sink_lazy(register_io_source(frames, schema=columns), to, rows=rows)


def sink_lazy(frame: pl.LazyFrame, to: Path, *, rows: int | None = None) -> None:
    """Write a lazy frame to one file in row order.

    Args:
        frame: the frame.
        to: the file to write.
        rows: rows per row group; chosen by Polars if None.
    """
    # If given a path, Polars opens the file in a background thread, sometimes after it has already
    # raised an error. A file that the caller removed would then appear again.
    with _open_to_write(to) as file:
        frame.sink_parquet(file, row_group_size=rows, maintain_order=True)


def write_parquet(
    frame: pl.DataFrame,
    to: Path,
    *,
    compression: Literal["lz4", "zstd"] = "zstd",
    level: int | None = None,
) -> None:
    """Write a frame to one file.

    Args:
        frame: the frame.
        to: the file to write.
        compression: how its columns are compressed.
        level: how much, for zstd; chosen by Polars if None.

    Raises:
        OSError: the file cannot be written.
    """
    with _open_to_write(to) as file:
        frame.write_parquet(file, compression=compression, compression_level=level)


@contextmanager
def _open_to_write(path: Path) -> Iterator[BinaryIO]:
    """Open a file for Polars, and let the system say why if it cannot be written.

    Where the end of a file does not fit on the disk, Polars says no more than that it failed.
    """
    with path.open("wb") as file:
        try:
            yield file
        except pl.exceptions.ComputeError as error:
            if UNEXPLAINED in str(error):
                file.write(bytes(_PROBE))
                file.flush()
            raise


def stream(batches: Batches, columns: pl.Schema) -> pl.LazyFrame:
    """A lazy frame of batches, which are made one by one when it is collected.

    Args:
        batches: makes the batches, in order; called once per query.
        columns: their schema.

    >>> lazy = stream(lambda: iter([pl.DataFrame({"a": [1, 2]})]), pl.Schema({"a": pl.Int64()}))
    >>> lazy.filter(pl.col("a") > 1).collect().rows()
    [(2,)]
    """

    def frames(
        names: list[str] | None, condition: pl.Expr | None, limit: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        left = limit
        for frame in batches():
            batch = frame
            if left is not None:
                batch = frame.head(left)
                left -= len(batch)
            if condition is not None:
                batch = batch.filter(condition)
            yield batch if names is None else batch.select(names)
            if left == 0:
                return

    return register_io_source(frames, schema=columns)
