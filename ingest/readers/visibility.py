"""Whether a browser shows an element: its attribute `hidden`, and its own style."""

from __future__ import annotations

import re
from enum import IntEnum


class Visibility(IntEnum):
    """How an element is shown."""

    SHOWN = 0
    INVISIBLE = 1  # it takes up space, and what is inside may be shown
    REMOVED = 2  # nothing inside is shown


_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
# A declaration ends at a semicolon that is not part of a string or of brackets.
_DECLARATION = re.compile(r"(?:[^;\"'(]++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|\([^)]*+(?:\)|\Z))++")
_IDENTIFIER = re.compile(r"[-a-z]+")
_IMPORTANT = re.compile(r"!\s*important\s*\Z")
_VISIBILITIES = {
    "visible": Visibility.SHOWN,
    "hidden": Visibility.INVISIBLE,
    "collapse": Visibility.INVISIBLE,
}
_MAX_STYLE = 1 << 14  # characters; the rest of a longer style is not read


def visibility_of(attributes: dict[str, str | None], around: Visibility) -> Visibility:
    """Whether an element is shown, given the element around it.

    >>> visibility_of({"style": "backface-visibility: hidden"}, Visibility.SHOWN).name
    'SHOWN'
    >>> visibility_of({"style": "display: none; display: block"}, Visibility.SHOWN).name
    'SHOWN'
    >>> visibility_of({"style": "visibility: visible"}, Visibility.INVISIBLE).name
    'SHOWN'
    """
    if around is Visibility.REMOVED:
        return around
    style = attributes.get("style")
    display = visibility = None
    if style and ("display" in (lower := style.lower()) or "visibility" in lower):
        display, visibility = _declared(lower[:_MAX_STYLE])
    if display == "none" or (display is None and "hidden" in attributes):
        return Visibility.REMOVED
    return _VISIBILITIES.get(visibility or "", around)


def _declared(style: str) -> tuple[str | None, str | None]:
    """The values of display and visibility: the last ones, but important ones first."""
    values: dict[str, tuple[bool, str]] = {}
    for declaration in _DECLARATION.findall(_COMMENT.sub(" ", style)):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.strip()
        if name in ("display", "visibility"):
            important = _IMPORTANT.search(value) is not None
            value = _IMPORTANT.sub("", value).strip()
            if _is_valid(name, value) and important >= values.get(name, (False, ""))[0]:
                values[name] = (important, value)
    display, visibility = values.get("display"), values.get("visibility")
    return display and display[1], visibility and visibility[1]


def _is_valid(name: str, value: str) -> bool:
    """Whether a browser would use the value, as far as that decides what is shown."""
    if name == "visibility":
        return value in _VISIBILITIES
    return all(_IDENTIFIER.fullmatch(word) for word in value.split()) and bool(value)
