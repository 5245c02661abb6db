"""Pair the pages of a run (`ingest pair OUT`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from ingest._typing import Progress
from ingest.config import AlignConfig, Config
from ingest.encoder.model import Encoder
from ingest.errors import SourceError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import scan_parquet, write_parquet
from ingest.io.run_files import refuse_incomplete
from ingest.jobs.damage import names_damage
from ingest.pairing import (
    MIN_SCORE,
    SEGMENT_COLUMNS,
    check_columns,
    check_pairing,
    match_units,
)
from ingest.pairing.units import join_units, unit_rows
from ingest.pairing.urls import DOCUMENT_COLUMNS, collect_page_urls
from ingest.pipeline.executors import Executor
from ingest.pipeline.row_groups import RowSlices, describe_one_task, map_rows
from ingest.pipeline.row_part import RowCall, RowFunction

TASK_SEGMENTS = 1 << 14  # a few seconds of work
_DOCUMENT_ROWS, _SEGMENT_ROWS = 1 << 12, 1 << 16  # rows read at a time


@dataclass(frozen=True)
class PairResult:
    """Counts of what was paired. A unit is the text of one article in one language.

    Attributes:
        units: units of each language.
        pairs: pairs of units.
        unpaired: units without a partner.
        messages: what the user should know, one line each.
        in_error: inputs that failed; always 0.

    >>> str(PairResult({"ar": 3, "en": 2}, pairs=2, unpaired=1))
    '3 ar, 2 en: 2 pairs, 1 without a partner'
    """

    units: dict[str, int]
    pairs: int
    unpaired: int
    messages: list[str] = field(default_factory=list)
    in_error: int = 0

    def __str__(self) -> str:
        sides = ", ".join(f"{count:,} {lang}" for lang, count in self.units.items())
        return f"{sides}: {self.pairs:,} pairs, {self.unpaired:,} without a partner"


@names_damage("out")
def pair_run(
    out: str | Path,
    to: str | Path | None = None,
    *,
    config: AlignConfig | None = None,
    min_score: float = MIN_SCORE,
    overwrite: bool = False,
    executor: Executor = Executor(),  # noqa: B008
    progress: Progress | None = None,
) -> PairResult:
    """Pair the pages of a run, and write the frame that `pair_pages` returns to a Parquet file.

    Text is read one row group at a time. Each unit takes about 10 kB of memory: its vector, the
    vectors of its first segments in one byte per number, and hashes of its numbers and Latin words.
    Units with near-copies are read again; each distinct sentence of theirs takes another 0.5 kB.

    Args:
        out: folder written by `ingest run`.
        to: file to write; pages.parquet in `out` if None.
        config: as in `pair_pages`.
        min_score: as in `pair_pages`.
        overwrite: replace `to`.
        executor: where units are encoded. The bytes of `to` are the same everywhere. All nodes of
            a Ray cluster must see `out` and the folder of `to`.
        progress: called with the number of segments read and encoded, and of all segments.

    Raises:
        SourceError: `out` is not the folder of a run, its files cannot be read, or they change.
        FrameError: a file lacks a column.
        ConfigError: as in `pair_pages`; or the Ray cluster cannot be reached, or a node of it
            differs.
        MissingExtraError: the extra `ray` is needed and not installed.
        OutputError: `to` exists, is an input, or is being written by another process.
        WriteError: `to` could not be written, its parent folder does not exist, or a worker was
            lost.
    """
    executor.check()
    config = config or AlignConfig()
    langs = check_pairing(config, min_score)
    folder = Path(out)
    target = Path(to) if to is not None else folder / "pages.parquet"
    paths = [folder / name for name in ("documents.parquet", "segments.parquet")]
    for path in paths:
        if not path.is_file():
            refuse_incomplete(out)
            raise SourceError(f"{out}: has no {path.name}; give a folder that ingest run made")
    check_output(target, overwrite=overwrite, inputs=paths)
    encoder = Encoder.load(config.encoder or None)
    try:
        documents, segments = (scan_parquet(path) for path in paths)
        check_columns(documents, DOCUMENT_COLUMNS, schema(DOCUMENTS))
        check_columns(segments, SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
        urls = collect_page_urls(read_batches(documents, DOCUMENT_COLUMNS, _DOCUMENT_ROWS))
        slices = RowSlices.of(paths[1], cut_at_pages(segments, TASK_SEGMENTS), SEGMENT_COLUMNS)
    except (pl.exceptions.ComputeError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    total = sum(count for _, count in slices.slices)
    call = RowCall(prepare_units, Config(align=config))
    with map_rows(slices, call, executor, out=target, report=_add_up(progress, total)) as parts:
        units = join_units(parts, langs, encoder.dim)

    def read() -> Iterator[pl.DataFrame]:
        return split_at_pages(read_batches(segments, SEGMENT_COLUMNS, _SEGMENT_ROWS, progress))

    try:
        pages = match_units(units, urls, read, encoder=encoder, langs=langs, min_score=min_score)
    except (pl.exceptions.ComputeError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    with atomic_write(target) as work:
        write_parquet(pages, work)
    pairs = pages["score"].count()
    counts = {lang: len(side.keys) for lang, side in zip(langs, units, strict=True)}
    messages = describe_one_task(executor, total, "segment", TASK_SEGMENTS)
    return PairResult(counts, pairs, unpaired=len(pages) - pairs, messages=messages)


def prepare_units(config: Config) -> RowFunction:
    """Return what builds the units of whole pages, for `map_rows`."""
    encoder = Encoder.load(config.align.encoder or None)
    langs = config.align.langs or ("ar", "en")
    return lambda segments: unit_rows(segments.filter("keep"), langs, encoder)


def _add_up(progress: Progress | None, total: int) -> Callable[[int], None]:
    """Return what reports some more segments as progress."""
    done = 0

    def report(rows: int) -> None:
        nonlocal done
        done += rows
        if progress:
            progress(done, total)

    return report


def cut_at_pages(segments: pl.LazyFrame, rows: int) -> list[tuple[int, int]]:
    """Cut segments into slices of at least `rows` rows that end at the end of a page.

    Args:
        segments: segments sorted by page.
        rows: the least rows of a slice, except for the last one.

    Returns:
        The first row, and the number of rows, of each slice.

    >>> cut_at_pages(pl.LazyFrame({"doc_id": ["a", "b", "b", "c"]}), 2)
    [(0, 3), (3, 1)]
    """
    ends: list[int] = []  # of the slices
    read = 0
    last_page: str | None = None
    for batch in read_batches(segments, ["doc_id"], _SEGMENT_ROWS):
        pages = batch["doc_id"]
        is_first = pages.ne_missing(pages.shift(1, fill_value=last_page))
        starts = is_first.arg_true().to_numpy() + read  # of pages
        while (at := int(np.searchsorted(starts, (ends[-1] if ends else 0) + rows))) < len(starts):
            ends.append(int(starts[at]))
        read += len(batch)
        last_page = pages[-1]
    if read > (ends[-1] if ends else 0):
        ends.append(read)
    return [(start, end - start) for start, end in pairwise([0, *ends])]


def read_batches(
    scan: pl.LazyFrame, columns: Sequence[str], rows: int, progress: Progress | None = None
) -> Iterator[pl.DataFrame]:
    """Yield a Parquet file `rows` rows at a time."""
    total = scan.select(pl.len()).collect().item()
    for start in range(0, total, rows):
        yield scan.slice(start, rows).select(columns).collect()
        if progress:
            progress(min(start + rows, total), total)


def split_at_pages(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield the same rows in batches that end at the end of a page."""
    rest: pl.DataFrame | None = None
    for batch in batches:
        rows = pl.concat([rest, batch]) if rest is not None else batch
        if rows.is_empty():
            continue
        in_last_page = rows["doc_id"].eq_missing(rows["doc_id"][-1])
        rest = rows.filter(in_last_page)
        yield rows.filter(~in_last_page)
    if rest is not None:
        yield rest
