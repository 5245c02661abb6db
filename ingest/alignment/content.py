"""Which lines of a plain text are content, and which sentences ended up in no pair."""

from __future__ import annotations

import polars as pl

from ingest.frames import Column, schema

# A page copied as text has menus and captions between its sentences; a file of sentences has not.
_MIXED = 0.6  # from this share of lines that read like text, full sentences are never boilerplate
_RUNNING = 0.9  # from this share, no line is
_SENTENCE_WORDS = 4  # a shorter line with a full stop may be a button or a byline
_LONG = 8  # words; poems and verses have no full stops
_ENDS = r"[.!?؟۔…:][\"'”’»›)\]\u200e\u200f\u202c\u2069]*\s*$"
_CREDIT = r"©|\([cC]\)|\b[cC]opyright\b"

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


def keep_sentences(segments: pl.DataFrame) -> pl.DataFrame:
    """Set `keep` for the sentences of a plain text that were labelled as something else.

    Without markup, a single sentence can look like a byline or a caption. If most lines of a
    page read like text, all its full sentences are kept; if nearly all do, all its lines are.
    Pages with markup do not change.

    Args:
        segments: labelled segments of pages.

    >>> text = ["By the time he came, she had left.", "He sat down.", "By Jo Smith"]
    >>> frame = {"doc_id": "a", "markup": None, "text": text, "keep": [False, True, False],
    ...          "duplicate_of": None}
    >>> keep_sentences(pl.DataFrame(frame))["keep"].to_list()
    [True, True, False]
    """
    words = pl.col("text").str.count_matches(r"\p{L}[\p{L}\p{M}'’-]*")
    ended = pl.col("text").str.contains(_ENDS)
    credit = pl.col("text").str.contains(_CREDIT)
    read_like_text = ((ended & (words > 1)) | (words >= _LONG)) & ~credit
    share = read_like_text.mean().over("doc_id")
    sentence = ended & (words >= _SENTENCE_WORDS) & ~credit
    repeated = pl.col("duplicate_of").is_not_null()
    restored = ((share >= _MIXED) & sentence & ~repeated) | ((share >= _RUNNING) & (words > 0))
    plain = pl.col("markup").is_null().all().over("doc_id")
    return segments.with_columns(keep=pl.col("keep") | (plain & restored))


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
