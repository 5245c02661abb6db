"""Comments and references below a text, told by their headings and by the names of containers."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest import phrases
from ingest._typing import I64, Bools
from ingest.labelling.markup import MarkupTable
from ingest.page_spans import PageSpans
from ingest.text import comparable

# How long a section of each kind may be, compared with the text above it.
_LONGEST = {"comment": 3.0, "reference": 3.0}
_LONGEST_HEADING = 120  # bytes
# A line of a bibliography as Wikipedia and its like print it: ↑ or ^, then where it is cited.
_ENTRY = r"^\s*(?:\[?\p{N}{1,3}\]?\.?\s*)?[\^↑]"


class _Signs(NamedTuple):
    """What tells a kind of section.

    Attributes:
        words: words of ids and classes.
        first_words: the words that its headings begin with.
        headings: a pattern of its headings.
    """

    words: frozenset[str]
    first_words: tuple[str, ...]
    headings: str


@cache
def _signs(kind: str) -> _Signs:
    lines = phrases.read_sections("sections.txt")[kind]
    headings = [line.removesuffix("*").strip() for line in lines if not line.startswith(".")]
    folded = pl.Series(headings).to_frame("text").select(_folded()).to_series().to_list()
    ends = [" .*" if line.endswith("*") else "" for line in lines if not line.startswith(".")]
    patterns = "|".join(f"{text}{end}" for text, end in zip(folded, ends, strict=True))
    words = frozenset(line[1:] for line in lines if line.startswith("."))
    first_words = tuple(sorted({text.split()[0] for text in folded}))
    return _Signs(words, first_words, f"^(?:{patterns})$")


def _folded() -> pl.Expr:
    """A heading for comparing: lower case letters, and single spaces."""
    letters = comparable(pl.col("text")).str.to_lowercase()
    return letters.str.replace_all(r"[^\p{L}\p{M}]+", " ").str.strip_chars()


def find_sections(
    segments: pl.DataFrame,
    markup: MarkupTable,
    is_content: Bools,
    is_heading: Bools,
    pages: PageSpans,
) -> dict[str, Bools]:
    """Find the content that is in fact comments or references, by kind: bool [segments].

    A section goes from its heading to the next heading on the page, or fills a container that is
    named so. It counts only below a text that is not much shorter: the replies of a forum thread
    are the text of their page, and so is a page of references.

    Args:
        segments: the column text.
        markup: the markup of the segments.
        is_content: whether each segment is content.
        is_heading: whether it is a headline or a subheading.
        pages: the pages of the batch.
    """
    text = pl.col("text")
    size = segments["text"].str.len_chars().to_numpy() * (is_content & ~is_heading)
    all_first_words = [word for kind in _LONGEST for word in _signs(kind).first_words]
    may_open = text.str.contains_any(all_first_words, ascii_case_insensitive=True)
    short = (
        segments.select("text")
        .with_row_index("row")
        .filter(text.str.len_bytes() <= _LONGEST_HEADING)
    )
    short = short.filter(may_open).select("row", text=_folded())
    entry = segments.select(text.str.contains(_ENTRY)).to_series().to_numpy()
    found = {}
    for kind, longest in _LONGEST.items():
        signs = _signs(kind)
        opens = np.zeros(len(segments), bool)
        opens[short.filter(text.str.contains(signs.headings))["row"].to_numpy()] = True
        named = markup.elements.words.marks(signs.words, len(markup.elements.tag))
        of_markup = np.zeros(markup.rows + 1, bool)
        if len(markup.row):
            of_markup[markup.row[named[markup.element]]] = True
        inside = of_markup[markup.row_of] | _below(opens, is_heading & ~opens, pages) | opens
        if kind == "reference":
            inside |= entry
        found[kind] = inside & is_content & _is_short(inside, size, longest, pages)
    found["reference"] &= ~found["comment"]
    return found


def _below(opens: Bools, ends: Bools, pages: PageSpans) -> Bools:
    """Whether the last boundary above each row of the page opens a section."""
    rows = np.arange(len(opens))
    last_open = np.maximum.accumulate(np.where(opens, rows, -1)) if len(rows) else rows
    last_end = np.maximum.accumulate(np.where(ends, rows, -1)) if len(rows) else rows
    below: Bools = (last_open >= pages.first[pages.page]) & (last_open > last_end)
    return below


def _is_short(inside: Bools, size: I64, longest: float, pages: PageSpans) -> Bools:
    """Whether a page has enough text before the first row inside, for the text that is inside."""
    rows = np.arange(len(inside))
    first = np.full(len(pages.first), len(rows))
    np.minimum.at(first, pages.page[inside], rows[inside])
    above = np.bincount(
        pages.page, weights=size * (rows < first[pages.page]), minlength=len(pages.first)
    )
    within = np.bincount(pages.page, weights=size * inside, minlength=len(pages.first))
    short: Bools = ((within <= longest * above) & (above > 0))[pages.page]
    return short
