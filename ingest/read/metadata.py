"""What a page says of itself: title, language, addresses, OpenGraph, JSON-LD."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from selectolax.lexbor import LexborNode

_SPACE = re.compile(r"\s+")
# Names of <meta> that describe the page; the others are for machines.
_NAMED = frozenset(
    "author date description keywords language news_keywords pubdate publish-date publisher".split()
)
_PREFIXES = ("og:", "article:", "twitter:", "dc.", "dcterms.", "citation_")
_LARGEST = 1 << 16  # characters of one value or JSON-LD script; what is larger is left out


def metadata(root: LexborNode | None, nodes: Iterable[LexborNode]) -> dict[str, Any]:
    """Columns of the documents frame from the root and the title, meta, link and script elements.

    `metadata` is a JSON object: "meta" has one value or a list of values a name, "json_ld" the
    list of what its scripts hold. Null where the page says nothing.
    """
    made: dict[str, Any] = dict.fromkeys(
        ("title", "canonical_url", "declared_lang", "declared_dir", "alternates", "metadata")
    )
    if root is not None:
        attributes = root.attributes
        made["declared_lang"] = _line(attributes.get("lang") or attributes.get("xml:lang"))
        made["declared_dir"] = _line(attributes.get("dir"))
    meta: dict[str, Any] = {}
    json_ld: list[Any] = []
    for node in nodes:
        tag = node.tag
        if tag == "title":
            made["title"] = made["title"] or _line(node.text())
        elif tag == "meta":
            _note_meta(node.attributes, meta)
        elif tag == "link":
            _note_link(node.attributes, made)
        elif (node.attributes.get("type") or "").strip().lower() == "application/ld+json":
            _note_json(node.text(), json_ld)
    held = {key: value for key, value in (("meta", meta), ("json_ld", json_ld)) if value}
    if held:
        made["metadata"] = json.dumps(held, ensure_ascii=False).encode("utf-8", "replace").decode()
    return made


def _note_meta(attributes: dict[str, str | None], meta: dict[str, Any]) -> None:
    name = (attributes.get("property") or attributes.get("name") or "").strip().lower()
    value = _line(attributes.get("content"))
    if not value or len(value) > _LARGEST:
        return
    if name not in _NAMED and not name.startswith(_PREFIXES):
        return
    if name not in meta:
        meta[name] = value
    elif isinstance(meta[name], list):
        meta[name].append(value)
    else:
        meta[name] = [meta[name], value]


def _note_link(attributes: dict[str, str | None], made: dict[str, Any]) -> None:
    rel = (attributes.get("rel") or "").lower().split()
    url = _line(attributes.get("href"))
    if not url:
        return
    if "canonical" in rel:
        made["canonical_url"] = made["canonical_url"] or url
    elif "alternate" in rel and (lang := _line(attributes.get("hreflang"))):
        made["alternates"] = [*(made["alternates"] or ()), {"lang": lang, "url": url}]


def _note_json(text: str, json_ld: list[Any]) -> None:
    if len(text) > _LARGEST:
        return
    try:
        json_ld.append(json.loads(text))
    except (ValueError, RecursionError):
        return  # a broken script is nobody's metadata; the page itself is sound


def _line(value: str | None) -> str | None:
    """One line of text; None where there is none."""
    return _SPACE.sub(" ", value).strip() or None if value else None
