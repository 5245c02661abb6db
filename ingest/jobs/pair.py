"""Pair the pages of a run: what `ingest pair OUT` does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from ingest.config import AlignConfig
from ingest.errors import SourceError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, schema
from ingest.io.atomic import atomic_write, check_output
from ingest.pairing import MIN_SCORE, SEGMENT_COLUMNS, check_columns, pair_units
from ingest.pairing.urls import DOCUMENT_COLUMNS, collect_page_urls

_PAGES, _ROWS = 1 << 12, 1 << 16  # documents and segments read at a time


class Report(NamedTuple):
    """What `pair_run` did: units a language, pairs among them, and units without a partner."""

    units: dict[str, int]
    pairs: int
    none: int

    def __str__(self) -> str:
        sides = ", ".join(f"{count:,} {lang}" for lang, count in self.units.items())
        return f"{sides}: {self.pairs:,} pairs, {self.none:,} without a partner"


def pair_run(
    out: str | Path,
    to: str | Path | None = None,
    *,
    config: AlignConfig | None = None,
    min_score: float = MIN_SCORE,
    overwrite: bool = False,
) -> Report:
    """Pair the pages of a run, and write the frame of `pair_pages` to a Parquet file.

    Text is read a row group at a time. What is held of a unit is some 10 kB: its vector, those of
    its first segments in a byte a number, and its numbers and Latin words as hashes.

    Args:
        out: folder that `ingest run` made.
        to: file to write; pages.parquet in `out` where None.
        config: as in `pair_pages`.
        min_score: as there.
        overwrite: replace `to`.

    Raises:
        SourceError: `out` is not the folder of a run, or its files cannot be read.
        FrameError: they lack a column.
        ConfigError: as in `pair_pages`.
        OutputError: `to` exists, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    config = config or AlignConfig()
    folder = Path(out)
    target = Path(to) if to is not None else folder / "pages.parquet"
    paths = [folder / name for name in ("documents.parquet", "segments.parquet")]
    for path in paths:
        if not path.is_file():
            raise SourceError(f"{out}: no {path.name} in it; name a folder that ingest run made")
    check_output(target, overwrite=overwrite, inputs=paths)
    try:
        scans = [pl.scan_parquet(path) for path in paths]
        check_columns(scans[0], DOCUMENT_COLUMNS, schema(DOCUMENTS))
        check_columns(scans[1], SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
        addresses = collect_page_urls(_batches(scans[0], DOCUMENT_COLUMNS, _PAGES))
        segments = (b.filter("keep") for b in _batches(scans[1], SEGMENT_COLUMNS, _ROWS))
        made, units = pair_units(addresses, _whole(segments), config, min_score)
    except (pl.exceptions.ComputeError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    with atomic_write(target) as work:
        made.write_parquet(work)
    pairs = made["score"].count()
    return Report(units, pairs, len(made) - pairs)


def _batches(scan: pl.LazyFrame, columns: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
    """A Parquet file, so many rows at a time."""
    for at in range(0, scan.select(pl.len()).collect().item(), rows):
        yield scan.slice(at, rows).select(columns).collect()


def _whole(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in batches that end where a page does."""
    rest: pl.DataFrame | None = None
    for batch in batches:
        both = pl.concat([rest, batch]) if rest is not None else batch
        if both.is_empty():
            continue
        last = both["doc_id"] == both["doc_id"][-1]
        rest = both.filter(last)
        yield both.filter(~last)
    if rest is not None:
        yield rest
