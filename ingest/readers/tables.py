"""Convert the rows of tables to records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingest.readers.columns import Columns, is_markdown, text_of_object
from ingest.readers.publication import date_of_value, names_of_value
from ingest.readers.records import Record, too_large_message

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_MAX_KEY = 200  # characters
_MAX_TITLE = 1_000  # characters
_MAX_DEPTH = 8  # lists inside lists


def to_record(
    source: str, number: int, row: Mapping[str, Any], columns: Columns, limit: int
) -> Record:
    """Convert a row to a record, with its HTML if there is any, else its text.

    The media type of text is left open, because it may be HTML as well.
    """
    result = Record(
        source,
        number,
        key(row.get(columns.id or "")),
        url=_url(row, columns.url),
        title=_title(row.get(columns.title or "")),
        published=date_of_value(row.get(columns.published or "")),
        author=names_of_value(row.get(columns.author or "")),
    )
    html = row.get(columns.html) if columns.html else None
    name = columns.html if columns.html and (html or not columns.text) else columns.text
    value = row.get(name or "")
    if value is None:
        return result._replace(error=f"has no text: column {name!r} is empty")
    if isinstance(value, list):
        value = _join(value)
    if not isinstance(value, (str, bytes)):
        kind = type(value).__name__
        return result._replace(
            error=f"has no text: column {name!r} contains a value of type {kind}"
        )
    if len(value) > limit:
        return result._replace(error=too_large_message(limit))
    if name == columns.html:
        return result._replace(content=value, media_type="text/html")
    if is_markdown(name) and isinstance(value, str):
        return result._replace(content=value, media_type="text/markdown")
    return result._replace(content=value)


def key(value: Any) -> str | None:
    r"""The identifier of a page in its table, cleaned for use in its `uri`.

    >>> key(17), key("a\nb"), key(""), key(True)
    ('17', 'ab', None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return _CONTROL.sub("", str(value)[:_MAX_KEY]).strip() or None


def _join(values: list[Any], depth: int = _MAX_DEPTH) -> str | list[Any]:
    r"""The texts of a list, one per line; the list itself if it has other values.

    >>> _join(["a", None, {"type": "p", "text": "b"}]), _join([1])
    ('a\nb', [1])
    """
    texts: list[str] = []
    for value in values:
        item = value
        if isinstance(value, dict):
            item = text_of_object(value)
        elif isinstance(value, list) and depth:
            item = _join(value, depth - 1)
        if isinstance(item, str):
            texts.append(item)
        elif item is not None:
            return values
    return "\n".join(texts)


def _url(row: Mapping[str, Any], name: str | None) -> str | None:
    value = row.get(name or "")
    return value.strip() or None if isinstance(value, str) else None


def _title(value: Any) -> str | None:
    """A title on one line; None for what is no text."""
    return " ".join(value[:_MAX_TITLE].split()) or None if isinstance(value, str) else None
