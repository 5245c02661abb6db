"""Text that a page hides counts only where the page shows less text than it hides."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import Bools
from ingest.page_spans import PageSpans


def find_hidden(segments: pl.DataFrame, is_content: Bools, pages: PageSpans) -> Bools:
    """Find the segments that the page hides, and that are not what it is about.

    A page hides folded parts, dialogs and text for other devices. But a page that a script fills
    or reveals (`<body style="visibility:hidden">`, `<noscript>`) hides its main text: there, the
    content that is hidden is longer than the content that is shown, and nothing is found.

    Args:
        segments: the columns text and visible.
        is_content: whether each segment is content, other than a headline.
        pages: the pages of the batch.

    >>> from ingest.page_spans import find_pages
    >>> frame = pl.DataFrame({"text": ["Shown text.", "Hidden"], "visible": [True, False]})
    >>> page = find_pages(pl.Series(["d", "d"]))
    >>> find_hidden(frame, np.array([True, True]), page).tolist()
    [False, True]
    """
    hidden = (~segments["visible"]).fill_null(value=False).to_numpy()
    size = segments["text"].str.len_chars().to_numpy() * is_content
    of_page = [
        np.bincount(pages.page, weights=size * mask, minlength=len(pages.first))
        for mask in (hidden, ~hidden)
    ]
    mostly_hidden: Bools = of_page[0] > of_page[1]
    found: Bools = hidden & ~mostly_hidden[pages.page]
    return found
