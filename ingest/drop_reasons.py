"""The rules of the filter, in the order they apply, and the funnel that counts their drops."""

from __future__ import annotations

import polars as pl

NO_SCORE = "no score"
REJECTED = "rejected by hand"
"""Of pairs that a person has rejected, and of segments that a person has dropped."""

# The name of a rule is the drop_reason of the pairs that fail it.
SINGLE_PAIR_RULES = (
    REJECTED,
    "empty", "copy", "too short", "too long", "length ratio", "wrong script", "wrong language",
    NO_SCORE, "low score", "low quality", "machine text", "flagged translation", "boilerplate",
    "repetition", "excluded",
)  # fmt: skip
"""Rules that look at one pair alone."""

DUPLICATE_RULES = ("duplicate", "same but for form", "near-duplicate", "many to one")
"""Rules that compare a pair with all others."""

RULES = (*SINGLE_PAIR_RULES, *DUPLICATE_RULES)


def funnel_table(pairs: int, dropped: dict[str, int]) -> pl.DataFrame:
    """Make the funnel: columns rule, came_in, took, left.

    Args:
        pairs: number of pairs before the first rule.
        dropped: number of pairs that each rule dropped.
    """
    names = [*RULES, *sorted(dropped.keys() - set(RULES))]
    table = pl.DataFrame({"rule": names, "took": [dropped.get(name, 0) for name in names]})
    left = pairs - pl.col("took").cum_sum()
    return table.select("rule", came_in=left + pl.col("took"), took="took", left=left)
