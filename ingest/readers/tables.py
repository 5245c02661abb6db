"""Find the columns of a table that contain pages, and convert rows to records."""

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

# Column names used by scrapers, crawls and published corpora, the most specific first.
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
_TEXT_TYPES = (pl.String, pl.Binary, pl.Categorical, pl.Enum)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_MAX_KEY = 200  # characters
_MAX_LISTED = 20  # column names in an error message


class Columns(NamedTuple):
    """The names of the columns with the HTML, text, address and identifier of pages."""

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
    """The columns to read: those named in the settings, else guessed by their names.

    Args:
        names: all columns of the table, in order.
        settings: column names. If a column of HTML or text is named, no other is read.
        texts: the columns that contain text; HTML and text are guessed among them.
        rows_differ: whether rows may have different columns; `names` are those of one row, which
            may lack an address and an identifier.

    Raises:
        SourceError: a named column is missing, or no column is known to contain pages.

    >>> choose_columns(("Title", "Body", "link"), ReadConfig(), ("Title", "Body", "link"))
    Columns(html=None, text='Body', url='link', id=None)
    """
    html, text = settings.html_column or None, settings.text_column or None
    if not (html or text):
        html, text = _guess(texts, _HTML), _guess(texts, _TEXT)
        if not (html or text):
            raise SourceError(_missing_message("no column that is known to contain text", names))
    columns = Columns(
        html,
        text,
        settings.url_column or _guess(names, _URL),
        settings.id_column or _guess(names, _ID),
    )
    needed = ("html", "text") if rows_differ else Columns._fields
    for option, name in zip(needed, columns, strict=False):
        if name and name not in names:
            raise SourceError(_missing_message(f"no column {name!r}", names, option))
    return columns


def choose_from_schema(columns: pl.Schema, settings: ReadConfig) -> Columns:
    """The columns to read from a typed table.

    Raises:
        SourceError: as for `choose_columns`.
    """
    texts = tuple(name for name, dtype in columns.items() if dtype in _TEXT_TYPES)
    return choose_columns(tuple(columns), settings, texts)


def to_record(
    source: str, number: int, row: Mapping[str, Any], columns: Columns, limit: int
) -> Record:
    """Convert a row to a record, with its HTML if there is any, else its text.

    The media type of text is left open, because it may be HTML as well.
    """
    result = Record(source, number, key(row.get(columns.id or "")), url=_url(row, columns.url))
    html = row.get(columns.html) if columns.html else None
    name = columns.html if columns.html and (html or not columns.text) else columns.text
    value = row.get(name or "")
    if value is None:
        return result._replace(error=f"has no text: column {name!r} is empty")
    if not isinstance(value, (str, bytes)):
        kind = type(value).__name__
        return result._replace(
            error=f"has no text: column {name!r} contains a value of type {kind}"
        )
    if len(value) > limit:
        return result._replace(error=too_large_message(limit))
    return result._replace(content=value, media_type="text/html" if name == columns.html else None)


def key(value: Any) -> str | None:
    r"""The identifier of a page in its table, cleaned for use in its `uri`.

    >>> key(17), key("a\nb"), key(""), key(True)
    ('17', 'ab', None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return _CONTROL.sub("", str(value)[:_MAX_KEY]).strip() or None


def describe_guesses(columns: Columns, settings: ReadConfig) -> str | None:
    """Tell the user which columns were guessed or not found; None if there are none."""
    choices = zip(
        columns,
        (settings.html_column, settings.text_column, settings.url_column, settings.id_column),
        ("HTML", "text", "url", "id"),
        strict=True,
    )
    notes = []
    for name, configured, role in choices:
        if name and not configured:
            notes.append(f"{role} from column `{name}`")
        elif role in ("url", "id") and configured and not name:
            notes.append(f"{role} column `{configured}` in none of the first rows")
    return ", ".join(notes) or None


def _url(row: Mapping[str, Any], name: str | None) -> str | None:
    value = row.get(name or "")
    return value.strip() or None if isinstance(value, str) else None


def _guess(names: Iterable[str], known: tuple[str, ...]) -> str | None:
    by_lower: dict[str, str] = {}
    for name in names:
        by_lower.setdefault(name.strip().lower(), name)
    return next((by_lower[n] for n in known if n in by_lower), None)


def _missing_message(what: str, names: tuple[str, ...], option: str = "text") -> str:
    listed = ", ".join(repr(n[:40]) for n in names[:_MAX_LISTED]) + ", …" * (
        len(names) > _MAX_LISTED
    )
    return f"has {what}; its columns are {listed or 'none'}; choose one with --{option}-column"
