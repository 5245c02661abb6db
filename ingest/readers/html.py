"""HTML to text as a browser shows it: a line a block, with where each line stands.

Parsed by lexbor. Nothing is thrown away as boilerplate, only what no reader of the page would see:
scripts, styles, templates, hidden elements, and what stands in for media.
"""

from __future__ import annotations

import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.readers.html_limits import limit_nesting
from ingest.readers.metadata import metadata

# Elements that start a line of their own: blocks, list items, table parts and controls of the HTML
# standard's rendering section (15.3). Cells too: in a bilingual table the two languages stand side
# by side.
_BLOCKS = frozenset(
    "address article aside blockquote body button caption center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html "
    "legend li listing main marquee menu nav ol optgroup option p plaintext pre search section "
    "select summary table tbody td textarea tfoot th thead tr ul xmp".split()
)
# Elements whose content is not shown; `noscript` is shown only where scripts are off. What
# `_TELL` of the page is looked at nevertheless.
_TELL = frozenset(("title", "meta", "link", "script"))
_UNSEEN = _TELL | frozenset(
    "annotation annotation-xml applet area audio base canvas datalist embed frame iframe img "
    "input noembed noframes noscript object param rp source style svg template track video".split()
)
_KEEP_SPACE = frozenset(("pre", "listing", "plaintext", "textarea", "xmp"))
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\r\f]+")
_TO_COLLAPSE = ("\n", "  ", "\t", "\r", "\f")
_NEWLINE = re.compile(r"\r\n?|\n")
# Attributes beside id and class that say what an element is for.
_TELLING = frozenset(("role", "itemprop", "property", "rel", "lang", "dir"))
_ONCE = ("html", "head", "body")
# How much of an attribute, and how many elements of a path, the markup holds.
_WORDS, _WORD_CHARS, _DEPTH = 8, 32, 24
_LONG = _WORDS * _WORD_CHARS
_LONGEST_PATH = 1 << 10  # characters; of what stands deeper, the path begins with //

Block = tuple[str, str, float]


def render(html: str) -> dict[str, Any]:
    r"""Columns of the documents frame: text, blocks, title, and what the page says of itself.

    `text` has a line a block, the title first; `blocks` has a tuple (DOM path, markup, share of
    characters in links) a line. Never raises: a browser shows something for whatever comes.

    >>> found = render("<title>T</title><p>One <b>two</b><br>three<script>x</script>")
    >>> found["text"], [path for path, _, _ in found["blocks"]]
    ('T\nOne two\nthree', ['/html/head/title', '/html/body/p[1]', '/html/body/p[1]'])
    """
    root = LexborHTMLParser(limit_nesting(html)).root
    lines = _Lines()
    if root is not None:
        _walk(root, lines)
    made = metadata(root, lines.telling)
    text, blocks = lines.text, lines.blocks
    if made["title"]:
        text = [made["title"], *text]
        blocks = [("/html/head/title", "head title", 0.0), *blocks]
    return {**made, "text": "\n".join(text), "blocks": blocks}


class _Element:
    """An element between the root and where the walk is."""

    path = trail = ""  # DOM path and markup of it and those around, made when text is found in it

    def __init__(
        self, node: LexborNode, tag: str, nth: int, attributes: dict[str, str | None]
    ) -> None:
        self.node = node
        self.tag = tag
        self.nth = nth  # 1-based, among its siblings of the same tag
        self.attributes = attributes
        self.counts: dict[str, int] = {}  # children so far, by tag


