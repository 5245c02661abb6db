"""Pages that would hold up the parser: nesting and attributes without end are cut."""

from __future__ import annotations

import re

# Browsers nest no deeper than this either (Blink's maximum DOM tree depth); lexbor's time grows
# with the square of the depth, and of the attributes of one tag.
_DEPTH = 512
_TAG_CHARS = 20_000
# Pages with less than this cannot hold the parser up for a tenth of a second.
_TAGS, _CHARS = 10_000, 200_000
# Comments and scripts, which hold no tags, then tags as the standard's tokenizer sees them. Each
# part may end with the page, so that no start is tried twice.
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?:script|style)\b.*?(?:</(?:script|style)\b|\Z)"
    r"|<(?P<closing>/?)(?P<name>[a-z][^\s/>]*+)"
    r"(?:[^=>]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?+)*+(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
# Elements that have no content, or whose end need not be written: they make no depth of their own.
_FLAT = frozenset(
    "area base body br col colgroup dd dt embed frame head hr html img input li link meta "
    "optgroup option p param rp rt source tbody td tfoot th thead tr track wbr".split()
)


def tamed(html: str) -> str:
    """The page itself, or, where it is monstrous, one without its deepest and longest tags.

    >>> tamed("<p>x</p>"), tamed("<b>" * 20_000 + "x").count("<b>")
    ('<p>x</p>', 512)
    """
    if len(html) < _CHARS and html.count("<") < _TAGS:
        between = max(map(len, html.split(">")))  # no tag is longer
        if between < _TAG_CHARS:
            return html
    depth = beyond = 0

    def keep(found: re.Match[str]) -> str:
        nonlocal depth, beyond
        tag, name = found.group(), found["name"]
        if name is None:
            return tag
        if name.lower() not in _FLAT:
            if found["closing"]:
                if beyond:
                    beyond -= 1
                    return ""
                depth = max(depth - 1, 0)
            elif depth >= _DEPTH:
                beyond += 1
                return ""
            else:
                depth += 1
        return tag if len(tag) < _TAG_CHARS else f"<{found['closing']}{name}>"

    return _TAG.sub(keep, html)
