"""Tables: which columns hold the pages, and a row as a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.readers.records import Record
from ingest.readers.single_file import too_large_message

# Names that scrapers, crawls and published corpora give to columns, the surest first.
_HTML = (
    "html",
    "raw_html",
    "page_html",
    "html_content",
    "content_html",
    "body_html",
    "page_source",
)
_TEXT = (
    "text", "content", "body", "raw_content", "raw_text", "article", "article_text",
    "article_body", "articlebody", "full_text", "fulltext", "page_text", "page", "document", "doc",
    "story", "paragraph", "sentence",
)  # fmt: skip
_URL = ("url", "uri", "link", "source_url", "canonical_url", "page_url", "article_url",
        "document_url", "warc_url", "permalink", "href")  # fmt: skip
_ID = (
    "id",
    "doc_id",
    "docid",
    "document_id",
    "article_id",
    "page_id",
    "uuid",
    "guid",
    "_id",
    "key",
)
_TEXTS = (pl.String, pl.Binary, pl.Categorical, pl.Enum)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LONGEST_KEY = 200
_SHOWN = 20  # names of columns that a message lists


class Columns(NamedTuple):
    """The columns of a table that hold pages, their addresses and their names."""

    html: str | None
    text: str | None
    url: str | None
    id: str | None


@lru_cache(maxsize=1 << 12)
def choose_columns(
    names: tuple[str, ...],
    settings: ReadConfig,
    texts: tuple[str, ...],
    *,
    rows_differ: bool = False,
) -> Columns:
    """The columns to read: those that the settings name, else guessed by their names.

    Args:
        names: all columns of the table, in order.
        settings: names of columns; to name one of HTML or text is to read no other.
        texts: those columns that hold text, among which HTML and text are guessed.
        rows_differ: these are the columns of but one row, which may lack an address and a name.

    Raises:
        SourceError: a named column, or any that may hold pages, is missing.

    >>> choose_columns(("Title", "Body", "link"), ReadConfig(), ("Title", "Body", "link"))
    Columns(html=None, text='Body', url='link', id=None)
    """
    html, text = settings.html_column or None, settings.text_column or None
    if not (html or text):
        html, text = _guess(texts, _HTML), _guess(texts, _TEXT)
        if not (html or text):
            raise SourceError(_missing("no column that is known to hold text", names))
    columns = Columns(
        html,
        text,
        settings.url_column or _guess(names, _URL),
        settings.id_column or _guess(names, _ID),
    )
    needed = ("html", "text") if rows_differ else Columns._fields
    for option, name in zip(needed, columns, strict=False):
        if name and name not in names:
            raise SourceError(_missing(f"no column {name!r}", names, option))
    return columns


def of_schema(columns: pl.Schema, settings: ReadConfig) -> Columns:
    """The columns to read of a typed table.

    Raises:
        SourceError: as for `choose`.
    """
    texts = tuple(name for name, dtype in columns.items() if dtype in _TEXTS)
    return choose_columns(tuple(columns), settings, texts)


def record(
    source: str, number: int, row: Mapping[str, Any], columns: Columns, limit: int
) -> Record:
    """One row as a record: its HTML where there is some, else its text.

    Text that begins as HTML does is HTML too, which is why its media type is left open.
    """
    made = Record(source, number, key(row.get(columns.id or "")), url=_url(row, columns.url))
    html = row.get(columns.html) if columns.html else None
    name = columns.html if columns.html and (html or not columns.text) else columns.text
    value = row.get(name or "")
    if value is None:
        return made._replace(error=f"has no text: column {name!r} is empty")
    if not isinstance(value, (str, bytes)):
        what = type(value).__name__
        return made._replace(error=f"has no text: column {name!r} holds a value of type {what}")
    if len(value) > limit:
        return made._replace(error=too_large_message(limit))
    return made._replace(content=value, media_type="text/html" if name == columns.html else None)


def key(value: Any) -> str | None:
    r"""What a page is called in its table, fit to be a part of its `uri`.

    >>> key(17), key("a\nb"), key(""), key(True)
    ('17', 'ab', None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return _CONTROL.sub("", str(value)[:_LONGEST_KEY]).strip() or None


def said(columns: Columns, settings: ReadConfig) -> str | None:
    """What was guessed or not found, for a person; None where there is nothing to tell."""
    given = zip(
        columns,
        (settings.html_column, settings.text_column, settings.url_column, settings.id_column),
        ("HTML", "text", "url", "id"),
        strict=True,
    )
    told = []
    for name, named, what in given:
        if name and not named:
            told.append(f"{what} from column `{name}`")
        elif what in ("url", "id") and named and not name:
            told.append(f"{what} column `{named}` in none of the first rows")
    return ", ".join(told) or None


def _url(row: Mapping[str, Any], name: str | None) -> str | None:
    value = row.get(name or "")
    return value.strip() or None if isinstance(value, str) else None


def _guess(names: Iterable[str], usual: tuple[str, ...]) -> str | None:
    there: dict[str, str] = {}
    for name in names:
        there.setdefault(name.strip().lower(), name)
    return next((there[n] for n in usual if n in there), None)


def _missing(what: str, names: tuple[str, ...], option: str = "text") -> str:
    listed = ", ".join(repr(n[:40]) for n in names[:_SHOWN]) + ", …" * (len(names) > _SHOWN)
    return f"has {what}; its columns are {listed or 'none'}; name one with --{option}-column"
