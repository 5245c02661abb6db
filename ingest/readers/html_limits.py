"""Pages that would hold up the parser: nesting and attributes without end are cut."""

from __future__ import annotations

import re
from collections import Counter

# Browsers nest no deeper than this either (Blink's maximum DOM tree depth); lexbor's time grows
# with the square of the depth, and of the attributes of one tag.
_DEPTH = 512
_TAG_CHARS = 20_000
# Pages with less than this cannot hold the parser up for a tenth of a second.
_TAGS, _CHARS = 10_000, 200_000
# Comments and elements that hold no tags, then tags as the standard's tokenizer sees them. Each
# part may end with the page, so that no start is tried twice.
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<raw>script|style|textarea|xmp|iframe|noembed|noframes)\b.*?(?:</(?P=raw)\b|\Z)"
    r"|<(?P<closing>/?)(?P<name>[a-z][^\s/>]*+)"
    r"(?:[^=>]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
# Elements that have no content, or whose end need not be written: they make no depth of their own.
_FLAT = frozenset(
    "area base body br col colgroup dd dt embed frame head hr html img input li link meta "
    "option p param source tbody td tfoot th thead tr track wbr".split()
)
# Parts of a table: where one begins, all that is open in the one before it ends.
_PARTS = frozenset("caption colgroup tbody td tfoot th thead tr".split())
# The end tag of one of these closes what is open inside it, but for a table; of another, nothing
# that has one of these in it.
_CLOSING = frozenset(
    "address article aside blockquote button center details dialog dir div dl fieldset figcaption "
    "figure footer header hgroup listing main menu nav ol pre search section summary ul".split()
)
_WALLS = frozenset("applet marquee object table template".split())
_SPECIAL = _CLOSING | _WALLS
# Elements that, left open, begin again in each block that follows; and how many may do so. Of three
# that are alike the parser itself keeps no more.
_FORMATS = frozenset("b big code em font i s small strike strong tt u".split())
_MOST_FORMATS, _ALIKE = 16, 3
# Elements that are there once: each further tag adds its attributes, at a cost that grows.
_ROOTS = frozenset(("html", "body"))
_MOST_ROOTS = 100


def limit_nesting(html: str) -> str:
    """The page itself, or, where it is monstrous, one without its deepest and longest tags.

    >>> limit_nesting("<p>x</p>"), limit_nesting("<b>" * 20_000 + "x").count("<b>")
    ('<p>x</p>', 512)
    """
    if len(html) < _CHARS and html.count("<") < _TAGS:
        between = max(map(len, html.split(">")))  # no tag is longer
        if between < _TAG_CHARS:
            return html
    around = _Around()

    def keep(found: re.Match[str]) -> str:
        tag, name = found.group(), found["name"]
        if name is None:
            return tag
        known = name.lower()
        if not (around.close(known) if found["closing"] else around.open(known, tag)):
            return ""
        return tag if len(tag) < _TAG_CHARS else f"<{found['closing']}{name}>"

    return _TAG.sub(keep, html)


class _Around:
    """The elements that are open, about as a browser would have them."""

    def __init__(self) -> None:
        self._names: list[str] = []  # outermost first
        self._open: Counter[str] = Counter()
        self._beyond: Counter[str] = Counter()  # open, but too deep to be kept
        self._formats: list[tuple[str, str]] = []  # name and tag of those that begin again
        self._roots = 0

    def open(self, name: str, tag: str) -> bool:
        """Note a start tag; whether it is kept."""
        if name in _ROOTS:
            self._roots += 1
            return self._roots <= _MOST_ROOTS
        if name in _PARTS and self._open["table"]:
            while self._names[-1] != "table":
                self._leave()
        if name in _FLAT:
            return True
        if len(self._names) >= _DEPTH or (name in _FORMATS and not self._begins_again(name, tag)):
            self._beyond[name] += 1
            return False
        self._names.append(name)
        self._open[name] += 1
        return True

    def close(self, name: str) -> bool:
        """Note an end tag; whether it is kept."""
        if self._beyond[name]:
            self._beyond[name] -= 1
            return False
        if name in _FORMATS:
            last = next((f for f in reversed(self._formats) if f[0] == name), None)
            if last:
                self._formats.remove(last)
        if self._open[name]:
            walls = _WALLS if name in _SPECIAL else _SPECIAL
            for at in range(len(self._names) - 1, -1, -1):
                if self._names[at] == name:
                    while len(self._names) > at:
                        self._leave()
                    break
                if self._names[at] in walls:
                    break
        return True

    def _begins_again(self, name: str, tag: str) -> bool:
        """Note an element that begins again in later blocks; False where there are too many."""
        made = (name, tag)
        if self._formats.count(made) >= _ALIKE:
            self._formats.remove(made)
        elif len(self._formats) >= _MOST_FORMATS:
            return False
        self._formats.append(made)
        return True

    def _leave(self) -> None:
        self._open[self._names.pop()] -= 1
        self._beyond.clear()
