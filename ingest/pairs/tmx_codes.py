"""What the inline codes of TMX say: line breaks, placeholders, or markup that is no text."""

from __future__ import annotations

import re

CODES = frozenset(("bpt", "ept", "ph", "it", "ut"))
_PLACEHOLDER_CODES = ("ph", "ut")
_BREAK_TYPES = ("lb", "pb", "x-lb", "x-br", "linebreak", "x-linebreak", "newline")
_MARKUP = re.compile(r"<.*>|[<{]\d+[>}]?|\d*[>}]", re.DOTALL)  # also {1> and <1}
_PLACEHOLDER = re.compile(r"\{+[\w.$ -]*\}+")
_BREAK_MARKUP = re.compile(
    r"</?\s*(?:br|p|div|li|tr|td|th|lb|cr|hr|h[1-6]|newline)\b", re.IGNORECASE
)
_RTF = re.compile(r"\{?\\[a-z]+-?\d*\b", re.IGNORECASE)
_BREAK_ESCAPE = re.compile(r"(?:\\[nrt])+|\{?\\(?:line|par|page|tab|cell|row)\b.*", re.DOTALL)
_MAX_CHARS = 200  # a longer code is no placeholder


def text_of_code(tag: str, kind: str, content: str) -> str | None:
    r"""Return the text of a code: what a reader sees, an empty text, or None for a line break.

    Args:
        tag: the element.
        kind: its attribute `type`, or an empty text.
        content: the text in it.

    >>> text_of_code("ph", "", "{name}"), text_of_code("ph", "", "<b>")
    ('{name}', '')
    >>> text_of_code("ph", "", "<br/>") is None, text_of_code("ph", "lb", "") is None
    (True, True)
    """
    code = content.strip()
    if (
        kind.lower() in _BREAK_TYPES
        or (content and not code)
        or _BREAK_MARKUP.match(code)
        or _BREAK_ESCAPE.fullmatch(code)
    ):
        return None
    if tag not in _PLACEHOLDER_CODES or len(code) > _MAX_CHARS or _RTF.match(code):
        return ""
    is_markup = _MARKUP.fullmatch(code) and not _PLACEHOLDER.fullmatch(code)
    return "" if is_markup else content


def join_pieces(pieces: list[str | None]) -> str:
    """Join the pieces of a text. None is a line break, which becomes a space between words.

    >>> join_pieces(["First line", None, "second ", None, "line", None])
    'First line second line'
    """
    joined: list[str] = []
    has_break = ends_in_space = False
    for piece in pieces:
        if piece is None:
            has_break = True
        elif piece:
            if has_break and joined and not ends_in_space and not piece[0].isspace():
                joined.append(" ")
            joined.append(piece)
            has_break, ends_in_space = False, piece[-1].isspace()
    return "".join(joined)
