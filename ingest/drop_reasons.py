"""Why a pair may be dropped, in the order the rules apply, and the table that counts them."""

from __future__ import annotations

import polars as pl

NO_SCORE = "no score"


# What a rule is called is the drop_reason that it gives.
OF_PAIRS = (
    "empty", "copy", "too short", "too long", "length ratio", "wrong script", "wrong language",
    NO_SCORE, "low score", "low quality", "machine text", "flagged translation", "boilerplate",
    "repetition", "excluded",
)  # fmt: skip


AMONG_PAIRS = ("duplicate", "same but for form", "near-duplicate", "many to one")


RULES = (*OF_PAIRS, *AMONG_PAIRS)


def funnel_of(pairs: int, took: dict[str, int]) -> pl.DataFrame:
    """The table, from how many pairs there were and how many each rule took."""
    names = [*RULES, *sorted(took.keys() - set(RULES))]
    table = pl.DataFrame({"rule": names, "took": [took.get(name, 0) for name in names]})
    left = pairs - pl.col("took").cum_sum()
    return table.select("rule", came_in=left + pl.col("took"), took="took", left=left)
