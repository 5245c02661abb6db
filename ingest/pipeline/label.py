"""The first step of a run, in any process: read, segment, detect and label one shard.

No more than one batch of pages is in memory at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.config import Config
from ingest.dedup.clusters import article_signatures
from ingest.dedup.site_templates import find_sites, short_lines
from ingest.detection import detect
from ingest.io.arrays import save_array
from ingest.io.opening import Stamp
from ingest.labelling import label
from ingest.pipeline.doc_ids import doc_id_to_number
from ingest.pipeline.plan import describe_changed, stamps_of
from ingest.pipeline.shard import StepTimer, write_frame, write_report
from ingest.pipeline.shard_records import ALL, Announce, Selection, ShardRecords
from ingest.pipeline.state import State
from ingest.pipeline.stats import (
    MAX_LISTED_ERRORS,
    count_by_source,
    count_pages,
    merge_sources,
    sum_counts,
)
from ingest.pipeline.warnings import add_warnings
from ingest.readers import read, read_batches
from ingest.readers.records import Slice
from ingest.segmentation import segment

BytesRead = Callable[[int], None]
BatchLimit = Callable[[], AbstractContextManager[None]]
"""Makes what each batch is processed in, such as a limit on its time."""


def label_shard(
    state: State,
    number: int,
    shard: list[Slice],
    progress: BytesRead,
    *,
    stamps: dict[str, Stamp],
    config: Config,
    batch_limit: BatchLimit = nullcontext,
) -> None:
    """Read, segment, detect and label a shard, and store its pages, segments and keys.

    The folder `state.labelled(number)` then has documents-*.parquet and segments-*.parquet, one of
    each per batch; keys.parquet (doc_id as UInt64, article) and values.npy, the signatures;
    lines.parquet, the short lines, whose `row` is an index into the keys or null; and report.json.

    Each slice of a file that has changed since the start of the run is one row with an `error`.

    Args:
        state: where to store the result.
        number: number of the shard.
        shard: what to read.
        progress: called with the number of stored bytes read so far.
        stamps: the stamp of each file at the start of the run.
        config: the settings.
        batch_limit: called for each batch.

    Raises:
        SourceError: an object could not be read to its end, but perhaps later.
    """
    lost: dict[str, str] = {}
    while True:
        records = ShardRecords(config.read, ALL, lost, None)
        try:
            with state.store(state.labelled(number)) as work:
                labelling = Labelling(config, work)
                labelling.run(records, shard, progress, batch_limit)
                labelling.write_keys(work)
                check_sources(stamps, lost)
                labelling.write_report(work, lost)
        except SourcesChangedError as error:  # what was read of them is dropped
            lost |= error.changed
        else:
            return


def rehearse_shard(
    shard: list[Slice],
    *,
    config: Config,
    selection: Selection,
    announce: Announce,
    batch_limit: BatchLimit,
) -> None:
    """Do what `label_shard` does with the selected records, but store nothing."""
    records = ShardRecords(config.read, selection, {}, announce)
    Labelling(config, None).run(records, shard, lambda _size: None, batch_limit)


def load_models(config: Config) -> None:
    """Label a harmless page, which loads what the first page needs."""
    documents = read(pl.DataFrame({"text": ["one word"]}))
    label(detect(segment(documents), config=config.detect), config=config.label)


class SourcesChangedError(Exception):
    """Sources have changed since the start of the run.

    Attributes:
        changed: which ones, and the `error` of their pages.
    """

    def __init__(self, changed: dict[str, str]) -> None:
        super().__init__()
        self.changed = changed


def check_sources(stamps: Mapping[str, Stamp], lost: Mapping[str, str]) -> None:
    """Raise if sources have changed.

    Args:
        stamps: the stamp of each at the start of the run.
        lost: those of which that is known.

    Raises:
        SourcesChangedError: others have.
    """
    left = {name: stamp for name, stamp in stamps.items() if name not in lost}
    if changed := describe_changed(left, stamps_of(left)):
        raise SourcesChangedError(changed)


class Labelling:
    """Batches of one shard, and what remains of them.

    Attributes:
        left_out: how many of the crawler's own records were left out, by what they are.

    Args:
        config: the settings.
        work: where the frames of each batch are written; None to write them nowhere.
        timer: what adds up the time of each step, if that has begun.
    """

    def __init__(self, config: Config, work: Path | None, timer: StepTimer | None = None) -> None:
        self.left_out: Counter[str] = Counter()
        self._config = config
        self._work = work
        self._timer = timer or StepTimer()
        self._counts: list[dict[str, int]] = []
        self._sources: list[dict[str, Any]] = []
        self._in_error: list[dict[str, str]] = []
        self._keys: list[pl.DataFrame] = []
        self._values: list[NDArray[np.uint16]] = []
        self._lines: list[pl.DataFrame] = []
        self._rows = 0

    def run(
        self,
        records: ShardRecords,
        shard: list[Slice],
        progress: BytesRead,
        batch_limit: BatchLimit,
    ) -> None:
        """Process all batches, and report each once it is done."""
        slices = CountedSlices(shard)
        batches = batches_of(records, slices, self._config)
        for batch in count():
            with batch_limit():
                documents = self._timer("read", next, batches, None)
                if documents is None:
                    break
                self.process(batch, documents)
            records.take(len(documents), self.left_out)
            records.announce(rows=len(documents))
            progress(slices.bytes_done)
        records.take(None, self.left_out)

    def process(self, batch: int, documents: pl.DataFrame) -> None:
        """Segment, detect and label the pages of a batch."""
        timer, config = self._timer, self._config
        segments = timer("segment", segment, documents, config=config.segment)
        segments = timer("detect", detect, segments, config=config.detect)
        segments = timer("label", label, segments, config=config.label)
        signatures = timer("dedupe", article_signatures, segments)
        short = timer("dedupe", short_lines, segments, find_sites(documents), signatures.keys)
        self._keys.append(signatures.keys.with_columns(doc_id_to_number(pl.col("doc_id"))))
        self._values.append(signatures.values)
        self._lines.append(short.with_columns(pl.col("row") + self._rows))
        self._rows += len(signatures.keys)
        documents = add_warnings(documents, segments)
        for name, frame in (("documents", documents), ("segments", segments)):
            file = self._work / f"{name}-{batch:05d}.parquet" if self._work else BytesIO()
            timer("write", write_frame, frame, file)
        self._counts.append(count_pages(documents))
        self._sources += count_by_source(documents)
        errors = documents.drop_nulls("error").select("uri", "error")
        self._in_error += errors.head(MAX_LISTED_ERRORS - len(self._in_error)).to_dicts()

    def write_keys(self, work: Path) -> None:
        """Write what the join of all shards needs."""
        write_frame(pl.concat(self._keys), work / "keys.parquet")
        save_array(np.concatenate(self._values), work / "values.npy")
        write_frame(pl.concat(self._lines), work / "lines.parquet")

    def write_report(self, work: Path, lost: Mapping[str, str], **more: Any) -> None:
        """Write what run.json needs, and more."""
        write_report(
            work,
            counts=sum_counts(self._counts),
            sources=list(merge_sources(self._sources).values()),
            in_error=self._in_error,
            left_out=self.left_out,
            changed=lost,
            sizes={"keys": self._rows, "lines": sum(map(len, self._lines))},
            seconds=self._timer.seconds,
            **more,
        )


def batches_of(
    records: ShardRecords, slices: CountedSlices, config: Config
) -> Iterator[pl.DataFrame]:
    """Yield the pages of a shard in batches; at least one, which may be empty."""
    return read_batches(
        slices,
        config.read,
        batch_chars=config.run.batch_chars,
        batch_pages=records.selection.batch_pages,
        reader=records.read,
    )


class CountedSlices:
    """Iterates over slices and counts the stored bytes of those that are done."""

    def __init__(self, shard: Iterable[Slice]) -> None:
        self._shard = shard
        self.bytes_done = 0

    def __iter__(self) -> Iterator[Slice]:
        for item in self._shard:
            yield item
            self.bytes_done += item.size
