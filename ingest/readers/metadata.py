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
# Real scripts have about ten; how many Python could write depends on who calls.
_DEEPEST = 100


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
    json_ld: list[str] = []
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
    held = [f'"meta": {json.dumps(meta, ensure_ascii=False)}'] if meta else []
    held += [f'"json_ld": [{", ".join(json_ld)}]'] if json_ld else []
    if held:
        made["metadata"] = f"{{{', '.join(held)}}}".encode("utf-8", "replace").decode()
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


def _note_json(text: str, json_ld: list[str]) -> None:
    """Note what a script holds, as JSON; NaN and infinities, which are none, become null."""
    if len(text) > _LARGEST:
        return
    try:
        value = json.loads(text, parse_constant=lambda _: None)
        if _levels(value) <= _DEEPEST:
            json_ld.append(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except (ValueError, RecursionError):
        return  # a broken script is nobody's metadata; the page itself is sound


def _levels(value: Any) -> int:
    """How deep lists and objects are nested."""
    levels = 0
    held = [value]
    while held := [v for v in held if isinstance(v, (dict, list))]:
        levels += 1
        held = [inner for v in held for inner in (v.values() if isinstance(v, dict) else v)]
    return levels


def _line(value: str | None) -> str | None:
    """One line of text; None where there is none."""
    return _SPACE.sub(" ", value).strip() or None if value else None
