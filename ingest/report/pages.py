"""The pages of a run: how many there are, and some of them in full."""

from __future__ import annotations

from typing import Any

import polars as pl

from ingest.report.funnel import build_funnel
from ingest.report.sample import clean_name, shorten, shuffled_range, take_within, text_bytes
from ingest.report.segments import drop_reason
from ingest.review.hashes import text_hash

MAX_PAGES, MAX_PAGE_BYTES, MAX_PAGES_BYTES = 300, 300_000, 3_500_000
_MAX_LISTED_ERRORS = 200
_SEGMENT_BYTES = 60  # of a segment, besides its text


def summarize_pages(documents: pl.LazyFrame) -> dict[str, Any]:
    """Count the pages and the unusable ones, and list the first pages in error."""
    empty = pl.col("error").is_null() & (pl.col("text").str.strip_chars() == "")
    counts = documents.select(
        pages=pl.len(), errors=pl.col("error").count(), empty=empty.sum(), chars=pl.sum("chars")
    )
    row = counts.collect(engine="streaming").row(0, named=True)
    in_error = (
        documents.filter(pl.col("error").is_not_null())
        .select(uri=clean_name("uri"), error=clean_name("error"))
        .head(_MAX_LISTED_ERRORS)
    )
    unusable = [("in error", row["errors"]), ("without text", row["empty"])]
    return {
        **row,
        "funnel": build_funnel(row["pages"], unusable),
        "in_error": in_error.collect().to_dicts(),
    }


def collect_page_views(documents: pl.LazyFrame, segments: pl.LazyFrame) -> dict[str, Any]:
    """Return pages in full, segment by segment; a random sample if there are many."""
    size = text_bytes(pl.col("text")) + _SEGMENT_BYTES
    sizes = (
        segments.group_by("doc_id")
        .agg(segments=pl.len(), kept=pl.sum("keep"), bytes=size.sum())
        .sort("doc_id")
        .collect(engine="streaming")
    )
    costs = sizes["bytes"].clip(0, MAX_PAGE_BYTES).to_numpy()
    order = shuffled_range(len(sizes))
    chosen = sizes[take_within(order, costs, MAX_PAGES_BYTES, MAX_PAGES)]
    ids = chosen["doc_id"].implode()
    of_pages = segments.filter(pl.col("doc_id").is_in(ids)).select(
        "doc_id", "segment", "line", "lang", "role", "article", "role_score", "duplicate_of",
        "text", why=drop_reason(), total=size.cum_sum().over("doc_id"),
        number=pl.int_range(pl.len()).over("doc_id"),
    )  # fmt: skip
    fits = (pl.col("total") <= MAX_PAGE_BYTES) | (pl.col("number") == 0)
    rows = (
        of_pages.filter(fits)
        .collect()
        .select(
            "doc_id", "segment", "line", "lang", "role", "article",
            pl.col("role_score").cast(pl.Float64).round(3), "duplicate_of", "why",
            sha=text_hash(pl.col("text")), text=shorten(pl.col("text")),
        )
    )  # fmt: skip
    details = (
        documents.with_row_index("row")
        .filter(pl.col("doc_id").is_in(ids))
        .select("row", "doc_id", *map(clean_name, ("uri", "title", "url")))
        .collect()
    )
    pages = []
    by_page = dict(rows.group_by("doc_id", maintain_order=True))
    for page in details.join(chosen, on="doc_id").sort("row").iter_rows(named=True):
        table = by_page[page["doc_id"],].drop("doc_id")
        view = {key: page[key] for key in ("doc_id", "uri", "title", "url", "segments", "kept")}
        pages.append({**view, "rows": table.rows()})
    return {"total": len(sizes), "pages": pages}
