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


DOCUMENTS: tuple[Column, ...] = (
    Column("doc_id", pl.String(), "16 hex digits that name the page: hash of source and record"),
    Column("uri", pl.String(), "where the page stands: the source, and #record inside a container"),
    Column("source", pl.String(), "input path as given or found; '-' for standard input"),
    Column("record", pl.Int64(), "0-based record in the source; null where the file is the page"),
    Column("media_type", pl.String(), "what the page was read as, such as text/plain"),
    Column("encoding", pl.String(), "how its bytes were decoded; null where they were not"),
    Column("title", pl.String(), "title in the page's metadata; null for text"),
    Column("url", pl.String(), "address of the page; null where unknown"),
    Column("declared_lang", pl.String(), "language that the page declares; null where none"),
    Column("text", pl.String(), "decoded text; null where the page is in error"),
    Column("chars", pl.Int64(), "characters (code points) of text"),
    Column("replaced", pl.Int64(), "U+FFFD put in text for bytes that could not be decoded"),
    Column(
        "sha256",
        pl.String(),
        "SHA-256 of the bytes as stored (before decompression); null where unreadable",
    ),
    Column("error", pl.String(), "why the page could not be used; null where it could"),
)

SEGMENTS: tuple[Column, ...] = (
    Column("doc_id", pl.String(), "page of the segment"),
    Column("segment", pl.Int64(), "0-based number in the page"),
    Column("line", pl.Int64(), "1-based line in the file where it starts"),
    Column("start", pl.Int64(), "first character in the page's text"),
    Column("end", pl.Int64(), "one past its last character: text == page[start:end]"),
    Column("block", pl.String(), "DOM path; null for text"),
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
    Column("cluster", pl.String(), "one value for all copies of an article; null for furniture"),
)

ROLES = (
    "headline", "subheading", "body", "caption", "byline", "dateline",
    "nav", "credit", "ad", "widget", "code",
)  # fmt: skip
KEPT_ROLES = ("headline", "subheading", "body")
FURNITURE_ROLES = ("nav", "credit", "ad", "widget")


def schema(*parts: Sequence[Column]) -> pl.Schema:
    """The Polars schema of one or more groups of columns.

    >>> schema(DETECTED).names()
    ['script', 'lang', 'lang_score', 'lang_by']
    """
    return pl.Schema({c.name: c.dtype for part in parts for c in part})


def check(frame: pl.DataFrame, *parts: Sequence[Column], verb: str) -> None:
    """Raise unless `frame` has the columns of `parts`, with their types; others may be there too.

    Raises:
        FrameError: names the column, and the verb that makes it.
    """
    for name, dtype in schema(*parts).items():
        if name not in frame.columns:
            raise FrameError(f"{verb}: column {name!r} is missing; {_made_by(name)}")
        if frame.schema[name] != dtype:
            raise FrameError(f"{verb}: column {name!r} is {frame.schema[name]}, must be {dtype}")


def _made_by(name: str) -> str:
    verbs = {"segment": SEGMENTS, "detect": DETECTED, "label": LABELLED, "dedupe": CLUSTERED}
    for verb, part in verbs.items():
        if any(c.name == name for c in part):
            return f"ingest.{verb} makes it"
    return "ingest.read makes it"
