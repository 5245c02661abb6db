"""HTML to text as a browser shows it: a line a block, with where each line stands.

Parsed by lexbor. Nothing is thrown away as boilerplate, only what no reader of the page would see:
scripts, styles, templates, hidden elements, and what stands in for media.
"""

from __future__ import annotations

import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.read.metadata import metadata
from ingest.read.tame import tamed

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
_NEWLINE = re.compile(r"\r\n?|\n")
# Attributes beside id and class that say what an element is for.
_TELLING = ("role", "itemprop", "property", "rel", "lang", "dir")
# How much of an attribute, and how many elements of a path, the markup holds.
_WORDS, _WORD_CHARS, _DEPTH = 8, 32, 24

Block = tuple[str, str, float]


def page(html: str) -> dict[str, Any]:
    r"""Columns of the documents frame: text, blocks, title, and what the page says of itself.

    `text` has a line a block, the title first; `blocks` has a tuple (DOM path, markup, share of
    characters in links) a line. Never raises: a browser shows something for whatever comes.

    >>> found = page("<title>T</title><p>One <b>two</b><br>three<script>x</script>")
    >>> found["text"], [path for path, _, _ in found["blocks"]]
    ('T\nOne two\nthree', ['/html/head/title', '/html/body/p[1]', '/html/body/p[1]'])
    """
    root = LexborHTMLParser(tamed(html)).root
    reader = _Reader()
    if root is not None:
        reader.read(root)
    made = metadata(root, reader.telling)
    text, blocks = reader.text, reader.blocks
    if made["title"]:
        text = [made["title"], *text]
        blocks = [("/html/head/title", "head title", 0.0), *blocks]
    return {**made, "text": "\n".join(text), "blocks": blocks}


class _Element:
    """An element between the root and where the walk is."""

    __slots__ = ("attributes", "counts", "markup", "node", "nth", "path", "tag", "trail")

    def __init__(
        self, node: LexborNode, tag: str, nth: int, attributes: dict[str, str | None]
    ) -> None:
        self.node = node
        self.tag = tag
        self.nth = nth  # 1-based, among its siblings of the same tag
        self.attributes = attributes
        self.counts: dict[str, int] = {}  # children so far, by tag
        self.path = self.markup = self.trail = ""  # made when text is found in it


class _Reader:
    """Goes through what is visible in reading order; makes a line of each run of inline text."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.blocks: list[Block] = []
        self.telling: list[LexborNode] = []
        self.stack: list[_Element] = []  # elements around the walk, outermost first
        self.keep_space = 0  # how many of them keep white space
        self.links = 0  # how many of them are links
        self.link_ended = False  # nothing has come since a link
        # the line being made
        self.pieces: list[str] = []
        self.around: list[_Element] = []  # elements around its first visible piece
        self.depth = 0  # how many of them are around all its pieces
        self.least = 0  # fewest elements around since its last piece
        self.chars = self.linked = 0

    def read(self, root: LexborNode) -> None:
        """Walk below the root; without recursion, since pages nest deep."""
        stack = self.stack
        stack.append(_Element(root, "html", 0, root.attributes))
        node = root.first_child
        while True:
            while node is None:
                element = stack.pop()
                self.leave(element.tag)
                if not stack:
                    return
                node = element.node.next
            tag = node.tag or ""
            if tag == "-text":
                self.read_text(node.text_content or "")
            elif tag in _UNSEEN:
                if tag in _TELL:
                    self.telling.append(node)
            elif tag == "br":
                self.end_line()
            elif tag != "-comment" and not ((held := node.attributes) and _hidden(held)):
                self.enter(node, tag, held)
                node = node.first_child
                continue
            node = node.next

    def enter(self, node: LexborNode, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in _BLOCKS:
            if self.pieces:
                self.end_line()
            self.keep_space += tag in _KEEP_SPACE
        elif tag == "a":
            self.links += 1
            if self.link_ended and self.pieces:
                self.pieces.append(" ")  # links side by side are apart on the screen
        counts = self.stack[-1].counts
        counts[tag] = nth = counts.get(tag, 0) + 1
        self.stack.append(_Element(node, tag, nth, attributes))

    def leave(self, tag: str) -> None:
        if tag in _BLOCKS:
            if self.pieces:
                self.end_line()
            if self.keep_space:
                self.keep_space -= tag in _KEEP_SPACE
        elif tag == "a":
            self.links -= 1
            self.link_ended = True
        self.least = min(self.least, len(self.stack))

    def read_text(self, text: str) -> None:
        if self.keep_space:
            first, *more = _NEWLINE.split(text)
            self.add(first)
            for line in more:
                self.end_line()
                self.add(line)
        elif self.pieces or not text.isspace():
            self.add(text)

    def add(self, text: str) -> None:
        self.pieces.append(text)
        self.link_ended = False
        seen = len(text.strip())
        if not seen:
            return
        if self.chars:
            self.depth = min(self.depth, self.least)
        else:
            self.around, self.depth = self.stack[:], len(self.stack)
        self.least = len(self.stack)
        self.chars += seen
        if self.links:
            self.linked += seen

    def end_line(self) -> None:
        """The line stands if anything visible is in it."""
        text = "".join(self.pieces)
        self.pieces.clear()
        if not self.chars:
            return
        if not self.keep_space:
            text = _SPACE.sub(" ", text).strip(" ")
        self.text.append(text)
        path, markup = _where(self.around, self.depth)
        self.blocks.append((path, markup, self.linked / self.chars))
        self.chars = self.linked = 0


def _hidden(attributes: dict[str, str | None]) -> bool:
    style = attributes.get("style")
    return "hidden" in attributes or (style is not None and _INVISIBLE.search(style) is not None)


def _where(around: list[_Element], depth: int) -> tuple[str, str]:
    """DOM path and markup of the innermost of the first `depth` elements."""
    inner = around[depth - 1]
    if not inner.path:
        path = trail = ""
        for number, element in enumerate(around[:depth]):
            if not element.path:
                once = element.tag in ("html", "body", "head")
                element.path = f"{path}/{element.tag}" + ("" if once else f"[{element.nth}]")
                element.markup = _markup(element)
                if number > _DEPTH:
                    trail = " ".join(e.markup for e in around[number - _DEPTH + 1 : number])
                element.trail = f"{trail} {element.markup}" if trail else element.markup
            path, trail = element.path, element.trail if number else ""
    return inner.path, inner.trail


def _markup(element: _Element) -> str:
    """tag#id.class.class[attribute=value] of one element; white space is never in it."""
    attributes = element.attributes
    if not attributes:
        return element.tag
    made = [element.tag]
    if (name := attributes.get("id")) and (words := _words(name)):
        made.append("#" + "-".join(words))
    if names := attributes.get("class"):
        made += ("." + word for word in _words(names))
    for key in _TELLING:
        if (value := attributes.get(key)) and (words := _words(value)):
            made.append(f"[{key}={'-'.join(words)}]")
    return "".join(made)


def _words(value: str) -> list[str]:
    return [word[:_WORD_CHARS] for word in value[: _WORDS * _WORD_CHARS].split()[:_WORDS]]
