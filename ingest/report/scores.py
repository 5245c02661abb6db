"""How a score is spread over all pairs."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

BINS = 20


def number(name: str) -> pl.Expr:
    """A column of numbers, null where it holds none."""
    value = pl.col(name).cast(pl.Float64)
    return pl.when(value.is_finite()).then(value)


def short(value: float | None) -> float | None:
    """Four digits of a number; none of what is none."""
    return float(f"{value:.4g}") if value is not None and math.isfinite(value) else None


def distribution(pairs: pl.LazyFrame, name: str) -> dict[str, Any]:
    """How often a score has which value: counts of BINS equal steps, and of those without one."""
    values = number(name)
    about = pairs.select(
        count=values.count(), total=pl.len(), least=values.min(), most=values.max(),
        median=values.median(),
    )  # fmt: skip
    row = about.collect().row(0, named=True)
    least, most = row["least"] or 0.0, row["most"] or 0.0
    low, high = (0.0, 1.0) if least >= 0 and most <= 1 else (least, most)
    # a value such as 0.15 belongs to the bin that it begins, however it is rounded
    bins = (
        ((values - low) * (BINS / (high - low or 1.0)) + 1e-6)
        .floor()
        .clip(0, BINS - 1)
        .cast(pl.Int32)
    )
    counted = pairs.select(bin=bins).drop_nulls().group_by("bin").len().collect()
    counts = [0] * BINS
    for at, held in counted.iter_rows():
        counts[at] = held
    return {
        "name": name,
        "low": short(low),
        "high": short(high),
        "bins": counts,
        "count": row["count"],
        "missing": row["total"] - row["count"],
        "median": short(row["median"]),
    }
