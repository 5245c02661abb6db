"""The DOM path of elements, and a description of the elements around them."""

from __future__ import annotations

from functools import lru_cache
from html import unescape

import numpy as np

from ingest._typing import I64, Bools
from ingest.readers.html_tokens import ATTRIBUTES, KNOWN, STYLE, Tokens
from ingest.readers.html_tree import Tree

_UNNUMBERED = [KNOWN.index(name) for name in ("html", "head", "body")]
_HTML = KNOWN.index("html")
# Limits of the markup: words of an attribute, characters of a word, elements.
_MAX_WORDS, _MAX_WORD_CHARS, _MAX_ELEMENTS = 8, 32, 24
_MAX_ATTRIBUTE = _MAX_WORDS * _MAX_WORD_CHARS
_MAX_PATH = 1 << 10  # characters; longer paths are cut at the start and begin with //


def locate(tokens: Tokens, tree: Tree, elements: I64) -> tuple[list[str], list[str]]:
    """DOM path and markup of elements.

    >>> from ingest.readers.html_tokens import tokenize
    >>> from ingest.readers.html_tree import build_tree
    >>> tokens = tokenize(b'<html><p>a</p><p class="b c">d</p></html>')
    >>> locate(tokens, build_tree(tokens), np.array([3]))
    (['/html/p[2]'], ['p.b.c'])
    """
    needed = _with_ancestors(tree, elements)
    places = np.flatnonzero(needed)
    rank = np.cumsum(needed)  # 1-based; 0 is what is around the outermost element
    parent = np.where(tree.parent[places] < 0, 0, rank[tree.parent[places]]).tolist()
    tag = tokens.tag[places]
    names = [name[:_MAX_WORD_CHARS] for name in tokens.names]
    own = [names[n] for n in tag.tolist()]
    nth = _nth_of_type(tokens, tree)[places].tolist()
    steps = [f"/{name}[{n}]" for name, n in zip(own, nth, strict=True)]
    unnumbered = np.zeros(len(names), bool)
    unnumbered[_UNNUMBERED] = True
    for n in np.flatnonzero(unnumbered[tag]).tolist():
        steps[n] = f"/{own[n]}"
    paths, markups = [""], [""]
    for around, step in zip(parent, steps, strict=True):
        path = paths[around] + step
        if len(path) > _MAX_PATH:
            path = "/" + path[path.index("/", _MAX_PATH // 2) :]
        paths.append(path)
    _describe(tokens, own, needed, rank - 1)
    for n in np.flatnonzero(tag == _HTML).tolist():
        own[n] = ""
    deep = tree.depth[places] > _MAX_ELEMENTS
    for around, name, is_deep in zip(parent, own, deep.tolist(), strict=True):
        before = markups[around]
        markup = f"{before} {name}" if before and name else before or name
        if is_deep and markup.count(" ") >= _MAX_ELEMENTS:
            markup = markup.split(" ", 1)[1]
        markups.append(markup)
    wanted = rank[elements].tolist()
    return [paths[n] for n in wanted], [markups[n] for n in wanted]


def _with_ancestors(tree: Tree, elements: I64) -> Bools:
    """Which tokens are some elements or around them."""
    needed = np.zeros(len(tree.close), bool)
    place = np.empty(len(tree.close), np.int64)
    new = elements
    while len(new):
        needed[new] = True
        new = tree.parent[new]
        new = new[(new >= 0) & ~needed[new]]
        order = np.arange(len(new))
        place[new] = order
        new = new[place[new] == order]  # each once
    return needed


def _nth_of_type(tokens: Tokens, tree: Tree) -> I64:
    """The number of each element among its siblings with the same name, from 1."""
    elements = np.flatnonzero(tree.close > np.arange(len(tree.close)))
    key = tree.parent[elements] * len(tokens.names) + tokens.tag[elements]
    order = np.argsort(key, kind="stable")
    places = np.arange(len(order))
    begins = np.append(True, np.diff(key[order]) != 0)
    nth = np.zeros(len(tree.close), np.int64)
    nth[elements[order]] = places - np.maximum.accumulate(np.where(begins, places, 0)) + 1
    return nth


def _describe(tokens: Tokens, own: list[str], needed: Bools, place: I64) -> None:
    """Add to the names of elements: tag#id.class.class[attribute=value], without white space.

    `own` are the names; `needed` tells of which tokens, and `place` where these are in `own`.
    """
    attributes = tokens.attributes
    listed = np.flatnonzero((attributes.name < STYLE) & needed[attributes.token])
    number = attributes.token[listed] * len(ATTRIBUTES) + attributes.name[listed]
    if np.any(number[1:] < number[:-1]):
        listed = listed[np.argsort(number, kind="stable")]
    data = tokens.data
    spans = zip(attributes.begin[listed].tolist(), attributes.stop[listed].tolist(), strict=True)
    texts = map(_describe_attribute, [data[a:b] for a, b in spans])
    for n, text in zip(place[attributes.token[listed]].tolist(), texts, strict=True):
        own[n] += text


def _describe_attribute(written: bytes) -> str:
    return _cached(written) if len(written) <= _MAX_ATTRIBUTE else _described(written)


def _described(written: bytes) -> str:
    """The description of an attribute, given what is written up to the end of its value."""
    name, _, value = written.decode("utf-8", "replace").partition('="')
    words = _words(unescape(value))
    if not words:
        return ""
    if name == "id":
        return f"#{'-'.join(words)}"
    if name == "class":
        return f".{'.'.join(words)}"
    return f"[{name}={'-'.join(words)}]"


_cached = lru_cache(maxsize=1 << 14)(_described)


def _words(value: str) -> list[str]:
    words = value.split() if len(value) < _MAX_ATTRIBUTE else value[:_MAX_ATTRIBUTE].split()
    return (
        words
        if len(value) < _MAX_WORD_CHARS
        else [word[:_MAX_WORD_CHARS] for word in words[:_MAX_WORDS]]
    )
