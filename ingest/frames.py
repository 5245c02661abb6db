"""The frames: their columns, types and meaning, in one place.

A step adds columns or makes the next frame; it never drops a row. `check` is what each verb calls
on the frame it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from ingest.errors import FrameError


class Column(NamedTuple):
    """One column: its name, type and what it says."""

    name: str
    dtype: pl.DataType
    meaning: str


# What a line of an HTML page stands in; `blocks` has one a line of the page's text.
BLOCK = pl.Struct({"block": pl.String(), "markup": pl.String(), "links": pl.Float32()})

DOCUMENTS: tuple[Column, ...] = (
    Column("doc_id", pl.String(), "16 hex digits that name the page: hash of source and record"),
    Column("uri", pl.String(), "where the page stands: the source, and #record inside a container"),
    Column("source", pl.String(), "input path as given or found; '-' for standard input"),
    Column(
        "record",
        pl.Int64(),
        "record in the source, 0-based; byte offset in a WARC; null where the file is the page",
    ),
    Column("media_type", pl.String(), "what the page was read as: text/plain or text/html"),
    Column("encoding", pl.String(), "how its bytes were decoded; null where they were not"),
    Column("title", pl.String(), "<title> of the page; null for text"),
    Column("url", pl.String(), "address of the page as its container says; null where unknown"),
    Column("canonical_url", pl.String(), "address that the page itself declares; null where none"),
    Column("declared_lang", pl.String(), "language that the page declares; null where none"),
    Column("declared_dir", pl.String(), "direction that the page declares; null where none"),
    Column(
        "alternates",
        pl.List(pl.Struct({"lang": pl.String(), "url": pl.String()})),
        "hreflang links: the same page in other languages; null where none",
    ),
    Column("metadata", pl.String(), "OpenGraph, meta and JSON-LD of the page, as one JSON object"),
    Column("text", pl.String(), "decoded, rendered text; null where the page is in error"),
    Column("blocks", pl.List(BLOCK), "one a line of an HTML page's text: where it stands"),
    Column("chars", pl.Int64(), "characters (code points) of text"),
    Column("replaced", pl.Int64(), "U+FFFD put in text for bytes that could not be decoded"),
    Column("repaired", pl.String(), "what double decoding was undone in text; null where none"),
    Column(
        "sha256",
        pl.String(),
        "SHA-256 of the bytes, of a file as stored, of a record as unpacked; null if unreadable",
    ),
    Column("error", pl.String(), "why the page could not be used; null where it could"),
)

SEGMENTS: tuple[Column, ...] = (
    Column("doc_id", pl.String(), "page of the segment"),
    Column("segment", pl.Int64(), "0-based number in the page"),
    Column("line", pl.Int64(), "1-based line of the page's text where it starts"),
    Column("start", pl.Int64(), "first character in the page's text"),
    Column("end", pl.Int64(), "one past its last character: text == page[start:end]"),
    Column("block", pl.String(), "DOM path, as XPath; null for text"),
    Column(
        "markup",
        pl.String(),
        "tag#id.class[attribute=value] of what the block stands in, outermost first; null for text",
    ),
    Column("links", pl.Float32(), "share of its characters inside links, 0…1; null for text"),
    Column("text", pl.String(), "the segment, as it came, without white space around it"),
)

DETECTED: tuple[Column, ...] = (
    Column("script", pl.String(), "ISO 15924 code of its main script; Zyyy: no letters"),
    Column("lang", pl.String(), "ISO 639-1; ckb; zxx: no language in it; und: cannot be said"),
    Column("lang_score", pl.Float32(), "posterior probability of lang, 0…1"),
    Column("lang_by", pl.String(), "what decided lang: script, model, page or none"),
)

LABELLED: tuple[Column, ...] = (
    Column("role", pl.String(), "what the segment is on its page: one of ROLES"),
    Column("role_score", pl.Float32(), "probability of role, 0…1"),
    Column("role_by", pl.String(), "what decided role: model, or the name of the rule"),
    Column("article", pl.Int64(), "0 for page furniture, else 1, 2, … in order of appearance"),
    Column("duplicate_of", pl.Int64(), "first segment of the page with the same text, else null"),
    Column("keep", pl.Boolean(), "content of an article, and not a duplicate"),
)

CLUSTERED: tuple[Column, ...] = (
    Column(
        "cluster",
        pl.String(),
        "one value for all copies of an article, or of a page",
    ),
)

PAIRS: tuple[Column, ...] = (
    Column("pair_id", pl.String(), "16 hex digits that name the pair"),
    Column("source_lang", pl.String(), "language of source_text, as in segments"),
    Column("target_lang", pl.String(), "language of target_text"),
    Column("source_text", pl.String(), "one side, as it came"),
    Column("target_text", pl.String(), "the other side; the machine's words if translated"),
    Column("source_doc", pl.String(), "doc_id of the source's page; null where unknown"),
    Column("target_doc", pl.String(), "doc_id of the target's page; null if translated"),
    Column("source_segments", pl.List(pl.Int64()), "segments of that page it was taken from"),
    Column("target_segments", pl.List(pl.Int64()), "the same of the target; null if translated"),
    Column(
        "method",
        pl.String(),
        "aligned: both sides were found; imported: as a pair; translated: by a machine",
    ),
    Column("model", pl.String(), "name and hash of what paired or translated; null if imported"),
    Column(
        "score", pl.Float32(), "how far it is to be trusted as a translation, 0…1; null if imported"
    ),
)

ALIGNED: tuple[Column, ...] = (
    Column("source_start", pl.Int64(), "first character in its page's text; null for lines"),
    Column("source_end", pl.Int64(), "one past its last character; null for lines"),
    Column("target_start", pl.Int64(), "first character in its page's text; null for lines"),
    Column("target_end", pl.Int64(), "one past its last character; null for lines"),
    Column("cosine", pl.Float32(), "cosine of the encoder's vectors"),
    Column("margin", pl.Float32(), "how far that stands over the pages' background"),
    Column("words", pl.Float32(), "share of words that the lexicon finds on the other side, 0…1"),
    Column("names", pl.Float32(), "names whose consonants are on the other side too"),
    Column("names_missed", pl.Float32(), "words like names whose consonants are not"),
    Column("numbers", pl.Float32(), "numbers that are on the other side too"),
    Column("numbers_missed", pl.Float32(), "numbers that are not"),
    Column("length", pl.Float32(), "target's length over the source's, as if both were English"),
    Column("chrf", pl.Float32(), "chrF, 0…100, of one side translated by a machine; else null"),
)

TRANSLATED: tuple[Column, ...] = (
    Column(
        "flags",
        pl.List(pl.String()),
        "what looks wrong with it: empty, cut, copied, repeated, wrong_language, length",
    ),
)

SCORED: tuple[Column, ...] = (
    Column("quality", pl.Float32(), "probability of a good translation, 0…1; null if not ar–en"),
    Column("similarity", pl.Float32(), "cosine of the encoder's vectors, 0…1"),
    Column("similarity_margin", pl.Float32(), "how far it stands over that with other texts, -1…1"),
    Column("words_source", pl.Float32(), "share of source's words that the lexicon finds, 0…1"),
    Column("words_target", pl.Float32(), "share of target's words that the lexicon finds, 0…1"),
    Column("length_ratio", pl.Float32(), "target over source, as if both were English; over 0"),
    Column("numbers_kept", pl.Float32(), "share of numbers that both have; 1 where there are none"),
    Column("names_kept", pl.Float32(), "share of names that both have; 1 where there are none"),
    Column("source_lang_right", pl.Float32(), "probability that source is in source_lang"),
    Column("target_lang_right", pl.Float32(), "probability that target is in target_lang"),
    Column("source_script", pl.Float32(), "share of source's letters in its language's script"),
    Column("target_script", pl.Float32(), "share of target's letters in its language's script"),
    Column("copy", pl.Float32(), "share of target's words that stand in source, 0…1"),
    Column("repetition", pl.Float32(), "share of words said before, of the side with more, 0…1"),
    Column("punctuation", pl.Float32(), "how far both have the same marks, 0…1"),
    Column("brackets", pl.Float32(), "how far both have the same brackets, all closed, 0…1"),
    Column("machine", pl.Boolean(), "whether a machine translated it"),
    Column("boilerplate", pl.Float32(), "share of words in phrases of page furniture, 0…1"),
)

FILTERED: tuple[Column, ...] = (
    Column("keep", pl.Boolean(), "whether the pair passed the filters"),
    Column("drop_reason", pl.String(), "the first rule that it did not pass; null where kept"),
    Column(
        "pii",
        pl.List(pl.String()),
        "personal data in its texts: email, phone, iban, card or ip for each that differs",
    ),
)

SPLIT: tuple[Column, ...] = (
    Column("split", pl.String(), "train, dev or test; null where the pair is in none"),
)

MASKED: tuple[Column, ...] = (
    Column("source_masked", pl.String(), "source_text without personal data; null if it had none"),
    Column("target_masked", pl.String(), "target_text without personal data; null if it had none"),
)

METHOD_ALIGNED, METHOD_IMPORTED, METHOD_TRANSLATED = "aligned", "imported", "translated"
METHODS = (METHOD_ALIGNED, METHOD_IMPORTED, METHOD_TRANSLATED)
HUMAN_METHODS = (METHOD_ALIGNED, METHOD_IMPORTED)  # no machine is known to have translated these
TURNED = "turned"  # column of an export: whether the sides were exchanged
ROLES = (
    "headline", "subheading", "body", "caption", "byline", "dateline",
    "nav", "credit", "ad", "widget", "code",
)  # fmt: skip
KEPT_ROLES = ("headline", "subheading", "body")
BOILERPLATE_ROLES = ("nav", "credit", "ad", "widget")


def schema(*parts: Sequence[Column]) -> pl.Schema:
    """The Polars schema of one or more groups of columns.

    >>> schema(DETECTED).names()
    ['script', 'lang', 'lang_score', 'lang_by']
    """
    return pl.Schema({c.name: c.dtype for part in parts for c in part})


def check(frame: pl.DataFrame, *parts: Sequence[Column], verb: str) -> None:
    """Raise unless `frame` has the columns of `parts`, with their types; others may be there too.

    Raises:
        FrameError: it is no frame; or names the column, and the verb that makes it.

    >>> check("a.parquet", SEGMENTS, verb="detect")
    Traceback (most recent call last):
    ...
    ingest.errors.FrameError: detect: must be a Polars DataFrame, is str
    """
    if not isinstance(frame, pl.DataFrame):
        hint = "; collect it first" if isinstance(frame, pl.LazyFrame) else ""
        kind = type(frame).__name__
        raise FrameError(f"{verb}: must be a Polars DataFrame, is {kind}{hint}")
    for name, dtype in schema(*parts).items():
        if name not in frame.columns:
            raise FrameError(f"{verb}: column {name!r} is missing; {_made_by(name, verb)}")
        if frame.schema[name] != dtype:
            raise FrameError(f"{verb}: column {name!r} is {frame.schema[name]}, must be {dtype}")


def _made_by(name: str, verb: str) -> str:
    """Which verb makes a column that another misses."""
    verbs = {
        "segment": SEGMENTS, "detect": DETECTED, "label": LABELLED, "dedupe": CLUSTERED,
        "align": (*PAIRS, *ALIGNED), "translate": TRANSLATED, "score": SCORED, "filter": FILTERED,
        "split": SPLIT, "mask_pii": MASKED,
    }  # fmt: skip
    for maker, part in verbs.items():
        if maker != verb and any(c.name == name for c in part):
            own = maker == "align" and any(c.name == name for c in PAIRS)
            hint = (
                ", and ingest.read_pairs (ingest import FILE) for pairs that you have"
                if own
                else ""
            )
            return f"ingest.{maker} makes it{hint}"
    return "ingest.read makes it"
