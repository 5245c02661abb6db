"""Rows of tables: each is one line, unless its cells hold other blocks or two languages."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from ingest._typing import I64, Bools
from ingest.readers.html_tokens import BLOCK, KNOWN, LINE_BREAK, Tokens
from ingest.readers.html_tree import Tree

_ROW = KNOWN.index("tr")
_CELLS = (KNOWN.index("td"), KNOWN.index("th"))
_ARABIC = re.compile(r"[\u0620-\u06d3]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


class Rows(NamedTuple):
    """The rows of a page that are lines.

    Attributes:
        rows: their elements, ascending [rows].
        joined: whether each token is a tag of a cell of one of them [tokens].
    """

    rows: I64
    joined: Bools


def find_rows(tokens: Tokens, tree: Tree, text: list[str], token: I64) -> Rows:
    """Find the rows that are lines.

    Args:
        tokens: the tags of the page.
        tree: its elements.
        text: its texts.
        token: the token before each text [texts].
    """
    number = len(tree.close)
    none = Rows(np.zeros(0, np.int64), np.zeros(number, bool))
    tag = np.where(tokens.opens, tokens.tag, -1)
    rows = np.flatnonzero((tag == _ROW) & (tree.close > np.arange(number)))
    if not len(rows):
        return none
    cells = np.flatnonzero(np.isin(tag, _CELLS) & (tree.close > np.arange(number)))
    is_cell = np.zeros(number, bool)
    is_cell[cells] = is_cell[tree.close[cells]] = True
    others = np.cumsum(((tree.properties & (BLOCK | LINE_BREAK)) != 0) & ~is_cell)
    rows = rows[others[tree.close[rows] - 1] == others[rows]]
    # A row that is hidden, or has hidden cells, is left as it is.
    for start, end in tree.regions.tolist():
        rows = rows[(rows > end) | (tree.close[rows] < start)]
    begin, end = np.searchsorted(token, rows), np.searchsorted(token, tree.close[rows])
    kept = [
        n
        for n, (first, last) in enumerate(zip(begin.tolist(), end.tolist(), strict=True))
        if last - first > 1 and _in_one_script(text[first:last])
    ]
    rows = rows[kept]
    if not len(rows):
        return none
    steps = np.zeros(number + 1, np.int64)
    steps[rows] += 1
    steps[tree.close[rows]] -= 1
    return Rows(rows, is_cell & (np.cumsum(steps)[:-1] > 0))


def first_cells(rows: Rows, tree: Tree, element: I64, token: I64) -> I64:
    """The elements of lines, where the first cell with text stands for its row.

    Args:
        rows: the rows that are lines.
        tree: the elements of the page.
        element: the element of each line [lines].
        token: the token before its first text [lines].
    """
    lines = np.flatnonzero(np.isin(element, rows.rows))
    cell = tree.inner[token[lines]]
    outer = element[lines]
    below = np.flatnonzero((cell != outer) & (tree.parent[cell] != outer))
    while len(below):
        cell[below] = tree.parent[cell[below]]
        below = below[tree.parent[cell[below]] != outer[below]]
    placed = element.copy()
    placed[lines] = cell
    return placed


def _in_one_script(texts: list[str]) -> bool:
    arabic = [_ARABIC.search(text) is not None for text in texts]
    if not any(arabic):
        return True
    return all(
        is_arabic or not _LATIN.search(text) for is_arabic, text in zip(arabic, texts, strict=True)
    )
