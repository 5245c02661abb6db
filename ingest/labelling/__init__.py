"""Give each segment its role on the page, its article, and whether to keep it."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from ingest._typing import F64
from ingest.config import Config, LabelConfig, config_of
from ingest.frames import DETECTED, SEGMENTS, check
from ingest.labelling.body_text import label_body_text
from ingest.labelling.decision import decide_labels
from ingest.labelling.features import compute_features, find_context
from ingest.labelling.network import predict_roles
from ingest.page_spans import cut_between_pages, find_pages

__all__ = ["label"]

_PART = 1 << 13  # segments labelled at once, unless a single page has more
_LONGEST_PAGE = 1 << 15  # segments of one page that the model sees at once


def label(segments: pl.DataFrame, *, config: LabelConfig | Config | None = None) -> pl.DataFrame:
    """Add role, role_score, role_by, article, duplicate_of and keep. Rows do not change.

    The labels of a segment depend on its own page only. The shipped model decides the roles
    (role_by `model`), except for leftover script (role_by `script`) and the name of the site in a
    <title> (role_by `title`). `keep` is true for headlines, subheadings and body text that the page
    shows and that do not repeat an earlier segment. Text that the page hides is kept where it hides
    more text than it shows, and listings on pages of documentation.

    With `LabelConfig(body_text=True)`, every segment is body text (role_by `setting`) except for
    leftover script, ornaments and lone numbers.

    Args:
        segments: a segments frame with the columns of `ingest.detect`. The rows of each page are
            contiguous and in order.
        config: the roles to keep, and whether all is body text.

    Raises:
        ConfigError: `config` is neither of these.
        FrameError: a column is missing.
        ModelError: the shipped role model is missing or damaged.

    >>> import ingest
    >>> pages = ingest.read(ingest.samples())
    >>> labelled = label(ingest.detect(ingest.segment(pages)))
    >>> labelled.filter("keep")["role"].unique().sort().to_list()
    ['body', 'headline', 'subheading']
    """
    check(segments, SEGMENTS, DETECTED, verb="label")
    config = config_of(config, LabelConfig)
    ends = find_pages(segments["doc_id"]).last + 1
    cuts = cut_between_pages(ends, _PART)
    parts = [_label_part(segments[start:end], config) for start, end in cuts]
    return pl.concat(parts) if parts else _label_part(segments, config)


def _label_part(segments: pl.DataFrame, config: LabelConfig) -> pl.DataFrame:
    """Label a few pages; the model sees a page that is very long in pieces."""
    if config.body_text:
        return label_body_text(segments, config)
    context = find_context(segments)
    if len(segments) <= _LONGEST_PAGE:
        probability = predict_roles(compute_features(segments, context))
    else:
        probability = _predict_in_pieces(segments)
    return decide_labels(segments, context, probability, config)


def _predict_in_pieces(segments: pl.DataFrame) -> F64:
    """The probabilities of a very long page, which may be one line over and over.

    Equal pieces are looked at once.
    """
    known: dict[bytes, F64] = {}
    probabilities = []
    for piece in segments.iter_slices(_LONGEST_PAGE):
        features = compute_features(piece)
        key = hashlib.sha256(piece.select("text", "markup").hash_rows().to_numpy().tobytes())
        key.update(np.ascontiguousarray(features.values.T).data)
        if key.digest() not in known:
            known[key.digest()] = predict_roles(features)
        probabilities.append(known[key.digest()])
    return np.concatenate(probabilities)
