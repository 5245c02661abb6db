"""Read the metadata of a page: title, language, addresses, OpenGraph, JSON-LD."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from selectolax.lexbor import LexborNode

from ingest.readers import publication

_SPACE = re.compile(r"\s+")
# Names of <meta> elements that describe the page.
_NAMED = publication.NAMES.union(
    "application-name description keywords language news_keywords publisher".split()
)
_PREFIXES = ("og:", "article:", "twitter:", "dc.", "dcterms.", "citation_")
_MAX_DATE = 200  # characters of an element with a date
_MAX_VALUE = 1 << 16  # characters of a value or JSON-LD script; larger ones are left out
# Nesting of a JSON-LD script. Real ones have about ten levels. How many levels Python can serialize
# depends on its current call stack.
_MAX_LEVELS = 100
_ROW = ("title", "canonical_url", "declared_lang", "declared_dir", "alternates", "published",
        "author", "metadata")  # fmt: skip


class Metadata(NamedTuple):
    """What a page says about itself.

    Attributes:
        row: columns of the documents frame.
        meta: values of <meta>, by name.
        json_ld: values of its JSON-LD scripts.
        urls: addresses of the page itself.
    """

    row: dict[str, Any]
    meta: dict[str, Any]
    json_ld: list[Any]
    urls: tuple[str | None, ...]


def read_metadata(root: dict[str, str | None], nodes: Iterable[LexborNode]) -> Metadata:
    """Read the attributes of <html>, and the title, meta, link, script and date elements.

    Column `metadata` is a JSON object: "meta" has one value or a list of values per name,
    "json_ld" is the list of JSON-LD scripts. It is null if the page has neither.
    """
    row: dict[str, Any] = dict.fromkeys(_ROW)
    row["declared_lang"] = _one_line(root.get("lang") or root.get("xml:lang"))
    row["declared_dir"] = _one_line(root.get("dir"))
    meta: dict[str, Any] = {}
    json_ld: list[tuple[Any, str]] = []  # the value and the text of each script
    elements: list[publication.Element] = []  # which may show the date
    for node in nodes:
        tag = node.tag
        if tag == "title":
            row["title"] = row["title"] or _one_line(node.text())
        elif tag == "meta":
            _add_meta(node.attributes, meta)
            if "datePublished" in (node.attributes.get("itemprop") or "").split():
                elements.append(publication.Element(node.attributes, ""))
        elif tag == "link":
            _add_link(node.attributes, row)
        elif tag != "script":
            elements.append(publication.Element(node.attributes, node.text()[:_MAX_DATE]))
        elif (node.attributes.get("type") or "").strip().lower() == "application/ld+json":
            _add_json_ld(node.text(), json_ld)
    values = [value for value, _ in json_ld]
    members = [f'"meta": {json.dumps(meta, ensure_ascii=False)}'] if meta else []
    if json_ld:
        members.append(f'"json_ld": [{", ".join(text for _, text in json_ld)}]')
    if members:
        row["metadata"] = f"{{{', '.join(members)}}}".encode("utf-8", "replace").decode()
    urls = (row["canonical_url"], *_values(meta.get("og:url")))
    row["published"] = publication.published(meta, values, urls, elements)
    row["author"] = publication.author(meta, values)
    return Metadata(row, meta, values, urls)


def _values(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _add_meta(attributes: dict[str, str | None], meta: dict[str, Any]) -> None:
    name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
    value = _one_line(attributes.get("content"))
    if not value or len(value) > _MAX_VALUE:
        return
    if name not in _NAMED and not name.startswith(_PREFIXES):
        return
    if name not in meta:
        meta[name] = value
    elif isinstance(meta[name], list):
        meta[name].append(value)
    else:
        meta[name] = [meta[name], value]


def _add_link(attributes: dict[str, str | None], row: dict[str, Any]) -> None:
    rel = (attributes.get("rel") or "").lower().split()
    url = _one_line(attributes.get("href"))
    if not url:
        return
    if "canonical" in rel:
        row["canonical_url"] = row["canonical_url"] or url
    elif "alternate" in rel and (lang := _one_line(attributes.get("hreflang"))):
        row["alternates"] = [*(row["alternates"] or ()), {"lang": lang, "url": url}]


def _add_json_ld(text: str, json_ld: list[tuple[Any, str]]) -> None:
    """Add the content of a script. NaN and infinities, which are not JSON, become null."""
    if len(text) > _MAX_VALUE:
        return
    try:
        # many scripts have line breaks inside strings
        value = json.loads(text, strict=False, parse_constant=lambda _: None)
        if _count_levels(value) <= _MAX_LEVELS:
            json_ld.append((value, json.dumps(value, ensure_ascii=False, allow_nan=False)))
    except (ValueError, RecursionError):
        return  # a broken script does not affect the page


def _count_levels(value: Any) -> int:
    """The depth of nested lists and objects."""
    levels = 0
    values = [value]
    while values := [v for v in values if isinstance(v, (dict, list))]:
        levels += 1
        values = [inner for v in values for inner in (v.values() if isinstance(v, dict) else v)]
    return levels


def _one_line(value: str | None) -> str | None:
    """Collapse white space; None if nothing is left."""
    return _SPACE.sub(" ", value).strip() or None if value else None
