"""Where the pages of a run come from, and what each source has."""

from __future__ import annotations

from typing import Any

import polars as pl

from ingest.report.sample import name

SOURCES = 1000
_SPREAD = pl.Schema({"source": pl.String(), "role": pl.String(), "lang": pl.String(),
                     "segments": pl.UInt32(), "kept": pl.UInt32()})  # fmt: skip


def of_sources(documents: pl.LazyFrame, segments: pl.LazyFrame | None) -> dict[str, Any]:
    """Pages, roles and languages of each source; the largest ones where there are many."""
    pages = documents.group_by("source").agg(
        pages=pl.len(), errors=pl.col("error").count(), chars=pl.sum("chars")
    )
    table = pages.collect(engine="streaming")
    if segments is None:
        spread = pl.DataFrame(schema=_SPREAD)
    else:
        keys = segments.select("doc_id", "role", "lang", "keep")
        spread = (
            keys.join(documents.select("doc_id", "source"), on="doc_id")
            .group_by("source", "role", "lang")
            .agg(segments=pl.len(), kept=pl.sum("keep"))
            .collect(engine="streaming")
        )
    totals = spread.group_by("source").agg(pl.sum("segments", "kept"))
    table = (
        table.join(totals, on="source", how="left")
        .with_columns(pl.col("segments", "kept").fill_null(0))
        .sort("segments", "pages", "source", descending=[True, True, False])
    )
    shown = table.head(SOURCES)
    entries = spread.sort("segments", "role", "lang", descending=True)
    of_source = dict(entries.join(shown, on="source", how="semi").group_by("source"))
    rows = []
    columns = ("source", "shown", "pages", "errors", "chars", "segments", "kept")
    for row in shown.with_columns(shown=name("source")).select(columns).iter_rows():
        cells = of_source.get((row[0],))
        held = cells.select("role", "lang", "segments", "kept").rows() if cells is not None else []
        rows.append([*row[1:], held])
    rest = table.slice(SOURCES).select(pl.sum("pages", "errors", "segments", "kept")).row(0)
    return {"total": len(table), "rows": rows, "rest": rest}
