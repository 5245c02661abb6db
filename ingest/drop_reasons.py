"""Why pairs and segments are not kept.

For pairs, these are the rules of the filter, in the order they apply, with the funnel that counts.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from ingest.roles import KEPT_ROLES

NO_SCORE = "no score"
REJECTED = "rejected by hand"
"""Of pairs that a person has rejected, and of segments that a person has dropped."""

PERSON, SITE_RULE = "person", "site rule"
"""What decides the role of segments that a person, or a rule that follows from this, corrected."""

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


REPEATED, TEMPLATE, HIDDEN, NOT_CONTENT, DAMAGED, _ = SEGMENT_REASONS = (
    "repeated", "template", "hidden", "not content", "damaged", REJECTED,
)  # fmt: skip
"""Why a segment of a page is not kept."""


def segment_reason(kept_roles: Collection[str] = KEPT_ROLES) -> pl.Expr:
    """Return why a labelled segment is not kept, one of SEGMENT_REASONS: String, null if it is.

    Args:
        kept_roles: roles of the segments that were kept.

    >>> segment = {"keep": False, "duplicate_of": None, "role_by": "model", "role": "body"}
    >>> segments = pl.DataFrame([segment | {"visible": v, "article": a} for v, a in
    ...                          ((False, 0), (True, 0), (None, 1))])
    >>> segments.select(segment_reason()).to_series().to_list()
    ['hidden', 'not content', 'damaged']
    """
    is_kept_role = pl.col("role").is_in(list(kept_roles))
    by_hand = pl.col("role_by").is_in([PERSON, SITE_RULE])
    return (
        pl.when(pl.col("keep").fill_null(value=False))
        .then(None)
        .when(by_hand & is_kept_role)  # of another role, the role says why
        .then(pl.lit(REJECTED))
        .when(pl.col("duplicate_of").is_not_null())
        .then(pl.lit(REPEATED))
        .when(pl.col("role_by") == "site")
        .then(pl.lit(TEMPLATE))
        .when(is_kept_role & (pl.col("visible") == False))  # noqa: E712
        .then(pl.lit(HIDDEN))
        .when(~is_kept_role | (pl.col("article") == 0))
        .then(pl.lit(NOT_CONTENT))
        .otherwise(pl.lit(DAMAGED))
        .alias("reason")
    )
