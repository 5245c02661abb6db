"""The frames: the name, type and meaning of every column. COLUMNS.md lists them.

A step adds columns or makes the next frame; it never drops a row. Every verb calls `check` on the
frame that it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from ingest.errors import FrameError


class Column(NamedTuple):
    """One column: its name, type and meaning."""

    name: str
    dtype: pl.DataType
    meaning: str


# One entry of `blocks`: the HTML block that a line of the page's text comes from.
BLOCK = pl.Struct(
    {
        "block": pl.String(),
        "markup": pl.String(),
        "links": pl.Float32(),
        "visible": pl.Boolean(),
    }
)

DOCUMENTS: tuple[Column, ...] = (
    Column("doc_id", pl.String(), "page ID: 16 hex digits, a hash of source and record"),
    Column("uri", pl.String(), "location of the page: the source, plus #record in a container"),
    Column("source", pl.String(), "path of the input file; '-' for standard input"),
    Column(
        "record",
        pl.Int64(),
        "0-based record number in the source, or byte offset in a WARC; null if the file is a page",
    ),
    Column("media_type", pl.String(), "format the page was read as: text/plain or text/html"),
    Column("encoding", pl.String(), "character encoding; null if the page was not decoded"),
    Column("title", pl.String(), "<title> of the page, or the title in its row; null if none"),
    Column("url", pl.String(), "URL of the page, from its container; null if unknown"),
    Column("canonical_url", pl.String(), "canonical URL that the page declares; null if none"),
    Column("declared_lang", pl.String(), "language that the page declares; null if none"),
    Column("declared_dir", pl.String(), "text direction that the page declares; null if none"),
    Column(
        "alternates",
        pl.List(pl.Struct({"lang": pl.String(), "url": pl.String()})),
        "hreflang links to the same page in other languages; null if none",
    ),
    Column(
        "published",
        pl.String(),
        "date of publication that the page or its row declares, as in ISO 8601, with the time if "
        "it does; null if none",
    ),
    Column(
        "author",
        pl.String(),
        "authors that the page or its row declares, separated by '; '; null if none",
    ),
    Column("metadata", pl.String(), "OpenGraph, meta and JSON-LD data of the page as JSON"),
    Column("text", pl.String(), "decoded and rendered text; null if the page is in error"),
    Column("blocks", pl.List(BLOCK), "HTML block of each line of text; null for plain text"),
    Column("chars", pl.Int64(), "length of text in characters (code points)"),
    Column("replaced", pl.Int64(), "number of U+FFFD in text, put in for undecodable bytes"),
    Column(
        "repaired",
        pl.String(),
        "errors that were repaired in text: wrong decoding, visual order; null if none",
    ),
    Column(
        "sha256",
        pl.String(),
        "SHA-256 of the stored file or the unpacked record; null if it cannot be read",
    ),
    Column(
        "warning",
        pl.String(),
        "from a run: why a web page may be incomplete (only its title is kept); null if it is not",
    ),
    Column("error", pl.String(), "why the page could not be used; null if it could"),
)

SEGMENTS: tuple[Column, ...] = (
    Column("doc_id", pl.String(), "page of the segment"),
    Column("segment", pl.Int64(), "0-based number of the segment in the page"),
    Column("line", pl.Int64(), "1-based line of the page's text where the segment starts"),
    Column("start", pl.Int64(), "index of its first character in the page's text"),
    Column("end", pl.Int64(), "index after its last character: text == page[start:end]"),
    Column("block", pl.String(), "XPath of its block in the DOM; null for plain text"),
    Column(
        "markup",
        pl.String(),
        "tag#id.class[attribute=value] of the elements around it, outermost first; null for text",
    ),
    Column("links", pl.Float32(), "share of its characters inside links, 0…1; null for text"),
    Column(
        "visible",
        pl.Boolean(),
        "false if the page hides it (hidden, display: none, noscript); null for text",
    ),
    Column("text", pl.String(), "text of the segment, unchanged, without surrounding white space"),
)

DETECTED: tuple[Column, ...] = (
    Column(
        "script", pl.String(), "main script, as an ISO 15924 code; Zyyy if there are no letters"
    ),
    Column(
        "lang", pl.String(), "language: ISO 639-1 code or ckb; zxx: no language; und: undetermined"
    ),
    Column("lang_score", pl.Float32(), "posterior probability of lang, 0…1"),
    Column("lang_by", pl.String(), "what decided lang: script, model, page or none"),
)

LABELLED: tuple[Column, ...] = (
    Column("role", pl.String(), "role of the segment on its page, one of ROLES"),
    Column("role_score", pl.Float32(), "probability of role, 0…1"),
    Column("role_by", pl.String(), "what decided role: model, the name of a rule, or person"),
    Column("article", pl.Int64(), "article number on the page from 1; 0 for boilerplate"),
    Column("duplicate_of", pl.Int64(), "segment of the page that this one repeats, else null"),
    Column("keep", pl.Boolean(), "whether it is article content and not a duplicate"),
)

CLUSTERED: tuple[Column, ...] = (
    Column("cluster", pl.String(), "ID shared by all copies of an article, or of a page"),
)

# A row without segments has one row of the result. In that row, the columns of segments are null.
ANNOTATED: tuple[Column, ...] = (
    Column("row", pl.UInt32(), "0-based number of the row in the frame that was given"),
    Column("error", pl.String(), "why the row could not be read; null if it could"),
)

ANNOTATED_ROWS: tuple[Column, ...] = (
    *ANNOTATED,
    Column(
        "lang",
        pl.String(),
        "language of most of the kept text, or of all text if none is kept; null if there is none",
    ),
    Column(
        "langs",
        pl.List(pl.Struct({"lang": pl.String(), "share": pl.Float32()})),
        "share of each language in the characters of the same text, 0…1, largest first",
    ),
    Column("kept_text", pl.String(), "kept segments, one per line; null if none is kept"),
)

ARTICLES: tuple[Column, ...] = (
    Column("doc_id", pl.String(), "page of the article"),
    Column("source", pl.String(), "path of the input file"),
    Column("url", pl.String(), "URL of the page, or the canonical one; null if unknown"),
    Column("site", pl.String(), "host of url, without www; null if unknown"),
    Column("article", pl.Int64(), "article number on the page from 1"),
    Column("cluster", pl.String(), "ID shared by all copies of the article"),
    Column("lang", pl.String(), "language of most of its text; zxx only if none is in a language"),
    Column(
        "title",
        pl.String(),
        "its headline; without one, the title of the page if it has no other article; null if none",
    ),
    Column("headline", pl.String(), "first headline in its text; null if none"),
    Column("author", pl.String(), "authors of the page, or those of its byline; null if unknown"),
    Column(
        "date",
        pl.String(),
        "date of publication, as in ISO 8601: the page's, or that of its dateline (which comes "
        "first if the page has several articles); null if unknown",
    ),
    Column("text", pl.String(), "its kept segments, one per line, with the headline"),
    Column(
        "lines",
        pl.List(pl.List(pl.Int64())),
        "first and last line of each of them in the page's text",
    ),
)

PAIRS: tuple[Column, ...] = (
    Column("pair_id", pl.String(), "pair ID: 16 hex digits"),
    Column("source_lang", pl.String(), "language of source_text, as in segments"),
    Column("target_lang", pl.String(), "language of target_text"),
    Column("source_text", pl.String(), "source text, unchanged"),
    Column("target_text", pl.String(), "target text, unchanged; machine output if translated"),
    Column("source_doc", pl.String(), "doc_id of the source page; null if unknown"),
    Column("target_doc", pl.String(), "doc_id of the target page; null if translated"),
    Column("source_segments", pl.List(pl.Int64()), "segments of the source page in source_text"),
    Column(
        "target_segments",
        pl.List(pl.Int64()),
        "segments of the target page in target_text; null if translated",
    ),
    Column(
        "method",
        pl.String(),
        "origin of the pair: aligned by ingest, imported as a pair, or translated by a machine",
    ),
    Column(
        "model", pl.String(), "name and hash of the aligning or translating model; null if imported"
    ),
    Column("score", pl.Float32(), "confidence in the pair as a translation, 0…1; null if imported"),
)

ALIGNED: tuple[Column, ...] = (
    Column("source_start", pl.Int64(), "start of source_text in its page's text; null for lines"),
    Column("source_end", pl.Int64(), "end of source_text in its page's text; null for lines"),
    Column("target_start", pl.Int64(), "start of target_text in its page's text; null for lines"),
    Column("target_end", pl.Int64(), "end of target_text in its page's text; null for lines"),
    Column("cosine", pl.Float32(), "cosine similarity of the encoder's vectors"),
    Column("margin", pl.Float32(), "cosine above the background of the two pages"),
    Column("words", pl.Float32(), "share of words whose translation is on the other side, 0…1"),
    Column("names", pl.Float32(), "number of names whose consonants are on the other side too"),
    Column("names_missed", pl.Float32(), "number of name-like words missing on the other side"),
    Column("numbers", pl.Float32(), "number of numbers that are on the other side too"),
    Column("numbers_missed", pl.Float32(), "number of numbers missing on the other side"),
    Column("length", pl.Float32(), "target length over source length, as if both were English"),
    Column(
        "chrf",
        pl.Float32(),
        "chrF of one side's machine translation, 0…100; null without --translate",
    ),
)

TRANSLATED: tuple[Column, ...] = (
    Column(
        "flags",
        pl.List(pl.String()),
        "suspected faults, such as copied, low_score or lost_url: see translation/README.md",
    ),
)

SCORED: tuple[Column, ...] = (
    Column(
        "quality",
        pl.Float32(),
        "probability of a good translation, 0…1; null if not Arabic–English",
    ),
    Column("similarity", pl.Float32(), "cosine similarity of the encoder's vectors, 0…1"),
    Column("similarity_margin", pl.Float32(), "similarity above that with other texts, -1…1"),
    Column("words_source", pl.Float32(), "share of source words with a translation in target, 0…1"),
    Column("words_target", pl.Float32(), "share of target words with a translation in source, 0…1"),
    Column(
        "length_ratio", pl.Float32(), "target over source length, as if both were English; above 0"
    ),
    Column(
        "numbers_kept",
        pl.Float32(),
        "share of numbers on both sides, in digits or words; a time or address is one; 1 if none",
    ),
    Column("names_kept", pl.Float32(), "share of names on both sides; 1 if there are none"),
    Column("source_lang_right", pl.Float32(), "probability that the source is in source_lang"),
    Column("target_lang_right", pl.Float32(), "probability that the target is in target_lang"),
    Column("source_script", pl.Float32(), "share of source letters in the script of source_lang"),
    Column("target_script", pl.Float32(), "share of target letters in the script of target_lang"),
    Column("copy", pl.Float32(), "share of target words that also occur in source, 0…1"),
    Column("repetition", pl.Float32(), "share of repeated words on the worse side, 0…1"),
    Column("punctuation", pl.Float32(), "agreement of punctuation marks on both sides, 0…1"),
    Column("brackets", pl.Float32(), "agreement of brackets, and whether all are closed, 0…1"),
    Column("machine", pl.Boolean(), "whether the pair was translated by a machine"),
    Column("boilerplate", pl.Float32(), "share of words in boilerplate phrases, 0…1"),
)

FILTERED: tuple[Column, ...] = (
    Column("keep", pl.Boolean(), "whether the pair passed all filters"),
    Column("drop_reason", pl.String(), "first rule that the pair failed; null if kept"),
    Column(
        "pii",
        pl.List(pl.String()),
        "personal data in the pair: one of email, phone, iban, card, ip per distinct item",
    ),
)

SPLIT: tuple[Column, ...] = (
    Column("split", pl.String(), "train, dev or test; null if the pair is in none"),
)

MASKED: tuple[Column, ...] = (
    Column("source_masked", pl.String(), "source_text without personal data; null if it has none"),
    Column("target_masked", pl.String(), "target_text without personal data; null if it has none"),
)

# Only in files with pairs that a person has edited.
EDITED: tuple[Column, ...] = (
    Column(
        "original_source_text",
        pl.String(),
        "source_text before a person edited it; null if it was not edited",
    ),
    Column(
        "original_target_text",
        pl.String(),
        "target_text before a person edited it; null if it was not edited",
    ),
)

# Only in files with pairs that a person has decided to keep.
BY_HAND: tuple[Column, ...] = (
    Column(
        "kept_by_hand",
        pl.Boolean(),
        "true if a person keeps the pair, whatever the rules of the filter say; else null",
    ),
)

WORD_ALIGNMENT = "word_alignment"
WORD_ALIGNED: tuple[Column, ...] = (
    Column(
        WORD_ALIGNMENT,
        pl.String(),
        "links i-j between tokens of source_text and target_text, from 0; null if not "
        "Arabic–English or over 1,000 tokens",
    ),
)

METHOD_ALIGNED, METHOD_IMPORTED, METHOD_TRANSLATED = "aligned", "imported", "translated"
METHODS = (METHOD_ALIGNED, METHOD_IMPORTED, METHOD_TRANSLATED)
HUMAN_METHODS = (METHOD_ALIGNED, METHOD_IMPORTED)  # not known to be machine-translated
TURNED = "turned"  # column of an export: whether source and target were swapped

# The verb that adds each group of columns.
_MADE_BY = {
    "segment": SEGMENTS, "detect": DETECTED, "label": LABELLED, "dedupe": CLUSTERED,
    "align": (*PAIRS, *ALIGNED), "translate": TRANSLATED, "score": SCORED, "filter": FILTERED,
    "split": SPLIT, "mask_pii": MASKED, "align_words": WORD_ALIGNED,
}  # fmt: skip


def schema(*groups: Sequence[Column]) -> pl.Schema:
    """Return the Polars schema of one or more groups of columns.

    >>> schema(DETECTED).names()
    ['script', 'lang', 'lang_score', 'lang_by']
    """
    return pl.Schema({c.name: c.dtype for group in groups for c in group})


def check(frame: pl.DataFrame, *groups: Sequence[Column], verb: str) -> None:
    """Raise unless `frame` has the columns of `groups`, with their types. Extra columns are fine.

    Raises:
        FrameError: it is not a DataFrame, or a column is missing or has another type.

    >>> check("a.parquet", SEGMENTS, verb="detect")
    Traceback (most recent call last):
    ...
    ingest.errors.FrameError: detect: must be a Polars DataFrame, is str
    """
    if not isinstance(frame, pl.DataFrame):
        hint = "; collect it first" if isinstance(frame, pl.LazyFrame) else ""
        kind = type(frame).__name__
        raise FrameError(f"{verb}: must be a Polars DataFrame, is {kind}{hint}")
    for name, dtype in schema(*groups).items():
        if name not in frame.columns:
            raise FrameError(f"{verb}: column {name!r} is missing; {_describe_maker(name, verb)}")
        if frame.schema[name] != dtype:
            raise FrameError(f"{verb}: column {name!r} is {frame.schema[name]}, must be {dtype}")


def _describe_maker(name: str, verb: str) -> str:
    """Say which verb adds a column that `verb` needs."""
    for maker, columns in _MADE_BY.items():
        if maker != verb and any(c.name == name for c in columns):
            hint = ""
            if maker == "align" and any(c.name == name for c in PAIRS):
                hint = ", and ingest.read_pairs (ingest import FILE) imports pairs you already have"
            return f"ingest.{maker} makes it{hint}"
    return "ingest.read makes it"