class _Lines:
    """The lines made so far, and the one being made."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.blocks: list[Block] = []
        self.telling: list[LexborNode] = []
        self.pieces: list[str] = []
        self.around: list[_Element] = []  # elements around the first visible piece
        self.depth = 0  # how many of them are around all pieces
        self.least = 0  # fewest elements around since the last piece
        self.chars = self.linked = 0  # visible characters; of those, in links

    def add(self, text: str, stack: list[_Element], *, linked: bool) -> None:
        """Add a text node to the line."""
        self.pieces.append(text)
        seen = len(text.strip())
        if not seen:
            return
        around = len(stack)
        if self.chars:
            self.depth = min(self.depth, self.least)
        else:
            self.around, self.depth = stack[:], around
        self.least = around
        self.chars += seen
        if linked:
            self.linked += seen

    def end(self, *, as_it_is: bool) -> None:
        """End the line; it stands if anything visible is in it."""
        text = "".join(self.pieces)
        self.pieces.clear()
        if not self.chars:
            return
        if not as_it_is:
            if any(space in text for space in _TO_COLLAPSE):
                text = _SPACE.sub(" ", text)
            text = text.strip(" ")
        self.text.append(text)
        path, markup = _where(self.around, self.depth)
        self.blocks.append((path, markup, self.linked / self.chars))
        self.chars = self.linked = 0


def _walk(root: LexborNode, lines: _Lines) -> None:  # noqa: PLR0912 (a call a node is a fifth of the time)
    """Go through the visible text below `root` in reading order; no recursion, pages nest deep."""
    stack = [_Element(root, "html", 0, root.attributes)]
    node = root.first_child
    keep_space = links = 0  # elements around that keep white space; that are links
    link_ended = False  # nothing has come since a link
    while True:
        while node is None:  # the innermost element ends
            element = stack.pop()
            tag = element.tag
            if tag in _BLOCKS:
                if lines.pieces:
                    lines.end(as_it_is=keep_space > 0)
                keep_space -= tag in _KEEP_SPACE
            elif tag == "a":
                links -= 1
                link_ended = True
            if not stack:
                return
            lines.least = min(lines.least, len(stack))
            node = element.node.next
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            if keep_space:
                _keep_lines(text, stack, lines, linked=links > 0)
            elif lines.pieces or not text.isspace():
                lines.add(text, stack, linked=links > 0)
                link_ended = False
        elif tag in _UNSEEN:
            if tag in _TELL:
                lines.telling.append(node)
        elif tag == "br":
            lines.end(as_it_is=keep_space > 0)
        elif tag != "-comment" and not ((held := node.attributes) and _hidden(held)):
            if tag in _BLOCKS:
                if lines.pieces:
                    lines.end(as_it_is=keep_space > 0)
                keep_space += tag in _KEEP_SPACE
            elif tag == "a":
                links += 1
                if link_ended and lines.pieces:
                    lines.pieces.append(" ")  # links side by side are apart on the screen
            counts = stack[-1].counts
            counts[tag] = nth = counts.get(tag, 0) + 1
            stack.append(_Element(node, tag, nth, held))
            node = node.first_child
            continue
        node = node.next


def _keep_lines(text: str, stack: list[_Element], lines: _Lines, *, linked: bool) -> None:
    first, *more = _NEWLINE.split(text)
    lines.add(first, stack, linked=linked)
    for line in more:
        lines.end(as_it_is=True)
        lines.add(line, stack, linked=linked)


def _hidden(attributes: dict[str, str | None]) -> bool:
    style = attributes.get("style")
    return "hidden" in attributes or (style is not None and _INVISIBLE.search(style) is not None)


def _where(around: list[_Element], depth: int) -> tuple[str, str]:
    """DOM path and markup of the innermost of the first `depth` elements."""
    inner = around[depth - 1]
    if not inner.path:
        start = depth - 1
        while start and not around[start - 1].path:
            start -= 1
        path, trail = (around[start - 1].path, around[start - 1].trail) if start else ("", "")
        for element in around[start:depth]:
            tag = element.tag[:_WORD_CHARS]
            path = f"{path}/{tag}" if tag in _ONCE else f"{path}/{tag}[{element.nth}]"
            if len(path) > _LONGEST_PATH:
                path = "/" + path[path.index("/", _LONGEST_PATH // 2) :]
            element.path = path
            if tag != "html":
                trail = f"{trail} {_markup(element)}" if trail else _markup(element)
                if trail.count(" ") >= _DEPTH:
                    trail = trail.split(" ", 1)[1]
                element.trail = trail
    return inner.path, inner.trail


def _markup(element: _Element) -> str:
    """tag#id.class.class[attribute=value] of one element; white space is never in it."""
    attributes, made = element.attributes, element.tag[:_WORD_CHARS]
    if not attributes:
        return made
    name, names = attributes.get("id"), attributes.get("class")
    if name and (words := _words(name)):
        made = f"{made}#{'-'.join(words)}"
    if names and (words := _words(names)):
        made = f"{made}.{'.'.join(words)}"
    if not _TELLING.isdisjoint(attributes):
        for key in sorted(_TELLING.intersection(attributes)):
            if words := _words(attributes[key] or ""):
                made = f"{made}[{key}={'-'.join(words)}]"
    return made


def _words(value: str) -> list[str]:
    words = value.split() if len(value) < _LONG else value[:_LONG].split()
    return words if len(value) < _WORD_CHARS else [word[:_WORD_CHARS] for word in words[:_WORDS]]
