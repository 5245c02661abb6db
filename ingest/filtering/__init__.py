"""Decide which pairs to keep, and give the reason for each pair that is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from ingest.config import Config, FilterConfig, config_of
from ingest.drop_reasons import RULES, funnel_table
from ingest.filtering.batch_keys import rule_keys
from ingest.filtering.excluded import ExcludedTexts, read_excluded
from ingest.filtering.near_duplicates import PassedPairs
from ingest.filtering.rules import check_scores
from ingest.frames import FILTERED, PAIRS, check
from ingest.io.pairs_file import BATCH_SIZE
from ingest.pii import pii


def filter(
    pairs: pl.DataFrame,
    *,
    exclude: Sequence[str | Path] = (),
    config: FilterConfig | Config | None = None,
) -> pl.DataFrame:
    """Add keep, drop_reason and pii. No row is removed or moved.

    The drop_reason is the first rule that a pair fails. The rules, in order: rejected by hand (as a
    drop_reason that the pairs have already says), empty, copy, too short, too long, length ratio,
    wrong script, wrong language, no score, low score, low quality, machine text, flagged
    translation, boilerplate, repetition, excluded; then, among the pairs that are left: duplicate,
    same but for form, near-duplicate, many to one. A near-duplicate is similar to a pair that
    passes this rule. A pair with `kept_by_hand` true only fails rejected by hand, excluded and
    duplicate. In scripts without spaces, two letters count as a word. The order of rows only
    decides between pairs that are equally good: then the first one is kept.

    Args:
        pairs: a frame of pairs, with or without the columns of `ingest.score`.
        exclude: files or folders of texts, such as test sets, in any format of
            `ingest.filtering.reference_files`. A pair is dropped if one of its sides is the same
            or nearly the same as one of these texts, or if one is not short and is inside the
            other.
        config: the thresholds.

    Raises:
        FrameError: a column is missing, also one that a threshold was set for.
        SourceError: a file in `exclude` cannot be read.

    >>> from ingest.alignment import align_lines
    >>> pairs = align_lines(["صباح الخير يا أمي", "قرأت كتابا"], ["Good morning, mother", "I read"])
    >>> kept = filter(pairs, config=FilterConfig(min_score=0))
    >>> kept.select("keep", "drop_reason").rows()
    [(True, None), (True, None)]
    """
    settings = config_of(config, FilterConfig)
    check(pairs, PAIRS, verb="filter")
    check_scores(pairs.schema, settings)
    excluded = ExcludedTexts(*read_excluded(exclude)) if exclude else None
    keys = (
        rule_keys(batch, config=settings, excluded=excluded)
        for batch in pairs.iter_slices(BATCH_SIZE)
    )
    reasons = find_drop_reasons(keys, settings)
    return with_drop_reasons(pairs, reasons)


def find_drop_reasons(keys: Iterable[pl.DataFrame], config: FilterConfig) -> pl.Series:
    """Return the first rule that each pair fails, as an index into RULES; null if none.

    Args:
        keys: what `rule_keys` returns for each batch of pairs, in order.
        config: the thresholds.
    """
    with PassedPairs(config) as passed:
        for batch in keys:
            passed.append(batch)
        return passed.drop_duplicates()


def with_drop_reasons(pairs: pl.DataFrame, reasons: pl.Series) -> pl.DataFrame:
    """Add keep, drop_reason and pii, from indices into RULES."""
    names = pl.Series(RULES).gather(reasons.cast(pl.UInt32))
    return pairs.with_columns(keep=reasons.is_null(), drop_reason=names, pii=pii(pairs))


def funnel(filtered: pl.DataFrame) -> pl.DataFrame:
    """Count how many pairs each rule dropped, in order: columns rule, came_in, took, left.

    Args:
        filtered: pairs with keep and drop_reason, as `ingest.filter` returns them.

    Raises:
        FrameError: one of these columns is missing.

    >>> filtered = pl.DataFrame({"drop_reason": [None, "copy", None]}).with_columns(
    ...     keep=pl.col("drop_reason").is_null()
    ... )
    >>> funnel(filtered).filter(rule="copy").rows()
    [('copy', 3, 1, 2)]
    """
    check(filtered, FILTERED[:2], verb="funnel")
    counts = filtered["drop_reason"].drop_nulls().value_counts()
    return funnel_table(len(filtered), dict(counts.iter_rows()))
