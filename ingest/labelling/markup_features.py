"""Features from the HTML around a segment; all zero for pages of plain text.

There are two kinds: what the surrounding elements are called (tags, ids, classes, roles), computed
once for each distinct markup; and what else the same containers of the page hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import polars as pl

from ingest import phrases
from ingest._typing import F32, F64, I64, Bools, Columns
from ingest.labelling.markup import Elements, MarkupTable
from ingest.page_spans import PageSpans, combine_keys

# Kinds of a segment's innermost block element, and of the inline elements in it.
_BLOCK_KINDS = {
    "h1": "h1", "h2": "h2", "h3": "h3", "h4": "h4", "h5": "h4", "h6": "h4", "p": "p", "li": "li",
    "td": "cell", "th": "cell", "dt": "term", "dd": "term", "figcaption": "caption",
    "caption": "caption", "blockquote": "quote", "pre": "pre", "textarea": "control",
    "button": "control", "option": "control", "legend": "control", "summary": "control",
    "title": "title", "address": "address",
}  # fmt: skip
_INLINE_KINDS = {
    "a": "a", "b": "b", "strong": "b", "em": "i", "i": "i", "cite": "i", "span": "span",
    "font": "span", "time": "time", "small": "small", "label": "label",
    "code": "code", "kbd": "code",
}  # fmt: skip
_CONTAINERS = (
    "nav", "header", "footer", "aside", "main", "article", "section", "figure", "list", "table",
    "form", "quote", "pre", "heading", "link",
)  # fmt: skip
_CONTAINER_OF = {
    "ul": "list", "ol": "list", "dl": "list", "menu": "list", "blockquote": "quote", "a": "link",
    **{f"h{n}": "heading" for n in range(1, 7)},
}  # fmt: skip
_NEAR = 2  # innermost elements, whose names describe the block itself
_MIDDLE = 5  # the next elements outwards, whose names describe its containers
_LEVELS = 3  # containers whose other content is measured


@cache
def _groups() -> tuple[str, ...]:
    return tuple(phrases.read_sections("markup.txt"))


@cache
def _word_groups() -> dict[str, int]:
    """The groups of markup.txt that each word belongs to, as bits."""
    groups: dict[str, int] = {}
    for bit, lines in enumerate(phrases.read_sections("markup.txt").values()):
        for word in " ".join(lines).split():
            groups[word] = groups.get(word, 0) | 1 << bit
    return groups


def compute_markup_features(
    segments: pl.DataFrame, markup: MarkupTable, pages: PageSpans, words: I64
) -> Columns:
    """Compute the features that come from HTML.

    Args:
        segments: columns block, markup, links, visible, lang.
        markup: the markup of the segments, taken apart.
        pages: the pages of the batch.
        words: the number of words of each segment.

    >>> frame = pl.DataFrame({"block": ["/html/body/nav[1]/a[1]"], "markup": ["body nav#top a"],
    ...                       "links": [1.0], "visible": [True], "lang": ["en"]})
    >>> from ingest.labelling.markup import table_markup
    >>> from ingest.page_spans import find_pages
    >>> table, page = table_markup(frame["markup"]), find_pages(pl.Series(["d"]))
    >>> columns = compute_markup_features(frame, table, page, np.array([2]))
    >>> columns["m_in_nav"].tolist(), columns["m_block_p"].tolist()
    ([1.0], [0.0])
    """
    columns: Columns = {
        f"m_{name}": column[markup.row_of] for name, column in _columns_of_markup(markup).items()
    }
    marked = markup.texts.str.extract(r".*\[lang=([a-zA-Z]{2,3})").str.to_lowercase()
    marked = marked.extend_constant(None, 1).gather(markup.row_of)
    columns["m_lang_same"] = (marked == segments["lang"]).fill_null(value=False).to_numpy()
    columns |= _container_features(segments, markup, pages, words)
    columns["m_hidden"] = (~segments["visible"]).fill_null(value=False).to_numpy()
    return columns


def _columns_of_markup(markup: MarkupTable) -> dict[str, F32]:
    """The columns that depend on the markup alone: float32 [distinct markups + 1], the last 0."""
    elements, row, distance = markup.elements, markup.row, markup.distance
    blocks, inlines = sorted(set(_BLOCK_KINDS.values())), sorted(set(_INLINE_KINDS.values()))

    def of_tags(values: list[int]) -> I64:
        return np.array(values, np.int64)[elements.tag][markup.element]

    block = of_tags([_number(blocks, _BLOCK_KINDS.get(tag)) for tag in elements.tags])
    inline = of_tags([_number(inlines, _INLINE_KINDS.get(tag)) for tag in elements.tags])
    container = of_tags(
        [1 << _number(_CONTAINERS, _CONTAINER_OF.get(tag, tag)) + 1 for tag in elements.tags]
    )
    # the names of <body> describe the whole page
    below_body = of_tags([tag != "body" for tag in elements.tags])
    groups = _element_groups(elements)[markup.element] * below_body
    has_lang = elements.has_lang[markup.element] * below_body

    # The innermost element that is not inline is the block; the innermost one of all may be inline.
    is_block = np.flatnonzero(inline < 0)
    first_block = is_block[np.r_[True, np.diff(row[is_block]) > 0][: len(is_block)]]
    kind_of_block, kind_of_inline = (np.full(markup.rows + 1, -1) for _ in range(2))
    kind_of_block[row[first_block]] = block[first_block]
    innermost = distance == 0
    kind_of_inline[row[innermost]] = inline[innermost]

    def any_of(bits: I64, mask: Bools) -> I64:
        found = np.zeros(markup.rows + 1, np.int64)
        here = np.flatnonzero(mask)
        first = here[np.r_[True, np.diff(row[here]) > 0][: len(here)]]
        if len(here):
            found[row[first]] = np.bitwise_or.reduceat(bits[here], np.searchsorted(here, first))
        return found

    everywhere = np.ones(len(row), bool)
    inside = any_of(container, everywhere)
    near, far = distance < _NEAR, distance >= _NEAR + _MIDDLE
    count = np.bincount(row, minlength=markup.rows + 1)
    columns = {"html": count > 0, "depth": count / 12, "lang_marked": any_of(has_lang, everywhere)}
    columns |= {f"block_{kind}": kind_of_block == n for n, kind in enumerate(blocks)}
    columns |= {f"inline_{kind}": kind_of_inline == n for n, kind in enumerate(inlines)}
    columns |= {f"in_{tag}": inside >> n + 1 & 1 for n, tag in enumerate(_CONTAINERS)}
    for where, mask in (("near", near), ("middle", ~near & ~far), ("far", far)):
        bits = any_of(groups, mask)
        columns |= {f"{where}_{group}": bits >> n & 1 for n, group in enumerate(_groups())}
    return {name: column.astype(np.float32) for name, column in columns.items()}


def _number(names: Sequence[str], name: str | None) -> int:
    """The position of a name; -1 if it is not there."""
    return names.index(name) if name in names else -1


def _element_groups(elements: Elements) -> I64:
    """The groups of markup.txt that the words in each element's names belong to, as bits."""
    known = _word_groups()
    bits = np.zeros(len(elements.tag), np.int64)
    for names in (elements.words, elements.value_words):
        groups = np.array([known.get(word, 0) for word in names.distinct], np.int64)
        if len(groups):
            np.bitwise_or.at(bits, names.element, groups[names.number])
    return bits


