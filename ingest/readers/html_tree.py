"""The tree of a page as arrays: the depth, parent and end of each element, and what is hidden."""

from __future__ import annotations

from functools import lru_cache
from html import unescape
from typing import NamedTuple

import numpy as np

from ingest._typing import I64, U8, Bools
from ingest.readers.html_tokens import HIDDEN, INVISIBLE, LINE_BREAK, NOSCRIPT, STYLE, VOID, Tokens
from ingest.readers.visibility import Visibility, visibility_of

_CACHED_STYLE = 1 << 8  # characters


class Tree(NamedTuple):
    """The structure of a page. An element is named by the token of its start tag.

    Attributes:
        roots: the outermost element of each page [pages].
        depth: open elements after each token [tokens].
        close: the token of the end tag of each element; an element without one ends itself
            [tokens].
        parent: the element around each element; -1 for the outermost one [tokens].
        inner: the innermost open element after each token [tokens].
        properties: bits of the name of each tag, also of an end tag; 0 for others and for what is
            inside invisible elements [tokens].
        invisible: whether what comes after each token is never shown [tokens].
        regions: first and last token of each outermost hidden element [regions, 2].
        shown: whether text after each token is shown [tokens]; None if everything is.
    """

    roots: I64
    depth: I64
    close: I64
    parent: I64
    inner: I64
    properties: U8
    invisible: Bools
    regions: I64
    shown: Bools | None


def build_tree(tokens: Tokens) -> Tree:
    """Match the tags of one or more pages.

    >>> from ingest.readers.html_tokens import tokenize
    >>> tree = build_tree(tokenize(b"<html><p>a<b>c</b></p></html>"))
    >>> tree.parent[:3].tolist(), tree.close[:3].tolist(), tree.depth.tolist()
    ([-1, 0, 1], [5, 4, 3], [1, 2, 3, 2, 1, 0])
    """
    number = len(tokens.start)
    properties = tokens.properties[tokens.tag]
    properties[~tokens.opens] = 0
    starts = tokens.opens & ((properties & VOID) == 0)
    depth = np.cumsum(starts.astype(np.int64) - tokens.closes)
    close = np.arange(number)
    tags = np.flatnonzero(starts | tokens.closes)
    level = depth[tags] + tokens.closes[tags]  # the same for both tags of an element
    by_level = tags[_stable_order(level)]
    first, last = by_level[0::2], by_level[1::2]  # of each element, by its depth
    close[first] = last
    properties[last] = properties[first]
    elements = np.flatnonzero(starts)
    parent = np.full(number, -1)
    parent[elements] = _parents(elements, depth[elements])
    inner = np.full(number, -1)
    inner[elements] = elements
    inner[last] = parent[first]
    # After other tokens, the innermost element is the same as before
    known = np.where(starts | tokens.closes, np.arange(number), 0)
    inner = inner[np.maximum.accumulate(known)]
    invisible = within(elements[(properties[elements] & INVISIBLE) != 0], close)
    inside = np.zeros(number, bool)
    inside[1:] = invisible[:-1]
    properties[inside] = 0
    visible = tokens.opens & ~inside & ((properties & (INVISIBLE | LINE_BREAK)) == 0)
    regions, shown = _find_hidden(tokens, close, visible, properties)
    roots = elements[depth[elements] == 1]
    return Tree(roots, depth, close, parent, inner, properties, invisible, regions, shown)


def _stable_order(values: I64) -> I64:
    """Stable order of small numbers. NumPy sorts those of 16 bits in linear time."""
    fits = len(values) == 0 or values.max() < 1 << 15
    return np.argsort(values.astype(np.int16) if fits else values, kind="stable")


def _parents(elements: I64, depth: I64) -> I64:
    """The last element one level up before each element; -1 at the top."""
    # Each element is listed at its own depth, and one below as what its children look for.
    levels = np.repeat(depth, 2)
    levels[1::2] += 1
    order = _stable_order(levels)
    below = (order & 1).astype(bool)
    last = np.maximum.accumulate(np.where(below, np.arange(len(order)), 0))
    found = order[last] >> 1
    parents = np.empty(len(elements), np.int64)
    own = order[~below] >> 1
    parents[own] = elements[found[~below]]
    parents[depth == 1] = -1
    return parents


def within(elements: I64, close: I64) -> Bools:
    """Whether each token is inside one of some elements: its start tag is, its end tag is not."""
    steps = np.zeros(len(close), np.int64)
    steps[elements] = 1
    steps[close[elements]] -= 1
    return np.cumsum(steps) > 0


def _find_hidden(
    tokens: Tokens, close: I64, visible: Bools, properties: U8
) -> tuple[I64, Bools | None]:
    """The outermost hidden elements among `visible` ones, and whether text after each is shown."""
    listed = (tokens.attributes.name >= STYLE) & visible[tokens.attributes.token]
    attributes: dict[int, dict[int, str]] = {
        token: {} for token in np.flatnonzero(visible & ((properties & NOSCRIPT) != 0)).tolist()
    }
    for token, name, start, stop in zip(
        tokens.attributes.token[listed].tolist(),
        tokens.attributes.name[listed].tolist(),
        tokens.attributes.start[listed].tolist(),
        tokens.attributes.stop[listed].tolist(),
        strict=True,
    ):
        attributes.setdefault(token, {})[name] = (
            tokens.data[start:stop].decode("utf-8", "replace") if name == STYLE else ""
        )
    regions: list[tuple[int, int]] = []
    shown: Bools | None = None
    around = [(len(close), Visibility.SHOWN)]  # end and visibility of the elements around
    for token in sorted(attributes):
        while token > around[-1][0]:
            around.pop()
        outer = around[-1][1]
        if properties[token] & NOSCRIPT:  # shown only if scripts are disabled
            visibility = Visibility.REMOVED
        else:
            values = attributes[token]
            style = values.get(STYLE)
            find = _cached_visibility if len(style or "") <= _CACHED_STYLE else _visibility
            visibility = find(style, HIDDEN in values, outer)
        if visibility is outer:
            continue
        end = int(close[token])
        if end > token:
            around.append((end, visibility))
        if shown is None:
            shown = np.ones(len(close), bool)
        shown[token:end] = visibility is Visibility.SHOWN
        if visibility is not Visibility.SHOWN and not (regions and token < regions[-1][1]):
            regions.append((token, end))
    return np.array(regions, np.int64).reshape(-1, 2), shown


def _visibility(style: str | None, hidden: bool, around: Visibility) -> Visibility:
    attributes: dict[str, str | None] = {} if style is None else {"style": unescape(style)}
    return visibility_of(attributes | ({"hidden": None} if hidden else {}), around)


_cached_visibility = lru_cache(maxsize=1 << 12)(_visibility)
