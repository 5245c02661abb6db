"""The lines of a rendered page: their text, and where each is in the tree."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from ingest._typing import F64, I64, Bools
from ingest.readers.html_rows import find_rows, first_cells
from ingest.readers.html_spacing import find_unspaced
from ingest.readers.html_tokens import BETWEEN_TEXTS, BLOCK, KEEP_SPACE, LINE_BREAK, LINK, Tokens
from ingest.readers.html_tree import Tree, within

_COLLAPSIBLE = bytes.maketrans(b"\t\n\r\f", b"    ")
_NEWLINE = re.compile(r"\r\n?|\n")
_SPACES = re.compile("  +")
# What a serializer escapes; the ampersand last.
_ESCAPED = ((b"&lt;", b"<"), (b"&gt;", b">"), (b"&nbsp;", "\xa0".encode()), (b"&amp;", b"&"))


class Lines(NamedTuple):
    """The lines of a page.

    Attributes:
        text: the lines, joined by newlines.
        element: the innermost element around all text of each line [lines].
        links: the share of its characters in links [lines].
        shown: whether any of it is shown [lines].
    """

    text: str
    element: I64
    links: F64
    shown: Bools


class _Texts(NamedTuple):
    """The texts of a page. Each is a text node, or one of its lines if white space is kept.

    Attributes:
        text: the texts, unescaped.
        token: the token before each text [texts].
        chars: characters without surrounding white space [texts].
        kept: whether its white space is kept [texts].
        breaks: whether a line break in the text node comes before it [texts].
    """

    text: list[str]
    token: I64
    chars: I64
    kept: Bools
    breaks: Bools


class _Flow(NamedTuple):
    """The numbers of lines. What is hidden does not interrupt the line around it.

    Attributes:
        hidden: whether each token is in a hidden element, also its own tags [tokens].
        outer, inner: lines started by tokens so far, outside and inside hidden elements [tokens].
        text_hidden: whether each text is in a hidden element [texts].
        text_outer, text_inner: as above, also with line breaks inside texts [texts].
    """

    hidden: Bools
    outer: I64
    inner: I64
    text_hidden: Bools
    text_outer: I64
    text_inner: I64


def find_lines(tokens: Tokens, tree: Tree) -> Lines:
    """Cut the text of a page into lines. Lines without characters are left out.

    The lines of a hidden element come after the line that it interrupts, or before it if that has
    no characters yet.

    >>> from ingest.readers.html_tokens import tokenize
    >>> from ingest.readers.html_tree import build_tree
    >>> tokens = tokenize(b"<html><p>a<b>c</b></p><p>d</p></html>")
    >>> lines = find_lines(tokens, build_tree(tokens))
    >>> lines.text.split(), lines.element.tolist()
    (['ac', 'd'], [1, 5])
    """
    texts = _find_texts(tokens, tree)
    rows = find_rows(tokens, tree, texts.text, texts.token)
    flow = _number_lines(texts, tree, rows.joined)
    order = _reading_order(texts, flow)
    number = np.where(flow.text_hidden, -flow.text_inner - 1, flow.text_outer)[order]
    token, chars, kept = texts.token[order], texts.chars[order], texts.kept[order]
    new_line = np.diff(number, prepend=number[:1]) != 0
    goes_on = ~(np.append(new_line[1:], np.ones(min(len(order), 1), bool)) | kept)
    unspaced, apart = find_unspaced(tokens, tree, texts.text, texts.token, order, goes_on=goes_on)
    new_line[unspaced[apart] + 1] = True
    line = np.cumsum(new_line)
    full = np.flatnonzero(chars)
    begins = np.flatnonzero(np.diff(line[full])) + 1
    first = full[np.concatenate((np.zeros(min(len(full), 1), np.int64), begins))]
    last = full[np.concatenate((begins - 1, np.full(min(len(full), 1), len(full) - 1)))]
    # Of a line with characters, what comes before them counts only if white space is kept
    begin = np.full(line[-1] + 1 if len(line) else 0, len(line))
    begin[line[first]] = first
    begin = begin[line]
    used = (np.arange(len(line)) >= begin) | (kept & (begin < len(line)))
    is_used = np.zeros(len(order), bool)
    is_used[order] = used
    cells = _before_cells(texts.token[order], rows.joined)
    spaces = np.concatenate(
        (_before_links(tokens, tree, texts, flow, is_used), order[unspaced], order[cells])
    )
    text = _join(texts, spaces, order[used], line[used])
    linked = _sums(line, chars * _inside(tree, LINK)[token], first)
    if tree.shown is None:
        shown = np.ones(len(first), bool)
    else:
        shown = _sums(line, (chars > 0) & tree.shown[token], first) > 0
    element = first_cells(rows, tree, _around(tree, token[first], token[last]), token[first])
    return Lines(text, element, linked / _sums(line, chars, first), shown)


def _before_cells(token: I64, joined: Bools) -> I64:
    """The texts after which another cell of a row begins, by their places in reading order."""
    tags = np.cumsum(joined)[token]
    return np.flatnonzero(np.diff(tags))


def _sums(line: I64, values: I64 | Bools, first: I64) -> F64:
    """The sum of values of texts in each line, given a text of each."""
    return np.bincount(line, values, minlength=1)[line[first]].astype(np.float64)


def _find_texts(tokens: Tokens, tree: Tree) -> _Texts:
    begin, stop = tokens.end[:-1] + 1, tokens.start[1:]
    token = np.flatnonzero((stop > begin) & ~tree.invisible[:-1])
    data = tokens.data
    pieces = [data[a:b] for a, b in zip(begin[token].tolist(), stop[token].tolist(), strict=True)]
    joined = BETWEEN_TEXTS.join(pieces)
    kept = _inside(tree, KEEP_SPACE)[token]
    text = _unescape(joined.translate(_COLLAPSIBLE)) if len(token) else []
    breaks = np.zeros(len(token), bool)
    if kept.any():
        places = np.flatnonzero(kept)
        unchanged = _unescape(BETWEEN_TEXTS.join([pieces[n] for n in places.tolist()]))
        parts = [_NEWLINE.split(part) for part in unchanged]
        counts = np.ones(len(token), np.int64)
        counts[places] = list(map(len, parts))
        text = _replace_each(text, places.tolist(), parts)
        breaks = np.ones(len(text), bool)
        breaks[np.cumsum(counts) - counts] = False
        token, kept = np.repeat(token, counts), np.repeat(kept, counts)
    chars = np.fromiter(map(len, map(str.strip, text)), np.int64, len(text))
    return _Texts(text, token, chars, kept, breaks)


def _unescape(joined: bytes) -> list[str]:
    for escaped, plain in _ESCAPED:
        joined = joined.replace(escaped, plain)
    return joined.decode("utf-8", "replace").split(BETWEEN_TEXTS.decode())


def _replace_each(text: list[str], places: list[int], parts: list[list[str]]) -> list[str]:
    """Replace some texts by their parts."""
    replaced: list[str] = []
    last = 0
    for place, lines in zip(places, parts, strict=True):
        replaced += text[last:place]
        replaced += lines
        last = place + 1
    return replaced + text[last:]


def _inside(tree: Tree, kind: int) -> Bools:
    """Whether what comes after each token is in an element of a kind."""
    tags = np.flatnonzero(tree.properties & kind)
    return within(tags[tree.close[tags] > tags], tree.close)


def _number_lines(texts: _Texts, tree: Tree, joined: Bools) -> _Flow:
    breaks = ((tree.properties & (BLOCK | LINE_BREAK)) != 0) & ~joined
    hidden = np.zeros(len(breaks), bool)
    inner_breaks = np.zeros(len(breaks), bool)
    text_hidden = np.zeros(len(texts.token), bool)
    for start, end in tree.regions.tolist():
        hidden[start : end + 1] = True
        inner_breaks[start] = True
        text_hidden[slice(*np.searchsorted(texts.token, (start, end)))] = True
    outer = np.cumsum(breaks & ~hidden)
    inner = np.cumsum((breaks & hidden) | inner_breaks)
    text_outer, text_inner = outer[texts.token], inner[texts.token]
    if texts.kept.any():
        text_outer += np.cumsum(texts.breaks & ~text_hidden)
        text_inner += np.cumsum(texts.breaks & text_hidden)
    return _Flow(hidden, outer, inner, text_hidden, text_outer, text_inner)


def _reading_order(texts: _Texts, flow: _Flow) -> I64:
    """The texts with those of hidden elements before or after the line that they interrupt."""
    places = np.arange(len(texts.token))
    if not flow.text_hidden.any():
        return places
    outside = np.flatnonzero((texts.chars > 0) & ~flow.text_hidden)
    first = np.full(int(flow.text_outer[-1]) + 1, len(places))
    np.minimum.at(first, flow.text_outer[outside], outside)
    after = first[flow.text_outer] < places
    rank = 3 * flow.text_outer + np.where(flow.text_hidden, np.where(after, 2, 0), 1)
    return np.argsort(rank, kind="stable")


def _join(texts: _Texts, spaces: I64, order: I64, line: I64) -> str:
    """The text of the page, with white space collapsed unless it is kept.

    Args:
        texts: all texts.
        spaces: texts that are followed by a space.
        order: the texts of the page, in reading order.
        line: the line of each [order].
    """
    parts = texts.text
    for n in spaces.tolist():
        parts[n] += " "
    between = BETWEEN_TEXTS.decode()  # for a space that is kept
    for n in order[texts.kept[order]].tolist():
        parts[n] = parts[n].replace(" ", between)
    for n in order[np.flatnonzero(np.diff(line))].tolist():
        parts[n] += "\n"
    text = _SPACES.sub(" ", "".join(map(parts.__getitem__, order.tolist())))
    return text.replace(" \n", "\n").replace("\n ", "\n").strip(" ").replace(between, " ")


def _before_links(tokens: Tokens, tree: Tree, texts: _Texts, flow: _Flow, used: Bools) -> I64:
    """The texts that are followed by a space, since browsers show adjacent links apart.

    Links are adjacent if no text is between them. Text whose white space is kept does not count.
    """
    is_link = (tree.properties & LINK) != 0
    places = np.arange(len(is_link))
    ended = np.maximum.accumulate(np.where(is_link & tokens.closes, places, -1))
    text = np.full(len(is_link), -1)
    between = texts.token[used & ~texts.kept]
    text[between] = between
    text[tree.roots] = tree.roots  # another page
    text = np.maximum.accumulate(text)
    links = np.flatnonzero(is_link & tokens.opens)
    links = links[ended[links] > text[links - 1]]
    if not len(links) or not len(texts.token):
        return np.zeros(0, np.int64)
    before = np.searchsorted(texts.token, links)  # texts before each link
    hidden = flow.hidden[links]
    found = [np.zeros(0, np.int64)]
    for inside, by_token, by_text in (
        (False, flow.outer, flow.text_outer),
        (True, flow.inner, flow.text_inner),
    ):
        mine = flow.text_hidden == inside
        broken = np.cumsum(np.append(0, texts.breaks & mine))
        latest = np.maximum.accumulate(
            np.append(-1, np.where(used & mine, np.arange(len(mine)), -1))
        )
        chosen = hidden == inside
        last = latest[before[chosen]]
        line = by_token[links[chosen]] + broken[before[chosen]]
        found.append(last[(last >= 0) & (by_text[last] == line)])
    return np.concatenate(found)


def _around(tree: Tree, first: I64, last: I64) -> I64:
    """The innermost elements around everything from some tokens to others."""
    if not len(first):
        return first
    spans = np.stack((first, last + 1), axis=1).ravel()
    depth = np.minimum.reduceat(tree.depth, spans)[0::2]
    element = tree.inner[first]
    below = np.flatnonzero(tree.depth[element] > depth)
    while len(below):
        element[below] = tree.parent[element[below]]
        below = below[tree.depth[element[below]] > depth[below]]
    return element
