"""The markup of segments, such as `body div#main.post[role=main] p`, taken apart."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import polars as pl
import regex

from ingest._typing import I64

_ELEMENT = re.compile(r"([^#.\[\s]+)(?:#([^.\[\s]+))?((?:\.[^\[\s]+)?)((?:\[[^\s]*)?)")
_ATTRIBUTE = re.compile(r"\[(\w+)=([^\]]*)\]?")
# splits fooBar, foo-bar, foo_bar and foo2bar into foo and bar
_WORD = regex.compile(r"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{Lo}+")
_ASCII_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # the same, several times as fast
_NAME_ATTRIBUTES = frozenset(("role", "itemprop", "property", "rel"))


class Element(NamedTuple):
    """What an element is called, in lower case.

    Attributes:
        tag: its tag; empty if the text is not an element.
        words: the words of its id and classes.
        values: the values of the attributes that name things, such as role.
        value_words: the words of these values.
        has_lang: whether it has an attribute lang.
    """

    tag: str
    words: tuple[str, ...]
    values: tuple[str, ...]
    value_words: tuple[str, ...]
    has_lang: bool


@lru_cache(1 << 13)
def parse_element(text: str) -> Element:
    """Parse an element.

    >>> parse_element("div#mainText.post[role=articleBody]")[:4]
    ('div', ('main', 'text', 'post'), ('articlebody',), ('article', 'body'))
    """
    match = _ELEMENT.match(text)
    if match is None:
        return Element("", (), (), (), has_lang=False)
    tag, name, classes, attributes = match.groups(default="")
    pairs = _ATTRIBUTE.findall(attributes)
    values = [value for key, value in pairs if key in _NAME_ATTRIBUTES]
    return Element(
        tag,
        _words(f"{name} {classes}"),
        tuple(value.lower() for value in values),
        _words(" ".join(values)),
        has_lang=any(key == "lang" for key, _ in pairs),
    )


def _words(names: str) -> tuple[str, ...]:
    pattern = _ASCII_WORD if names.isascii() else _WORD
    return tuple(word.lower() for word in pattern.findall(names))


class MarkupTable(NamedTuple):
    """The elements of the distinct markups of a batch; each distinct element is parsed once.

    Attributes:
        row_of: int64 [segments], the markup of each segment; `rows` for text without markup.
        rows: the number of distinct markups.
        row: int64 [places], the markup that an element belongs to; ascending.
        distance: int64 [places], its distance from the text; 0 is the innermost, which comes first.
        element: int64 [places], its number in `elements`.
        texts: the distinct elements.
        elements: the same, parsed.
    """

    row_of: I64
    rows: int
    row: I64
    distance: I64
    element: I64
    texts: list[str]
    elements: list[Element]


def table_markup(markup: pl.Series) -> MarkupTable:
    """Take the markup of segments apart.

    >>> table = table_markup(pl.Series(["body p", None, "body p b"]))
    >>> table.row_of.tolist(), [table.texts[n] for n in table.element]
    ([0, 2, 1], ['p', 'body', 'b', 'p', 'body'])
    """
    distinct = markup.unique(maintain_order=True).drop_nulls()
    rows = pl.DataFrame({"markup": distinct, "row": np.arange(len(distinct))})
    row_of = markup.to_frame("markup").join(rows, on="markup", how="left", maintain_order="left")
    places = (
        pl.DataFrame({"element": distinct.str.split(" ").list.reverse()})
        .with_row_index("row")
        .explode("element")
    )
    texts = places["element"].unique(maintain_order=True)
    numbers = pl.DataFrame({"element": texts, "number": np.arange(len(texts))})
    row = places["row"].to_numpy().astype(np.int64)
    starts = np.searchsorted(row, np.arange(len(distinct)))
    number = places.join(numbers, on="element", how="left", maintain_order="left")["number"]
    return MarkupTable(
        row_of["row"].fill_null(len(distinct)).to_numpy().astype(np.int64),
        len(distinct),
        row,
        np.arange(len(row)) - starts[row] if len(row) else row,
        number.to_numpy().astype(np.int64),
        texts.to_list(),
        [parse_element(text) for text in texts],
    )
