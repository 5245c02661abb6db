"""Render HTML as text like a browser: one line per block, with the position of each line.

The parser is lexbor. Nothing is dropped as boilerplate. Scripts, styles, templates and the
fallbacks of media are left out. What a page hides, but could show (`hidden`, `display: none`,
`noscript`), has lines of its own, which are marked.

Python never visits single elements: lexbor serializes the page, and NumPy finds its tags.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ingest.frames import BLOCK
from ingest.readers.html_limits import limit_nesting
from ingest.readers.html_lines import find_lines
from ingest.readers.html_markup import locate
from ingest.readers.html_source import parse
from ingest.readers.html_tokens import tokenize
from ingest.readers.html_tree import build_tree
from ingest.readers.metadata import read_metadata
from ingest.readers.titles import SITE_NAME, split_title

_TITLE = "/html/head/title"
_TITLE_MARKUP = ("head title", f"head {SITE_NAME}")  # of a headline, of the name of the site
_MAX_HEADINGS = 8  # <h1> that a title is compared with


def render(html: str) -> dict[str, Any]:
    r"""Render a page to columns of the documents frame: text, blocks, title and metadata.

    `text` has one line per block, the title first; the name of the site in a title has a line of
    its own. `blocks` is a frame with one row per line: DOM path, markup, share of characters in
    links, whether it is shown. Never raises, like a browser.

    >>> row = render("<title>T</title><p>One <b>two</b><br>three<script>x</script>")
    >>> row["text"], row["blocks"]["block"].to_list()
    ('T\nOne two\nthree', ['/html/head/title', '/html/body/p[1]', '/html/body/p[1]'])
    """
    source = parse(limit_nesting(html))
    tokens = tokenize(source.html)
    tree = build_tree(tokens)
    lines = find_lines(tokens, tree)
    text = lines.text
    paths, markups = locate(tokens, tree, lines.element)
    headings = [n for n, path in enumerate(paths) if "/h1[" in path][:_MAX_HEADINGS]
    split = text.split("\n") if headings else []
    row, names = read_metadata(source.root, source.metadata, [split[n] for n in headings])
    links, shown = lines.links, lines.shown
    if row["title"]:
        title = split_title(row["title"], names)
        parts = [(title.first, title.site_first), (title.second, not title.site_first)]
        titles = [(part, _TITLE_MARKUP[is_site]) for part, is_site in parts if part]
        text = "\n".join([*(part for part, _ in titles), *([text] if paths else [])])
        paths = [_TITLE] * len(titles) + paths
        markups = [*(markup for _, markup in titles), *markups]
        links = np.concatenate((np.zeros(len(titles)), links))
        shown = np.concatenate((np.ones(len(titles), bool), shown))
    values = dict(zip(BLOCK.to_schema(), (paths, markups, links, shown), strict=True))
    blocks = pl.DataFrame(
        [pl.Series(name, values[name], dtype) for name, dtype in BLOCK.to_schema().items()]
    )
    return {**row, "text": text, "blocks": blocks}
