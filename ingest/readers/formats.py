"""Decide the format of a source by its first bytes; its name is only a hint.

Scrapers and crawlers name files as they like: `items.jl`, `showthread.php?t=17`, no suffix at all.
Nearly every format says what it is in its first bytes. The name decides only among formats without
a mark: CSV, lines of JSON that are damaged, and text that is not a page, such as a style sheet.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from ingest.readers.columns import is_header
from ingest.readers.encoding import is_text
from ingest.readers.json_values import sniff_json
from ingest.readers.sniff import is_html_page, refusal_of_magic, start_of_text

SNIFF_BYTES = 1 << 16  # at the start of a source, decompressed
COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
_MARKDOWN = (".md", ".markdown")

_HTML = (".html", ".htm", ".xhtml", ".shtml")
_TEXT = (".txt", ".text")
_JSON_LINES = (".jsonl", ".ndjson", ".jl", ".jsonlines")
_TABLES = (".csv", ".tsv", ".tab")
_KINDS = (
    {".warc": "warc", ".wet": "warc", ".arc": "arc", ".parquet": "parquet", ".json": "json"}
    | {".mht": "mhtml", ".mhtml": "mhtml", ".rss": "feed", ".atom": "feed", ".rdf": "feed"}
    | {".wacz": "wacz"}
    | dict.fromkeys(_JSON_LINES, "jsonl")
    | dict.fromkeys(_TABLES, "csv")
    | dict.fromkeys((*_HTML, *_TEXT, *_MARKDOWN), "file")
)  # fmt: skip
# Files of a site or of a crawler whose text is not a page.
_NOT_PAGES = (
    dict.fromkeys((".css", ".scss", ".less"), "style sheet")
    | dict.fromkeys((".js", ".mjs", ".cjs", ".map", ".ts"), "script")
    | dict.fromkeys((".log", ".cdx", ".cdxj"), "log or index of a crawler")
    | dict.fromkeys((".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".bmp"), "image")
    | dict.fromkeys((".woff", ".woff2", ".ttf", ".otf", ".eot"), "font")
    | dict.fromkeys((".ini", ".cfg", ".conf", ".toml", ".yaml", ".yml", ".lock"), "settings")
    | dict.fromkeys((".py", ".sh", ".c", ".h", ".java", ".go", ".rs", ".sql"), "source code")
)
_ROBOTS = "robots.txt"
# wget keeps the query of an address in the name of the file: after ?, or on some systems after @.
_QUERY = re.compile(r"\?|%3F|@(?=[^/]*=)", re.IGNORECASE)
_FEED = re.compile(r"<(?:[\w-]+:)?(?:rss|feed|RDF|channel)[\s>]")
_BEFORE_ROOT = re.compile(
    r"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*+", re.DOTALL
)
_MIME_HEADER = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]{1,60}:[^\n]*\n(?:[ \t]+[^\n]*\n)*)+\r?\n")
_MIME_TYPE = re.compile(rb"^Content-Type:\s*(?:multipart/|text/html)", re.IGNORECASE | re.MULTILINE)
_MIME_VERSION = re.compile(rb"^MIME-Version:", re.IGNORECASE | re.MULTILINE)
_ARC = re.compile(
    rb"(?:filedesc|https?|ftp|dns)://?\S{0,4000} (?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]{2,39}|-) "
    rb"\d{8,17} [^\n]{0,200}\d\r?\n"
)
_DELIMITERS = "\t,;|"


class Format(NamedTuple):
    """How a source is read.

    Attributes:
        kind: the reader, or "zip", which only the list of its files tells from WACZ.
        refusal: what the source is, if it is clearly no page; None if it may be one.
    """

    kind: str
    refusal: str | None = None


def detect_format(start: bytes, name: str) -> Format:
    r"""The format of a source that starts with `start`, decompressed.

    >>> detect_format(b'[{"text": "a"}]', "items"), detect_format(b"<!doctype html>", "t.php?t=1")
    (Format(kind='json', refusal=None), Format(kind='file', refusal=None))
    >>> detect_format(b"\x89PNG\r\n\x1a\n", "t.html"), detect_format(b"a{}", "site.css?v=2")
    (Format(kind='file', refusal='PNG image'), Format(kind='file', refusal='style sheet'))
    """
    ending = suffix(name)
    if start.startswith(b"PK\x03\x04"):
        return Format("zip", "ZIP archive")
    if kind := _kind_by_magic(start):
        return Format(kind)
    if refusal := refusal_of_magic(start):
        return Format("file", refusal)
    text = start_of_text(start)
    return _format_of_text(text, ending, name) or Format(
        _KINDS.get(ending, "file"), _refusal_by_name(name, ending, start)
    )


def _kind_by_magic(start: bytes) -> str | None:
    if start.startswith(b"WARC/"):
        return "warc"
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"filedesc://") or _ARC.match(start):
        return "arc"
    return None


def _format_of_text(text: str, ending: str, name: str) -> Format | None:
    """The format of text that says what it is; None if it does not."""
    if is_html_page(text):
        return Format("file")
    if format_of_xml := _format_of_xml(text, ending):
        return format_of_xml
    if kind := sniff_json(text, lines=ending in _JSON_LINES):
        if ending not in _TABLES:
            return Format(kind)
    elif _is_mime(text):
        return Format("mhtml")
    elif ending not in _KINDS.keys() - _TEXT and not _not_a_page(name, ending) and _is_table(text):
        return Format("csv")
    return None


def _format_of_xml(text: str, ending: str) -> Format | None:
    if text.lstrip()[:1] != "<":
        return None
    if text.startswith("<?php"):
        return Format("file", "source code")
    before = _BEFORE_ROOT.match(text)
    end = before.end() if before else 0
    if _FEED.match(text, end):
        return Format("feed")
    if ("<?xml" in text[:end] or ending == ".xml") and ending not in _HTML:
        is_image = re.match(r"<(?:\w+:)?svg[\s>]", text[end : end + 20])
        return Format("feed", "image" if is_image else "XML that is not a feed")
    return None


def _is_table(text: str) -> bool:
    r"""Whether text starts with a header of a table and a row of it.

    >>> _is_table("url,text\na,b\n"), _is_table("Text, and more text\nof a page, and more")
    (True, False)
    """
    header, _, rest = text.lstrip("\r\n").partition("\n")
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.strip(' "\r') for name in header.split(delimiter)]
    return len(names) > 1 and all(names) and is_header(names) and delimiter in rest


def _is_mime(text: str) -> bool:
    start = text.encode("latin-1", "replace").lstrip()
    header = _MIME_HEADER.match(start)
    if header is None:
        return False
    fields = header[0]
    return _MIME_VERSION.search(fields) is not None and _MIME_TYPE.search(fields) is not None


def _refusal_by_name(name: str, ending: str, start: bytes) -> str | None:
    if ending in _KINDS and os.path.basename(name).lower() != _ROBOTS:
        return None  # a damaged file is a page with an error
    if reason := _not_a_page(name, ending):
        return reason
    if not start:
        return "empty"
    return None if is_text(start[: 1 << 12]) else "not text"


def _not_a_page(name: str, ending: str) -> str | None:
    if _QUERY.split(os.path.basename(name).lower())[0] == _ROBOTS:
        return "rules for crawlers"
    return _NOT_PAGES.get(ending)


def suffix(path: str) -> str:
    """The last suffix of a path in lower case, without that of a compression and without a query.

    >>> suffix("a/B.JSONL.gz"), suffix("view.aspx?id=5"), suffix("view.aspx?id=5.html")
    ('.jsonl', '.aspx', '.html')
    """
    name = os.path.basename(path).lower()
    whole = _suffix(name)
    if whole in _KINDS or whole in _NOT_PAGES:
        return whole
    return _suffix(_QUERY.split(name)[0])


def _suffix(name: str) -> str:
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    return os.path.splitext(name)[1]


def has_known_suffix(path: str) -> bool:
    """Whether a path has the suffix of a format that is read.

    >>> has_known_suffix("a/b.txt.gz"), has_known_suffix("a/b.warc"), has_known_suffix("a/b.png")
    (True, True, False)
    """
    return suffix(path) in _KINDS


def kind_by_name(path: str) -> str:
    """The kind of reader by the suffix alone, for a file that cannot be opened."""
    return _KINDS.get(suffix(path), "file")


def media_type(path: str) -> str | None:
    """The media type by the suffix of a file; None if it has to be detected from the content."""
    ending = suffix(path)
    if ending in _HTML:
        return "text/html"
    return "text/markdown" if ending in _MARKDOWN else None


def is_named_text(path: str) -> bool:
    """Whether the name of a file says that it is plain text.

    >>> is_named_text("a.txt.gz"), is_named_text("a")
    (True, False)
    """
    return suffix(path) in _TEXT
