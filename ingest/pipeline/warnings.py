"""What may be missing from a page although it was read."""

from __future__ import annotations

import polars as pl

ONLY_TITLE = "only its title is kept: its text may be loaded by a script, or be in pictures"
NOTHING = "none of its lines is kept: its text may be loaded by a script, or be in pictures"
_LONGEST = 2  # times the title: headlines that say no more than it


def add_warnings(documents: pl.DataFrame, segments: pl.DataFrame) -> pl.DataFrame:
    """Set `warning` of HTML pages with a title, of which nothing else is kept.

    Args:
        documents: a documents frame.
        segments: the labelled segments of its pages.

    >>> from ingest.frames import DOCUMENTS, schema
    >>> page = {"doc_id": "d", "media_type": "text/html", "title": "A headline"}
    >>> labelled = pl.DataFrame({"doc_id": ["d"], "role": ["headline"], "keep": [True],
    ...                          "text": ["A headline"]})
    >>> add_warnings(pl.DataFrame([page], schema(DOCUMENTS)), labelled)["warning"].item()[:23]
    'only its title is kept:'
    """
    kept = segments.filter("keep")
    size = kept.group_by("doc_id").agg(
        chars=pl.col("text").str.len_chars().sum(), others=(pl.col("role") != "headline").any()
    )
    pages = documents.select("doc_id", "media_type", "title", "error").join(
        size, "doc_id", "left", maintain_order="left"
    )
    chars, title = pl.col("chars").fill_null(0), pl.col("title").str.len_chars()
    is_title = ~pl.col("others").fill_null(value=False) & (chars <= _LONGEST * title)
    warning = (
        pl.when((pl.col("media_type") != "text/html") | pl.col("error").is_not_null())
        .then(None)
        .when(is_title & (chars > 0))
        .then(pl.lit(ONLY_TITLE))
        .when(is_title)
        .then(pl.lit(NOTHING))
    )
    return documents.with_columns(pages.select(warning=warning.cast(pl.String))["warning"])
