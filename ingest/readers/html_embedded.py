"""Text of a page that is not in its elements: in shadow roots, and in data for its scripts."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

# A shadow root that a page declares is shown in place of its host's content.
_SHADOW = re.compile(r"<template\b[^<>]{0,500}?\bshadowrootmode\b", re.IGNORECASE)
_TEMPLATE = re.compile(r"<(/?)template\b([^<>]{0,500})", re.IGNORECASE)
_ROOT = "shadow-root"

_SHOWN_HTML = 1 << 16  # bytes of a page without scripts, from which no text is looked for in them
_SHOWN_TEXT = 200  # characters of a page that shows no article
_TAG = re.compile(rb"<[^>]*>|\s+")
_HEAD_END = b"</head>"
# Where pages keep their article. JSON-LD's articleBody is the article; others may be anything.
_STATE = re.compile(r"\bwindow\.__\w+__\s*=\s*(?=[{\[])")
_ARTICLE = "articlebody"
_KEYS = frozenset((_ARTICLE, "body", "content", "html", "text", "paragraphs", "bodytext", "story"))
_SCRIPT = re.compile(r"<script\b([^<>]{0,500})>", re.IGNORECASE)
_SCRIPT_END = re.compile(r"</script\b", re.IGNORECASE)
_IS_JSON = re.compile(r"\btype\s*=\s*[\"']?[\w/.+-]*json", re.IGNORECASE)
_LONGEST_SCRIPT = 1 << 22  # characters
_MAX_VALUES = 100_000  # of the data of a page
_MIN_PART, _MIN_TEXT = 40, 200  # characters of a paragraph, and of an article
_MIN_SPACES = 0.08  # spaces per character in written text; code and addresses have fewer
_ELEMENT = '<article class="embedded" itemprop="articleBody" hidden>{}</article>'


def open_shadow_roots(html: str) -> str:
    """Make declared shadow roots elements that are shown.

    >>> open_shadow_roots("<a-b><template shadowrootmode=open><p>x</p></template></a-b>")
    '<a-b><shadow-root shadowrootmode=open><p>x</p></shadow-root></a-b>'
    """
    if not _SHADOW.search(html):
        return html
    shown: list[bool] = []  # of the open templates

    def rename(match: re.Match[str]) -> str:
        if match[1]:
            is_shown = shown.pop() if shown else False
        else:
            is_shown = _SHADOW.match(match[0]) is not None
            shown.append(is_shown)
        return f"<{match[1]}{_ROOT}{match[2]}" if is_shown else match[0]

    return _TEMPLATE.sub(rename, html)


def add_embedded_article(html: str, shown: bytes) -> str | None:
    """Add the article in the data of a page's scripts, if the page shows none. Else, None.

    The element that is added is hidden, and its class is `embedded`.

    Args:
        html: the page.
        shown: the page as parsed, without scripts.
    """
    if len(shown) > _SHOWN_HTML:
        return None
    body = shown[shown.find(_HEAD_END) + 1 :]
    if len(_TAG.sub(b"", body)) > _SHOWN_TEXT:
        return None
    parts = [part for script in _scripts(html) for part in _texts(script)]
    bodies = [text for key, text in parts if key == _ARTICLE]
    texts = bodies or [text for _, text in parts]
    if not texts:
        return None
    longest = max(texts, key=len)
    article = [longest] if bodies or len(longest) >= _MIN_TEXT else list(dict.fromkeys(texts))
    if sum(map(len, article)) < _MIN_TEXT:
        return None
    return html + _ELEMENT.format("\n".join(map(_as_html, article)))


def _scripts(html: str) -> list[Any]:
    """The JSON values in the scripts of a page."""
    values = []
    place = 0
    while script := _SCRIPT.search(html, place):
        end = _SCRIPT_END.search(html, script.end())
        if end is None:
            break
        place = end.end()
        text = html[script.end() : min(end.start(), script.end() + _LONGEST_SCRIPT)]
        if not _IS_JSON.search(script[1]):
            state = _STATE.search(text)
            text = text[state.end() :] if state else ""
        try:
            value, _ = json.JSONDecoder().raw_decode(text.lstrip())
        except (ValueError, RecursionError):
            continue
        values.append(value)
    return values


def _texts(value: Any) -> list[tuple[str, str]]:
    """The written texts in a JSON value, with the key around each, in order."""
    found: list[tuple[str, str]] = []
    waiting: list[tuple[str, Any]] = [("", value)]
    for _ in range(_MAX_VALUES):
        if not waiting:
            break
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(name.lower(), inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(key, inner) for inner in reversed(value)]
        elif key in _KEYS and isinstance(value, str) and _is_written(value):
            found.append((key, value))
    return found


def _is_written(text: str) -> bool:
    return len(text) >= _MIN_PART and text.count(" ") >= _MIN_SPACES * len(text)


def _as_html(text: str) -> str:
    if re.search(r"</(?:p|div|li|h[1-6]|span|section)>|<br\b", text, re.IGNORECASE):
        return text
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())
