"""From the probabilities of the model to labels: roles, articles, duplicates, what is kept."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F64, I64
from ingest.config import LabelConfig
from ingest.labelling.articles import find_script_debris, number_articles
from ingest.labelling.duplicates import find_originals
from ingest.labelling.features import Context
from ingest.labelling.headings import find_lesser_headlines, find_repeated_headlines
from ingest.labelling.hidden import find_hidden
from ingest.labelling.listings import on_documentation
from ingest.labelling.network import CONTENT, LISTING, OUTPUTS
from ingest.labelling.sections import find_sections
from ingest.labelling.titles import find_site_names, repeat_titles
from ingest.roles import BOILERPLATE_ROLES, KEPT_ROLES

_HEADINGS = [OUTPUTS.index("headline"), OUTPUTS.index("subheading")]
# What stands between a headline and its repetition below the picture.
_BETWEEN = ("caption", "byline", "dateline", "widget", "credit", "ad")


def decide_labels(
    segments: pl.DataFrame, context: Context, probability: F64, config: LabelConfig
) -> pl.DataFrame:
    """Add role, role_score, role_by, article, duplicate_of and keep.

    Args:
        segments: the columns of `ingest.detect`.
        context: what `find_context` gives for them.
        probability: of each of `network.OUTPUTS` [segments, outputs].
        config: what to keep.
    """
    pages = context.pages
    chosen = choose_roles(probability)
    repeated = find_repeated_headlines(
        context.duplicates.previous,
        np.isin(chosen, _HEADINGS),
        np.isin(np.array(OUTPUTS)[chosen], _BETWEEN),
        pages,
    ) & (chosen != OUTPUTS.index("headline"))
    chosen = np.where(repeated, OUTPUTS.index("headline"), chosen)
    is_headline = chosen == OUTPUTS.index("headline")
    lesser = find_lesser_headlines(
        segments, is_headline, probability[:, OUTPUTS.index("headline")] > 0.5, pages
    )
    chosen = np.where(lesser.others, _next_best(probability), chosen)
    sections = find_sections(
        segments,
        context.markup,
        CONTENT[chosen],
        np.isin(chosen, _HEADINGS),
        pages,
    )
    for kind, inside in sections.items():
        chosen = np.where(inside, OUTPUTS.index(kind), chosen)
    debris, site_name = find_script_debris(segments), find_site_names(segments)
    role = np.select([debris, site_name], ["code", "nav"], np.array(OUTPUTS)[chosen])
    listing = (chosen == LISTING) & ~debris & ~site_name
    content = np.isin(role, KEPT_ROLES)
    hidden = find_hidden(segments, content & (role != "headline"), pages)
    original = find_originals(context.duplicates, content & ~hidden)
    original = repeat_titles(segments, (role == "headline") & ~hidden, original)
    is_duplicate = original != np.arange(len(original))
    article, opens = number_articles(
        segments,
        np.where(hidden, "nav", role),
        is_duplicate,
        listing,
        lesser=lesser.headings,
        pages=pages,
        words=context.texts.content,
    )
    lowered = lesser.headings & ~opens & ~is_duplicate
    role = np.where(lowered, "subheading", role)
    chosen = np.where(lowered, OUTPUTS.index("subheading"), chosen)
    by_section = np.logical_or.reduce([*sections.values()])
    by_rule = debris | site_name | by_section
    score = np.where(by_rule, 1.0, probability[np.arange(len(chosen)), chosen])
    by = [debris, site_name, by_section, lesser.others | lowered | repeated]
    kept = np.isin(role, config.keep) & ((article > 0) | np.isin(role, BOILERPLATE_ROLES))
    if config.documentation_code:
        kept |= on_documentation(segments, listing, content, pages)
    return segments.with_columns(
        role=pl.Series(role, dtype=pl.String),
        role_score=pl.Series(score, dtype=pl.Float32),
        role_by=pl.Series(np.select(by, ["script", "title", "section", "heading"], "model")),
        article=pl.Series(article, dtype=pl.Int64),
        duplicate_of=pl.when(pl.Series(is_duplicate)).then(segments["segment"].gather(original)),
        keep=pl.Series(kept & ~is_duplicate & ~hidden),
    )


def _next_best(probability: F64) -> I64:
    """The likeliest kind of content that is no headline."""
    allowed = CONTENT.copy()
    allowed[OUTPUTS.index("headline")] = False
    best: I64 = np.where(allowed, probability, -1.0).argmax(axis=1)
    return best


def choose_roles(probability: F64) -> I64:
    """Choose the output for each segment: first whether it is content, then which of that kind.

    A segment that is body with .3, subheading with .3 and nav with .4 is content, although nav is
    the likeliest role.

    Args:
        probability: of each of `network.OUTPUTS` [segments, outputs].

    >>> nav, body = OUTPUTS.index("nav"), OUTPUTS.index("body")
    >>> probability = np.zeros((1, len(OUTPUTS)))
    >>> probability[0, [0, body, nav]] = 0.25, 0.35, 0.4
    >>> OUTPUTS[choose_roles(probability)[0]]
    'body'
    """
    content = probability[:, CONTENT].sum(axis=1) > 0.5
    allowed = content[:, None] == CONTENT[None, :]
    best: I64 = np.where(allowed, probability, -1.0).argmax(axis=1)
    return best
