"""The words of a segment's markup that the role model knows, by how far away their element is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ingest._typing import F32, I64
from ingest.codepoints import expand_ranges
from ingest.labelling.markup import Elements, MarkupTable, Names
from ingest.labelling.token_vectors import sum_vectors

_LONGEST_WORD, _LONGEST_VALUE = 19, 24  # longer names are hashes and say nothing
# The first letter of a token: an element's distance from the text, innermost first; or <body>,
# whose names describe the whole page.
_ZONES = "0123b"
_ZONE_OF_DISTANCE = np.array([0, 1, 1, 2, 2, 2, 2, 3])
_BODY = 4


class TokenTable(NamedTuple):
    """Known tokens.

    Attributes:
        numbers: the number of each name, such as `:main`, `<div` or `@article`.
        rows: int64 [names + 1, zones], the row of each token in a table of vectors; -1 if unknown.
            The last name is unknown.
    """

    numbers: dict[str, int]
    rows: I64


def build_token_table(tokens: Sequence[str]) -> TokenTable:
    """Number the names in tokens.

    >>> table = build_token_table(["0:main", "1:main", "0<p"])
    >>> table.numbers, table.rows.tolist()[:2]
    ({':main': 0, '<p': 1}, [[0, 1, -1, -1, -1], [2, -1, -1, -1, -1]])
    """
    numbers: dict[str, int] = {}
    for token in tokens:
        numbers.setdefault(token[1:], len(numbers))
    rows = np.full((len(numbers) + 1, len(_ZONES)), -1)
    for row, token in enumerate(tokens):
        rows[numbers[token[1:]], _ZONES.index(token[0])] = row
    return TokenTable(numbers, rows)


def markup_tokens(markup: MarkupTable) -> list[set[str]]:
    """The tokens of each distinct markup: a zone, then a tag, a word, or a value of an attribute.

    >>> import polars as pl
    >>> from ingest.labelling.markup import table_markup
    >>> table = table_markup(pl.Series(["body#top div.postComments p"]))
    >>> sorted(markup_tokens(table)[0])
    ['0<p', '1:comments', '1:post', '1<div', 'b:top']
    """
    names, zone = _find_names(markup.elements), _zones(markup)
    first = np.searchsorted(names.element, np.arange(len(markup.elements.tag) + 1))
    tokens: list[set[str]] = [set() for _ in range(markup.rows)]
    for row, element, number in zip(markup.row, markup.element, zone, strict=True):
        for name in names.number[first[element] : first[element + 1]]:
            tokens[row].add(_ZONES[number] + names.distinct[name])
    return tokens


def sum_token_vectors(markup: MarkupTable, table: TokenTable, vectors: F32) -> F32:
    """Sum the vectors of the known tokens of each distinct markup.

    Returns:
        float32 [distinct markups + 1, width], whose last row is zero.
    """
    row_of, token_of = _known_tokens(markup, table)
    return sum_vectors(row_of, token_of, vectors, markup.rows + 1)


def _known_tokens(markup: MarkupTable, table: TokenTable) -> tuple[I64, I64]:
    """The known tokens of each markup, each one once: rows of the table and tokens, sorted."""
    names = _find_names(markup.elements)
    unknown = len(table.numbers)
    number = np.array([table.numbers.get(name, unknown) for name in names.distinct], np.int64)
    known = number[names.number] < unknown
    owner, of_owner = names.element[known], number[names.number[known]]
    elements = len(markup.elements.tag)
    size = np.bincount(owner, minlength=elements)
    count, first = size[markup.element], (np.cumsum(size) - size)[markup.element]
    token = table.rows[of_owner[expand_ranges(first, count)], np.repeat(_zones(markup), count)]
    tokens = max(int(table.rows.max(initial=-1)) + 1, 1)
    pairs = (np.repeat(markup.row, count) * tokens + token)[token >= 0]
    pairs.sort()
    pairs = pairs[np.r_[True, np.diff(pairs) > 0][: len(pairs)]]
    return pairs // tokens, pairs % tokens


def _zones(markup: MarkupTable) -> I64:
    """The zone of each place of the table."""
    elements = markup.elements
    body = np.array([tag == "body" for tag in elements.tags], bool)[elements.tag]
    by_distance = _ZONE_OF_DISTANCE[np.minimum(markup.distance, len(_ZONE_OF_DISTANCE) - 1)]
    return np.where(body[markup.element], _BODY, by_distance)


def _find_names(elements: Elements) -> Names:
    """The names of elements that can be part of a token."""
    body = elements.tags.index("body") if "body" in elements.tags else -1
    words, values = elements.words, elements.values
    tag = np.flatnonzero(elements.tag > 0)
    size = np.array([len(word) for word in words.distinct], np.int64)[words.number]
    fits = (size > 1 + (elements.tag[words.element] == body)) & (size <= _LONGEST_WORD)
    parts = [
        (words.element[fits], words.number[fits], [f":{word}" for word in words.distinct]),
        (tag, elements.tag[tag], [f"<{name}" for name in elements.tags]),
        (values.element, values.number, [f"@{v[:_LONGEST_VALUE]}" for v in values.distinct]),
    ]
    element = np.concatenate([part[0] for part in parts])
    first = np.repeat(
        np.cumsum([0, *(len(part[2]) for part in parts[:-1])]), [len(part[0]) for part in parts]
    )
    number = np.concatenate([part[1] for part in parts]) + first
    # Of <body>, only words count.
    counts = np.flatnonzero((elements.tag[element] != body) | (first == 0))
    order = counts[np.argsort(element[counts], kind="stable")]
    return Names(element[order], number[order], [name for part in parts for name in part[2]])
