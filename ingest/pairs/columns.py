"""Find the columns of the two texts by name, and those that are imported besides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from ingest import frames
from ingest.errors import SourceError
from ingest.frames import TURNED
from ingest.pairs.languages import language_of_column

_TEXT_NAMES = (
    ("source_text", "source", "src", "source_sentence", "src_text"),
    ("target_text", "target", "tgt", "target_sentence", "tgt_text", "trg"),
)
_LANG_NAMES = (
    ("source_lang", "src_lang", "source_language"),
    ("target_lang", "tgt_lang", "target_language"),
)
# Columns that later steps add. They are only imported from files that ingest itself wrote, since
# elsewhere the same name may mean something else.
_STEP_COLUMNS = {
    **frames.schema(
        frames.ALIGNED, frames.TRANSLATED, frames.SCORED, frames.FILTERED, frames.SPLIT
    ),
    TURNED: pl.Boolean(),
}
_PAIR_COLUMNS = frames.schema(frames.PAIRS)
_OWN_MARKS = {"pair_id", "method"}  # every file of pairs that ingest wrote has both
_AMBIGUOUS = {"id", "no"}  # language codes that are usually something else in a header


class TextColumns(NamedTuple):
    """The columns of a table of pairs.

    Attributes:
        texts: columns of the source and target text.
        langs: languages that these columns are named by, or None.
        row_langs: columns with the language of each row's source and target, or None.
    """

    texts: tuple[str, str]
    langs: tuple[str, str] | None
    row_langs: tuple[str, str] | None


def find_text_columns(names: Sequence[str], langs: tuple[str, str] | None) -> TextColumns | None:
    """Find the columns of both texts; None if the names are unclear.

    Args:
        names: names of all columns.
        langs: source and target language, to choose between several.

    >>> find_text_columns(["id", "English", "Arabic"], None)
    TextColumns(texts=('English', 'Arabic'), langs=('en', 'ar'), row_langs=None)
    >>> find_text_columns(["en", "ar", "fr"], ("ar", "fr")).texts
    ('ar', 'fr')
    """
    by_lower = {name.strip().lower(): name for name in reversed(names)}
    row_langs = _find_both(by_lower, _LANG_NAMES)
    if texts := _find_both(by_lower, _TEXT_NAMES):
        return TextColumns(texts, None, row_langs)
    by_lang: dict[str, str] = {}
    for name in names:
        if lang := language_of_column(name):
            by_lang.setdefault(lang, name)
    if len(by_lang) > 2 and not langs:
        by_lang = {lang: name for lang, name in by_lang.items() if lang not in _AMBIGUOUS}
    if langs and all(lang in by_lang for lang in langs):
        return TextColumns((by_lang[langs[0]], by_lang[langs[1]]), langs, row_langs)
    if len(by_lang) != 2:
        return None
    (source_lang, source), (target_lang, target) = by_lang.items()
    return TextColumns((source, target), (source_lang, target_lang), row_langs)


def extra_columns(names: Sequence[str]) -> pl.Schema:
    """Return the columns besides those of PAIRS to import from a table.

    >>> list(extra_columns(["pair_id", "method", "quality", "mine"]))
    ['quality']
    """
    written_by_ingest = set(names) >= _OWN_MARKS
    return pl.Schema(
        {n: dtype for n, dtype in _STEP_COLUMNS.items() if written_by_ingest and n in names}
    )


def is_pair_column(name: str) -> bool:
    """Return whether pairs of ingest can have this column."""
    return name in _PAIR_COLUMNS or name in _STEP_COLUMNS


def unclear_columns_error(table: str, names: Sequence[str]) -> SourceError:
    """Return the error for a table whose text columns are unclear."""
    listed = ", ".join(repr(name[:40]) for name in names[:20])
    return SourceError(
        f"{table}: its columns are {listed}; cannot tell which two hold the texts. Name them "
        "source_text and target_text, or by their languages, such as ar and en. If there are "
        "more than two languages, choose two with --langs"
    )


def _find_both(
    by_lower: dict[str, str], aliases: tuple[tuple[str, ...], ...]
) -> tuple[str, str] | None:
    source, target = (
        next((by_lower[name] for name in side if name in by_lower), None) for side in aliases
    )
    return (source, target) if source and target else None
