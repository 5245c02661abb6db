"""What the HTML around a segment tells of its role; zeros for pages of text.

Two kinds of evidence: what the elements around it are called (tags, ids, classes, roles), worked
out once for each distinct markup; and what else stands in the same containers of its page.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import polars as pl
import regex
from numpy.typing import NDArray

from ingest import phrases
from ingest._typing import F64, I64, Columns
from ingest.page_spans import Pages, paired

_ELEMENT = regex.compile(r"([^#.\[\s]+)(?:#([^.\[\s]+))?((?:\.[^\[\s]+)?)((?:\[[^\s]*)?)")
_ATTRIBUTE = regex.compile(r"\[(\w+)=([^\]]*)\]?")
# fooBar, foo-bar, foo_bar and foo2bar are all foo and bar
_WORD = regex.compile(r"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{Lo}+")
_NAMED = frozenset(("role", "itemprop", "property", "rel"))
# What the block of a segment is, by its innermost block element; and by what is inline in that.
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
_AROUND = (
    "nav", "header", "footer", "aside", "main", "article", "section", "figure", "list", "table",
    "form", "quote", "pre", "heading", "link",
)  # fmt: skip
_AROUND_OF = {
    "ul": "list", "ol": "list", "dl": "list", "menu": "list", "blockquote": "quote", "a": "link",
    **{f"h{n}": "heading" for n in range(1, 7)},
}  # fmt: skip
_NEAR = 2  # innermost elements whose names speak of the block itself
_MIDDLE = 5  # and so many of its containers
_LEVELS = 3  # containers whose other content is looked at


class _Names:
    """Order of the columns that a markup alone gives."""

    def __init__(self) -> None:
        self.groups = tuple(phrases.read_sections("markup.txt"))
        self.blocks = tuple(sorted(set(_BLOCK_KINDS.values())))
        self.inlines = tuple(sorted(set(_INLINE_KINDS.values())))
        self.columns = [
            "html", "depth", "lang_marked",
            *(f"block_{kind}" for kind in self.blocks),
            *(f"inline_{kind}" for kind in self.inlines),
            *(f"in_{tag}" for tag in _AROUND),
            *(f"{where}_{g}" for where in ("near", "middle", "far") for g in self.groups),
        ]  # fmt: skip
        self.at = {name: number for number, name in enumerate(self.columns)}


@cache
def _names() -> _Names:
    return _Names()


@cache
def _words() -> dict[str, tuple[str, ...]]:
    """The groups of each word of markup.txt."""
    found: dict[str, tuple[str, ...]] = {}
    for group, lines in phrases.read_sections("markup.txt").items():
        for word in " ".join(lines).split():
            found[word] = (*found.get(word, ()), group)
    return found


def markup_features(segments: pl.DataFrame, pages: Pages, words: I64) -> Columns:
    """Columns of numbers for the role model.

    Args:
        segments: columns block, markup, links, lang.
        pages: where the pages lie.
        words: number of words of each segment.

    >>> frame = pl.DataFrame({"block": ["/html/body/nav[1]/a[1]"], "markup": ["body nav#top a"],
    ...                       "links": [1.0], "lang": ["en"]})
    >>> from ingest.page_spans import pages_of
    >>> found = markup_features(frame, pages_of(pl.Series(["d"])), np.array([2]))
    >>> found["m_in_nav"].tolist(), found["m_block_p"].tolist()
    ([1.0], [0.0])
    """
    names = _names()
    told = np.zeros((len(segments), len(names.columns)), np.float32)
    distinct = segments["markup"].unique(maintain_order=True).drop_nulls()
    if len(distinct):
        rows = pl.DataFrame({"markup": distinct, "row": np.arange(len(distinct))})
        row = segments.select("markup").join(rows, on="markup", how="left", maintain_order="left")
        known = row["row"].is_not_null().to_numpy()
        vectors = np.stack([_evidence(markup) for markup in distinct])
        told[known] = vectors[row["row"].drop_nulls().to_numpy()]
    columns: Columns = {f"m_{name}": told[:, n] for n, name in enumerate(names.columns)}
    marked = segments["markup"].str.extract(r".*\[lang=([a-zA-Z]{2,3})").str.to_lowercase()
    columns["m_lang_same"] = (marked == segments["lang"]).fill_null(value=False).to_numpy()
    columns |= _company(segments, pages, words)
    return columns


@lru_cache(1 << 15)
def _evidence(markup: str) -> NDArray[np.float32]:
    names = _names()
    vector = np.zeros(len(names.columns), np.float32)
    elements = [_element(e) for e in markup.split(" ")]
    vector[names.at["html"]] = 1
    vector[names.at["depth"]] = len(elements) / 12
    block = inline = ""
    for tag, _, _ in reversed(elements):
        if tag in _INLINE_KINDS:
            inline = inline or _INLINE_KINDS[tag]
        else:
            block = _BLOCK_KINDS.get(tag, "")
            break
    for kind, value in (("block", block), ("inline", inline)):
        if value:
            vector[names.at[f"{kind}_{value}"]] = 1
    for distance, (tag, groups, lang) in enumerate(reversed(elements)):
        around = _AROUND_OF.get(tag, tag)
        if f"in_{around}" in names.at:
            vector[names.at[f"in_{around}"]] = 1
        where = "near" if distance < _NEAR else "middle" if distance < _NEAR + _MIDDLE else "far"
        if tag != "body":  # its classes speak of the whole page
            for group in groups:
                vector[names.at[f"{where}_{group}"]] = 1
            if lang:
                vector[names.at["lang_marked"]] = 1
    return vector


@lru_cache(1 << 15)
def _element(text: str) -> tuple[str, tuple[str, ...], bool]:
    """Tag, groups of the words in its names, and whether it has a language of its own."""
    found = _ELEMENT.match(text)
    if found is None:
        return "", (), False
    tag, name, classes, attributes = found.groups(default="")
    pairs = _ATTRIBUTE.findall(attributes)
    named = [name, classes, *(value for key, value in pairs if key in _NAMED)]
    known = _words()
    groups = {g for w in _WORD.findall(" ".join(named)) for g in known.get(w.lower(), ())}
    return tag, tuple(sorted(groups)), any(key == "lang" for key, _ in pairs)


def _company(segments: pl.DataFrame, pages: Pages, words: I64) -> dict[str, F64]:
    """How much text, and how many links, stand in a segment's containers, innermost first."""
    links = segments["links"].fill_null(0).to_numpy().astype(np.float64)
    known = segments["block"].is_not_null().to_numpy().astype(np.float64)
    plain = words * (1 - links)
    long = np.where(words >= 12, plain, 0)
    whole = np.maximum(np.bincount(pages.page, weights=long, minlength=len(pages.first)), 1)
    columns: dict[str, F64] = {"links": links, "links_all": (links > 0.95).astype(np.float64)}
    path = segments["block"].fill_null("")
    for level in range(_LEVELS + 1):
        of_page = paired(path.hash().to_numpy(), pages.page)
        _, group = np.unique(of_page, return_inverse=True)
        size = np.bincount(group)
        text = np.bincount(group, weights=long)[group] / whole[pages.page]
        total = np.maximum(np.bincount(group, weights=words), 1)
        linked = (np.bincount(group, weights=words * links) / total)[group]
        mean = (np.bincount(group, weights=plain) / size)[group]
        columns[f"c{level}_text"] = text * known
        columns[f"c{level}_links"] = linked * known
        columns[f"c{level}_size"] = np.log1p(size[group]) / 4 * known
        columns[f"c{level}_mean"] = np.log1p(mean) / 4 * known
        path = path.str.replace(r"/[^/]*$", "")
    same = paired(segments["markup"].fill_null("").hash().to_numpy(), pages.page)
    _, group = np.unique(same, return_inverse=True)
    size = np.bincount(group)
    columns["same_size"] = np.log1p(size[group]) / 4 * known
    columns["same_links"] = (np.bincount(group, weights=links) / size)[group] * known
    columns["same_mean"] = np.log1p((np.bincount(group, weights=plain) / size)[group]) / 4 * known
    columns["same_text"] = np.bincount(group, weights=long)[group] / whole[pages.page] * known
    return columns
