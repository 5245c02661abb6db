"""Listings are content on pages of documentation."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import Bools
from ingest.page_spans import PageSpans

# A page with this part of its content in listings, in letters, is documentation.
_SHARE = 0.03


def on_documentation(
    segments: pl.DataFrame, listing: Bools, content: Bools, pages: PageSpans
) -> Bools:
    """Find the listings of HTML pages that have many of them: pages of documentation.

    Args:
        segments: the columns text and markup.
        listing: whether each segment is a listing inside an article.
        content: whether each segment is other content.
        pages: the pages of the batch.

    >>> from ingest.page_spans import find_pages
    >>> frame = pl.DataFrame({"text": ["Print a line:", "print('Hello')"], "markup": ["p", "pre"]})
    >>> page = find_pages(pl.Series(["d", "d"]))
    >>> on_documentation(frame, np.array([False, True]), np.array([True, False]), page).tolist()
    [False, True]
    """
    size = segments["text"].str.len_chars().to_numpy()
    of_listings, of_all = (
        np.bincount(pages.page, weights=size * mask, minlength=len(pages.first))
        for mask in (listing, listing | content)
    )
    many = of_listings > _SHARE * np.maximum(of_all, 1)
    found: Bools = listing & many[pages.page] & segments["markup"].is_not_null().to_numpy()
    return found
