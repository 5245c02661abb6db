"""The lines of a rendered page, and the place of each in its DOM."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

from ingest.readers.visibility import Visibility

_SPACE = re.compile(r"[ \t\n\r\f]+")
_COLLAPSIBLE = ("\n", "  ", "\t", "\r", "\f")
# Attributes other than id and class that describe the purpose of an element.
_MARKUP_ATTRIBUTES = frozenset(("role", "itemprop", "property", "rel", "lang", "dir"))
_UNNUMBERED = ("html", "head", "body")
# Limits of the markup: words of an attribute, characters of a word, elements.
_MAX_WORDS, _MAX_WORD_CHARS, _MAX_ELEMENTS = 8, 32, 24
_MAX_ATTRIBUTE = _MAX_WORDS * _MAX_WORD_CHARS
_MAX_PATH = 1 << 10  # characters; longer paths are cut at the start and begin with //

# DOM path, markup, share of characters in links, whether it is shown
Block = tuple[str, str, float, bool]


class Element:
    """An open element at the current position of the walk."""

    # DOM path and markup, including the elements around it; set when text is found inside.
    path = markup = ""

    def __init__(
        self,
        node: LexborNode,
        tag: str,
        nth: int,
        attributes: dict[str, str | None],
        visibility: Visibility,
    ) -> None:
        self.node = node
        self.tag = tag
        self.nth = nth  # 1-based, among its siblings of the same tag
        self.attributes = attributes
        self.visibility = visibility
        self.counts: dict[str, int] = {}  # children so far, by tag


class Line:
    """The pieces of a line that has not ended."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.stack: list[Element] = []  # open elements at the first visible piece
        self.depth = 0  # how many of them contain all pieces
        self.lowest = 0  # fewest open elements since the last piece
        self.chars = self.linked = 0  # characters that are not space, and those in links
        self.is_shown = False  # whether any of them is shown


class Lines:
    """The finished lines, and the current one."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.blocks: list[Block] = []
        self.metadata: list[LexborNode] = []
        self.line = Line()
        # Within a hidden element: the line that it interrupts, and its depth in the tree.
        self.interrupted: Line | None = None
        self.hidden_depth = 0
        self.waiting: list[tuple[str, Block]] = []  # hidden lines, until the shown line ends

    def add(self, text: str, stack: list[Element], *, linked: bool) -> None:
        """Add a text node to the current line."""
        line = self.line
        line.pieces.append(text)
        visible = len(text.strip())
        if not visible:
            return
        depth = len(stack)
        if line.chars:
            line.depth = min(line.depth, line.lowest)
        else:
            line.stack, line.depth, line.is_shown = stack[:], depth, False
        line.lowest = depth
        line.chars += visible
        line.is_shown |= stack[-1].visibility is Visibility.SHOWN
        if linked:
            line.linked += visible

    def end(self, *, keep_space: bool) -> None:
        """End the current line. It is dropped if it has no characters."""
        line = self.line
        text = "".join(line.pieces)
        line.pieces.clear()
        if line.chars:
            if not keep_space:
                if any(space in text for space in _COLLAPSIBLE):
                    text = _SPACE.sub(" ", text)
                text = text.strip(" ")
            block = (*_locate(line.stack, line.depth), line.linked / line.chars, line.is_shown)
            line.chars = line.linked = 0
            if self.interrupted is not None and self.interrupted.chars:
                self.waiting.append((text, block))
                return
            self.text.append(text)
            self.blocks.append(block)
        if self.waiting and self.interrupted is None:
            self.text += [text for text, _ in self.waiting]
            self.blocks += [block for _, block in self.waiting]
            self.waiting.clear()

    def hide(self, depth: int) -> None:
        """Start lines of their own for a hidden element, without breaking the line around it."""
        self.interrupted, self.line = self.line, Line()
        self.hidden_depth = depth

    def show(self, *, keep_space: bool) -> None:
        """End the lines of the hidden element."""
        if self.line.pieces:
            self.end(keep_space=keep_space)
        if self.interrupted is not None:
            self.line, self.interrupted = self.interrupted, None


def _locate(stack: list[Element], depth: int) -> tuple[str, str]:
    """DOM path and markup of the innermost of the first `depth` elements."""
    inner = stack[depth - 1]
    if not inner.path:
        start = depth - 1
        while start and not stack[start - 1].path:
            start -= 1
        path, markup = (stack[start - 1].path, stack[start - 1].markup) if start else ("", "")
        for element in stack[start:depth]:
            tag = element.tag[:_MAX_WORD_CHARS]
            path = f"{path}/{tag}" if tag in _UNNUMBERED else f"{path}/{tag}[{element.nth}]"
            if len(path) > _MAX_PATH:
                path = "/" + path[path.index("/", _MAX_PATH // 2) :]
            element.path = path
            if tag != "html":
                own = _element_markup(element)
                markup = f"{markup} {own}" if markup else own
                if markup.count(" ") >= _MAX_ELEMENTS:
                    markup = markup.split(" ", 1)[1]
                element.markup = markup
    return inner.path, inner.markup


def _element_markup(element: Element) -> str:
    """tag#id.class.class[attribute=value] of one element, without white space."""
    attributes, markup = element.attributes, element.tag[:_MAX_WORD_CHARS]
    if not attributes:
        return markup
    name, names = attributes.get("id"), attributes.get("class")
    if name and (words := _words(name)):
        markup = f"{markup}#{'-'.join(words)}"
    if names and (words := _words(names)):
        markup = f"{markup}.{'.'.join(words)}"
    if not _MARKUP_ATTRIBUTES.isdisjoint(attributes):
        for key in sorted(_MARKUP_ATTRIBUTES.intersection(attributes)):
            if words := _words(attributes[key] or ""):
                markup = f"{markup}[{key}={'-'.join(words)}]"
    return markup


def _words(value: str) -> list[str]:
    words = value.split() if len(value) < _MAX_ATTRIBUTE else value[:_MAX_ATTRIBUTE].split()
    return (
        words
        if len(value) < _MAX_WORD_CHARS
        else [word[:_MAX_WORD_CHARS] for word in words[:_MAX_WORDS]]
    )
