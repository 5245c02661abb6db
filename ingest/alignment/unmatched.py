"""Which sentences of an aligned text ended up in no pair."""

from __future__ import annotations

import polars as pl

from ingest.frames import Column, schema
from ingest.sentences import sentence_spans

UNMATCHED: tuple[Column, ...] = (
    Column("side", pl.String(), "source or target"),
    Column("lang", pl.String(), "language of the side"),
    Column("text", pl.String(), "the sentence or line"),
    Column("reason", pl.String(), "`no counterpart`, or `no content` if it was not aligned at all"),
    Column("doc", pl.String(), "page, or file with --lines"),
    Column("segment", pl.Int64(), "segment, or line number from 0 with --lines"),
    Column("start", pl.Int64(), "offset in the text of the page; null with --lines"),
    Column("end", pl.Int64(), "offset after the last character; null with --lines"),
)


def sentences_of(segments: pl.DataFrame, lang: str | None) -> pl.DataFrame:
    """Split segments into sentences; those that are not kept stay whole.

    Args:
        segments: doc_id, segment, start, text and keep.
        lang: language of the side.

    Returns:
        lang, text, kept, doc, segment, start and end, as `find_unmatched` needs them.

    >>> row = {"doc_id": "a", "segment": 0, "start": 10, "text": "One. Two.", "keep": True}
    >>> sentences_of(pl.DataFrame([row]), "en").select("text", "start").rows()
    [('One.', 10), ('Two.', 15)]
    """
    rows = [
        (lang, text[a:b], kept, doc, number, start + a, start + b)
        for doc, number, start, text, kept in segments.select(
            "doc_id", "segment", "start", "text", "keep"
        ).iter_rows()
        for a, b in (sentence_spans(text) if kept else [(0, len(text))])
    ]
    names = {"lang": pl.String, "text": pl.String, "kept": pl.Boolean, "doc": pl.String,
             "segment": pl.Int64, "start": pl.Int64, "end": pl.Int64}  # fmt: skip
    return pl.DataFrame(rows, names, orient="row")


def find_unmatched(sentences: pl.DataFrame, pairs: pl.DataFrame, side: str) -> pl.DataFrame:
    """Find the sentences of a side that are in no pair.

    Args:
        sentences: lang, text, kept (Boolean), doc, segment, start and end of each sentence. Start
            and end are null if a sentence is a line.
        pairs: pairs of these sentences.
        side: "source" or "target".

    Returns:
        A frame with the columns UNMATCHED, in the order of `sentences`.
    """
    # A sentence that is paired begins in the span of its pair, or is a line of it.
    key = ["doc", "segment"]
    used = pairs.select(
        doc=f"{side}_doc", segment=f"{side}_segments", low=f"{side}_start", high=f"{side}_end"
    ).explode("segment")
    rows = sentences.with_row_index("row")
    matched = rows.join(used, on=key).filter(
        pl.col("low").is_null() | pl.col("start").is_between("low", "high", closed="left")
    )
    reason = pl.when("kept").then(pl.lit("no counterpart")).otherwise(pl.lit("no content"))
    alone = rows.join(matched.select("row").unique(), on="row", how="anti", maintain_order="left")
    alone = alone.with_columns(side=pl.lit(side), reason=reason)
    return alone.select(schema(UNMATCHED).names()).cast(schema(UNMATCHED))
