"""The two halves of a run that look at one shard at a time, in whatever process.

Between them stands what only the keys of all shards together can tell. Nothing holds more than a
batch of pages.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from ingest.config import Config
from ingest.dedup.clusters import article_signatures, with_clusters
from ingest.dedup.site_templates import short_lines, sites, without_template
from ingest.detection import detect
from ingest.frames import CLUSTERED, DETECTED, LABELLED, SEGMENTS, schema
from ingest.io.atomic import atomic_folder
from ingest.labelling import label
from ingest.pipeline.plan import Stamp, refuse_changes, stamp
from ingest.pipeline.state import State
from ingest.pipeline.stats import (
    SHOWN,
    by_role_and_lang,
    by_source,
    merged,
    of_pages,
    of_segments,
    summed,
    totals,
)
from ingest.readers import read_batches
from ingest.readers.records import Slice
from ingest.segmentation import segment

SEGMENTS_OUT = schema(SEGMENTS, DETECTED, LABELLED, CLUSTERED)

Tell = Callable[[int], None]


class Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, step: str, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(*args, **options)
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - began


def label_shard(
    state: State,
    number: int,
    shard: list[Slice],
    tell: Tell,
    *,
    stamps: dict[str, Stamp],
    config: Config,
) -> None:
    """First half: read, segment, detect, label; leaves a part with its pages, segments and keys.

    A part holds documents-*.parquet and segments-*.parquet, one of each a batch; keys.parquet
    (doc_id as UInt64, article) and values.npy, the signatures; lines.parquet, the short lines,
    whose `row` counts from the first key of the part; and report.json.

    Args:
        state: where the part goes.
        number: of the shard.
        shard: what to read.
        tell: called with the number of stored bytes that reading has come to.
        stamps: of the files in it, as they were when the run began.
        config: the settings.

    Raises:
        SourceError: a file is no longer what it was.
    """
    clock, begun = Clock(), _Begun(shard)
    counts: list[dict[str, int]] = []
    sources: list[dict[str, Any]] = []
    in_error: list[dict[str, str]] = []
    keys, values, lines = [], [], []
    rows = 0
    with atomic_folder(state.part(number)) as work:
        pages = read_batches(begun, config.read, batch_chars=config.run.batch_chars)
        for batch in range(1 << 62):
            documents = clock("read", next, pages, None)
            if documents is None:
                break
            segments = clock("segment", segment, documents, config=config.segment)
            segments = clock("detect", detect, segments, config=config.detect)
            segments = clock("label", label, segments)
            found = clock("dedupe", article_signatures, segments)
            short = clock("dedupe", short_lines, segments, sites(documents), found.keys)
            keys.append(found.keys.with_columns(from_hex(pl.col("doc_id"))))
            values.append(found.values)
            lines.append(short.with_columns(pl.col("row") + rows))
            rows += len(found.keys)
            clock("write", _write, documents, work / f"documents-{batch:05d}.parquet")
            clock("write", _write, segments, work / f"segments-{batch:05d}.parquet")
            counts.append(of_pages(documents))
            sources += by_source(documents)
            bad = documents.drop_nulls("error").select("uri", "error")
            in_error += bad.head(SHOWN - len(in_error)).to_dicts()
            tell(begun.size)
        _write(pl.concat(keys), work / "keys.parquet")
        np.save(work / "values.npy", np.concatenate(values))
        _write(pl.concat(lines), work / "lines.parquet")
        refuse_changes(stamps, {source: stamp(source) for source in stamps})
        _report(
            work,
            counts=totals(counts),
            sources=list(merged(sources).values()),
            in_error=in_error,
            seconds=clock.seconds,
        )


def finish_shard(state: State, number: int) -> None:
    """Second half: leave a piece, the segments and articles of the shard as OUT will have them."""
    clock = Clock()
    counts: list[dict[str, int]] = []
    spread: list[pl.DataFrame] = []
    part = state.part(number)
    clusters = pl.read_parquet(state.joined / f"{number:06d}.parquet")
    template = pl.Series(np.load(state.joined / "template.npy"))
    with atomic_folder(state.piece(number)) as work, (work / "articles.jsonl").open("wb") as file:
        for path in sorted(part.glob("segments-*.parquet")):
            columns = ["doc_id", "source", "url"]
            documents = pl.read_parquet(
                path.with_name(path.name.replace("segments", "documents")), columns=columns
            )
            segments = clock("write", pl.read_parquet, path)
            segments = clock("dedupe", without_template, segments, sites(documents), template)
            segments = with_clusters(segments, clusters).select(SEGMENTS_OUT.names())
            clock("write", _write, segments, work / path.name)
            clock("write", _append_articles, segments, documents, file)
            counts.append(of_segments(segments))
            spread.append(by_role_and_lang(segments))
        _report(
            work,
            counts=totals(counts),
            by_role_and_lang=summed(spread).to_dicts(),
            seconds=clock.seconds,
        )


class _Begun:
    """Slices, and how many stored bytes are behind the one that was asked for last."""

    def __init__(self, shard: Iterable[Slice]) -> None:
        self._shard = shard
        self.size = 0

    def __iter__(self) -> Iterator[Slice]:
        for part in self._shard:
            yield part
            self.size += part.size


def articles(segments: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """One row an article that has kept text, in page order.

    Columns: doc_id, source, article, cluster, lang (of most of its kept text), headline (null
    where none was found), text (kept segments, one a line), lines ([first, last] line of the
    page's text of each of them).
    """
    kept = segments.filter("keep").with_columns(weight=pl.col("text").str.len_chars())
    same = ["doc_id", "article"]
    lang = (
        kept.group_by(*same, "lang")
        .agg(pl.col("weight").sum())
        .sort("weight", "lang", descending=[True, False])
        .unique(same, keep="first", maintain_order=True)
        .select(*same, "lang")
    )
    # a segment never holds a newline, so text.split("\n") goes with lines
    return (
        kept.group_by(same, maintain_order=True)
        .agg(
            pl.col("cluster").first(),
            headline=pl.col("text").filter(pl.col("role") == "headline").first(),
            text=pl.col("text").str.join("\n"),
            lines=pl.concat_list("line", "line"),
        )
        .join(lang, on=same, how="left", maintain_order="left")
        .join(documents.select("doc_id", "source"), on="doc_id", how="left", maintain_order="left")
        .select("doc_id", "source", "article", "cluster", "lang", "headline", "text", "lines")
    )


def from_hex(doc_id: pl.Expr) -> pl.Expr:
    """The number that a doc_id spells, which sorts as the doc_id does.

    >>> pl.select(from_hex(pl.lit("00000000000000ff"))).item()
    255
    """
    return doc_id.str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big")


def to_hex(numbers: pl.Series) -> pl.Series:
    """The doc_ids that numbers stand for.

    >>> to_hex(pl.Series([255], dtype=pl.UInt64)).to_list()
    ['00000000000000ff']
    """
    spelt = numbers.to_numpy().astype(">u8").tobytes().hex()
    return pl.Series(
        numbers.name, [spelt[at : at + 16] for at in range(0, len(spelt), 16)], pl.String
    )


def _write(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, compression="lz4")


def _append_articles(segments: pl.DataFrame, documents: pl.DataFrame, file: BinaryIO) -> None:
    articles(segments, documents).write_ndjson(file)


def _report(folder: Path, **report: Any) -> None:
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
