"""Limit the nesting and the attributes of pages that would block the parser."""

from __future__ import annotations

import re
from collections import Counter

# Blink has the same limit (maximum DOM tree depth). The time of lexbor grows with the square of the
# depth, and with the square of the attributes of a tag.
_MAX_DEPTH = 512
_MAX_TAG = 20_000  # characters
# Smaller pages cannot block the parser for more than a second.
_SAFE_TAGS, _SAFE_CHARS = 10_000, 200_000
# The time of lexbor grows with the square of the options of a <select>: 3,000 take 50 ms.
_MAX_OPTIONS = 3_000
_OPTION = re.compile(r"<(?:option|optgroup|hr)\b", re.IGNORECASE)
_SELECT = re.compile(r"<(/?)select\b", re.IGNORECASE)
# Comments and elements without tags inside, then tags as in the tokenizer of the HTML standard.
# Each alternative also matches at the end of the page, so that matching takes linear time.
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<raw>script|style|textarea|xmp|iframe|noembed|noframes)\b.*?(?:</(?P=raw)\b|\Z)"
    r"|<(?P<closing>/?)(?P<name>[a-z][^\s/>]*+)"
    r"(?:[^=>]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
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
# Formatting elements: if left open, they are reopened in each block that follows. The limits are on
# all of them and on identical ones; the HTML standard keeps three identical ones.
_FORMATTING = frozenset("b big code em font i s small strike strong tt u".split())
_MAX_FORMATTING, _MAX_IDENTICAL = 16, 3
# Elements that exist once. Each further tag adds its attributes, at growing cost.
_ROOTS = frozenset(("html", "body"))
_MAX_ROOT_TAGS = 100


def limit_nesting(html: str) -> str:
    """Strip an extreme page of its deepest tags and of the attributes of overlong tags.

    A <select> with very many options becomes an element without a meaning; its options stay.

    >>> limit_nesting("<p>x</p>"), limit_nesting("<b>" * 20_000 + "x").count("<b>")
    ('<p>x</p>', 512)
    """
    if html.count("<") > _MAX_OPTIONS and len(_OPTION.findall(html)) > _MAX_OPTIONS:
        html = _SELECT.sub(r"<\1x-select", html)
    longest = max(map(len, html.split(">")))  # an upper bound for the longest tag
    is_small = len(html) < _SAFE_CHARS and html.count("<") < _SAFE_TAGS
    if longest < _MAX_TAG and (is_small or _is_flat(html)):
        return html
    elements = _OpenElements()

    def filter_tag(match: re.Match[str]) -> str:
        tag, name = match.group(), match["name"]
        if name is None:
            return tag
        lower = name.lower()
        if not (elements.close(lower) if match["closing"] else elements.open(lower, tag)):
            return ""
        return tag if len(tag) < _MAX_TAG else f"<{match['closing']}{name}>"

    return _TAG.sub(filter_tag, html)


def _is_flat(html: str) -> bool:
    """Whether a page is sure to need no limits, by a count that is never too low.

    An element counts as open until an end tag of its name comes that would close it: one with as
    many open blocks around it as at the start tag, or, for a block, as many tables and the like.
    """
    opened: Counter[tuple[str, int]] = Counter()
    depth = blocks = barriers = formatting = roots = 0
    for _, closing, tag in _TAG.findall(html):
        name = tag.lower()
        if not name or name in _FLAT:
            roots += name in _ROOTS
            continue
        is_block, is_barrier = name in _SPECIAL, name in _BARRIERS
        place = (name, 0 if is_barrier else barriers if is_block else blocks)
        step = 1
        if closing:
            if not opened[place]:
                continue
            step = -1
        opened[place] += step
        depth += step
        blocks += step * is_block
        barriers += step * is_barrier
        formatting += step * (name in _FORMATTING)
        if depth >= _MAX_DEPTH or formatting >= _MAX_FORMATTING:
            return False
    return roots <= _MAX_ROOT_TAGS


class _OpenElements:
    """The open elements, approximately as in a browser."""

    def __init__(self) -> None:
        self._names: list[str] = []  # outermost first
        self._open: Counter[str] = Counter()
        self._removed: Counter[str] = Counter()  # open, but removed because they are too deep
        self._formatting: list[tuple[str, str]] = []  # name and tag of those that are reopened
        self._root_tags = 0

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
        self._removed.clear()
