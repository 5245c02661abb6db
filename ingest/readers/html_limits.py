"""Limit the nesting and the attributes of pages that would block the parser.

Nearly all pages are passed on after a quick look, which never misses a page that is slow to parse:
it counts what may be tags anywhere, also inside scripts, comments and values.
"""

from __future__ import annotations

import re
from collections import Counter

from ingest.errors import SourceError

# A parsed page takes about 300 bytes per tag.
_PIECE_TAGS, _MAX_TAGS = 200_000, 2_000_000
# The time of lexbor grows with the square of the depth. With this many elements that may be open,
# it is half a second.
_SAFE_TAGS = 16_000
# Formatting elements that are left open are reopened in each block that follows. With this many
# tags, or this many elements that are reopened, there are at most two million more elements.
_SAFE_FORMATTING_TAGS, _SAFE_REOPENED = 3_000, 2_000_000
_FORMATTING = frozenset("b big code em font i s small strike strong tt u".split())
# What follows the name in a start tag if the element has only text inside and an end tag.
_CLOSED = r"(?:\s++[a-z-]++=(?:\"[^\"<>]*+\"|'[^'<>]*+'|[^\s\"'<>=]++))*+\s*+>[^<]*+</\1[\s>]"
_NOT_CLOSED = re.compile(rf"<(?i:([a-z][^\s/>]*+)(?!{_CLOSED}))")
# Elements that exist once. Each further tag adds its attributes, at growing cost.
_ROOTS = frozenset(("html", "body"))
_MAX_ROOT_TAGS = 100
# Start tags of these elements that are not surely closed.
_LEFT_OPEN = re.compile(rf"<(?i:({'|'.join(sorted(_FORMATTING | _ROOTS))})(?=[\s/>])(?!{_CLOSED}))")
# The time of lexbor grows with the square of the attributes of a tag.
_MAX_ATTRIBUTES = 4_000
_ATTRIBUTE = r"[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>]*+))?+"
_ATTRIBUTES = re.compile(rf"<[^\s/>]*+(?:{_ATTRIBUTE}){{{_MAX_ATTRIBUTES}}}")
# A tag with many attributes, or with a name or a value that is long and has no space. Both limits
# keep the search linear, as it starts again at each `<`.
_SHORT = r"{0,999}+"
_SHORT_ATTRIBUTE = (
    rf"[\s/]*+[^\s/>][^\s/>=]{_SHORT}(?![^\s/>=])"
    rf"(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>]{_SHORT}(?![^\s>])))?+"
)
_MANY_ATTRIBUTES = re.compile(
    rf"<[a-zA-Z](?:[^\s/>]{{999}}|[^\s/>]*+(?:{_SHORT_ATTRIBUTE}){{0,99}}+"
    rf"(?:{_SHORT_ATTRIBUTE}|[\s/]*+[^\s/>](?:[^\s/>=]{{999}}|[^\s/>=]*+\s*+=\s*+[^\s>]{{999}})))"
)
_MAX_LOOKS = 100  # at tags that may have too many attributes; most are in scripts
# The time of lexbor grows with the square of the options of a <select>: 3,000 take 50 ms.
_MAX_OPTIONS = 3_000
_OPTION = re.compile(r"<(?i:option|optgroup|hr)\b")
_SELECT = re.compile(r"<(/?)select\b", re.IGNORECASE)

# Blink has the same limit (maximum DOM tree depth).
_MAX_DEPTH = 512
# Comments, and tags as in the tokenizer of the HTML standard. Each alternative also matches at the
# end of the page, so that matching takes linear time.
_TAG = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<(?:[!?]|/(?![a-z]))[^>]*+>?"
    r"|<(?P<closing>/?)(?P<name>[a-z][^\s/>]*+)"
    r"(?:[^=>]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
# Elements without tags inside, except in SVG and MathML.
_RAW = {
    name: re.compile(rf"</{name}(?=[\s/>])|\Z", re.IGNORECASE)
    for name in "script style textarea title xmp iframe noembed noframes".split()
}
_FOREIGN = ("svg", "math")
_CDATA = "<![CDATA["
# Elements without content or with an optional end tag. They do not add depth.
_FLAT = frozenset(
    "area base body br col colgroup dd dt embed frame head hr html img input li link meta "
    "option p param source tbody td tfoot th thead tr track wbr".split()
)
# Parts of a table. The start of one ends everything that is open in the one before it.
_TABLE_PARTS = frozenset("caption colgroup tbody td tfoot th thead tr".split())
# The end tag of one of these elements closes everything open inside it, except tables and the like.
# The end tag of any other element does nothing if one of these is open inside it.
_BLOCKS = frozenset(
    "address article aside blockquote button center details dialog dir div dl fieldset figcaption "
    "figure footer header hgroup listing main menu nav ol pre search section summary ul".split()
)
_BARRIERS = frozenset("applet marquee object table template".split())
_SPECIAL = _BLOCKS | _BARRIERS
# Formatting elements: the limits are on all that are left open and on identical ones; the HTML
# standard keeps three identical ones.
_MAX_FORMATTING, _MAX_IDENTICAL = 16, 3


