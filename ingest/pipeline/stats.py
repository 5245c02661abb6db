"""Counts of pages and segments for run.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from ingest.review.segments import CorrectedSegments

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
        _add_counts(totals, entry)
    return totals


def _add_counts(totals: dict[str, Any], entry: dict[str, Any]) -> None:
    for key, number in entry.items():
        totals[key] = totals.get(key, 0) + number


def merge_sources(entries: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return one entry per source, with its records and errors added up."""
    merged: dict[str, dict[str, Any]] = {}
    _add_sources(merged, entries)
    return merged


def _add_sources(merged: dict[str, dict[str, Any]], entries: Iterable[dict[str, Any]]) -> None:
    for entry in entries:
        first = merged.setdefault(entry["source"], entry)
        if first is not entry:
            first["records"] += entry["records"]
            first["errors"] += entry["errors"]


class ReportTotals:
    """The reports of one step on all shards, added up while they are read.

    Args:
        reports: what `label_shard` or `finish_shard` wrote. One at a time is in memory.

    Attributes:
        counts: pages, segments and so on.
        seconds: time by step.
        sources: records, errors and hash by source.
        in_error: the first pages in error.
        left_out: records that were left out, by reason.
        changed: why, by source, sources could not be read to their end.
        corrected: what corrections changed.
    """

    def __init__(self, reports: Iterable[dict[str, Any]]) -> None:
        self.counts: dict[str, Any] = {}
        self.seconds: dict[str, float] = {}
        self.sources: dict[str, dict[str, Any]] = {}
        self.in_error: list[dict[str, str]] = []
        self.left_out: dict[str, int] = {}
        self.changed: dict[str, str] = {}
        self.corrected: dict[str, int] = {}
        self._roles: dict[tuple[str | None, str | None], tuple[int, int]] = {}
        for report in reports:
            self._add(report)

    def _add(self, report: dict[str, Any]) -> None:
        _add_counts(self.counts, report["counts"])
        _add_counts(self.seconds, report["seconds"])
        _add_counts(self.left_out, report.get("left_out", {}))
        self.changed |= report.get("changed", {})
        _add_counts(self.corrected, report.get("corrected", {}))
        _add_sources(self.sources, report.get("sources", []))
        self.in_error += report.get("in_error", [])
        del self.in_error[MAX_LISTED_ERRORS:]
        for row in report.get("by_role_and_lang", []):
            key = row["role"], row["lang"]
            segments, kept = self._roles.get(key, (0, 0))
            self._roles[key] = segments + row["segments"], kept + row["kept"]

    def by_role_and_lang(self) -> list[dict[str, Any]]:
        """Return segments and kept segments by role and language."""
        rows = [(*key, *numbers) for key, numbers in self._roles.items()]
        return pl.DataFrame(rows, ROLE_COUNTS, orient="row").sort("role", "lang").to_dicts()


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


def count_articles(segments: pl.DataFrame) -> int:
    """Count the articles with kept text."""
    articles = segments.filter(pl.col("keep") & (pl.col("article") > 0))
    return articles.select("doc_id", "article").n_unique()


def count_corrected(before: pl.DataFrame, result: CorrectedSegments) -> dict[str, int]:
    """Count what corrections did to segments.

    Args:
        before: the segments before.
        result: what `correct_segments` made of them.

    Returns:
        matched: corrections that apply to a segment; changed: those that changed it; by_rules:
        segments that a rule has changed; articles: how many more articles there are now.
    """
    return {
        "matched": len(result.matches),
        "changed": int(result.matches["changed"].sum()),
        "by_rules": result.by_rules,
        "articles": count_articles(result.segments) - count_articles(before),
    }


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
