"""The segments of a run: roles, languages, and why segments were dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingest.drop_reasons import NOT_CONTENT, SEGMENT_REASONS, segment_reason
from ingest.report.funnel import build_funnel
from ingest.report.sample import Rows, choose, clean_name, shorten, text_bytes
from ingest.roles import KEPT_ROLES, ROLES

# Per reason, besides those on the pages that the report shows in full.
_EXAMPLES, _EXAMPLE_BYTES = 100, 60_000

OUTSIDE = "outside any article"
# As everywhere, except that roles stand for what is no content.
REASONS = (
    *(role for role in ROLES if role not in KEPT_ROLES),
    OUTSIDE,
    *(reason for reason in SEGMENT_REASONS if reason != NOT_CONTENT),
)


def drop_reason() -> pl.Expr:
    """Return why a segment is not kept, one of REASONS; null if it is kept."""
    why, role = segment_reason(), pl.col("role")
    is_role = (why == NOT_CONTENT) & role.is_in(REASONS)
    return pl.when(is_role).then(role).otherwise(why.replace(NOT_CONTENT, OUTSIDE))


def summarize_segments(
    segments: pl.LazyFrame, documents: pl.LazyFrame | None = None
) -> dict[str, Any]:
    """Count segments by role and language, and by the reason why they were dropped."""
    keys = segments.select("role", "lang", "keep")
    counts = keys.group_by("role", "lang").agg(segments=pl.len(), kept=pl.sum("keep"))
    spread = counts.collect(engine="streaming").sort("segments", "role", "lang", descending=True)
    reasons = segments.select(drop_reason()).collect().to_series()
    codes = reasons.cast(pl.Enum(REASONS)).to_physical().fill_null(len(REASONS)).to_numpy()
    totals = np.bincount(codes, minlength=len(REASONS) + 1)
    examples = _examples(
        segments, {reason: np.flatnonzero(codes == n) for n, reason in enumerate(REASONS)}
    )
    if documents is not None:
        pages = documents.filter(pl.col("doc_id").is_in(examples["doc_id"].unique().implode()))
        names = pages.select("doc_id", clean_name("uri")).collect()
        examples = examples.join(names, on="doc_id", how="left", maintain_order="left")
    drops: list[dict[str, Any]] = []
    for reason, count in zip(REASONS, totals, strict=False):
        if count:
            rows = examples.filter(pl.col("reason") == reason).drop("reason").to_dicts()
            drops.append({"reason": reason, "count": int(count), "examples": rows})
    return {
        "segments": len(codes),
        "kept": int(totals[-1]),
        "spread": spread.to_dicts(),
        "funnel": build_funnel(len(codes), [(str(d["reason"]), d["count"]) for d in drops]),
        "drops": sorted(drops, key=lambda drop: -drop["count"]),
    }


def _examples(segments: pl.LazyFrame, rows_by_reason: dict[str, Rows]) -> pl.DataFrame:
    """Return some segments for each reason, as many as fit into the page."""
    chosen = pl.concat(
        pl.DataFrame({"row": choose(rows, _EXAMPLES)}).select(
            pl.col("row").cast(pl.UInt32), reason=pl.lit(reason)
        )
        for reason, rows in rows_by_reason.items()
    )
    texts = (
        segments.with_row_index("row")
        .filter(pl.col("row").is_in(chosen["row"].implode()))
        .select(
            "row", "lang", "role", "doc_id", "segment", "line",
            pl.col("role_score").cast(pl.Float64).round(3),
            text=shorten(pl.col("text")), bytes=text_bytes(pl.col("text")),
        )
        .collect()
    )  # fmt: skip
    rows = chosen.join(texts, on="row", how="left", maintain_order="left")
    total = pl.col("bytes").cum_sum().over("reason")
    first = pl.int_range(pl.len()).over("reason") == 0
    return rows.filter(first | (total <= _EXAMPLE_BYTES)).drop("row", "bytes")
