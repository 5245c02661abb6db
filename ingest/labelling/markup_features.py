"""Features from the HTML around a segment; all zero for pages of plain text.

There are two kinds: what the surrounding elements are called (tags, ids, classes, roles), computed
once for each distinct markup; and what else the same containers of the page hold.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import polars as pl

from ingest import phrases
from ingest._typing import F32, F64, I64, Columns
from ingest.labelling.markup import Element, parse_element
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


class _Layout:
    """The columns that depend on the markup alone, in order."""

    def __init__(self) -> None:
        self.groups = tuple(phrases.read_sections("markup.txt"))
        self.blocks = tuple(sorted(set(_BLOCK_KINDS.values())))
        self.inlines = tuple(sorted(set(_INLINE_KINDS.values())))
        self.columns = [
            "html", "depth", "lang_marked",
            *(f"block_{kind}" for kind in self.blocks),
            *(f"inline_{kind}" for kind in self.inlines),
            *(f"in_{tag}" for tag in _CONTAINERS),
            *(f"{where}_{g}" for where in ("near", "middle", "far") for g in self.groups),
        ]  # fmt: skip
        self.index = {name: number for number, name in enumerate(self.columns)}


@cache
def _layout() -> _Layout:
    return _Layout()


@cache
def _word_groups() -> dict[str, tuple[str, ...]]:
    """The groups of markup.txt that each word belongs to."""
    groups: dict[str, tuple[str, ...]] = {}
    for group, lines in phrases.read_sections("markup.txt").items():
        for word in " ".join(lines).split():
            groups[word] = (*groups.get(word, ()), group)
    return groups


def compute_markup_features(segments: pl.DataFrame, pages: PageSpans, words: I64) -> Columns:
    """Compute the features that come from HTML.

    Args:
        segments: columns block, markup, links, visible, lang.
        pages: the pages of the batch.
        words: the number of words of each segment.

    >>> frame = pl.DataFrame({"block": ["/html/body/nav[1]/a[1]"], "markup": ["body nav#top a"],
    ...                       "links": [1.0], "visible": [True], "lang": ["en"]})
    >>> from ingest.page_spans import find_pages
    >>> columns = compute_markup_features(frame, find_pages(pl.Series(["d"])), np.array([2]))
    >>> columns["m_in_nav"].tolist(), columns["m_block_p"].tolist()
    ([1.0], [0.0])
    """
    layout = _layout()
    values = np.zeros((len(segments), len(layout.columns)), np.float32)
    distinct = segments["markup"].unique(maintain_order=True).drop_nulls()
    if len(distinct):
        rows = pl.DataFrame({"markup": distinct, "row": np.arange(len(distinct))})
        row = segments.select("markup").join(rows, on="markup", how="left", maintain_order="left")
        has_markup = row["row"].is_not_null().to_numpy()
        vectors = np.stack([_markup_vector(markup) for markup in distinct])
        values[has_markup] = vectors[row["row"].drop_nulls().to_numpy()]
    columns: Columns = {f"m_{name}": values[:, n] for n, name in enumerate(layout.columns)}
    marked = segments["markup"].str.extract(r".*\[lang=([a-zA-Z]{2,3})").str.to_lowercase()
    columns["m_lang_same"] = (marked == segments["lang"]).fill_null(value=False).to_numpy()
    columns |= _container_features(segments, pages, words)
    columns["m_hidden"] = (~segments["visible"]).fill_null(value=False).to_numpy()
    return columns


@lru_cache(1 << 15)
def _markup_vector(markup: str) -> F32:
    layout = _layout()
    vector = np.zeros(len(layout.columns), np.float32)
    elements = [parse_element(e) for e in markup.split(" ")]
    vector[layout.index["html"]] = 1
    vector[layout.index["depth"]] = len(elements) / 12
    block = inline = ""
    for element in reversed(elements):
        if element.tag in _INLINE_KINDS:
            inline = inline or _INLINE_KINDS[element.tag]
        else:
            block = _BLOCK_KINDS.get(element.tag, "")
            break
    for kind, value in (("block", block), ("inline", inline)):
        if value:
            vector[layout.index[f"{kind}_{value}"]] = 1
    for distance, element in enumerate(reversed(elements)):
        container = _CONTAINER_OF.get(element.tag, element.tag)
        if f"in_{container}" in layout.index:
            vector[layout.index[f"in_{container}"]] = 1
        where = "near" if distance < _NEAR else "middle" if distance < _NEAR + _MIDDLE else "far"
        if element.tag != "body":  # its classes describe the whole page
            for group in _element_groups(element):
                vector[layout.index[f"{where}_{group}"]] = 1
            if element.has_lang:
                vector[layout.index["lang_marked"]] = 1
    return vector


@lru_cache(1 << 15)
def _element_groups(element: Element) -> tuple[str, ...]:
    """The groups of markup.txt that the words in an element's names belong to."""
    known = _word_groups()
    words = (*element.words, *element.value_words)
    return tuple(sorted({group for word in words for group in known.get(word, ())}))


def _container_features(segments: pl.DataFrame, pages: PageSpans, words: I64) -> dict[str, F64]:
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
    same_markup = combine_keys(segments["markup"].fill_null("").hash().to_numpy(), pages.page)
    _, group = np.unique(same_markup, return_inverse=True)
    size = np.bincount(group)
    mean = (np.bincount(group, weights=unlinked) / size)[group]
    text = np.bincount(group, weights=long)[group] / page_text[pages.page]
    columns["same_size"] = np.log1p(size[group]) / 4 * is_html
    columns["same_links"] = (np.bincount(group, weights=links) / size)[group] * is_html
    columns["same_mean"] = np.log1p(mean) / 4 * is_html
    columns["same_text"] = text * is_html
    return columns
