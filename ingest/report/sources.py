"""The sources of a run: pages, segments, roles and languages of each."""

from __future__ import annotations

from typing import Any

import polars as pl

from ingest.articles import HOST
from ingest.report.sample import clean_name

MAX_SOURCES, MAX_GROUPS = 1000, 1000
MIN_GROUPED = 31  # fewer sources are easier to find in one list
_FOLDER = r"^(.*[/\\])[^/\\]+$"
_NO_FOLDER = "other sources"
_COUNTS = pl.Schema({"source": pl.String(), "role": pl.String(), "lang": pl.String(),
                     "segments": pl.UInt32(), "kept": pl.UInt32()})  # fmt: skip
_NUMBERS = ("pages", "errors", "chars", "segments", "kept")


def summarize_sources(documents: pl.LazyFrame, segments: pl.LazyFrame | None) -> dict[str, Any]:
    """Count pages, roles and languages of each source; only of the largest if there are many.

    Many sources are also counted by group: the host of their pages, or else their folder.

    Returns:
        total: number of sources; rows: name, numbers of pages, errors, characters, segments and
        kept segments, [role, language, segments, kept] and number of the group of each one shown;
        rest: numbers of those not shown; groups: the same for each group, with the number of
        sources instead of that of the group.
    """
    counts = _count_roles(documents, segments)
    totals = counts.group_by("source").agg(pl.sum("segments", "kept"))
    table = (
        _count_pages(documents)
        .join(totals, on="source", how="left")
        .with_columns(pl.col("segments", "kept").fill_null(0))
        .sort("segments", "pages", "source", descending=[True, True, False])
    )
    groups = table.head(0).with_columns(sources=pl.lit(0))
    if len(table) >= MIN_GROUPED:
        groups = (
            table.group_by("group")
            .agg(pl.sum(*_NUMBERS), pl.len().alias("sources"))
            .sort("segments", "pages", "group", descending=[True, True, False])
            .head(MAX_GROUPS)
        )
    of_groups = (
        counts.join(table.select("source", "group"), on="source")
        .group_by("group", "role", "lang")
        .agg(pl.sum("segments", "kept"))
    )
    shown = table.head(MAX_SOURCES)
    numbers = {group: at for at, group in enumerate(groups["group"])}
    rest = table.slice(MAX_SOURCES).select(pl.sum("pages", "errors", "segments", "kept")).row(0)
    return {
        "total": len(table),
        "rows": [
            [*row, numbers.get(group)]
            for row, group in zip(_rows(shown, counts, "source"), shown["group"], strict=True)
        ],
        "rest": rest,
        "groups": [
            [*row, sources]
            for row, sources in zip(
                _rows(groups, of_groups, "group"), groups["sources"], strict=True
            )
        ]
        if len(groups) > 1
        else [],
    }


def _count_pages(documents: pl.LazyFrame) -> pl.DataFrame:
    """Return source, pages, errors, chars and group of each source."""
    host = pl.col("url").str.extract(HOST).str.to_lowercase()
    pages = documents.group_by("source").agg(
        pages=pl.len(), errors=pl.col("error").count(), chars=pl.sum("chars"),
        host=pl.when(host.n_unique() == 1).then(host.first()),
    )  # fmt: skip
    group = pl.coalesce("host", pl.col("source").str.extract(_FOLDER), pl.lit(_NO_FOLDER))
    return pages.with_columns(group=group).drop("host").collect(engine="streaming")


def _count_roles(documents: pl.LazyFrame, segments: pl.LazyFrame | None) -> pl.DataFrame:
    if segments is None:
        return pl.DataFrame(schema=_COUNTS)
    keys = segments.select("doc_id", "role", "lang", "keep")
    counts = (
        keys.join(documents.select("doc_id", "source"), on="doc_id")
        .group_by("source", "role", "lang")
        .agg(segments=pl.len(), kept=pl.sum("keep"))
    )
    return counts.collect(engine="streaming")


def _rows(table: pl.DataFrame, counts: pl.DataFrame, key: str) -> list[list[Any]]:
    """Return the name, the numbers, and the counts by role and language of each row."""
    ordered = counts.join(table.select(key), on=key, how="semi").sort(
        "segments", "role", "lang", descending=True
    )
    by_key = dict(ordered.group_by(key))
    rows = []
    named = table.select(key, clean_name(key).alias("name"), *_NUMBERS)
    for value, *cells in named.iter_rows():
        part = by_key.get((value,))
        entries = part.select("role", "lang", "segments", "kept").rows() if part is not None else []
        rows.append([*cells, entries])
    return rows
