"""The words of a segment's markup that the role model knows, by how far away their element is."""

from __future__ import annotations

import numpy as np

from ingest._typing import F64, I64
from ingest.codepoints import expand_ranges
from ingest.labelling.markup import MarkupTable, parse_element
from ingest.labelling.token_vectors import sum_vectors

_LONGEST_WORD, _LONGEST_VALUE = 19, 24  # longer names are hashes and say nothing
# The digit that stands for an element's distance from the text in a token, innermost first.
_ZONES, _FAR = "0112222", "3"


def markup_tokens(markup: str) -> set[str]:
    """Split markup into tokens: the zone, then the tag, a word of an id or class, or an attribute.

    >>> sorted(markup_tokens("body#top div.postComments p"))
    ['0<p', '1:comments', '1:post', '1<div', 'b:top']
    """
    tokens: set[str] = set()
    for distance, element in enumerate(reversed(markup.split(" "))):
        tokens |= _element_tokens(element, _zone(distance))
    return tokens


def sum_token_vectors(markup: MarkupTable, vocabulary: dict[str, int], vectors: F64) -> F64:
    """Sum the vectors of the known tokens of each distinct markup.

    Returns:
        float64 [distinct markups + 1, width], whose last row is zero.
    """
    row_of, token_of = _known_tokens(markup, vocabulary)
    return sum_vectors(row_of, token_of, vectors, markup.rows + 1)


def _known_tokens(markup: MarkupTable, vocabulary: dict[str, int]) -> tuple[I64, I64]:
    """The known tokens of each markup, each one once: rows of the table and tokens, sorted."""
    zones = sorted({*_ZONES, _FAR})
    zone_of = np.array([zones.index(_zone(distance)) for distance in range(len(_ZONES) + 1)])
    zone = zone_of[np.minimum(markup.distance, len(_ZONES))]
    place, inverse = np.unique(markup.element * len(zones) + zone, return_inverse=True)
    tokens = []
    for number in place.tolist():
        text, zone_name = markup.texts[number // len(zones)], zones[number % len(zones)]
        named = _element_tokens(text, zone_name)
        tokens.append([vocabulary[token] for token in named if token in vocabulary])
    size = np.array([len(of_place) for of_place in tokens], np.int64)
    flat = np.array([token for of_place in tokens for token in of_place], np.int64)
    count, first = size[inverse], (np.cumsum(size) - size)[inverse]
    pairs = np.repeat(markup.row, count) * max(len(vocabulary), 1)
    pairs += flat[expand_ranges(first, count)]
    pairs.sort()
    pairs = pairs[np.r_[True, np.diff(pairs) > 0][: len(pairs)]]
    return pairs // max(len(vocabulary), 1), pairs % max(len(vocabulary), 1)


def _zone(distance: int) -> str:
    return _ZONES[distance] if distance < len(_ZONES) else _FAR


def _element_tokens(text: str, zone: str) -> set[str]:
    """The tokens of one element, such as `div#main.post`, in a zone."""
    tag, words, values, *_ = parse_element(text)
    if tag == "body":  # its names describe the whole page
        return {f"b:{word}" for word in words if 2 < len(word) <= _LONGEST_WORD}
    tokens = {f"{zone}:{word}" for word in words if 1 < len(word) <= _LONGEST_WORD}
    tokens.update(f"{zone}@{value[:_LONGEST_VALUE]}" for value in values)
    return {f"{zone}<{tag}", *tokens} if tag else tokens
