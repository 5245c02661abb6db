"""The two levels of a result: one row per segment, or one row per row of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import polars as pl

from ingest.frames import ANNOTATED, ANNOTATED_ROWS, DETECTED, LABELLED, SEGMENTS, schema

_ERROR = "error"  # stands last


class Level(NamedTuple):
    """What to make of labelled segments.

    Attributes:
        schema: the columns of the result, without those of the table.
        build: makes it of the rows (doc_id, row, error) and their labelled segments.
    """

    schema: pl.Schema
    build: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]


def list_segments(rows: pl.DataFrame, segments: pl.DataFrame) -> pl.DataFrame:
    """One row per segment, and one for each row without segments.

    Args:
        rows: doc_id, row, error.
        segments: labelled segments, in the order of the rows.
    """
    joined = rows.join(segments, on="doc_id", how="left", maintain_order="left_right")
    return joined.with_columns(pl.col("keep").fill_null(value=False))


def summarise_rows(rows: pl.DataFrame, segments: pl.DataFrame) -> pl.DataFrame:
    """One row per row: languages and kept text.

    Args:
        rows: doc_id, row, error.
        segments: labelled segments, in the order of the rows.
    """
    counted = segments.filter(pl.col("keep") | ~pl.col("keep").any().over("doc_id"))
    langs = (
        counted.group_by("doc_id", "lang")
        .agg(chars=pl.col("text").str.len_chars().sum())
        .with_columns(share=pl.col("chars") / pl.col("chars").sum().over("doc_id"))
        .sort("chars", "lang", descending=[True, False])
        .group_by("doc_id", maintain_order=True)
        .agg(
            langs=pl.struct("lang", pl.col("share").cast(pl.Float32)),
            lang=pl.col("lang").first(),
        )
    )
    kept = (
        segments.filter("keep")
        .group_by("doc_id", maintain_order=True)
        .agg(kept_text=pl.col("text").str.join("\n"))
    )
    for summary in (langs, kept):
        rows = rows.join(summary, on="doc_id", how="left", maintain_order="left")
    return rows.with_columns(pl.col("langs").fill_null([]))


def _error_last(columns: pl.Schema) -> pl.Schema:
    return pl.Schema(
        {**{n: columns[n] for n in columns if n not in (_ERROR, "doc_id")}, _ERROR: columns[_ERROR]}
    )


LEVELS = {
    "segment": Level(_error_last(schema(ANNOTATED, SEGMENTS, DETECTED, LABELLED)), list_segments),
    "row": Level(_error_last(schema(ANNOTATED_ROWS)), summarise_rows),
}
