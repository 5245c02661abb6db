"""Listings: a <pre> is one as a whole, and on pages of documentation it is content."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F64, Bools
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


def average_in_blocks(segments: pl.DataFrame, probability: F64) -> tuple[Bools, F64]:
    """Average the probabilities of the lines of each <pre>, which is a listing as a whole or not.

    Args:
        segments: the columns doc_id and block.
        probability: of each output [segments, outputs].

    Returns:
        Which segments are lines of a <pre>, and the probabilities: float64 [segments, outputs],
        those of other segments as they are.

    >>> frame = pl.DataFrame({"doc_id": "d", "block": ["/html/body/pre[1]", "/html/body/pre[1]"]})
    >>> average_in_blocks(frame, np.array([[1.0, 0.0], [0.0, 1.0]]))[1].tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    in_pre = pl.col("block").str.contains("/pre[", literal=True).fill_null(value=False)
    inside: Bools = segments.select(in_pre).to_series().to_numpy()
    if not inside.any():
        return inside, probability
    place = pl.concat_str("doc_id", pl.col("block").str.extract(r"^(.*/pre\[\d+\])"))
    places = segments.filter(pl.Series(inside)).select(place.rank("dense")).to_series()
    group = places.to_numpy().astype(np.int64) - 1
    sums = np.zeros((int(group.max()) + 1, probability.shape[1]))
    np.add.at(sums, group, probability[inside])
    averaged = probability.copy()
    averaged[inside] = (sums / np.bincount(group)[:, None])[group]
    return inside, averaged
