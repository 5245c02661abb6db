"""What the layout says of headings: which are headlines, whatever they looked like."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, Bools
from ingest.page_spans import PageSpans

_NONE = 7  # the level of text that is in no heading
_REPEAT = 8  # lines within which a headline is repeated below its picture


class LesserHeadlines(NamedTuple):
    """Headlines in lower elements than the main headline of their page: bool [segments].

    Attributes:
        headings: those in <h1> to <h6>, which may be the headline of a second story.
        others: those in no heading: entries of a table of contents, bold lines, list items.
    """

    headings: Bools
    others: Bools


def find_lesser_headlines(
    segments: pl.DataFrame, is_headline: Bools, sure: Bools, pages: PageSpans
) -> LesserHeadlines:
    """Find the headlines that are set less than the main headline of their page.

    <h1> to <h6> have levels 1 to 6; text in no heading comes below them. A page on which no sure
    headline is in a heading has no lesser ones, nor has plain text. Nor is a headline in another
    script than the main one less: on a bilingual page, it may be its translation.

    Args:
        segments: the columns block and script.
        is_headline: whether each segment was taken for a headline.
        sure: whether that is more likely than not.
        pages: the pages of the batch.

    >>> from ingest.page_spans import find_pages
    >>> block = ["/html/head/title", "/html/body/h1[1]", "/html/body/ul[1]/li[1]/a[1]"]
    >>> frame = pl.DataFrame({"block": block, "script": "Latn"})
    >>> found = find_lesser_headlines(frame, np.full(3, True), np.full(3, True),
    ...                               find_pages(pl.Series(["d"] * 3)))
    >>> found.others.tolist()
    [False, False, True]
    """
    rows = np.flatnonzero(is_headline)
    columns = segments.select(pl.col("block", "script").gather(pl.Series(rows))).select(
        level=pl.col("block").str.extract(r".*/h([1-6])\[").cast(pl.Int64).fill_null(_NONE),
        is_title=pl.col("block").str.ends_with("/title").fill_null(value=False),
        script=pl.col("script").rank("dense").cast(pl.Int64),
    )
    level: I64 = columns["level"].to_numpy()
    script: I64 = columns["script"].to_numpy()
    page = pages.page[rows]
    candidates = np.flatnonzero(sure[rows] & (level < _NONE))
    # The first candidate of the lowest level: later writes win, so they come in reverse.
    order = candidates[np.lexsort((-candidates, -level[candidates]))]
    main_level, main_script = np.full(len(pages.first), _NONE), np.zeros(len(pages.first), int)
    main_level[page[order]] = level[order]
    main_script[page[order]] = script[order]
    lesser = (level > main_level[page]) & ~columns["is_title"].to_numpy()
    lesser &= script == main_script[page]
    headings, others = (np.zeros(len(segments), bool) for _ in range(2))
    headings[rows] = lesser & (level < _NONE)
    others[rows] = lesser & (level == _NONE)
    return LesserHeadlines(headings, others)


def find_repeated_headlines(
    previous: I64, is_heading: Bools, is_between: Bools, pages: PageSpans
) -> Bools:
    """Find headings that stand twice around a picture or a share bar, as headlines do.

    Args:
        previous: the closest earlier row with the same text; -1 if none.
        is_heading: whether each segment is a headline or a subheading.
        is_between: whether it is what may stand between the two: a caption, byline, widget, …
        pages: the pages of the batch.

    >>> from ingest.page_spans import find_pages
    >>> page = find_pages(pl.Series(["d"] * 3))
    >>> find_repeated_headlines(np.array([-1, -1, 0]), np.array([True, False, True]),
    ...                         np.array([False, True, False]), page).tolist()
    [True, False, True]
    """
    rows = np.arange(len(previous))
    others = np.r_[0, np.cumsum(~is_between)]  # before each row
    gap = rows - previous
    repeats = (previous >= 0) & (gap > 1) & (gap <= _REPEAT) & is_heading & is_heading[previous]
    repeats &= others[rows] == others[np.maximum(previous, 0) + 1]
    repeats &= pages.page[np.maximum(previous, 0)] == pages.page
    found: Bools = repeats.copy()
    found[previous[repeats]] = True
    return found
