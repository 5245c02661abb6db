"""Give each segment its role on the page, its article, and whether to keep it."""

from __future__ import annotations

import polars as pl

from ingest.config import Config, LabelConfig, config_of
from ingest.frames import DETECTED, SEGMENTS, check
from ingest.labelling.decision import decide_labels
from ingest.labelling.features import compute_features
from ingest.labelling.network import predict_roles

__all__ = ["label"]


def label(segments: pl.DataFrame, *, config: LabelConfig | Config | None = None) -> pl.DataFrame:
    """Add role, role_score, role_by, article, duplicate_of and keep. Rows do not change.

    The labels of a segment depend on its own page only. The shipped model decides the roles
    (role_by `model`), except for leftover script (role_by `script`) and the name of the site in a
    <title> (role_by `title`). `keep` is true for headlines, subheadings and body text that the page
    shows and that do not repeat an earlier segment. Text that the page hides is kept where it hides
    more text than it shows, and listings on pages of documentation.

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
    >>> set(labelled["role"]) <= set(ingest.ROLES)
    True
    """
    check(segments, SEGMENTS, DETECTED, verb="label")
    config = config_of(config, LabelConfig)
    features = compute_features(segments)
    probability = predict_roles(features)
    return decide_labels(segments, features, probability, config)
