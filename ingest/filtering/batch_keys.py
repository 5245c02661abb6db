"""Apply the rules about single pairs to a batch, and make the keys to compare it with others."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest.config import Config, FilterConfig, config_of
from ingest.filtering.excluded import ExcludedTexts
from ingest.filtering.near_duplicates import pair_keys
from ingest.filtering.rules import first_failed_rule

EXCLUDED_BY = "excluded by "
"""Start of the names of columns that say whether a pair has a text of an excluded file."""


def rule_keys(
    pairs: pl.DataFrame, *, config: FilterConfig | Config, excluded: ExcludedTexts | None
) -> pl.DataFrame:
    """Apply the rules about single pairs, and make the keys of a batch.

    Args:
        pairs: the batch, whose columns `check_scores` has checked.
        config: the thresholds.
        excluded: texts that pairs must not contain.

    Returns:
        The columns of `pair_keys`; and for each excluded file, by its number, whether the pair has
        one of its texts.
    """
    settings = config_of(config, FilterConfig)
    found = excluded.match(pairs) if excluded else np.zeros((len(pairs), 0), np.bool_)
    by_file = [pl.Series(f"{EXCLUDED_BY}{n}", of_file) for n, of_file in enumerate(found.T)]
    is_excluded = pl.Series(found.any(axis=1))
    failed = first_failed_rule(pairs, is_excluded, settings)
    return pair_keys(pairs, failed, with_signatures=settings.near > 0).with_columns(by_file)
