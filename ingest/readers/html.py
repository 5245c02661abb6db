"""Render HTML as text like a browser: one line per block, with the position of each line.

The parser is lexbor. Nothing is dropped as boilerplate. Only invisible content is left out:
scripts, styles, templates, hidden elements and the fallbacks of media.
"""

from __future__ import annotations

import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.readers.html_limits import limit_nesting
from ingest.readers.metadata import read_metadata

# Elements that start a new line: blocks, list items, table parts and controls in the rendering
# section (15.3) of the HTML standard. Also cells: in a bilingual table, adjacent cells have the two
# languages.
_BLOCKS = frozenset(
    "address article aside blockquote body button caption center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html "
    "legend li listing main marquee menu nav ol optgroup option p plaintext pre search section "
    "select summary table tbody td textarea tfoot th thead tr ul xmp".split()
)
# Elements with metadata.
_METADATA = frozenset(("title", "meta", "link", "script"))
# Elements whose content is not shown; `noscript` is shown only if scripts are disabled.
_INVISIBLE_TAGS = _METADATA | frozenset(
    "annotation annotation-xml applet area audio base canvas datalist embed frame iframe img "
    "input noembed noframes noscript object param rp source style svg template track video".split()
)
_KEEP_SPACE = frozenset(("pre", "listing", "plaintext", "textarea", "xmp"))
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\r\f]+")
_COLLAPSIBLE = ("\n", "  ", "\t", "\r", "\f")
_NEWLINE = re.compile(r"\r\n?|\n")
# Attributes other than id and class that describe the purpose of an element.
_MARKUP_ATTRIBUTES = frozenset(("role", "itemprop", "property", "rel", "lang", "dir"))
_UNNUMBERED = ("html", "head", "body")
# Limits of the markup: words of an attribute, characters of a word, elements.
_MAX_WORDS, _MAX_WORD_CHARS, _MAX_ELEMENTS = 8, 32, 24
_MAX_ATTRIBUTE = _MAX_WORDS * _MAX_WORD_CHARS
_MAX_PATH = 1 << 10  # characters; longer paths are cut at the start and begin with //

Block = tuple[str, str, float]


def render(html: str) -> dict[str, Any]:
    r"""Render a page to columns of the documents frame: text, blocks, title and metadata.

    `text` has one line per block, the title first. `blocks` has one tuple per line: DOM path,
    markup, share of characters in links. Never raises, like a browser.

    >>> row = render("<title>T</title><p>One <b>two</b><br>three<script>x</script>")
    >>> row["text"], [path for path, _, _ in row["blocks"]]
    ('T\nOne two\nthree', ['/html/head/title', '/html/body/p[1]', '/html/body/p[1]'])
    """
    root = LexborHTMLParser(limit_nesting(html)).root
    lines = _Lines()
    if root is not None:
        _walk(root, lines)
    row = read_metadata(root, lines.metadata)
    text, blocks = lines.text, lines.blocks
    if row["title"]:
        text = [row["title"], *text]
        blocks = [("/html/head/title", "head title", 0.0), *blocks]
    return {**row, "text": "\n".join(text), "blocks": blocks}


class _Element:
    """An open element at the current position of the walk."""

    # DOM path and markup, including the elements around it; set when text is found inside.
    path = markup = ""

    def __init__(
        self, node: LexborNode, tag: str, nth: int, attributes: dict[str, str | None]
    ) -> None:
        self.node = node
        self.tag = tag
        self.nth = nth  # 1-based, among its siblings of the same tag
        self.attributes = attributes
        self.counts: dict[str, int] = {}  # children so far, by tag


class _Lines:
    """The finished lines, and the pieces of the current line."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.blocks: list[Block] = []
        self.metadata: list[LexborNode] = []
        self.pieces: list[str] = []
        self.stack: list[_Element] = []  # open elements at the first visible piece
        self.depth = 0  # how many of them contain all pieces
        self.lowest = 0  # fewest open elements since the last piece
        self.chars = self.linked = 0  # visible characters, and those in links

    def add(self, text: str, stack: list[_Element], *, linked: bool) -> None:
        """Add a text node to the current line."""
        self.pieces.append(text)
        visible = len(text.strip())
        if not visible:
            return
        depth = len(stack)
        if self.chars:
            self.depth = min(self.depth, self.lowest)
        else:
            self.stack, self.depth = stack[:], depth
        self.lowest = depth
        self.chars += visible
        if linked:
            self.linked += visible

    def end(self, *, keep_space: bool) -> None:
        """End the current line. It is dropped if nothing in it is visible."""
        text = "".join(self.pieces)
        self.pieces.clear()
        if not self.chars:
            return
        if not keep_space:
            if any(space in text for space in _COLLAPSIBLE):
                text = _SPACE.sub(" ", text)
            text = text.strip(" ")
        self.text.append(text)
        path, markup = _locate(self.stack, self.depth)
        self.blocks.append((path, markup, self.linked / self.chars))
        self.chars = self.linked = 0


def _walk(root: LexborNode, lines: _Lines) -> None:  # noqa: PLR0912 (a call per node would cost a fifth of the time)
    """Collect the visible text below `root` in reading order. Not recursive: pages nest deeply."""
    stack = [_Element(root, "html", 0, root.attributes)]
    node = root.first_child
    keep_space = links = 0  # open elements that keep white space, and open links
    link_ended = False  # whether a link has just ended
    while True:
        while node is None:  # end of the innermost element
            element = stack.pop()
            tag = element.tag
            if tag in _BLOCKS:
                if lines.pieces:
                    lines.end(keep_space=keep_space > 0)
                keep_space -= tag in _KEEP_SPACE
            elif tag == "a":
                links -= 1
                link_ended = True
            if not stack:
                return
            lines.lowest = min(lines.lowest, len(stack))
            node = element.node.next
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            if keep_space:
                _add_preformatted(text, stack, lines, linked=links > 0)
            elif lines.pieces or not text.isspace():
                lines.add(text, stack, linked=links > 0)
                link_ended = False
        elif tag in _INVISIBLE_TAGS:
            if tag in _METADATA:
                lines.metadata.append(node)
        elif tag == "br":
            lines.end(keep_space=keep_space > 0)
        elif tag != "-comment" and not ((attributes := node.attributes) and _is_hidden(attributes)):
            if tag in _BLOCKS:
                if lines.pieces:
                    lines.end(keep_space=keep_space > 0)
                keep_space += tag in _KEEP_SPACE
            elif tag == "a":
                links += 1
                if link_ended and lines.pieces:
                    lines.pieces.append(" ")  # browsers show adjacent links apart
            counts = stack[-1].counts
            counts[tag] = nth = counts.get(tag, 0) + 1
            stack.append(_Element(node, tag, nth, attributes))
            node = node.first_child
            continue
        node = node.next


def _add_preformatted(text: str, stack: list[_Element], lines: _Lines, *, linked: bool) -> None:
    first, *more = _NEWLINE.split(text)
    lines.add(first, stack, linked=linked)
    for line in more:
        lines.end(keep_space=True)
        lines.add(line, stack, linked=linked)


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    style = attributes.get("style")
    return "hidden" in attributes or (style is not None and _HIDDEN_STYLE.search(style) is not None)


def _locate(stack: list[_Element], depth: int) -> tuple[str, str]:
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


def _element_markup(element: _Element) -> str:
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
