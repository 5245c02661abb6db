"""Give each segment its role on the page, its article, and whether to keep it."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F64, I64
from ingest.config import Config, LabelConfig, config_of
from ingest.frames import DETECTED, SEGMENTS, check
from ingest.labelling.articles import find_script_debris, number_articles
from ingest.labelling.duplicates import find_originals
from ingest.labelling.features import compute_features
from ingest.labelling.network import predict_roles
from ingest.labelling.titles import find_site_names, repeat_titles
from ingest.roles import BOILERPLATE_ROLES, KEPT_ROLES, ROLES

__all__ = ["label"]


def label(segments: pl.DataFrame, *, config: LabelConfig | Config | None = None) -> pl.DataFrame:
    """Add role, role_score, role_by, article, duplicate_of and keep. Rows do not change.

    The labels of a segment depend on its own page only. The shipped model decides the roles
    (role_by `model`), except for leftover script from the page's HTML (role_by `script`) and the
    name of the site in a <title> (role_by `title`). `keep`
    is true for headlines, subheadings and body text that do not repeat an earlier segment of the
    page.

    Args:
        segments: a segments frame with the columns of `ingest.detect`. The rows of each page are
            contiguous and in order.
        config: the roles to keep.

    Raises:
        ConfigError: `config` is neither of these.
        FrameError: a column is missing.
        ModelError: the shipped role model is missing or damaged.

    >>> import ingest
    >>> pages = ingest.read(ingest.samples())
    >>> labelled = label(ingest.detect(ingest.segment(pages)))
    >>> set(labelled["role"]) <= set(ROLES)
    True
    """
    check(segments, SEGMENTS, DETECTED, verb="label")
    kept = config_of(config, LabelConfig).keep
    features = compute_features(segments)
    pages = features.pages
    probability = predict_roles(features.names, features.values, segments["markup"], pages)
    debris = find_script_debris(segments)
    chosen = choose_roles(probability)
    site_name = find_site_names(segments)
    role = np.select([debris, site_name], ["code", "nav"], np.array(ROLES)[chosen])
    score = np.where(debris | site_name, 1.0, probability[np.arange(len(chosen)), chosen])
    original = find_originals(features.duplicates, np.isin(role, KEPT_ROLES))
    original = repeat_titles(segments, role == "headline", original)
    is_duplicate = original != np.arange(len(original))
    article = number_articles(
        segments, role, is_duplicate, debris, pages=pages, words=features.content
    )
    return segments.with_columns(
        role=pl.Series(role, dtype=pl.String),
        role_score=pl.Series(score, dtype=pl.Float32),
        role_by=pl.Series(np.select([debris, site_name], ["script", "title"], "model")),
        article=pl.Series(article, dtype=pl.Int64),
        duplicate_of=pl.when(pl.Series(is_duplicate)).then(segments["segment"].gather(original)),
    ).with_columns(
        keep=pl.col("role").is_in(kept)
        & pl.col("duplicate_of").is_null()
        & ((pl.col("article") > 0) | pl.col("role").is_in(BOILERPLATE_ROLES))
    )


def choose_roles(probability: F64) -> I64:
    """Choose the role of each segment: first whether it is content, then which role of that kind.

    A segment that is body with .3, subheading with .3 and nav with .4 is content, although nav is
    the likeliest role.

    Args:
        probability: of each role [segments, roles].

    >>> nav, body = ROLES.index("nav"), ROLES.index("body")
    >>> probability = np.zeros((1, len(ROLES)))
    >>> probability[0, [0, body, nav]] = 0.25, 0.35, 0.4
    >>> ROLES[choose_roles(probability)[0]]
    'body'
    """
    kept = np.isin(ROLES, KEPT_ROLES)
    content = probability[:, kept].sum(axis=1) > 0.5
    allowed = content[:, None] == kept[None, :]
    best: I64 = np.where(allowed, probability, -1.0).argmax(axis=1)
    return best
