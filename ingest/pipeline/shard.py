"""The two steps of a run that process one shard at a time, in any process: label and finish.

Between them, `join_shards` compares the keys of all shards. No more than one batch of pages is in
memory at a time.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import zstandard

from ingest.articles import PAGE_COLUMNS, collect_articles
from ingest.config import Config
from ingest.dedup.clusters import add_clusters, article_signatures
from ingest.dedup.site_templates import find_sites, mark_template, short_lines
from ingest.detection import detect
from ingest.frames import ARTICLES, CLUSTERED, DETECTED, LABELLED, SEGMENTS, schema
from ingest.io.arrays import save_array
from ingest.io.opening import Stamp
from ingest.io.parquet import read_parquet, write_parquet
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.labelling import label
from ingest.pipeline.plan import check_unchanged, stamps_of
from ingest.pipeline.state import State
from ingest.pipeline.stats import (
    MAX_LISTED_ERRORS,
    count_by_role,
    count_by_source,
    count_corrected,
    count_pages,
    count_segments,
    merge_sources,
    sum_counts,
    sum_role_counts,
)
from ingest.pipeline.warnings import add_warnings
from ingest.readers import read_batches
from ingest.readers.records import Slice
from ingest.review.corrections import Corrections, parse_corrections
from ingest.review.segments import correct_segments
from ingest.segmentation import segment

ARTICLES_FILE = "articles.jsonl.zst"  # of a shard
# What is stored until the run is complete takes more room than its result. The lowest level of zstd
# saves a third of what lz4 and plain lines would take, in about the same time.
_LEVEL = 1
_COMPRESSOR = zstandard.ZstdCompressor(level=_LEVEL)

OUTPUT_SEGMENTS = schema(SEGMENTS, DETECTED, LABELLED, CLUSTERED)

BytesRead = Callable[[int], None]


class StepTimer:
    """Adds up the seconds spent in each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a function and add its time to a step."""
        started = time.perf_counter()
        try:
            return function(*args, **options)
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - started


def label_shard(
    state: State,
    number: int,
    shard: list[Slice],
    progress: BytesRead,
    *,
    stamps: dict[str, Stamp],
    config: Config,
) -> None:
    """Read, segment, detect and label a shard, and store its pages, segments and keys.

    The folder `state.labelled(number)` then has documents-*.parquet and segments-*.parquet, one of
    each per batch; keys.parquet (doc_id as UInt64, article) and values.npy, the signatures;
    lines.parquet, the short lines, whose `row` is an index into the keys; and report.json.

    Args:
        state: where to store the result.
        number: number of the shard.
        shard: what to read.
        progress: called with the number of stored bytes read so far.
        stamps: the stamp of each file at the start of the run.
        config: the settings.

    Raises:
        SourceError: a file has changed.
    """
    timer, slices = StepTimer(), _CountedSlices(shard)
    counts: list[dict[str, int]] = []
    sources: list[dict[str, Any]] = []
    in_error: list[dict[str, str]] = []
    left_out: Counter[str] = Counter()
    keys, values, lines = [], [], []
    rows = 0
    with state.store(state.labelled(number)) as work:
        batches = read_batches(
            slices, config.read, batch_chars=config.run.batch_chars, left_out=left_out
        )
        for batch in count():
            documents = timer("read", next, batches, None)
            if documents is None:
                break
            segments = timer("segment", segment, documents, config=config.segment)
            segments = timer("detect", detect, segments, config=config.detect)
            segments = timer("label", label, segments, config=config.label)
            signatures = timer("dedupe", article_signatures, segments)
            short = timer("dedupe", short_lines, segments, find_sites(documents), signatures.keys)
            keys.append(signatures.keys.with_columns(doc_id_to_number(pl.col("doc_id"))))
            values.append(signatures.values)
            lines.append(short.with_columns(pl.col("row") + rows))
            rows += len(signatures.keys)
            documents = add_warnings(documents, segments)
            timer("write", _write, documents, work / f"documents-{batch:05d}.parquet")
            timer("write", _write, segments, work / f"segments-{batch:05d}.parquet")
            counts.append(count_pages(documents))
            sources += count_by_source(documents)
            errors = documents.drop_nulls("error").select("uri", "error")
            in_error += errors.head(MAX_LISTED_ERRORS - len(in_error)).to_dicts()
            progress(slices.bytes_done)
        _write(pl.concat(keys), work / "keys.parquet")
        save_array(np.concatenate(values), work / "values.npy")
        _write(pl.concat(lines), work / "lines.parquet")
        check_unchanged(stamps, stamps_of(stamps))
        _write_report(
            work,
            counts=sum_counts(counts),
            sources=list(merge_sources(sources).values()),
            in_error=in_error,
            left_out=left_out,
            seconds=timer.seconds,
        )


def finish_shard(state: State, number: int, kept_roles: Sequence[str]) -> None:
    """Store the segments and articles of a labelled shard as they will be in OUT.

    Args:
        state: where the shard is, and the corrections of segments, if there are any.
        number: number of the shard.
        kept_roles: roles of the segments that the run keeps.
    """
    timer = StepTimer()
    counts: list[dict[str, int]] = []
    role_counts: list[pl.DataFrame] = []
    corrected: list[dict[str, int]] = []
    article_bytes = 0
    corrections = _parse_once(state.read_corrections())
    names = f"{number:06d}.parquet", "template.npy"
    with state.borrow(state.joined, *names) as joined:
        clusters = read_parquet(joined / names[0])
        template = pl.Series(np.load(joined / names[1]))
    with (
        state.borrow(state.labelled(number), "segments-*", "documents-*") as labelled,
        state.store(state.finished(number)) as work,
        zstandard.open(work / ARTICLES_FILE, "wb", _COMPRESSOR) as out,
    ):
        for path in sorted(labelled.glob("segments-*.parquet")):
            documents = read_parquet(
                path.with_name(path.name.replace("segments", "documents")),
                columns=PAGE_COLUMNS,
            )
            segments = timer("write", read_parquet, path)
            site = find_sites(documents)
            segments = timer("dedupe", mark_template, segments, site, template)
            segments = add_clusters(segments, clusters).select(OUTPUT_SEGMENTS.names())
            if corrections:
                before = segments
                result = correct_segments(segments, corrections, site, kept_roles=kept_roles)
                segments = result.segments
                corrected.append(count_corrected(before, result))
            timer("write", _write, segments, work / path.name)
            article_bytes += timer("write", _append_articles, segments, documents, out)
            counts.append(count_segments(segments))
            role_counts.append(count_by_role(segments))
        _write_report(
            work,
            counts=sum_counts(counts),
            corrected=sum_counts(corrected),
            by_role_and_lang=sum_role_counts(role_counts).to_dicts(),
            article_bytes=article_bytes,
            seconds=timer.seconds,
        )


@lru_cache(maxsize=1)  # a process finishes many shards
def _parse_once(corrections: bytes) -> Corrections:
    return parse_corrections(corrections, CORRECTIONS_FILE)


class _CountedSlices:
    """Iterates over slices and counts the stored bytes of those that are done."""

    def __init__(self, shard: Iterable[Slice]) -> None:
        self._shard = shard
        self.bytes_done = 0

    def __iter__(self) -> Iterator[Slice]:
        for item in self._shard:
            yield item
            self.bytes_done += item.size


def doc_id_to_number(doc_id: pl.Expr) -> pl.Expr:
    """Convert doc_ids to UInt64, which sort in the same order.

    >>> pl.select(doc_id_to_number(pl.lit("00000000000000ff"))).item()
    255
    """
    return doc_id.str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big")


def number_to_doc_id(numbers: pl.Series) -> pl.Series:
    """Convert UInt64 numbers back to doc_ids.

    >>> number_to_doc_id(pl.Series([255], dtype=pl.UInt64)).to_list()
    ['00000000000000ff']
    """
    digits = numbers.to_numpy().astype(">u8").tobytes().hex()
    return pl.Series(
        numbers.name, [digits[at : at + 16] for at in range(0, len(digits), 16)], pl.String
    )


def _write(frame: pl.DataFrame, path: Path) -> None:
    write_parquet(frame, path, level=_LEVEL)


def _append_articles(segments: pl.DataFrame, documents: pl.DataFrame, file: BinaryIO) -> int:
    """Write the articles of a batch, and return the size of their lines."""
    articles = collect_articles(segments, documents)
    lines = articles.select(schema(ARTICLES).names()).write_ndjson().encode()
    file.write(lines)
    return len(lines)


def _write_report(folder: Path, **report: Any) -> None:
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
