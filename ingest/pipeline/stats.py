"""What is counted of pages and segments, for run.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

# How many segments, and how many of them kept, by role and language.
SPREAD = pl.Schema(
    {"role": pl.String(), "lang": pl.String(), "segments": pl.Int64(), "kept": pl.Int64()}
)
SHOWN = 10  # pages in error that are named; documents.parquet has them all


def totals(counts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The sum of each key.

    >>> totals([{"a": 1}, {"a": 2, "b": 3}])
    {'a': 3, 'b': 3}
    """
    made: dict[str, Any] = {}
    for one in counts:
        for key, number in one.items():
            made[key] = made.get(key, 0) + number
    return made


def merged(sources: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One entry a source, with its records and errors summed."""
    made: dict[str, dict[str, Any]] = {}
    for entry in sources:
        held = made.setdefault(entry["source"], entry)
        if held is not entry:
            held["records"] += entry["records"]
            held["errors"] += entry["errors"]
    return made


def summed(spread: list[pl.DataFrame]) -> pl.DataFrame:
    """Tables of segments and kept, by role and language, as one."""
    both = pl.concat(spread)
    return both.group_by("role", "lang").agg(pl.col("segments", "kept").sum()).sort("role", "lang")


def of_pages(documents: pl.DataFrame) -> dict[str, int]:
    counts: dict[str, int] = documents.select(
        pages=pl.len(),
        errors=pl.col("error").count(),
        replaced=pl.col("replaced").sum(),
        chars=pl.col("chars").sum(),
        empty=(pl.col("text").str.strip_chars() == "").sum(),
    ).row(0, named=True)
    return counts


def of_segments(segments: pl.DataFrame) -> dict[str, int]:
    counts: dict[str, int] = segments.select(
        segments=pl.len(),
        kept=pl.col("keep").sum(),
        duplicates=pl.col("duplicate_of").count(),
        template_lines=(pl.col("role_by") == "site").sum(),
    ).row(0, named=True)
    return counts


def by_role_and_lang(segments: pl.DataFrame) -> pl.DataFrame:
    spread = segments.group_by("role", "lang").agg(segments=pl.len(), kept=pl.col("keep").sum())
    return spread.cast(SPREAD)


def by_source(documents: pl.DataFrame) -> list[dict[str, Any]]:
    """Of each source: records, errors, and the hash where it is one page."""
    one_page = pl.col("sha256").filter(pl.col("record").is_null()).first()
    return (
        documents.group_by("source", maintain_order=True)
        .agg(records=pl.len(), errors=pl.col("error").count(), sha256=one_page)
        .to_dicts()
    )
