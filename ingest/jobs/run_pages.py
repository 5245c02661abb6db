"""Read the segments of a run in batches of whole pages, with what is known about the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from ingest._typing import Progress
from ingest.articles import PAGE_COLUMNS
from ingest.errors import FrameError, SourceError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.io.parquet import scan_parquet
from ingest.io.remake import describe_damage
from ingest.io.snapshot import Snapshot
from ingest.pipeline.doc_ids import doc_id_to_number

_BATCH_ROWS = 1 << 16


class RunPages:
    """The pages of a run. At most one batch of them is in memory, and eight bytes per page.

    Args:
        folder: OUT of the run.
        progress: called with the number of segments read, and of all segments to read.
        passes: how often all segments are read.

    Raises:
        SourceError: a file is missing or cannot be read.
        FrameError: a file lacks a column.
    """

    def __init__(self, folder: Path, progress: Progress | None = None, passes: int = 1) -> None:
        self._segments = folder / "segments.parquet"
        self._documents = folder / "documents.parquet"
        self._file, self.segments = _scan(self._segments)
        self._documents_file, self._pages = _scan(self._documents)
        self.columns: pl.Schema = self._file.read(self.segments.collect_schema)
        self.count = int(self._file.read(self.segments.select(pl.len()).collect).item())
        expected = schema(SEGMENTS, DETECTED, LABELLED)
        _check(self._segments, self.columns, expected)
        columns = self._documents_file.read(self._pages.collect_schema)
        names = {name: schema(DOCUMENTS)[name] for name in PAGE_COLUMNS}
        _check(self._documents, columns, pl.Schema(names))
        numbers = self._pages.select(doc_id_to_number(pl.col("doc_id")))
        self._ids: pl.Series = self._documents_file.read(numbers.collect)["doc_id"]
        self._progress, self._done, self._to_read = progress, 0, passes * self.count

    def batches(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """Yield segments of whole pages, and PAGE_COLUMNS of the pages. May be called again.

        Raises:
            SourceError: a file cannot be read or has changed, or the files are of different runs.
        """
        rest = pl.DataFrame(schema=self.columns)
        for start in range(0, self.count, _BATCH_ROWS):
            batch: pl.DataFrame = self._file.read(self.segments.slice(start, _BATCH_ROWS).collect)
            size = len(batch)
            batch = pl.concat([rest, batch])
            is_last = start + _BATCH_ROWS >= self.count
            # the last page may go on in the next batch
            other = batch["doc_id"].ne_missing(batch["doc_id"][-1]).arg_true()
            cut = len(batch) if is_last else (int(other[-1]) + 1 if len(other) else 0)
            rest = batch[cut:]
            if cut:
                yield batch[:cut], self._find_documents(batch[:cut])
            self._done = min(self._done + size, self._to_read)
            if self._progress:
                self._progress(self._done, self._to_read)

    def _find_documents(self, segments: pl.DataFrame) -> pl.DataFrame:
        ends = segments[[0, -1]].select(doc_id_to_number(pl.col("doc_id"))).to_series()
        first, last = (self._ids.index_of(number) for number in ends)
        if first is None or last is None:
            what = f"lacks a page of {self._segments.name}"
            raise SourceError(describe_damage(self._documents, what))
        pages = self._pages.select(PAGE_COLUMNS).slice(first, last - first + 1)
        documents: pl.DataFrame = self._documents_file.read(pages.collect)
        return documents


def _scan(path: Path) -> tuple[Snapshot, pl.LazyFrame]:
    if not path.is_file():
        raise SourceError(f"{path}: no such file; give the OUT folder of ingest run")
    return Snapshot(path), scan_parquet(path)


def _check(path: Path, columns: pl.Schema, expected: pl.Schema) -> None:
    for name, dtype in expected.items():
        if columns.get(name) != dtype:
            actual = columns.get(name, "missing")
            raise FrameError(f"{path}: column {name!r} is {actual}, must be {dtype}")
