"""Segments of a run as a report shows them: what they are, and why some were dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingest.frames import KEPT_ROLES, ROLES
from ingest.report.funnel import funnel
from ingest.report.sample import choose, shortened

_EXAMPLES = 6  # of each reason

SITE, OUTSIDE, REPEATED, OTHER = (
    "template of its site", "outside any article", "repeated in its page", "other",
)  # fmt: skip
REASONS = (*(role for role in ROLES if role not in KEPT_ROLES), SITE, OUTSIDE, REPEATED, OTHER)


def reason() -> pl.Expr:
    """Why a segment is not kept, one of REASONS; null where it is kept."""
    return (
        pl.when(pl.col("keep").fill_null(False))
        .then(None)
        .when(pl.col("role_by") == "site")
        .then(pl.lit(SITE))
        .when(pl.col("role").is_in(REASONS))
        .then("role")
        .when(pl.col("article") == 0)
        .then(pl.lit(OUTSIDE))
        .when(pl.col("duplicate_of").is_not_null())
        .then(pl.lit(REPEATED))
        .otherwise(pl.lit(OTHER))
    )


def of_segments(segments: pl.LazyFrame) -> dict[str, Any]:
    """How many there are of each role and language, and why those that were dropped were."""
    keys = segments.select("role", "lang", "keep", why=reason())
    counts = keys.group_by("role", "lang").agg(segments=pl.len(), kept=pl.sum("keep"))
    spread = counts.collect(engine="streaming").sort("segments", "role", "lang", descending=True)
    why = segments.select(reason()).collect().to_series().cast(pl.Enum(REASONS)).to_physical()
    codes = why.fill_null(len(REASONS)).to_numpy()
    totals = np.bincount(codes, minlength=len(REASONS) + 1)
    drops: list[dict[str, Any]] = []
    examples = _rows(
        segments, {REASONS[n]: np.flatnonzero(codes == n) for n in range(len(REASONS))}
    )
    for reasoned, count in zip(REASONS, totals, strict=False):
        if count:
            held = examples.filter(reason=reasoned).drop("reason").to_dicts()
            drops.append({"reason": reasoned, "count": int(count), "examples": held})
    return {
        "segments": len(codes),
        "kept": int(totals[-1]),
        "spread": spread.to_dicts(),
        "funnel": funnel(len(codes), [(str(d["reason"]), d["count"]) for d in drops]),
        "drops": sorted(drops, key=lambda drop: -drop["count"]),
    }


def _rows(segments: pl.LazyFrame, of: dict[str, Any]) -> pl.DataFrame:
    """A few rows of each reason."""
    wanted = [
        pl.DataFrame({"row": choose(rows, _EXAMPLES)}).select(
            pl.col("row").cast(pl.UInt32), reason=pl.lit(reasoned)
        )
        for reasoned, rows in of.items()
    ]
    which = pl.concat(wanted)
    held = (
        segments.with_row_index("row")
        .filter(pl.col("row").is_in(which["row"].implode()))
        .select("row", "lang", "role", "doc_id", "line", text=shortened(pl.col("text")))
        .collect()
    )
    return which.join(held, on="row", how="left", maintain_order="left").drop("row")
