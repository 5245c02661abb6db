"""The words of a segment's markup that the role model knows, by how far away their element is."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F64, I64
from ingest.labelling.markup import parse_element

_LONGEST_WORD, _LONGEST_VALUE = 19, 24  # longer names are hashes and say nothing
# The digit that stands for an element's distance from the text in a token, innermost first.
_ZONES, _FAR = "0112222", "3"
_ROWS = 1 << 7  # distinct markups whose vectors are held at once


def markup_tokens(markup: str) -> set[str]:
    """Split markup into tokens: the zone, then the tag, a word of an id or class, or an attribute.

    >>> sorted(markup_tokens("body#top div.postComments p"))
    ['0<p', '1:comments', '1:post', '1<div', 'b:top']
    """
    tokens: set[str] = set()
    for distance, element in enumerate(reversed(markup.split(" "))):
        tokens |= _element_tokens(element, _zone(distance))
    return tokens


def sum_token_vectors(
    markup: pl.Series, vocabulary: dict[str, int], vectors: F64
) -> tuple[F64, I64]:
    """Sum the vectors of the known tokens of each distinct markup.

    Returns:
        float64 [distinct markups + 1, width], whose last row is zero; and the row of each segment:
        int64 [segments], the last row for text without markup.
    """
    distinct = markup.unique(maintain_order=True).drop_nulls()
    row_of, token_of = _known_tokens(distinct, vocabulary)
    sums = np.zeros((len(distinct) + 1, vectors.shape[1]))
    for start in range(0, len(distinct), _ROWS):
        low, high = np.searchsorted(row_of, (start, start + _ROWS))
        if low < high:
            filled, starts = np.unique(row_of[low:high], return_index=True)
            sums[filled] = np.add.reduceat(vectors[token_of[low:high]], starts, axis=0)
    rows = pl.DataFrame({"markup": distinct, "row": np.arange(len(distinct))})
    joined = markup.to_frame("markup").join(rows, on="markup", how="left", maintain_order="left")
    return sums, joined["row"].fill_null(len(distinct)).to_numpy().astype(np.int64)


def _known_tokens(markup: pl.Series, vocabulary: dict[str, int]) -> tuple[I64, I64]:
    """The known tokens of each markup, each one once: rows of `markup` and tokens, sorted."""
    elements = (
        pl.DataFrame({"element": markup.str.split(" ")})
        .with_row_index("row")
        .with_columns(distance=pl.int_ranges(pl.col("element").list.len()).list.reverse())
        .explode("element", "distance")
        .with_columns(
            zone=pl.col("distance").replace_strict(
                dict(enumerate(_ZONES)), default=_FAR, return_dtype=pl.String
            )
        )
    )
    distinct = elements.select("element", "zone").unique(maintain_order=True)
    tokens = [
        [vocabulary[token] for token in _element_tokens(element, zone) if token in vocabulary]
        for element, zone in distinct.iter_rows()
    ]
    named = distinct.with_columns(token=pl.Series(tokens, dtype=pl.List(pl.Int64)))
    pairs = elements.join(named, on=["element", "zone"]).select("row", "token").explode("token")
    pairs = pairs.drop_nulls()
    size = max(len(vocabulary), 1)
    both = np.unique(pairs["row"].to_numpy().astype(np.int64) * size + pairs["token"].to_numpy())
    return both // size, both % size


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