def _container_features(
    segments: pl.DataFrame, markup: MarkupTable, pages: PageSpans, words: I64
) -> dict[str, F64]:
    """How much text and how many links the containers of a segment hold, innermost first."""
    links = segments["links"].fill_null(0).to_numpy().astype(np.float64)
    is_html = segments["block"].is_not_null().to_numpy().astype(np.float64)
    unlinked = words * (1 - links)
    long = np.where(words >= 12, unlinked, 0)
    page_text = np.maximum(np.bincount(pages.page, weights=long, minlength=len(pages.first)), 1)
    columns: dict[str, F64] = {"links": links, "links_all": (links > 0.95).astype(np.float64)}
    path = segments["block"].fill_null("")
    for level in range(_LEVELS + 1):
        container = combine_keys(path.hash().to_numpy(), pages.page)
        _, group = np.unique(container, return_inverse=True)
        size = np.bincount(group)
        text = np.bincount(group, weights=long)[group] / page_text[pages.page]
        total = np.maximum(np.bincount(group, weights=words), 1)
        linked = (np.bincount(group, weights=words * links) / total)[group]
        mean = (np.bincount(group, weights=unlinked) / size)[group]
        columns[f"c{level}_text"] = text * is_html
        columns[f"c{level}_links"] = linked * is_html
        columns[f"c{level}_size"] = np.log1p(size[group]) / 4 * is_html
        columns[f"c{level}_mean"] = np.log1p(mean) / 4 * is_html
        path = path.str.replace(r"/[^/]*$", "")
    _, group = np.unique(pages.page * (markup.rows + 1) + markup.row_of, return_inverse=True)
    size = np.bincount(group)
    mean = (np.bincount(group, weights=unlinked) / size)[group]
    text = np.bincount(group, weights=long)[group] / page_text[pages.page]
    columns["same_size"] = np.log1p(size[group]) / 4 * is_html
    columns["same_links"] = (np.bincount(group, weights=links) / size)[group] * is_html
    columns["same_mean"] = np.log1p(mean) / 4 * is_html
    columns["same_text"] = text * is_html
    return columns
