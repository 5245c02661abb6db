"""Find the corrections that match nothing in a run, and say why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import polars as pl

from ingest.io.parquet import scan_parquet
from ingest.jobs.correct_pairs import PAIRS_FILES, find_corrected
from ingest.jobs.run_pages import RunPages
from ingest.review.corrections import Corrections
from ingest.review.segments import match_segments

Unmatched: TypeAlias = dict[str, pl.DataFrame]
"""By unit (segment or pair), rows of `Corrections` with a column `why`."""

_KEYS = {"segment": ["doc_id", "segment"], "pair": ["pair_id"]}


def leave_out_unmatched(
    folder: Path, pages: RunPages, given: Sequence[Corrections]
) -> tuple[list[Corrections], Unmatched]:
    """Return corrections without those that match nothing in a run, and these.

    Args:
        folder: OUT of the run.
        pages: its pages.
        given: the corrections.
    """
    matched, lost = [], []
    for part in given:
        unmatched = _find_unmatched(folder, pages, part)
        lost.append(explain_unmatched(folder, pages, unmatched))
        segments, pairs = (
            frame.join(unmatched[unit], on=_KEYS[unit], how="anti", maintain_order="left")
            for unit, frame in (("segment", part.segments), ("pair", part.pairs))
        )
        matched.append(Corrections(segments, pairs, part.rules, part.damaged))
    units = {unit: [part[unit] for part in lost] for unit in _KEYS if lost}
    return matched, {unit: pl.concat(frames) for unit, frames in units.items()}


def _find_unmatched(folder: Path, pages: RunPages, given: Corrections) -> Unmatched:
    texts = _segments_of(pages, given.segments).with_row_index("row")
    found = match_segments(texts, given.segments)["at"]
    rows = [file.changes.rows["at"] for file in find_corrected(folder, given)]
    # those of pairs that are not made yet wait for them
    everything = pl.int_range(len(given.pairs), eager=True)
    found_pairs = pl.concat(rows) if rows else everything.cast(found.dtype)
    return {
        unit: frame.with_row_index("at").filter(~pl.col("at").is_in(at.implode())).drop("at")
        for unit, frame, at in (
            ("segment", given.segments, found),
            ("pair", given.pairs, found_pairs),
        )
    }


def explain_unmatched(folder: Path, pages: RunPages, unmatched: Unmatched) -> Unmatched:
    """Add the column `why`: what the run lacks.

    Args:
        folder: OUT of the run.
        pages: its pages.
        unmatched: by unit, rows of `Corrections`.
    """
    segments, pairs = unmatched["segment"], unmatched["pair"]
    known = _segments_of(pages, segments)["doc_id"].unique()
    files = [path for name in PAIRS_FILES if (path := folder / name).is_file()]
    ids = pl.Series("pair_id", [], pl.String)
    if len(pairs):
        wanted = pl.col("pair_id").is_in(pairs["pair_id"].implode())
        frames = [scan_parquet(path).filter(wanted) for path in files]
        found = [frame.select("pair_id").collect()["pair_id"] for frame in frames]
        ids = pl.concat([ids, *found]).unique()
    return {
        "segment": segments.with_columns(
            why=pl.when(~pl.col("doc_id").is_in(known.implode()))
            .then(pl.lit("no such page"))
            .when(pl.col("sha").is_null())
            .then(pl.lit("no such segment on the page"))
            .otherwise(pl.lit("no such text on the page"))
        ),
        "pair": pairs.with_columns(
            why=pl.when(~pl.col("pair_id").is_in(ids.implode()))
            .then(pl.lit("no such pair" if files else "the run has no pairs"))
            .otherwise(pl.lit("the pair has other texts"))
        ),
    }


def _segments_of(pages: RunPages, said: pl.DataFrame) -> pl.DataFrame:
    """Return doc_id, segment and text of the pages that corrections are about."""
    wanted = pl.col("doc_id").is_in(said["doc_id"].unique().implode())
    return pages.segments.filter(wanted).select("doc_id", "segment", "text").collect()
