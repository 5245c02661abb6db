"""Distributions of scores over all pairs."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

BINS = 20


def finite(name: str) -> pl.Expr:
    """Return a column of numbers, with null for NaN and infinity."""
    value = pl.col(name).cast(pl.Float64)
    return pl.when(value.is_finite()).then(value)


def round_number(value: float | None) -> float | None:
    """Round to four significant digits; None if the value is not a finite number."""
    return float(f"{value:.4g}") if value is not None and math.isfinite(value) else None


def score_distribution(pairs: pl.LazyFrame, name: str) -> dict[str, Any]:
    """Count the values of a score in BINS equal bins, and the pairs without a value."""
    values = finite(name)
    summary = pairs.select(
        count=values.count(), total=pl.len(), least=values.min(), most=values.max(),
        median=values.median(),
    )  # fmt: skip
    row = summary.collect().row(0, named=True)
    least, most = row["least"] or 0.0, row["most"] or 0.0
    low, high = (0.0, 1.0) if least >= 0 and most <= 1 else (least, most)
    # a value on the edge of two bins, such as 0.15, belongs to the upper one despite rounding
    bins = (
        ((values - low) * (BINS / (high - low or 1.0)) + 1e-6)
        .floor()
        .clip(0, BINS - 1)
        .cast(pl.Int32)
    )
    counts = [0] * BINS
    table = pairs.select(bin=bins).drop_nulls().group_by("bin").len().collect()
    for index, count in table.iter_rows():
        counts[index] = count
    return {
        "name": name,
        "low": round_number(low),
        "high": round_number(high),
        "bins": counts,
        "count": row["count"],
        "missing": row["total"] - row["count"],
        "median": round_number(row["median"]),
    }
