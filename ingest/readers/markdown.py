"""Convert Markdown to HTML, which is then read like any other."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_MAX_NESTING = 20  # blocks inside blocks; what is deeper is left out


def render_markdown(text: str) -> str:
    r"""Convert Markdown (CommonMark, tables and strikethrough) to HTML.

    Scrapers put each paragraph or line of a page on a line of its own, so that the end of a line is
    kept. HTML inside is kept as well.

    >>> render_markdown("# News\n\nOne [link](http://x/)\nTwo")
    '<h1>News</h1>\n<p>One <a href="http://x/">link</a><br />\nTwo</p>\n'
    """
    rendered: str = _parser().render(text)
    return rendered


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # 50 ms that few runs need

    options = {"breaks": True, "html": True, "maxNesting": _MAX_NESTING}
    return MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
