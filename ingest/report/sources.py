"""The sources of a run: pages, segments, roles and languages of each."""

from __future__ import annotations

from typing import Any

import polars as pl

from ingest.report.sample import clean_name

MAX_SOURCES = 1000
_COUNTS = pl.Schema({"source": pl.String(), "role": pl.String(), "lang": pl.String(),
                     "segments": pl.UInt32(), "kept": pl.UInt32()})  # fmt: skip


def summarize_sources(documents: pl.LazyFrame, segments: pl.LazyFrame | None) -> dict[str, Any]:
    """Count pages, roles and languages of each source; only of the largest if there are many."""
    pages = documents.group_by("source").agg(
        pages=pl.len(), errors=pl.col("error").count(), chars=pl.sum("chars")
    )
    table = pages.collect(engine="streaming")
    if segments is None:
        counts = pl.DataFrame(schema=_COUNTS)
    else:
        keys = segments.select("doc_id", "role", "lang", "keep")
        counts = (
            keys.join(documents.select("doc_id", "source"), on="doc_id")
            .group_by("source", "role", "lang")
            .agg(segments=pl.len(), kept=pl.sum("keep"))
            .collect(engine="streaming")
        )
    totals = counts.group_by("source").agg(pl.sum("segments", "kept"))
    table = (
        table.join(totals, on="source", how="left")
        .with_columns(pl.col("segments", "kept").fill_null(0))
        .sort("segments", "pages", "source", descending=[True, True, False])
    )
    shown = table.head(MAX_SOURCES)
    counts = counts.sort("segments", "role", "lang", descending=True)
    by_source = dict(counts.join(shown, on="source", how="semi").group_by("source"))
    rows = []
    columns = ("source", "name", "pages", "errors", "chars", "segments", "kept")
    for source, *cells in shown.with_columns(name=clean_name("source")).select(columns).iter_rows():
        group = by_source.get((source,))
        entries = (
            group.select("role", "lang", "segments", "kept").rows() if group is not None else []
        )
        rows.append([*cells, entries])
    rest = table.slice(MAX_SOURCES).select(pl.sum("pages", "errors", "segments", "kept")).row(0)
    return {"total": len(table), "rows": rows, "rest": rest}
