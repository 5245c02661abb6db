"""The <title> of a page is metadata: it counts as a line only where no heading says the same."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import I64, Bools
from ingest.readers.titles import SITE_NAME
from ingest.text import comparable

# Characters from which a heading inside a title is more than a word that both happen to have.
_TELLING = 8


def find_site_names(segments: pl.DataFrame) -> Bools:
    """Find the names of sites that were cut off titles.

    >>> frame = pl.DataFrame({"markup": ["head title", "head title[property=site_name]", None]})
    >>> find_site_names(frame).tolist()
    [False, True, False]
    """
    named = segments["markup"].str.ends_with(SITE_NAME).fill_null(value=False)
    is_name: Bools = named.to_numpy()
    return is_name


def repeat_titles(segments: pl.DataFrame, is_headline: Bools, original: I64) -> I64:
    """Make each <title> that a heading repeats a duplicate of that heading.

    The title has the name of the site added ("Headline - Site"), or the heading is longer: either
    may contain the other. Among several headings, an <h1> comes first, then the earliest one.

    Args:
        segments: the columns doc_id, block and text.
        is_headline: whether each segment is a headline.
        original: the row of the original of each segment; the row itself if it is none's copy.

    Returns:
        `original` with the rows of titles, and of copies of titles, changed.

    >>> frame = pl.DataFrame({"doc_id": "d", "block": ["/html/head/title", "/html/body/h1[1]"],
    ...                       "text": ["Nets and Ropes - The Site", "Nets and Ropes"]})
    >>> repeat_titles(frame, np.array([True, True]), np.arange(2)).tolist()
    [1, 1]
    """
    rows = (
        segments.select(
            "doc_id",
            "block",
            "text",
            row=pl.int_range(pl.len(), dtype=pl.Int64),
            is_title=pl.col("block").str.ends_with("/title").fill_null(value=False),
            is_heading=pl.Series(is_headline),
        )
        .filter(pl.col("is_title") | pl.col("is_heading"))
        .with_columns(
            text=comparable(pl.col("text")).str.to_lowercase(),
            is_h1=pl.col("block").str.contains(r"/h1\[\d+\]").fill_null(value=False),
        )
    )
    titles = rows.filter("is_title").select("doc_id", title="row", title_text="text")
    headings = rows.filter(
        ~pl.col("is_title") & pl.col("is_heading") & (pl.col("text").str.len_chars() >= _TELLING)
    )
    inside = pl.col("title_text").str.contains(pl.col("text"), literal=True)
    around = pl.col("text").str.contains(pl.col("title_text"), literal=True)
    around &= pl.col("title_text").str.len_chars() >= _TELLING
    pairs = (
        titles.join(headings, on="doc_id")
        .filter(inside | around)
        .sort("title", "is_h1", "row", descending=[False, True, False])
        .unique("title", keep="first", maintain_order=True)
    )
    heading_of = np.arange(len(original))
    heading_of[pairs["title"].to_numpy()] = pairs["row"].to_numpy()
    changed = heading_of[original]
    resolved: I64 = changed[changed]  # the heading may itself repeat an earlier one
    return resolved
