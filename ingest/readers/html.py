"""Render HTML as text like a browser: one line per block, with the position of each line.

The parser is lexbor. Nothing is dropped as boilerplate. Scripts, styles, templates and the fallbacks
of media are left out. What a page hides, but could show (`hidden`, `display: none`, `noscript`),
has lines of its own, which are marked.
"""

from __future__ import annotations

import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.readers.html_limits import limit_nesting
from ingest.readers.metadata import read_metadata
from ingest.readers.titles import SITE_NAME, split_title
from ingest.readers.visibility import Visibility, visibility_of

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
# Elements whose content is never shown.
_INVISIBLE_TAGS = _METADATA | frozenset(
    "annotation annotation-xml applet area audio base canvas datalist embed frame iframe img "
    "input noembed noframes object param rp source style svg template track video".split()
)
_KEEP_SPACE = frozenset(("pre", "listing", "plaintext", "textarea", "xmp"))
_SPACE = re.compile(r"[ \t\n\r\f]+")
_COLLAPSIBLE = ("\n", "  ", "\t", "\r", "\f")
_NEWLINE = re.compile(r"\r\n?|\n")
# Attributes other than id and class that describe the purpose of an element.
_MARKUP_ATTRIBUTES = frozenset(("role", "itemprop", "property", "rel", "lang", "dir"))
_TITLE = "/html/head/title"
_TITLE_MARKUP = ("head title", f"head {SITE_NAME}")  # of a headline, of the name of the site
_UNNUMBERED = ("html", "head", "body")
# Limits of the markup: words of an attribute, characters of a word, elements.
_MAX_WORDS, _MAX_WORD_CHARS, _MAX_ELEMENTS = 8, 32, 24
_MAX_ATTRIBUTE = _MAX_WORDS * _MAX_WORD_CHARS
_MAX_HEADINGS = 8  # <h1> that a title is compared with
_MAX_PATH = 1 << 10  # characters; longer paths are cut at the start and begin with //

Block = tuple[str, str, float, bool]


def render(html: str) -> dict[str, Any]:
    r"""Render a page to columns of the documents frame: text, blocks, title and metadata.

    `text` has one line per block, the title first, the name of the site on a line of its own.
    `blocks` has one tuple per line: DOM path,
    markup, share of characters in links, whether it is shown. Never raises, like a browser.

    >>> row = render("<title>T</title><p>One <b>two</b><br>three<script>x</script>")
    >>> row["text"], [path for path, *_ in row["blocks"]]
    ('T\nOne two\nthree', ['/html/head/title', '/html/body/p[1]', '/html/body/p[1]'])
    """
    root = LexborHTMLParser(limit_nesting(html)).root
    lines = _Lines()
    if root is not None:
        _walk(root, lines)
    text, blocks = lines.text, lines.blocks
    headings = [line for line, (path, *_) in zip(text, blocks, strict=True) if "/h1[" in path]
    row, names = read_metadata(root, lines.metadata, headings[:_MAX_HEADINGS])
    if row["title"]:
        title = split_title(row["title"], names)
        parts = [(title.first, title.site_first), (title.second, not title.site_first)]
        shown = [(part, is_site) for part, is_site in parts if part]
        text = [*(part for part, _ in shown), *text]
        blocks = [*((_TITLE, _TITLE_MARKUP[is_site], 0.0, True) for _, is_site in shown), *blocks]
    return {**row, "text": "\n".join(text), "blocks": blocks}


class _Element:
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


class _Line:
    """The pieces of a line that has not ended."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.stack: list[_Element] = []  # open elements at the first visible piece
        self.depth = 0  # how many of them contain all pieces
        self.lowest = 0  # fewest open elements since the last piece
        self.chars = self.linked = 0  # characters that are not space, and those in links
        self.is_shown = False  # whether any of them is shown


class _Lines:
    """The finished lines, and the current one."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.blocks: list[Block] = []
        self.metadata: list[LexborNode] = []
        self.line = _Line()
        # Within a hidden element: the line that it interrupts, and its depth in the tree.
        self.interrupted: _Line | None = None
        self.hidden_depth = 0
        self.waiting: list[tuple[str, Block]] = []  # hidden lines, until the shown line ends

    def add(self, text: str, stack: list[_Element], *, linked: bool) -> None:
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
        self.interrupted, self.line = self.line, _Line()
        self.hidden_depth = depth

    def show(self, *, keep_space: bool) -> None:
        """End the lines of the hidden element."""
        assert self.interrupted is not None
        if self.line.pieces:
            self.end(keep_space=keep_space)
        self.line, self.interrupted = self.interrupted, None


def _walk(root: LexborNode, lines: _Lines) -> None:  # noqa: C901, PLR0912 (a call per node would cost a fifth of the time)
    """Collect the text below `root` in reading order. Not recursive: pages nest deeply."""
    shown = Visibility.SHOWN
    attributes = root.attributes
    stack = [_Element(root, "html", 0, attributes, visibility_of(attributes, shown))]
    if stack[0].visibility is not shown:
        lines.hide(1)
    node = root.first_child
    keep_space = links = 0  # open elements that keep white space, and open links
    link_ended = False  # whether a link has just ended
    while True:
        while node is None:  # end of the innermost element
            element = stack.pop()
            tag = element.tag
            if tag in _BLOCKS:
                if lines.line.pieces:
                    lines.end(keep_space=keep_space > 0)
                keep_space -= tag in _KEEP_SPACE
            elif tag == "a":
                links -= 1
                link_ended = True
            if lines.interrupted is not None and len(stack) < lines.hidden_depth:
                lines.show(keep_space=keep_space > 0)
            if not stack:
                return
            lines.line.lowest = min(lines.line.lowest, len(stack))
            node = element.node.next
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            if keep_space:
                _add_preformatted(text, stack, lines, linked=links > 0)
            elif lines.line.pieces or not text.isspace():
                lines.add(text, stack, linked=links > 0)
                link_ended = False
        elif tag in _INVISIBLE_TAGS:
            if tag in _METADATA:
                lines.metadata.append(node)
        elif tag == "br":
            lines.end(keep_space=keep_space > 0)
        elif tag != "-comment":
            attributes, visibility = node.attributes, stack[-1].visibility
            if tag == "noscript":  # shown only if scripts are disabled
                visibility = Visibility.REMOVED
            elif attributes and ("style" in attributes or "hidden" in attributes):
                visibility = visibility_of(attributes, visibility)
            if visibility is not shown and lines.interrupted is None:
                lines.hide(len(stack) + 1)
            if tag in _BLOCKS:
                if lines.line.pieces:
                    lines.end(keep_space=keep_space > 0)
                keep_space += tag in _KEEP_SPACE
            elif tag == "a":
                links += 1
                if link_ended and lines.line.pieces:
                    lines.line.pieces.append(" ")  # browsers show adjacent links apart
            counts = stack[-1].counts
            counts[tag] = nth = counts.get(tag, 0) + 1
            stack.append(_Element(node, tag, nth, attributes, visibility))
            node = node.first_child
            continue
        node = node.next


def _add_preformatted(text: str, stack: list[_Element], lines: _Lines, *, linked: bool) -> None:
    first, *more = _NEWLINE.split(text)
    lines.add(first, stack, linked=linked)
    for line in more:
        lines.end(keep_space=True)
        lines.add(line, stack, linked=linked)


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
