"""Give each segment its role on the page, its article, and whether to keep it."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest.frames import DETECTED, KEPT_ROLES, ROLES, SEGMENTS, check
from ingest.labelling.articles import find_script_debris, number_articles
from ingest.labelling.features import compute_features
from ingest.labelling.network import predict_roles

__all__ = ["label"]


def label(segments: pl.DataFrame) -> pl.DataFrame:
    """Add role, role_score, role_by, article, duplicate_of and keep. Rows do not change.

    The labels of a segment depend on its own page only. The shipped model decides the roles
    (role_by `model`), except for leftover script from the page's HTML (role_by `script`). `keep`
    is true for headlines, subheadings and body text that do not repeat an earlier segment of the
    page.

    Args:
        segments: a segments frame with the columns of `ingest.detect`. The rows of each page are
            contiguous and in order.

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
    features = compute_features(segments)
    probability = predict_roles(features.names, features.values, features.pages.page)
    debris = find_script_debris(segments)
    role = np.where(debris, "code", np.array(ROLES)[probability.argmax(axis=1)])
    score = np.where(debris, 1.0, probability.max(axis=1, initial=0))
    is_duplicate = features.duplicates.previous >= 0
    article = number_articles(
        segments, role, is_duplicate, debris, pages=features.pages, words=features.content
    )
    original = segments["segment"].gather(features.duplicates.first)
    return segments.with_columns(
        role=pl.Series(role, dtype=pl.String),
        role_score=pl.Series(score, dtype=pl.Float32),
        role_by=pl.when(pl.Series(debris)).then(pl.lit("script")).otherwise(pl.lit("model")),
        article=pl.Series(article, dtype=pl.Int64),
        duplicate_of=pl.when(pl.Series(is_duplicate)).then(original),
    ).with_columns(
        keep=pl.col("role").is_in(KEPT_ROLES)
        & pl.col("duplicate_of").is_null()
        & (pl.col("article") > 0)
    )
