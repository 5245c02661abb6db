"""Parse a page with lexbor, and serialize what may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from typing import NamedTuple, cast

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.readers.html_tokens import INVISIBLE, VOID, names_of
from ingest.readers.metadata import Metadata, read_metadata
from ingest.readers.publication import ELEMENTS

# Elements with much content, or whose content is not escaped, and which show nothing.
_DROPPED = frozenset("script style svg template iframe noembed noframes".split())
_METADATA = f"title, meta, link, script[type*='ld+json' i], {ELEMENTS}"
# Elements whose content a serializer does not escape, and which are shown.
_RAW = "xmp, plaintext"
_CHANGED = ", ".join([*sorted(_DROPPED), _RAW, "math"])
# Elements without an end tag in HTML, but with one in MathML.
_VOID = ", ".join(sorted(names_of(VOID)))
_INVISIBLE = names_of(INVISIBLE)


class Source(NamedTuple):
    """A parsed page.

    Attributes:
        html: the page as the parser understands it, without scripts, styles and images: one
            element <html>.
        metadata: what it says about itself.
    """

    html: bytes
    metadata: Metadata


def parse(html: str | bytes) -> Source:
    """Parse a page like a browser; bytes are in UTF-8.

    >>> parse("<script>x</script><p>a<br>b").html
    b'<html><head><!----></head><body><p>a<br>b</p></body></html>'
    """
    parser = LexborHTMLParser(html)
    root = parser.root
    if root is None:
        return Source(b"<html></html>", read_metadata({}, ()))
    metadata = read_metadata(root.attributes, _outside_invisible(parser.css(_METADATA)))
    unusual = False
    for node in parser.css(_CHANGED):
        if node.tag in _DROPPED:
            node.replace_with(_comment())  # unlike removal, this keeps the texts around it apart
        else:
            unusual = True
    if unusual:
        _replace_unusual(parser)
    return Source((root.html or "").encode(), metadata)


@cache
def _comment() -> LexborNode:
    (parent,) = LexborHTMLParser("<p><!----></p>").css("p")
    return cast(LexborNode, parent.first_child)


def _outside_invisible(nodes: Iterable[LexborNode]) -> Iterator[LexborNode]:
    """The nodes that are not inside an element that is never shown."""
    known: dict[int, bool] = {}  # whether elements are shown, so that none is visited twice
    for node in nodes:
        path: list[int] = []
        parent, shown = node.parent, True
        while parent is not None and shown and parent.mem_id not in known:
            path.append(parent.mem_id)
            shown = parent.tag not in _INVISIBLE
            parent = parent.parent
        if shown and parent is not None:
            shown = known[parent.mem_id]
        known.update(dict.fromkeys(path, shown))
        if shown:
            yield node


def _replace_unusual(parser: LexborHTMLParser) -> None:
    """Change what could not be read from the serialized page."""
    for node in parser.css(_VOID):
        in_math = node.first_child is not None or (node.html or "").endswith(f"</{node.tag}>")
        if in_math or node.tag in _INVISIBLE:
            node.replace_with(_comment())
    for node in parser.css(_RAW):
        child = node.first_child
        while child is not None:
            following = child.next
            if child.tag == "-text":
                child.replace_with(escape(child.text_content or "", quote=False))
            child = following
