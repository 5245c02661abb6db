"""Label a shard in pieces that stay where the process ends, so that the next one goes on there.

A piece is what one batch gives. It has the files of a labelled shard. When all pieces are there,
they are put together: the result is that of `ingest.pipeline.label.label_shard`.
"""

from __future__ import annotations

import shutil
import time
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

import numpy as np
import polars as pl

from ingest.config import Config
from ingest.io.arrays import save_array
from ingest.io.memory import peak_memory
from ingest.io.opening import Stamp
from ingest.io.parquet import read_parquet
from ingest.io.streams import reporting_reads
from ingest.pipeline.label import (
    BatchLimit,
    BytesRead,
    CountedSlices,
    Labelling,
    SourcesChangedError,
    batches_of,
    check_sources,
)
from ingest.pipeline.shard import StepTimer, write_frame, write_report
from ingest.pipeline.shard_records import Announce, PageKey, Selection, ShardRecords
from ingest.pipeline.state import State
from ingest.pipeline.stats import ReportTotals
from ingest.readers import read_batches
from ingest.readers.records import Slice


def label_in_pieces(
    state: State,
    number: int,
    shard: list[Slice],
    progress: BytesRead,
    *,
    stamps: dict[str, Stamp],
    config: Config,
    selection: Selection,
    announce: Announce,
    batch_limit: BatchLimit,
) -> None:
    """Do what `ingest.pipeline.label.label_shard` does, from the last piece that is there.

    Args:
        state: where the pieces are, and the result goes.
        number: number of the shard.
        shard: what to read.
        progress: called with the number of stored bytes read so far.
        stamps: the stamp of each file at the start of the run.
        config: the settings.
        selection: which records cannot be processed, and the size of batches.
        announce: called before and after each record is read.
        batch_limit: called for each batch.

    Raises:
        SourceError: an object could not be read to its end, but perhaps later.
    """
    lost: dict[str, str] = {}
    while True:
        reports = list(state.read_reports(state.pieces(number)))
        for report in reports:
            lost |= report["changed"]
        following = reports[-1]["next"] if reports else (0, 0)
        if following is None:
            break
        first = following[0], following[1]
        records = ShardRecords(config.read, selection._replace(first=first), lost, announce)
        pieces = _Pieces(state, number, shard, records, config)
        try:
            pieces.label(len(reports), progress, stamps, batch_limit)
        except SourcesChangedError as error:
            lost |= error.changed
            state.remove_pieces(number)
    join_pieces(state, number)


class _Pieces:
    """Makes the pieces of a shard, from a record on."""

    def __init__(
        self,
        state: State,
        number: int,
        shard: list[Slice],
        records: ShardRecords,
        config: Config,
    ) -> None:
        self._state = state
        self._number = number
        self._slices = _MeasuredSlices(shard)
        self._records = records
        self._config = config
        self._batches = batches_of(records, self._slices, config)

    def label(
        self,
        start: int,
        progress: BytesRead,
        stamps: dict[str, Stamp],
        batch_limit: BatchLimit,
    ) -> None:
        """Make the pieces from number `start` to the end."""
        with self._slices.measure():
            for index in count(start):
                with batch_limit():
                    rows = self._make(index, stamps)
                if rows is None:
                    return
                self._records.announce(rows=rows)
                progress(self._slices.bytes_done)

    def _make(self, index: int, stamps: dict[str, Stamp]) -> int | None:
        """Make a piece; return the number of its pages, None if it is the end of the shard."""
        started = time.perf_counter()
        timer = StepTimer()
        documents = timer("read", next, self._batches, None)
        rows = None if documents is None else len(documents)
        if documents is None:
            documents = next(read_batches([], self._config.read))
        with self._state.store(self._state.piece(self._number, index)) as work:
            labelling = Labelling(self._config, work, timer)
            labelling.process(0, documents)
            labelling.write_keys(work)
            following = self._records.take(rows, labelling.left_out)
            check_sources(stamps, self._records.lost)
            labelling.write_report(
                work,
                self._records.lost,
                next=following,
                stored=self._slices.stored_before(following),
                elapsed=time.perf_counter() - started,
                memory=peak_memory(),
            )
        return rows


class _MeasuredSlices(CountedSlices):
    """Also counts the stored bytes that are read of a slice."""

    def __init__(self, shard: list[Slice]) -> None:
        super().__init__(self._yield(shard))
        self._sizes = [item.size for item in shard]
        self._at = -1
        self._read = 0

    def _yield(self, shard: list[Slice]) -> Any:
        for self._at, item in enumerate(shard):
            self._read = 0
            yield item

    def measure(self) -> AbstractContextManager[None]:
        """Count what is read during the block."""

        def add(size: int) -> None:
            self._read += size

        return reporting_reads(add)

    def stored_before(self, key: PageKey | None) -> int:
        """Return about how many stored bytes are before a record; all if there is none."""
        if key is None:
            return sum(self._sizes)
        done = key[0] + (key[0] < self._at)
        current = min(self._read, self._sizes[self._at]) if done == self._at else 0
        return sum(self._sizes[:done]) + current


def join_pieces(state: State, number: int) -> None:
    """Put the pieces of a shard together as the labelled shard, and remove them."""
    with state.store(state.labelled(number)) as work:
        keys: list[pl.DataFrame] = []
        lines: list[pl.DataFrame] = []
        values: list[np.ndarray[Any, Any]] = []
        rows = 0
        pieces = state.pieces(number)
        for index, folder in enumerate(pieces):
            with state.borrow(folder, "*") as piece:
                for name in ("documents", "segments"):
                    shutil.copyfile(
                        piece / f"{name}-00000.parquet", work / f"{name}-{index:05d}.parquet"
                    )
                keys.append(read_parquet(piece / "keys.parquet"))
                lines.append(
                    read_parquet(piece / "lines.parquet").with_columns(pl.col("row") + rows)
                )
                values.append(np.load(piece / "values.npy"))
                rows += len(keys[-1])
        write_frame(pl.concat(keys), work / "keys.parquet")
        save_array(np.concatenate(values), work / "values.npy")
        write_frame(pl.concat(lines), work / "lines.parquet")
        reports = list(state.read_reports(pieces))
        totals = ReportTotals(reports)
        write_report(
            work,
            counts=totals.counts,
            sources=list(totals.sources.values()),
            in_error=totals.in_error,
            left_out=totals.left_out,
            changed=totals.changed,
            sizes={"keys": rows, "lines": sum(map(len, lines))},
            seconds=totals.seconds,
            stored=reports[-1]["stored"],
            elapsed=sum(report["elapsed"] for report in reports),
            memory=max(report["memory"] for report in reports),
        )
    state.remove_pieces(number)
