"""Pages of a run as a report shows them: how many there are, and some of them whole."""

from __future__ import annotations

from typing import Any

import polars as pl

from ingest.report.funnel import funnel
from ingest.report.sample import cost, name, shortened, shuffled, within
from ingest.report.segments import reason

PAGES, PAGE_BYTES, PAGES_BYTES = 300, 300_000, 3_500_000
_IN_ERROR = 200  # pages in error that are named
_SEGMENT_BYTES = 40  # of a segment, beside its text


def of_pages(documents: pl.LazyFrame) -> dict[str, Any]:
    """The pages that came in, those that were lost, and the first of those in error."""
    empty = pl.col("error").is_null() & (pl.col("text").str.strip_chars() == "")
    counts = documents.select(
        pages=pl.len(), errors=pl.col("error").count(), empty=empty.sum(), chars=pl.sum("chars")
    )
    row = counts.collect(engine="streaming").row(0, named=True)
    in_error = (
        documents.filter(pl.col("error").is_not_null())
        .select(uri=name("uri"), error=name("error"))
        .head(_IN_ERROR)
    )
    lost = [("in error", row["errors"]), ("without text", row["empty"])]
    return {
        **row,
        "funnel": funnel(row["pages"], lost),
        "in_error": in_error.collect().to_dicts(),
    }


def page_views(documents: pl.LazyFrame, segments: pl.LazyFrame) -> dict[str, Any]:
    """Whole pages, segment by segment; some at random where there are many."""
    size = cost(pl.col("text")) + _SEGMENT_BYTES
    sizes = (
        segments.group_by("doc_id")
        .agg(segments=pl.len(), kept=pl.sum("keep"), bytes=size.sum())
        .sort("doc_id")
        .collect(engine="streaming")
    )
    costs = sizes["bytes"].clip(0, PAGE_BYTES).to_numpy()
    taken = sizes[within(shuffled(len(sizes)), costs, PAGES_BYTES, PAGES)]
    ids = taken["doc_id"].implode()
    of_page = segments.filter(pl.col("doc_id").is_in(ids)).select(
        "doc_id", "segment", "line", "lang", "role", "article", "role_score", "duplicate_of",
        why=reason(), text=shortened(pl.col("text")), upto=size.cum_sum().over("doc_id"),
        number=pl.int_range(pl.len()).over("doc_id"),
    )  # fmt: skip
    fits = (pl.col("upto") <= PAGE_BYTES) | (pl.col("number") == 0)
    rows = of_page.filter(fits).drop("upto", "number").collect()
    about = (
        documents.with_row_index("row")
        .filter(pl.col("doc_id").is_in(ids))
        .select("row", "doc_id", *map(name, ("uri", "title", "url")), "chars")
        .collect()
    )
    pages = []
    by_page = dict(rows.group_by("doc_id", maintain_order=True))
    for page in about.join(taken, on="doc_id").sort("row").iter_rows(named=True):
        held = by_page[page["doc_id"],].drop("doc_id")
        held = held.with_columns(pl.col("role_score").round(3))
        shown = {key: page[key] for key in ("doc_id", "uri", "title", "url", "segments", "kept")}
        pages.append({**shown, "rows": held.rows()})
    return {"total": len(sizes), "pages": pages}
