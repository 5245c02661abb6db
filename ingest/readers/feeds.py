"""Read RSS and Atom: one item is one page.

Items are cut out of the feed and parsed one at a time, so that damage affects only the item that
contains it, and memory does not grow with the feed. No entities are resolved but those of HTML and
characters by number; what a document type declares is not used.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple
from xml.parsers import expat

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import read_pieces
from ingest.readers.decoded import decode_pieces, take_sample
from ingest.readers.encoding import decode
from ingest.readers.fragments import is_html
from ingest.readers.publication import date_of_value, names_of_value
from ingest.readers.records import Record, Slice, too_large_message
from ingest.readers.sniff import declared_charset, wide_encoding

_NAME = r"(?:(?:rss|atom|a):)?(?:item|entry)"
_TOKEN = re.compile(rf"<!\[CDATA\[|<!--|<(?P<closing>/?){_NAME}(?=[\s>/])[^<>]*>")
_CLOSERS = {"<![CDATA[": "]]>", "<!--": "-->"}
_MAX_TAG = 1 << 12  # characters of a tag of an item
_HEAD = 1 << 16  # characters before the first item that are inspected
_ROOT = re.compile(r"<(?:[\w-]+:)?(?:rss|feed|RDF|channel)[\s>]")
_LANGUAGE = re.compile(
    r"<(?:\w+:)?language>\s*([\w-]{2,35})\s*<|<[^<>]*\sxml:lang=[\"']([\w-]{2,35})[\"']"
)
# Ampersands that XML does not allow, outside of what is opaque.
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    r"|&(?!(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);)(?P<entity>\w{1,32};)?",
    re.DOTALL,
)
# Characters that XML does not allow, and references to them.
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_XML_REFERENCE = re.compile(
    r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]));"
)
_ANY_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
# Elements with the content of an item, the best first.
_CONTENT = (
    "content:encoded", "encoded", "content", "description", "summary", "dc:description",
    "media:description", "itunes:summary",
)  # fmt: skip
_DATES = ("pubDate", "published", "issued", "dcterms:issued", "dcterms:created", "dc:date", "date")
_AUTHORS = ("author", "dc:creator", "creator", "itunes:author")
_NAME_INSIDE = re.compile(r"<name>([^<]*)</name>")  # of an author in Atom
_NAME_BESIDE = re.compile(r"\S+@\S+\s*\(([^()]*)\)")  # of an author in RSS
_NOT_A_FEED = "is XML, but neither XHTML nor a feed; save its text as HTML or plain text"
_CUT_OFF = "is cut off: the feed ends inside an item"


class _Element(NamedTuple):
    """An element of an item: its attributes, its text, and its markup if it has elements."""

    attributes: dict[str, str]
    text: str
    markup: str | None


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield one record per item of a feed, or of `data` if the source is already open."""
    feed = _Feed(settings.max_record_bytes)
    number = 0
    for item in feed.read(data or read_pieces(part.source)):
        record = Record(part.source, number)
        if isinstance(item, SourceError):
            yield record._replace(error=str(item))
        else:
            yield _to_record(record, item, feed.lang)
        number += 1
    if not number and not feed.has_root:
        yield Record(part.source, error=_NOT_A_FEED)


class _Feed:
    """Cuts the items out of a feed.

    Attributes:
        lang: the language that the feed declares.
        has_root: whether it begins like a feed.
    """

    def __init__(self, limit: int) -> None:
        self.lang: str | None = None
        self.has_root = False
        self._limit = limit
        self._text = ""  # what is not used yet
        self._at = 0  # where to look on
        self._begin: int | None = None  # where the item at hand begins
        self._closer: str | None = None  # the end of the CDATA section or comment at hand
        self._is_first = True

    def read(self, parts: Iterator[bytes]) -> Iterator[str | SourceError]:
        """Yield the text of each item, or an error in place of it."""
        error: SourceError | None = None
        try:
            sample, parts = take_sample(parts)
            encoding = wide_encoding(sample)
            encoding = encoding or decode(sample, None, declared_charset(sample)).encoding
            for piece in decode_pieces(parts, encoding):
                self._text += piece
                yield from self._find_items()
        except SourceError as damage:
            error = damage
        self._inspect(self._text)
        if self._begin is not None or error:
            yield error or SourceError(_CUT_OFF)

    def _find_items(self) -> Iterator[str | SourceError]:
        while True:
            if self._closer:
                end = self._text.find(self._closer, self._at)
                if end < 0:
                    self._at = max(self._at, len(self._text) - len(self._closer) + 1)
                    break
                self._at, self._closer = end + len(self._closer), None
            match = _TOKEN.search(self._text, self._at)
            if match is None:  # unless one begins at the end
                start = self._text.rfind("<", max(self._at, len(self._text) - _MAX_TAG))
                self._at = max(self._at, len(self._text) if start < 0 else start)
                break
            self._at = match.end()
            self._closer = _CLOSERS.get(match[0])
            if not self._closer:
                self._inspect(self._text[: match.start()])
                if self._begin is not None:  # also if the item before this one has no end tag
                    yield self._text[self._begin : self._at if match["closing"] else match.start()]
                is_empty = match["closing"] or match[0].endswith("/>")
                self._begin = None if is_empty else match.start()
        if self._begin is not None and self._at - self._begin > self._limit:
            yield SourceError(too_large_message(self._limit))
            self._begin = None
        if not self._is_first or len(self._text) > _HEAD:
            self._inspect(self._text)
            used = self._at if self._begin is None else self._begin
            self._text, self._at = self._text[used:], self._at - used
            self._begin = None if self._begin is None else 0

    def _inspect(self, head: str) -> None:
        """Look at what is before the first item, once."""
        if self._is_first:
            self._is_first = False
            self.has_root = _ROOT.search(head, 0, _HEAD) is not None
            if found := _LANGUAGE.search(head, 0, _HEAD):
                self.lang = found[1] or found[2]


