"""Counts of pages and segments for run.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

# Segments, and kept segments, by role and language.
ROLE_COUNTS = pl.Schema(
    {"role": pl.String(), "lang": pl.String(), "segments": pl.Int64(), "kept": pl.Int64()}
)
MAX_LISTED_SKIPPED = 10_000  # files that were not read, listed in run.json
MAX_LISTED_ERRORS = 10  # pages in error listed in run.json; documents.parquet has all of them


def sum_counts(counts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Add up the values of each key.

    >>> sum_counts([{"a": 1}, {"a": 2, "b": 3}])
    {'a': 3, 'b': 3}
    """
    totals: dict[str, Any] = {}
    for entry in counts:
        for key, number in entry.items():
            totals[key] = totals.get(key, 0) + number
    return totals


def merge_sources(entries: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return one entry per source, with its records and errors added up."""
    merged: dict[str, dict[str, Any]] = {}
    for entry in entries:
        first = merged.setdefault(entry["source"], entry)
        if first is not entry:
            first["records"] += entry["records"]
            first["errors"] += entry["errors"]
    return merged


def sum_role_counts(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """Add up tables with the columns ROLE_COUNTS."""
    rows = pl.concat(tables)
    return rows.group_by("role", "lang").agg(pl.col("segments", "kept").sum()).sort("role", "lang")


def count_pages(documents: pl.DataFrame) -> dict[str, int]:
    counts: dict[str, int] = documents.select(
        pages=pl.len(),
        errors=pl.col("error").count(),
        replaced=pl.col("replaced").sum(),
        chars=pl.col("chars").sum(),
        empty=(pl.col("text").str.strip_chars() == "").sum(),
        warnings=pl.col("warning").count(),
    ).row(0, named=True)
    return counts


def count_segments(segments: pl.DataFrame) -> dict[str, int]:
    counts: dict[str, int] = segments.select(
        segments=pl.len(),
        kept=pl.col("keep").sum(),
        duplicates=pl.col("duplicate_of").count(),
        template_lines=(pl.col("role_by") == "site").sum(),
    ).row(0, named=True)
    return counts


def count_by_role(segments: pl.DataFrame) -> pl.DataFrame:
    """Count segments by role and language; columns ROLE_COUNTS."""
    table = segments.group_by("role", "lang").agg(segments=pl.len(), kept=pl.col("keep").sum())
    return table.cast(ROLE_COUNTS)


def count_by_source(documents: pl.DataFrame) -> list[dict[str, Any]]:
    """Return records and errors of each source, and its hash if the source is a single page."""
    page_hash = pl.col("sha256").filter(pl.col("record").is_null()).first()
    return (
        documents.group_by("source", maintain_order=True)
        .agg(records=pl.len(), errors=pl.col("error").count(), sha256=page_hash)
        .to_dicts()
    )
