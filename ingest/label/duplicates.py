"""Lines that stand twice on their page."""

from __future__ import annotations

import polars as pl

from ingest.text import comparable


def duplicate_of(segments: pl.DataFrame) -> pl.Series:
    """For each segment the first of its page with the same text, null for the first itself: Int64.

    Texts are the same when their comparable forms are; a text whose comparable form is empty
    (invisible characters only) is compared as it is.

    >>> frame = pl.DataFrame({"doc_id": ["d"] * 3, "segment": [0, 1, 2], "text": ["a", "b", "a "]})
    >>> duplicate_of(frame).to_list()
    [None, None, 0]
    """
    same = comparable(pl.col("text"))
    key = pl.when(same == "").then("text").otherwise(same)
    first = pl.col("segment").min().over(pl.col("doc_id"), key)
    return segments.select(
        duplicate_of=pl.when(first < pl.col("segment")).then(first)
    ).to_series()
