"""What each segment is on its page: role, article, duplicate, keep."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest.frames import DETECTED, KEPT_ROLES, ROLES, SEGMENTS, check
from ingest.labelling.articles import number_articles, script_debris
from ingest.labelling.features import compute_features
from ingest.labelling.network import probabilities

__all__ = ["label"]


def label(segments: pl.DataFrame) -> pl.DataFrame:
    """Add role, role_score, role_by, article, duplicate_of and keep; rows stay as they are.

    A segment's labels depend on its own page only. Roles come from the shipped model (role_by
    `model`), but for script left over from the page's HTML (role_by `script`). `keep` is true for
    headline, subheading and body that do not repeat an earlier segment of the page.

    Args:
        segments: a segments frame with the columns of `ingest.detect`, the rows of each page
            together and in order.

    Raises:
        FrameError: a column is missing.
        ModelError: the shipped role model is missing or damaged.

    >>> import ingest
    >>> pages = ingest.read(ingest.samples())
    >>> labelled = label(ingest.detect(ingest.segment(pages)))
    >>> set(labelled["role"]) <= set(ROLES)
    True
    """
    check(segments, SEGMENTS, DETECTED, verb="label")
    seen = compute_features(segments)
    chance = probabilities(seen.names, seen.values, seen.pages.page)
    script = script_debris(segments)
    role = np.where(script, "code", np.array(ROLES)[chance.argmax(axis=1)])
    score = np.where(script, 1.0, chance.max(axis=1, initial=0))
    repeated = seen.repeats.before >= 0
    article = number_articles(
        segments, role, repeated, script, pages=seen.pages, words=seen.content
    )
    first = segments["segment"].gather(seen.repeats.first)
    return segments.with_columns(
        role=pl.Series(role, dtype=pl.String),
        role_score=pl.Series(score, dtype=pl.Float32),
        role_by=pl.when(pl.Series(script)).then(pl.lit("script")).otherwise(pl.lit("model")),
        article=pl.Series(article, dtype=pl.Int64),
        duplicate_of=pl.when(pl.Series(repeated)).then(first),
    ).with_columns(
        keep=pl.col("role").is_in(KEPT_ROLES)
        & pl.col("duplicate_of").is_null()
        & (pl.col("article") > 0)
    )
