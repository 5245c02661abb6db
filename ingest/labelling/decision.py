"""From the probabilities of the model to labels: roles, articles, duplicates, what is kept."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F64, I64, Bools
from ingest.config import LabelConfig
from ingest.labelling.articles import find_script_debris, number_articles
from ingest.labelling.bare import find_bare
from ingest.labelling.damage import find_damaged
from ingest.labelling.duplicates import find_originals
from ingest.labelling.features import Context
from ingest.labelling.headings import find_lesser_headlines, find_repeated_headlines
from ingest.labelling.hidden import find_hidden
from ingest.labelling.listings import average_in_blocks, on_documentation
from ingest.labelling.network import CONTENT, LISTING, OUTPUTS
from ingest.labelling.sections import find_sections
from ingest.labelling.titles import find_site_names, repeat_titles
from ingest.roles import BOILERPLATE_ROLES, KEPT_ROLES

_CODE, _HEADLINE, _NAV, _SUBHEADING, _WIDGET = map(
    OUTPUTS.index, ("code", "headline", "nav", "subheading", "widget")
)
_KEPT, _BOILERPLATE = np.isin(OUTPUTS, KEPT_ROLES), np.isin(OUTPUTS, BOILERPLATE_ROLES)
_HEADINGS = (_HEADLINE, _SUBHEADING)
# What stands between a headline and its repetition below the picture.
_BETWEEN = [OUTPUTS.index(r) for r in ("caption", "byline", "dateline", "widget", "credit", "ad")]
_ROWS = 1 << 15  # segments compared at once, so that memory does not grow with the page
# What can decide a role; the rules from the second on.
_DECIDERS = ("model", "heading", "section", "bare", "title", "script")
_HEADING = _DECIDERS.index("heading")
_RULE_IS_SURE = [_DECIDERS.index(rule) for rule in ("script", "title", "section", "bare")]


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
    in_block, averaged = average_in_blocks(segments, probability)
    is_listing = in_block
    if in_block.any():
        is_listing = in_block & (choose_roles(averaged) == LISTING)
        probability = np.where(is_listing[:, None], averaged, probability)
    chosen, by, lesser = _revise(segments, context, probability)
    content = _KEPT[chosen]
    hidden = find_hidden(segments, content & (chosen != _HEADLINE), pages)
    # An entry of a table of contents is the copy, and the heading it points to the original.
    demoted = (by == _HEADING) & (chosen != _HEADLINE)
    original = find_originals(context.duplicates, content & ~hidden & ~demoted)
    original = repeat_titles(segments, (chosen == _HEADLINE) & ~hidden, original)
    # A listing would be broken without the lines that it repeats.
    original = np.where(is_listing & (chosen == LISTING), np.arange(len(original)), original)
    is_duplicate = original != np.arange(len(original))
    article, opens = number_articles(
        segments,
        np.where(hidden, _NAV, chosen),
        is_duplicate,
        lesser=lesser,
        pages=pages,
        words=context.texts.content,
    )
    lowered = lesser & ~opens & ~is_duplicate
    chosen, by = np.where(lowered, _SUBHEADING, chosen), np.where(lowered, _HEADING, by)
    score = probability[np.arange(len(chosen)), chosen]
    kept = np.isin(OUTPUTS, config.keep)[chosen] & ((article > 0) | _BOILERPLATE[chosen])
    if config.documentation_code:
        kept |= on_documentation(segments, chosen == LISTING, content, pages)
    return segments.with_columns(
        role=pl.Series(OUTPUTS).gather(chosen),
        role_score=pl.Series(np.where(np.isin(by, _RULE_IS_SURE), 1.0, score), dtype=pl.Float32),
        role_by=pl.Series(_DECIDERS).gather(by),
        article=pl.Series(article, dtype=pl.Int64),
        duplicate_of=pl.when(pl.Series(is_duplicate)).then(segments["segment"].gather(original)),
        keep=pl.Series(kept & ~is_duplicate & ~hidden & ~find_damaged(segments)),
    )


def _revise(segments: pl.DataFrame, context: Context, probability: F64) -> tuple[I64, I64, Bools]:
    """Choose an output for each segment, and correct it by rules.

    Returns:
        The outputs; which of _DECIDERS decided each; and which headlines are in lower headings
        than the main one of their page: they open an article only on another topic.
    """
    pages = context.pages
    chosen = choose_roles(probability)
    by = np.zeros(len(chosen), np.int64)

    def correct(where: Bools, output: int | I64, rule: str) -> None:
        nonlocal chosen, by
        chosen, by = np.where(where, output, chosen), np.where(where, _DECIDERS.index(rule), by)

    headings, between = np.isin(chosen, _HEADINGS), np.isin(chosen, _BETWEEN)
    previous = context.duplicates.previous
    repeated = find_repeated_headlines(previous, headings, between, pages)
    correct(repeated & (chosen != _HEADLINE), _HEADLINE, "heading")
    sure = probability[:, _HEADLINE] > 0.5
    lesser = find_lesser_headlines(segments, chosen == _HEADLINE, sure, pages)
    if lesser.others.any():
        correct(lesser.others, _next_best(probability), "heading")
    headings, content = np.isin(chosen, _HEADINGS), CONTENT[chosen]
    sections = find_sections(segments, context.markup, content, headings, pages)
    for kind, inside in sections.items():
        correct(inside, OUTPUTS.index(kind), "section")
    correct(find_bare(segments) & _KEPT[chosen], _WIDGET, "bare")
    correct(find_site_names(segments), _NAV, "title")
    correct(find_script_debris(segments), _CODE, "script")
    return chosen, by, lesser.headings & (chosen == _HEADLINE)


def _next_best(probability: F64) -> I64:
    """The likeliest kind of content other than a headline."""
    allowed = CONTENT.copy()
    allowed[_HEADLINE] = False
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
    best = np.empty(len(probability), np.int64)
    for start in range(0, len(probability), _ROWS):
        some = probability[start : start + _ROWS]
        content = some[:, CONTENT].sum(axis=1) > 0.5
        allowed = content[:, None] == CONTENT[None, :]
        best[start : start + _ROWS] = np.where(allowed, some, -1.0).argmax(axis=1)
    return best
