"""Render HTML as text like a browser: one line per block, with the position of each line.

The parser is lexbor. Nothing is dropped as boilerplate. Scripts, styles, templates and the
fallbacks of media are left out. What a page hides, but could show (`hidden`, `display: none`,
`noscript`), has lines of its own, which are marked.

Python never visits single elements: lexbor serializes the page, and NumPy finds its tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from ingest.frames import BLOCK
from ingest.readers.html_embedded import add_embedded_article, open_shadow_roots
from ingest.readers.html_limits import limit_nesting
from ingest.readers.html_lines import Lines, find_lines
from ingest.readers.html_markup import locate
from ingest.readers.html_source import Source, parse
from ingest.readers.html_tokens import tokenize
from ingest.readers.html_tree import build_tree
from ingest.readers.metadata import Metadata
from ingest.readers.titles import SITE_NAME, page_names, split_title

_TITLE = "/html/head/title"
_TITLE_MARKUP = ("head title", f"head {SITE_NAME}")  # of a headline, of the name of the site
_MAX_HEADINGS = 8  # <h1> that a title is compared with


def read_source(html: str, encoded: bytes | None = None) -> list[Source]:
    """Parse a page: its pieces, which is one unless it is very large.

    If the page in UTF-8 is at hand, `encoded` saves time.

    Raises:
        SourceError: the page has more than two million tags.
    """
    limited = limit_nesting(open_shadow_roots(html))
    if encoded is not None and limited[0] is html:
        sources = [parse(encoded)]
    else:
        sources = [parse(piece) for piece in limited]
    if len(sources) == 1 and (more := add_embedded_article(html, sources[0].html)):
        return [parse(piece) for piece in limit_nesting(more)]
    return sources


def render(html: str) -> dict[str, Any]:
    r"""Render a page to columns of the documents frame: text, blocks, title and metadata.

    `text` has one line per block, the title first; the name of the site in a title has a line of
    its own. `blocks` is a frame with one row per line: DOM path, markup, share of characters in
    links, whether it is shown.

    >>> row = render("<title>T</title><p>One <b>two</b><br>three<script>x</script>")
    >>> row["text"], row["blocks"]["block"].to_list()
    ('T\nOne two\nthree', ['/html/head/title', '/html/body/p[1]', '/html/body/p[1]'])
    """
    return render_pages([read_source(html)])[0]


def render_pages(pages: Sequence[list[Source]]) -> list[dict[str, Any]]:
    """Render parsed pages like `render`. A group of small pages takes little longer than one."""
    if all(len(pieces) == 1 for pieces in pages):
        return _render([source for (source,) in pages])
    return [_render_pieces(pieces) for pieces in pages]


def _render_pieces(pieces: list[Source]) -> dict[str, Any]:
    """Render a page that was cut. Elements are counted anew in each piece."""
    row = _render(pieces[:1])[0]
    texts, blocks = [row["text"]], [row["blocks"]]
    for piece in pieces[1:]:
        untitled = piece.metadata._replace(row={**piece.metadata.row, "title": None})
        rendered = _render([piece._replace(metadata=untitled)])[0]
        texts.append(rendered["text"])
        blocks.append(rendered["blocks"])
    return {**row, "text": "\n".join(filter(None, texts)), "blocks": pl.concat(blocks)}


def _render(sources: list[Source]) -> list[dict[str, Any]]:
    tokens = tokenize(b"".join([source.html for source in sources]))
    tree = build_tree(tokens)
    found = find_lines(tokens, tree)
    page = np.searchsorted(tree.roots, found.element, "right") - 1
    counts = np.bincount(page, minlength=len(sources)).tolist()
    lines = found.text.split("\n") if counts else []
    paths, markups = locate(tokens, tree, found.element)
    texts: list[str] = []
    titled: list[list[tuple[str, str]]] = []  # title lines of each page, with their markup
    end = 0
    for source, count in zip(sources, counts, strict=True):
        start, end = end, end + count
        titles = _title_lines(source.metadata, lines[start:end], paths[start:end])
        titled.append(titles)
        texts.append("\n".join([*(title for title, _ in titles), *lines[start:end]]))
    blocks = _blocks(titled, counts, paths, markups, found)
    rows = []
    end = 0
    for source, text, titles, count in zip(sources, texts, titled, counts, strict=True):
        start, end = end, end + len(titles) + count
        rows.append({**source.metadata.row, "text": text, "blocks": blocks[start:end]})
    return rows


def _title_lines(metadata: Metadata, lines: list[str], paths: list[str]) -> list[tuple[str, str]]:
    """The lines of the title, and how the markup calls them."""
    if not metadata.row["title"]:
        return []
    headings = (line for line, path in zip(lines, paths, strict=True) if "/h1[" in path)
    names = page_names(
        metadata.meta, metadata.json_ld, metadata.urls, list(islice(headings, _MAX_HEADINGS))
    )
    title = split_title(metadata.row["title"], names)
    parts = [(title.first, title.site_first), (title.second, not title.site_first)]
    return [(part, _TITLE_MARKUP[is_site]) for part, is_site in parts if part]


def _blocks(
    titled: list[list[tuple[str, str]]],
    counts: list[int],
    paths: list[str],
    markups: list[str],
    lines: Lines,
) -> pl.DataFrame:
    """The blocks of all lines, with those of titles before each page."""
    all_paths: list[str] = []
    all_markups: list[str] = []
    end = 0
    for titles, count in zip(titled, counts, strict=True):
        start, end = end, end + count
        all_paths += [*([_TITLE] * len(titles)), *paths[start:end]]
        all_markups += [*(markup for _, markup in titles), *markups[start:end]]
    before = np.repeat(np.cumsum([0, *counts[:-1]]), [len(titles) for titles in titled])
    values = (
        pl.Series(all_paths, dtype=pl.String),
        pl.Series(all_markups, dtype=pl.String),
        pl.Series(np.insert(lines.links, before, 0).astype(np.float32)),
        pl.Series(np.insert(lines.shown, before, values=True)),
    )
    return pl.DataFrame(dict(zip(BLOCK.to_schema(), values, strict=True)))
