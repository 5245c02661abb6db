"""What may be missing from a page although it was read."""

from __future__ import annotations

import polars as pl

ONLY_TITLE = "only its title is kept: its text may be loaded by a script, or in pictures"
NOTHING = "none of its lines is kept"


def add_warnings(documents: pl.DataFrame, segments: pl.DataFrame) -> pl.DataFrame:
    """Set `warning` of the pages that have text, of which no text is kept.

    Args:
        documents: a documents frame.
        segments: the labelled segments of its pages.

    >>> from ingest.frames import DOCUMENTS, schema
    >>> pages = pl.DataFrame([{"doc_id": "d", "text": "A headline"}], schema(DOCUMENTS))
    >>> labelled = pl.DataFrame({"doc_id": ["d"], "role": ["headline"], "keep": [True]})
    >>> add_warnings(pages, labelled)["warning"].item()[:23]
    'only its title is kept:'
    """
    of_page = segments.group_by("doc_id").agg(
        lines=pl.col("keep").sum(), text=(pl.col("keep") & (pl.col("role") != "headline")).any()
    )
    text = documents.select("doc_id").join(of_page, "doc_id", "left", maintain_order="left")
    warning = pl.when(text["text"]).then(None).when(text["lines"] > 0).then(pl.lit(ONLY_TITLE))
    warning = warning.when(text["lines"] == 0).then(pl.lit(NOTHING))
    return documents.with_columns(warning=warning.cast(pl.String))
