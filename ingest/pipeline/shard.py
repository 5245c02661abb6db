"""The last step of a run on one shard, in any process, and what the steps on shards share.

Before it, `join_shards` compares the keys of all shards. No more than one batch of pages is in
memory at a time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import zstandard

from ingest.articles import PAGE_COLUMNS, collect_articles
from ingest.dedup.clusters import add_clusters
from ingest.dedup.site_templates import find_sites, mark_template
from ingest.frames import ARTICLES, CLUSTERED, DETECTED, LABELLED, SEGMENTS, schema
from ingest.io.parquet import read_parquet, write_parquet
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.pipeline.join_files import read_final
from ingest.pipeline.state import State
from ingest.pipeline.stats import (
    count_by_role,
    count_corrected,
    count_segments,
    sum_counts,
    sum_role_counts,
)
from ingest.review.corrections import Corrections, parse_corrections
from ingest.review.segments import correct_segments

ARTICLES_FILE = "articles.jsonl.zst"  # of a shard
# What is stored until the run is complete takes more room than its result. The lowest level of zstd
# saves a third of what lz4 and plain lines would take, in about the same time.
_LEVEL = 1
_COMPRESSOR = zstandard.ZstdCompressor(level=_LEVEL)

OUTPUT_SEGMENTS = schema(SEGMENTS, DETECTED, LABELLED, CLUSTERED)


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
    clusters, template = read_final(state, number)
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
            timer("write", write_frame, segments, work / path.name)
            article_bytes += timer("write", _append_articles, segments, documents, out)
            counts.append(count_segments(segments))
            role_counts.append(count_by_role(segments))
        write_report(
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


def write_frame(frame: pl.DataFrame, file: Path | BytesIO) -> None:
    """Write a frame of a shard, which is read again soon."""
    if isinstance(file, Path):
        write_parquet(frame, file, level=_LEVEL)
    else:
        frame.write_parquet(file, compression_level=_LEVEL)


def _append_articles(segments: pl.DataFrame, documents: pl.DataFrame, file: BinaryIO) -> int:
    """Write the articles of a batch, and return the size of their lines."""
    articles = collect_articles(segments, documents)
    lines = articles.select(schema(ARTICLES).names()).write_ndjson().encode()
    file.write(lines)
    return len(lines)


def write_report(folder: Path, **report: Any) -> None:
    """Write what a step says of a shard."""
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
