"""The markup of segments, such as `body div#main.post[role=main] p`, taken apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, Bools

_ELEMENT = (
    r"^(?<tag>[^#.\[\s]+)(?:#(?<id>[^.\[\s]+))?(?<classes>(?:\.[^\[\s]+)?)(?<attributes>(?:\[\S*)?)"
)
_ATTRIBUTE = r"\[\w+=[^\]]*"
# fooBar, foo-bar, foo_bar and foo2bar have the words foo and bar; in HTMLPage, the words are HTML
# and Page.
_CAPITALS_END = r"(\p{Lu})(\p{Lu}\p{Ll})"
_WORD = r"\p{Lu}?\p{Ll}+|\p{Lu}+|\p{Lo}+"
_NAME_ATTRIBUTES = ("role", "itemprop", "property", "rel")


class Names(NamedTuple):
    """Strings that belong to elements.

    Attributes:
        element: int64 [names], the number of the element; ascending.
        number: int64 [names], the number of its name in `distinct`.
        distinct: the distinct names, in lower case.
    """

    element: I64
    number: I64
    distinct: list[str]

    def marks(self, names: frozenset[str], elements: int) -> Bools:
        """Whether each of so many elements has one of some names."""
        wanted = np.array([name in names for name in self.distinct], bool)
        marked = np.zeros(elements, bool)
        if len(wanted):
            marked[self.element[wanted[self.number]]] = True
        return marked


class Elements(NamedTuple):
    """What elements are called. An element without a tag has no names either.

    Attributes:
        tags: the distinct tags; the first one is empty.
        tag: int64 [elements], the tag of each.
        words: the words of ids and classes.
        values: the values of the attributes that name things, such as role.
        value_words: the words of these values.
        has_lang: bool [elements], whether it has an attribute lang.
    """

    tags: list[str]
    tag: I64
    words: Names
    values: Names
    value_words: Names
    has_lang: Bools


def parse_elements(texts: pl.Series) -> Elements:
    """Parse elements.

    >>> elements = parse_elements(pl.Series(["div#mainText.post[role=articleBody]", "HTMLPage"]))
    >>> elements.tags, elements.tag.tolist(), elements.words.distinct
    (['', 'div', 'HTMLPage'], [1, 2], ['main', 'text', 'post'])
    >>> elements.values.distinct, elements.value_words.distinct
    (['articlebody'], ['article', 'body'])
    """
    parts = pl.DataFrame({"part": texts.cast(pl.String).str.extract_groups(_ELEMENT)})
    parts = parts.unnest("part").with_row_index("element").with_columns(pl.col("tag").fill_null(""))
    tags = pl.concat([pl.Series("tag", [""]), parts["tag"]]).unique(maintain_order=True)
    numbers = pl.DataFrame({"tag": tags, "number": np.arange(len(tags))})
    tag = parts.join(numbers, on="tag", how="left", maintain_order="left")["number"]
    attributes = (
        parts.filter(pl.col("attributes") != "")
        .select("element", pair=pl.col("attributes").str.extract_all(_ATTRIBUTE))
        .explode("pair", empty_as_null=False)
        .select(
            "element",
            key=pl.col("pair").str.extract(r"^\[(\w+)"),
            value=pl.col("pair").str.extract(r"=(.*)$"),
        )
    )
    values = attributes.filter(pl.col("key").is_in(_NAME_ATTRIBUTES)).select("element", "value")
    has_lang = np.zeros(len(texts), bool)
    has_lang[attributes.filter(pl.col("key") == "lang")["element"].to_numpy()] = True
    named = parts.filter((pl.col("classes") != "") | pl.col("id").is_not_null())
    return Elements(
        tags.to_list(),
        tag.to_numpy().astype(np.int64),
        _find_words(named, pl.concat_str(pl.col("id").fill_null(""), "classes", separator=" ")),
        _number_names(values.with_columns(name=pl.col("value").str.to_lowercase())),
        _find_words(values, pl.col("value")),
        has_lang,
    )


def _find_words(frame: pl.DataFrame, names: pl.Expr) -> Names:
    """The words of some names of each element."""
    apart = names.str.replace_all(_CAPITALS_END, "$1 $2")
    words = frame.select("element", name=apart.str.extract_all(_WORD))
    words = words.explode("name", empty_as_null=False)
    return _number_names(words.with_columns(pl.col("name").str.to_lowercase()))


def _number_names(frame: pl.DataFrame) -> Names:
    distinct = frame["name"].unique(maintain_order=True)
    numbers = pl.DataFrame({"name": distinct, "number": np.arange(len(distinct))})
    joined = frame.join(numbers, on="name", how="left", maintain_order="left")
    element, number = (joined[c].to_numpy().astype(np.int64) for c in ("element", "number"))
    return Names(element, number, distinct.to_list())


class MarkupTable(NamedTuple):
    """The elements of the distinct markups of a batch; each distinct element is parsed once.

    Attributes:
        texts: the distinct markups.
        row_of: int64 [segments], the markup of each segment; `rows` for text without markup.
        rows: the number of distinct markups.
        row: int64 [places], the markup that an element belongs to; ascending.
        distance: int64 [places], its distance from the text; 0 is the innermost, which comes first.
        element: int64 [places], its number in `elements`.
        elements: the distinct elements.
    """

    texts: pl.Series
    row_of: I64
    rows: int
    row: I64
    distance: I64
    element: I64
    elements: Elements


def table_markup(markup: pl.Series) -> MarkupTable:
    """Take the markup of segments apart.

    >>> table = table_markup(pl.Series(["body p", None, "body p b"]))
    >>> table.row_of.tolist(), [table.elements.tags[n + 1] for n in table.element]
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
        distinct,
        row_of["row"].fill_null(len(distinct)).to_numpy().astype(np.int64),
        len(distinct),
        row,
        np.arange(len(row)) - starts[row] if len(row) else row,
        number.to_numpy().astype(np.int64),
        parse_elements(texts),
    )