def _to_record(record: Record, item: str, lang: str | None) -> Record:
    """The page of an item, as HTML."""
    try:
        elements = _parse(item)
    except expat.ExpatError as error:
        return record._replace(error=f"is not an item of a feed: {error}")
    title = _title(elements)
    body = _body(elements)
    if not (title or body):
        return record._replace(error="has neither a title nor a text")
    declared = f' lang="{html.escape(lang)}"' if lang else ""
    # in a title, only a tag could be taken for one; entities that were escaped twice are resolved
    head = f"<head><title>{title.replace('<', '&lt;')}</title></head>"
    page = f"<!doctype html><html{declared}>{head}<body><article>{body}</article></body></html>"
    return record._replace(
        content=page,
        media_type="text/html",
        url=_link(elements),
        published=_published(elements),
        author=_author(elements),
    )


def _parse(item: str) -> list[tuple[str, _Element]]:
    """The elements of an item.

    Raises:
        ExpatError: the item is not well-formed, apart from ampersands and control characters.
    """
    elements: list[tuple[str, _Element]] = []
    text: list[str] = []
    markup: list[str] = []
    attributes: dict[str, str] = {}
    depth = inner = 0

    def start(name: str, attrs: dict[str, str]) -> None:
        nonlocal attributes, depth, inner
        depth += 1
        if depth == 2:
            attributes, inner = attrs, 0
            text.clear()
            markup.clear()
        elif depth > 2:
            inner += 1
            listed = "".join(f' {key}="{html.escape(value)}"' for key, value in attrs.items())
            markup.append(f"<{_local(name)}{listed}>")

    def add(data: str) -> None:
        text.append(data)
        markup.append(html.escape(data, quote=False))

    def end(name: str) -> None:
        nonlocal depth
        if depth == 2:
            inside = "".join(markup) if inner else None
            label = name.removeprefix("atom:").removeprefix("rss:").removeprefix("a:")
            elements.append((label, _Element(attributes, "".join(text), inside)))
        elif depth > 2:
            markup.append(f"</{_local(name)}>")
        depth -= 1

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = add
    parser.Parse(_repair(item).encode(), True)
    return elements


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _repair(item: str) -> str:
    """Replace what XML does not allow, but feeds contain: bare ampersands, HTML's entities."""

    def replace(match: re.Match[str]) -> str:
        if not match[0].startswith("&"):
            return match[0]
        entity = match["entity"]
        known = html.unescape(f"&{entity}") if entity else ""
        is_known = entity and known != f"&{entity}"
        return html.escape(known, quote=False) if is_known else f"&amp;{entity or ''}"

    allowed = _NOT_XML_REFERENCE.sub(" ", _NOT_XML.sub(" ", item))
    return _AMPERSAND.sub(replace, allowed)


def _title(elements: list[tuple[str, _Element]]) -> str:
    """The title of an item, without tags that were escaped."""
    for name, element in elements:
        if name == "title":
            has_tags = element.attributes.get("type") == "html" or is_html(element.text)
            return _ANY_TAG.sub("", element.text).strip() if has_tags else element.text.strip()
    return ""


def _body(elements: list[tuple[str, _Element]]) -> str:
    """The best content of an item as HTML."""
    for label in _CONTENT:
        for name, element in elements:
            if name == label and (element.text.strip() or element.markup):
                if element.markup:
                    return element.markup
                if element.attributes.get("type") == "html" or is_html(element.text):
                    return element.text
                lines = element.text.split("\n")
                # entities that were escaped twice are resolved, as in the other contents
                return "".join(
                    f"<p>{line.replace('<', '&lt;')}</p>" for line in lines if line.strip()
                )
    return ""


def _link(elements: list[tuple[str, _Element]]) -> str | None:
    """The address of an item."""
    for name, element in elements:
        if name == "link":
            relation = element.attributes.get("rel", "alternate")
            address = element.attributes.get("href") or element.text
            if relation == "alternate" and address.strip():
                return address.strip()
    for name, element in elements:
        address = element.text.strip()
        if name in ("guid", "id") and address.startswith(("http://", "https://")):
            return address
    return None


def _published(elements: list[tuple[str, _Element]]) -> str | None:
    """When an item was published: what the best of its elements says."""
    dates = [
        (_DATES.index(name), date_of_value(e.text.strip()))
        for name, e in elements
        if name in _DATES
    ]
    return next((day for _, day in sorted(filter(itemgetter(1), dates))), None)


def _author(elements: list[tuple[str, _Element]]) -> str | None:
    """The names of the authors of an item, without their addresses."""
    for label in _AUTHORS:
        texts: list[str] = []
        for name, element in elements:
            if name == label:
                inside = _NAME_INSIDE.findall(element.markup or "")
                texts += (
                    map(html.unescape, inside)
                    if inside
                    else [_NAME_BESIDE.sub(r"\1", element.text)]
                )
        if names := names_of_value(texts):
            return names
    return None
