"""The rules that compare pairs with one another, by keys of fixed size.

Of pairs that say the same the best stays: found rather than made by a machine, of the higher
quality, then score, then by name, so that the order of rows makes no difference.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import U16
from ingest.config import FilterConfig
from ingest.drop_reasons import AMONG_PAIRS, RULES
from ingest.frames import HUMAN_METHODS
from ingest.minhash import near_duplicates, text_keys, text_signatures

DUPLICATE, SAME, NEAR, MANY = (RULES.index(name) for name in AMONG_PAIRS)


class Keys(NamedTuple):
    """What is kept of pairs to compare them: a row each, and their signatures if asked for."""

    rows: pl.DataFrame
    values: U16


def look(pairs: pl.DataFrame, reason: pl.Series, *, near: bool) -> Keys:
    """The keys of a batch of pairs.

    Args:
        pairs: the batch.
        reason: what rules of one pair say of each, as numbers.
        near: whether signatures are wanted.
    """
    forward = pl.col("source_lang") <= pl.col("target_lang")
    source, target = pl.col("source_text"), pl.col("target_text")
    sides = pairs.select(
        one=pl.when(forward).then(source).otherwise(target).fill_null(""),
        other=pl.when(forward).then(target).otherwise(source).fill_null(""),
    )
    quality = pl.col("quality") if "quality" in pairs.columns else pl.lit(0.0)
    rows = pairs.select(
        "pair_id",
        machine=~pl.col("method").is_in(HUMAN_METHODS),
        quality=quality.cast(pl.Float32).fill_nan(None),
        score=pl.col("score").fill_nan(None),
    ).with_columns(
        reason,
        exact_one=sides["one"].hash(),
        exact_other=sides["other"].hash(),
        one=pl.Series(text_keys(sides["one"])),
        other=pl.Series(text_keys(sides["other"])),
    )
    alive = sides.filter(reason.is_null())
    values = text_signatures(alive["one"], alive["other"]) if near else np.empty((0, 0), np.uint16)
    return Keys(rows, values)


def decide(found: list[Keys], config: FilterConfig) -> pl.Series:
    """The rule that each pair does not pass, as an index into RULES; null where it passes all."""
    rows = pl.concat([keys.rows for keys in found]).with_row_index("row")
    alive = rows.filter(pl.col("reason").is_null()).with_row_index("signature")
    alive = alive.sort(
        "machine", "quality", "score", "pair_id", "exact_one", "exact_other", "row",
        descending=[False, True, True, False, False, False, False], nulls_last=True,
    )  # fmt: skip
    dropped = []

    def drop(which: pl.Expr, rule: int) -> None:
        nonlocal alive
        marked = alive.with_columns(hit=which)
        dropped.append(marked.filter("hit").select("row", new=pl.lit(rule, pl.UInt8)))
        alive = marked.filter(~pl.col("hit")).drop("hit")

    drop(~pl.struct("exact_one", "exact_other").is_first_distinct(), DUPLICATE)
    drop(~pl.struct("one", "other").is_first_distinct(), SAME)
    if config.near and len(alive):
        values = np.concatenate([keys.values for keys in found])
        near = near_duplicates(values[alive["signature"].to_numpy()], config.near)
        drop(pl.lit(pl.Series(near)), NEAR)
    for side, most in (("other", config.max_sources), ("one", config.max_targets)):
        if most:
            drop(pl.int_range(pl.len()).over(side) >= most, MANY)
    new = pl.concat([pl.DataFrame(schema={"row": pl.UInt32, "new": pl.UInt8}), *dropped])
    both = rows.select("row", "reason").join(new, on="row", how="left", maintain_order="left")
    return both.select(pl.coalesce("reason", "new").alias("reason")).to_series()
