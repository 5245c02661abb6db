"""The verb: which pairs are kept, and why the others are not; and the table that counts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from ingest._typing import Batches
from ingest.config import Config, FilterConfig, config_of
from ingest.drop_reasons import RULES, funnel_of
from ingest.filtering.contamination import Lines
from ingest.filtering.near_duplicates import Keys, decide, look
from ingest.filtering.rules import check_scores, first_reason
from ingest.frames import FILTERED, PAIRS, check
from ingest.io.pairs_file import BATCH
from ingest.pii import pii
from ingest.readers.lines import read_lines

# Texts of a test set that are alike by less could well be other sentences.
_NEAR_EXCLUDED = 0.6


def filter(
    pairs: pl.DataFrame,
    *,
    exclude: Sequence[str | Path] = (),
    config: FilterConfig | Config | None = None,
) -> pl.DataFrame:
    """Add keep, drop_reason and pii; rows stay as they are, and in their order.

    Rules have their say one after the other, and the first that a pair does not pass is its
    drop_reason: empty, copy, too short, too long, length ratio, wrong script, wrong language, no
    score, low score, low quality, machine text, flagged translation, boilerplate, repetition,
    excluded; and, among the pairs that are left, duplicate, same but for form, near-duplicate,
    many to one. A near-duplicate is like a pair that passes this rule. Two letters count as a word
    where words are written without spaces. The order of rows makes no difference to what is kept.

    Args:
        pairs: a frame of pairs, with or without the columns of `ingest.score`.
        exclude: text files, such as test sets: a pair is dropped if either of its sides is one of
            their lines, or nearly one, or contains a line that is not short.
        config: the thresholds.

    Raises:
        FrameError: a column is missing, or a threshold was set for one that is.
        SourceError: a file to exclude cannot be read.

    >>> from ingest.alignment import align_lines
    >>> pairs = align_lines(["صباح الخير يا أمي", "قرأت كتابا"], ["Good morning, mother", "I read"])
    >>> kept = filter(pairs, config=FilterConfig(min_score=0))
    >>> kept.select("keep", "drop_reason").rows()
    [(True, None), (True, None)]
    """
    rules = config_of(config, FilterConfig)
    check(pairs, PAIRS, verb="filter")

    def batches() -> Iterator[pl.DataFrame]:
        return pairs.iter_slices(BATCH)

    reasons = reasons_of(batches, pairs.schema, excluded_lines(exclude), rules)
    return with_reasons(pairs, reasons)


def excluded_lines(files: Iterable[str | Path]) -> Lines | None:
    """The lines of files, to hold texts against; None where there are no files."""
    texts = [line for file in files for line in read_lines(str(file)) if line.strip()]
    return Lines(pl.Series(texts, dtype=pl.String), near=_NEAR_EXCLUDED) if texts else None


def reasons_of(
    batches: Batches, columns: pl.Schema, excluded: Lines | None, config: FilterConfig
) -> pl.Series:
    """The rule that each pair does not pass, as an index into RULES: keys first, then a decision.

    Args:
        batches: the pairs, a batch at a time.
        columns: of theirs.
        excluded: lines that no pair is to have.
        config: the thresholds.
    """
    check_scores(columns, config)
    found: list[Keys] = []
    for batch in batches():
        reason = first_reason(batch, _excluded(batch, excluded), config)
        found.append(look(batch, reason, near=config.near > 0))
    return decide(found, config) if found else pl.Series("reason", [], pl.UInt8)


def _excluded(batch: pl.DataFrame, excluded: Lines | None) -> pl.Series:
    hit = np.zeros(len(batch), bool)
    if excluded:
        for side in ("source_text", "target_text"):
            hit[excluded.like(batch[side])["text"].to_numpy()] = True
    return pl.Series(hit)


def with_reasons(pairs: pl.DataFrame, reasons: pl.Series) -> pl.DataFrame:
    """Pairs with what was decided of them."""
    names = pl.Series(RULES).gather(reasons.cast(pl.UInt32))
    return pairs.with_columns(keep=reasons.is_null(), drop_reason=names, pii=pii(pairs))


def funnel(filtered: pl.DataFrame) -> pl.DataFrame:
    """What each rule took, in the order of the rules: columns rule, came_in, took, left.

    Args:
        filtered: pairs with keep and drop_reason, as `ingest.filter` makes them.

    Raises:
        FrameError: they are missing.

    >>> import ingest
    >>> reasons = pl.DataFrame({"drop_reason": [None, "copy", None]}).with_columns(
    ...     keep=pl.col("drop_reason").is_null()
    ... )
    >>> funnel(reasons).filter(rule="copy").rows()
    [('copy', 3, 1, 2)]
    """
    check(filtered, FILTERED[:2], verb="funnel")
    counted = filtered["drop_reason"].drop_nulls().value_counts()
    return funnel_of(len(filtered), dict(counted.iter_rows()))