def limit_nesting(html: str) -> list[str]:
    """Strip an extreme page of its deepest tags and of most attributes of a tag with thousands.

    A <select> with very many options becomes an element without a meaning; its options stay. A page
    with very many tags is cut into pieces, each of which starts with the tags that are open. An
    ordinary page is one piece, and is not changed.

    Raises:
        SourceError: the page has more than two million tags.

    >>> limit_nesting("<p>x</p>"), limit_nesting("<b>" * 20_000 + "x")[0].count("<b>")
    (['<p>x</p>'], 512)
    """
    tags = html.count("<")
    if tags > _MAX_TAGS:
        raise SourceError(f"has more than {_MAX_TAGS:,} tags")
    if tags > _MAX_OPTIONS and len(_OPTION.findall(html)) > _MAX_OPTIONS:
        html = _SELECT.sub(r"<\1x-select", html)
    return [html] if tags <= _PIECE_TAGS and _is_safe(html) else _limit(html)


def _is_safe(html: str) -> bool:
    """Whether a page is sure to need no limits."""
    tags = html.count("<")
    if tags > _SAFE_TAGS and len(_NOT_CLOSED.findall(html)) > _SAFE_TAGS:
        return False
    if tags > _SAFE_FORMATTING_TAGS and len(_LEFT_OPEN.findall(html)) * tags > _SAFE_REOPENED:
        return False
    end = 0
    for _ in range(_MAX_LOOKS):
        match = _MANY_ATTRIBUTES.search(html, end)
        if match is None:
            return True
        if _ATTRIBUTES.match(html, match.start()):
            return False
        end = match.start() + 1
    return False


def _limit(html: str) -> list[str]:
    """The pieces of a page with the limits applied.

    What would be read in one way in HTML and in another in SVG or MathML loses its tag, so that
    it is surely read in one way.
    """
    elements = _OpenElements()
    pieces: list[str] = []
    kept: list[str] = []
    end = tags = 0
    while match := _TAG.search(html, end):
        kept.append(html[end : match.start()])
        tags += 1
        if tags % _PIECE_TAGS == 0:
            pieces.append("".join(kept))
            kept = elements.tags()
        end = match.end()
        tag, name, closing = match[0], (match["name"] or "").lower(), match["closing"]
        raw = None if closing else _RAW.get(name)
        if tag[: len(_CDATA)].upper() == _CDATA:
            end = match.start() + len(_CDATA)
            continue
        if raw and any(map(elements.is_open, _FOREIGN)):
            continue
        if raw or not name or (elements.close(name) if closing else elements.open(name, tag)):
            few = _ATTRIBUTES.match(tag) if name and len(tag) > _MAX_ATTRIBUTES else None
            kept.append(f"{few[0]}>" if few else tag)
        if raw and (stop := raw.search(html, end)):
            content = html[end : stop.start()]
            # In a script, the start of a comment may change what its end is
            kept.append(content.replace("<!--", "") if name == "script" else content)
            end = stop.start()
    return [*pieces, "".join([*kept, html[end:]])]


class _OpenElements:
    """The open elements, approximately as in a browser."""

    def __init__(self) -> None:
        self._names: list[str] = []  # outermost first
        self._tags: list[str] = []  # their start tags
        self._open: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()  # open, but removed because they are too deep
        self._formatting: list[tuple[str, str]] = []  # name and tag of those that are reopened
        self._root_tags = 0

    def tags(self) -> list[str]:
        """The start tags of the open elements, outermost first."""
        return self._tags.copy()

    def is_open(self, name: str) -> bool:
        """Whether an element of a name is open."""
        return self._open[name] > 0

    def open(self, name: str, tag: str) -> bool:
        """Register a start tag. Returns whether to keep it."""
        if name in _ROOTS:
            self._root_tags += 1
            return self._root_tags <= _MAX_ROOT_TAGS
        if name in _TABLE_PARTS and self._open["table"]:
            while self._names[-1] != "table":
                self._pop()
        if name in _FLAT:
            return True
        if len(self._names) >= _MAX_DEPTH or (
            name in _FORMATTING and not self._add_formatting(name, tag)
        ):
            self._removed[name] += 1
            return False
        self._names.append(name)
        self._tags.append(tag)
        self._open[name] += 1
        return True

    def close(self, name: str) -> bool:
        """Register an end tag. Returns whether to keep it."""
        if self._removed[name]:
            self._removed[name] -= 1
            return False
        if name in _FORMATTING:
            last = next((f for f in reversed(self._formatting) if f[0] == name), None)
            if last:
                self._formatting.remove(last)
        if self._open[name]:
            barriers = _BARRIERS if name in _SPECIAL else _SPECIAL
            for at in range(len(self._names) - 1, -1, -1):
                if self._names[at] == name:
                    while len(self._names) > at:
                        self._pop()
                    break
                if self._names[at] in barriers:
                    break
        return True

    def _add_formatting(self, name: str, tag: str) -> bool:
        """Register an element that is reopened in later blocks. Returns whether to keep it."""
        element = (name, tag)
        if self._formatting.count(element) >= _MAX_IDENTICAL:
            self._formatting.remove(element)
        elif len(self._formatting) >= _MAX_FORMATTING:
            return False
        self._formatting.append(element)
        return True

    def _pop(self) -> None:
        self._open[self._names.pop()] -= 1
        self._tags.pop()
        self._removed.clear()
