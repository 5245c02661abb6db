"""Render HTML as text like a browser: one line per block, with the position of each line.

The parser is lexbor. Nothing is dropped as boilerplate. Scripts, styles, templates and the
fallbacks of media are left out. What a page hides, but could show (`hidden`, `display: none`,
`noscript`), has lines of its own, which are marked.
"""

from __future__ import annotations

import re
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.readers.html_limits import limit_nesting
from ingest.readers.html_lines import Element, Lines
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
_NEWLINE = re.compile(r"\r\n?|\n")
_TITLE = "/html/head/title"
_TITLE_MARKUP = ("head title", f"head {SITE_NAME}")  # of a headline, of the name of the site
_MAX_HEADINGS = 8  # <h1> that a title is compared with


def render(html: str) -> dict[str, Any]:
    r"""Render a page to columns of the documents frame: text, blocks, title and metadata.

    `text` has one line per block, the title first; the name of the site in a title has a line of
    its own. `blocks` has one tuple per line: DOM path, markup, share of characters in links,
    whether it is shown. Never raises, like a browser.

    >>> row = render("<title>T</title><p>One <b>two</b><br>three<script>x</script>")
    >>> row["text"], [path for path, *_ in row["blocks"]]
    ('T\nOne two\nthree', ['/html/head/title', '/html/body/p[1]', '/html/body/p[1]'])
    """
    root = LexborHTMLParser(limit_nesting(html)).root
    lines = Lines()
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


def _walk(root: LexborNode, lines: Lines) -> None:  # noqa: PLR0912, PLR0915 (a call per node would cost a fifth of the time)
    """Collect the text below `root` in reading order. Not recursive: pages nest deeply."""
    shown = Visibility.SHOWN
    attributes = root.attributes
    stack = [Element(root, "html", 0, attributes, visibility_of(attributes, shown))]
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
            stack.append(Element(node, tag, nth, attributes, visibility))
            node = node.first_child
            continue
        node = node.next


def _add_preformatted(text: str, stack: list[Element], lines: Lines, *, linked: bool) -> None:
    first, *more = _NEWLINE.split(text)
    lines.add(first, stack, linked=linked)
    for line in more:
        lines.end(keep_space=True)
        lines.add(line, stack, linked=linked)
