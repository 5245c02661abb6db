"""The rules that compare pairs with each other, by keys of fixed size.

Of several equal pairs the best one is kept: pairs that a person keeps come first, then those that
people translated, then those with the higher quality to three decimals, then those with the higher
score. Of pairs that are as good, the first one in the file is kept. A pair that a person keeps is
only dropped if it has the same texts as another one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import U16
from ingest.config import FilterConfig
from ingest.drop_reasons import DUPLICATE_RULES, RULES
from ingest.filtering.rules import kept_by_hand
from ingest.frames import HUMAN_METHODS
from ingest.minhash import near_duplicates, text_keys, text_signatures

_DUPLICATE, _SAME_BUT_FOR_FORM, _NEAR_DUPLICATE, _MANY_TO_ONE = (
    RULES.index(name) for name in DUPLICATE_RULES
)


_ROWS = (
    "by_hand", "machine", "quality", "score", "reason", "exact_first", "exact_second", "first",
    "second",
)  # fmt: skip
_SIGNATURE = "signature"
_DECIMALS = 3  # finer differences of quality say nothing


class PairKeys(NamedTuple):
    """What is kept of a batch of pairs for comparison.

    Attributes:
        rows: one row per pair: keys of its texts, and what decides which duplicate is best.
        signatures: uint16 [pairs that passed so far, numbers]; empty if not needed.
    """

    rows: pl.DataFrame
    signatures: U16

    @classmethod
    def from_frame(cls, keys: pl.DataFrame) -> PairKeys:
        """Keep what is compared of the keys that `pair_keys` returns."""
        rows = keys.select(_ROWS)
        if _SIGNATURE not in keys.columns:
            return cls(rows, np.empty((0, 0), np.uint16))
        passed = keys[_SIGNATURE].filter(keys["reason"].is_null())
        return cls(rows, passed.to_numpy())


def pair_keys(pairs: pl.DataFrame, failed: pl.Series, *, with_signatures: bool) -> pl.DataFrame:
    """Make the keys of a batch of pairs.

    Args:
        pairs: the batch.
        failed: the rule that each pair failed, as an index into RULES, or null.
        with_signatures: whether to make signatures for near-duplicates.

    Returns:
        One row per pair: the columns of `PairKeys.rows`, and `signature`, if it is needed, as an
        array of UInt16; zeros if the pair failed a rule.
    """
    # Both directions of a pair get the same keys.
    in_order = pl.col("source_lang") <= pl.col("target_lang")
    source, target = pl.col("source_text"), pl.col("target_text")
    sides = pairs.select(
        first=pl.when(in_order).then(source).otherwise(target).fill_null(""),
        second=pl.when(in_order).then(target).otherwise(source).fill_null(""),
    )
    quality = pl.col("quality") if "quality" in pairs.columns else pl.lit(0.0)
    rows = pairs.select(
        machine=~pl.col("method").is_in(HUMAN_METHODS),
        quality=quality.cast(pl.Float32).fill_nan(None),
        score=pl.col("score").fill_nan(None),
        by_hand=kept_by_hand(pairs.schema),
    ).with_columns(
        failed.alias("reason"),
        exact_first=sides["first"].hash(),
        exact_second=sides["second"].hash(),
        first=pl.Series(text_keys(sides["first"])),
        second=pl.Series(text_keys(sides["second"])),
    )
    if not with_signatures:
        return rows
    has_passed = failed.is_null()
    passed = sides.filter(has_passed)
    signatures = text_signatures(passed["first"], passed["second"])
    of_all = np.zeros((len(pairs), signatures.shape[1]), np.uint16)
    of_all[has_passed.to_numpy()] = signatures
    return rows.with_columns(pl.Series(_SIGNATURE, of_all))


def drop_duplicates(batches: list[PairKeys], config: FilterConfig) -> pl.Series:
    """Return the first rule that each pair fails, as an index into RULES; null if none."""
    rows = pl.concat([keys.rows for keys in batches]).with_row_index("row")
    left = rows.filter(pl.col("reason").is_null()).with_row_index("signature")
    left = left.sort(
        "by_hand", "machine", pl.col("quality").round(_DECIMALS), "score", "row",
        descending=[True, False, True, True, False], nulls_last=True,
    )  # fmt: skip
    dropped = []

    def drop(is_dropped: pl.Expr, rule: int) -> None:
        nonlocal left
        if rule != _DUPLICATE:
            is_dropped &= ~pl.col("by_hand")
        marked = left.with_columns(is_dropped=is_dropped)
        dropped.append(marked.filter("is_dropped").select("row", new=pl.lit(rule, pl.UInt8)))
        left = marked.filter(~pl.col("is_dropped")).drop("is_dropped")

    drop(~pl.struct("exact_first", "exact_second").is_first_distinct(), _DUPLICATE)
    drop(~pl.struct("first", "second").is_first_distinct(), _SAME_BUT_FOR_FORM)
    if config.near and len(left):
        signatures = np.concatenate([keys.signatures for keys in batches])
        is_near = near_duplicates(signatures[left["signature"].to_numpy()], config.near)
        drop(pl.lit(pl.Series(is_near)), _NEAR_DUPLICATE)
    for side, limit in (("second", config.max_sources), ("first", config.max_targets)):
        if limit:
            drop(pl.int_range(pl.len()).over(side) >= limit, _MANY_TO_ONE)
    new = pl.concat([pl.DataFrame(schema={"row": pl.UInt32, "new": pl.UInt8}), *dropped])
    joined = rows.select("row", "reason").join(new, on="row", how="left", maintain_order="left")
    return joined.select(pl.coalesce("reason", "new").alias("reason")).to_series()
