"""Pair the pages of a run (`ingest pair OUT`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ingest._typing import Progress
from ingest.config import AlignConfig
from ingest.errors import SourceError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import scan_parquet
from ingest.jobs.damage import names_damage
from ingest.pairing import MIN_SCORE, SEGMENT_COLUMNS, check_columns, pair_units
from ingest.pairing.urls import DOCUMENT_COLUMNS, collect_page_urls

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
        progress: called with the number of segments read and encoded, and of all segments.

    Raises:
        SourceError: `out` is not the folder of a run, or its files cannot be read.
        FrameError: a file lacks a column.
        ConfigError: as in `pair_pages`.
        OutputError: `to` exists, or is an input.
        WriteError: `to` could not be written, or its parent folder does not exist.
    """
    config = config or AlignConfig()
    folder = Path(out)
    target = Path(to) if to is not None else folder / "pages.parquet"
    paths = [folder / name for name in ("documents.parquet", "segments.parquet")]
    for path in paths:
        if not path.is_file():
            raise SourceError(f"{out}: has no {path.name}; give a folder that ingest run made")
    check_output(target, overwrite=overwrite, inputs=paths)
    try:
        documents, segments = (scan_parquet(path) for path in paths)
        check_columns(documents, DOCUMENT_COLUMNS, schema(DOCUMENTS))
        check_columns(segments, SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
        urls = collect_page_urls(read_batches(documents, DOCUMENT_COLUMNS, _DOCUMENT_ROWS))

        def read() -> Iterator[pl.DataFrame]:
            return split_at_pages(read_batches(segments, SEGMENT_COLUMNS, _SEGMENT_ROWS, progress))

        pages, units = pair_units(urls, read, config, min_score)
    except (pl.exceptions.ComputeError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    with atomic_write(target) as work:
        pages.write_parquet(work)
    pairs = pages["score"].count()
    return PairResult(units, pairs, unpaired=len(pages) - pairs)


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
        in_last_page = rows["doc_id"] == rows["doc_id"][-1]
        rest = rows.filter(in_last_page)
        yield rows.filter(~in_last_page)
    if rest is not None:
        yield rest
