"""Find the columns of the two texts by name, and those that are imported besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from ingest import frames
from ingest.errors import SourceError
from ingest.frames import TURNED
from ingest.pairs.names import SOURCE, TARGET, Name, has_text_word, parse_name

TEXTS = ("source_text", "target_text")  # names of the columns of a table that has none
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
_ROW_LANGUAGE, _ROW_TEXT = {"lang", "language"}, {"text", "sentence"}  # of long tables
_PAIR_COLUMNS = frames.schema(frames.PAIRS)
_OWN_MARKS = {"pair_id", "method"}  # every file of pairs that ingest wrote has both
_TURNED_ROLES = ([TARGET, SOURCE], [TARGET, None], [None, SOURCE])
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


def find_text_columns(
    names: Sequence[str],
    langs: tuple[str, str] | None,
    chosen: tuple[str, str] | None = None,
) -> TextColumns | None:
    """Find the columns of both texts; None if the names are unclear.

    Args:
        names: names of all columns.
        langs: source and target language, to choose between several.
        chosen: columns of the source and target that the user names.

    >>> find_text_columns(["id", "English", "Arabic"], None)
    TextColumns(texts=('English', 'Arabic'), langs=('en', 'ar'), row_langs=None)
    >>> find_text_columns(["en", "ar", "fr"], ("ar", "fr")).texts
    ('ar', 'fr')
    >>> find_text_columns(["original", "translation", "domain"], None).texts
    ('original', 'translation')
    """
    by_lower = {name.strip().lower(): name for name in reversed(names)}
    row_langs = _find_both(by_lower, _LANG_NAMES)
    if chosen:
        found = [name if name in names else by_lower.get(name.strip().lower()) for name in chosen]
        texts = (found[0], found[1]) if found[0] and found[1] else None
        return TextColumns(texts, _languages(texts), row_langs) if texts else None
    if texts := _find_both(by_lower, _TEXT_NAMES):
        return TextColumns(texts, None, row_langs)
    parsed = {name: meaning for name in names if (meaning := parse_name(name))}
    texts = _find_by_language(parsed, langs)
    if texts and not langs and [parsed[name].role for name in texts] in _TURNED_ROLES:
        texts = texts[::-1]
    texts = texts or _find_by_role(parsed)
    return TextColumns(texts, _languages(texts), row_langs) if texts else None


def _find_by_language(
    parsed: Mapping[str, Name], langs: tuple[str, str] | None
) -> tuple[str, str] | None:
    """Find two columns named by languages, which have no other words or the same ones."""
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for name, meaning in parsed.items():
        if meaning.lang:
            groups.setdefault(meaning.rest, {}).setdefault(meaning.lang, name)
    matches = [texts for group in groups.values() if (texts := _choose(group, langs))]
    if () in groups and (plain := _choose(groups[()], langs)):
        return plain
    return matches[0] if len(matches) == 1 else None


def _choose(by_lang: dict[str, str], langs: tuple[str, str] | None) -> tuple[str, str] | None:
    if len(by_lang) > 2 and not langs:
        by_lang = {lang: name for lang, name in by_lang.items() if name.lower() not in _AMBIGUOUS}
    if langs and all(lang in by_lang for lang in langs):
        return by_lang[langs[0]], by_lang[langs[1]]
    if len(by_lang) != 2:
        return None
    first, second = by_lang.values()
    return first, second


def _find_by_role(parsed: Mapping[str, Name]) -> tuple[str, str] | None:
    """Find a source and a target; one of them may be named by its language, or only as text."""
    named = {name: meaning for name, meaning in parsed.items() if not meaning.rest}
    sources, targets = (
        [name for name, meaning in named.items() if meaning.role == role and not meaning.lang]
        for role in (SOURCE, TARGET)
    )
    if sources and targets:
        return sources[0], targets[0]
    counted = {meaning.counter: name for name, meaning in named.items() if meaning.counter}
    if len(counted) == 2 and not sources and not targets:
        return counted[1], counted[2]
    of_language = [name for name, meaning in named.items() if meaning.lang]
    of_text = [n for n, m in named.items() if not m.lang and not m.role and has_text_word(n)]
    other = of_language if len(of_language) == 1 else [] if of_language else of_text
    if len(other) == 1 and len(targets) == 1:
        return other[0], targets[0]
    # `source` beside plain text is where the text comes from
    return (sources[0], other[0]) if len(sources) == len(of_language) == 1 else None


def _languages(texts: tuple[str, str]) -> tuple[str, str] | None:
    """Return the languages that two columns are named by; None if one is not, or both are one."""
    names = [parse_name(name) for name in texts]
    source, target = (name.lang if name else None for name in names)
    return (source, target) if source and target and source != target else None


def extra_columns(names: Sequence[str]) -> pl.Schema:
    """Return the columns besides those of PAIRS to import from a table.

    >>> list(extra_columns(["pair_id", "method", "quality", "mine"]))
    ['quality']
    """
    own = is_written_by_ingest(names)
    return pl.Schema({n: dtype for n, dtype in _STEP_COLUMNS.items() if own and n in names})


def is_written_by_ingest(names: Sequence[str]) -> bool:
    """Return whether a table with these columns is one that ingest wrote.

    >>> is_written_by_ingest(["pair_id", "source_text", "target_text", "method"])
    True
    """
    return set(names) >= _OWN_MARKS


def is_pair_column(name: str) -> bool:
    """Return whether pairs of ingest can have this column."""
    return name in _PAIR_COLUMNS or name in _STEP_COLUMNS


def unclear_columns_error(table: str, names: Sequence[str]) -> SourceError:
    """Return the error for a table whose text columns are unclear."""
    listed = ", ".join(repr(name[:40]) for name in names[:20])
    lower = {name.strip().lower() for name in names}
    if "messages" in lower or lower >= {"role", "content"}:
        return SourceError(
            f"{table}: has conversations, not pairs; write each pair as an object "
            'such as {"ar": "…", "en": "…"}'
        )
    if lower & _ROW_LANGUAGE and lower & _ROW_TEXT:
        return SourceError(
            f"{table}: its columns are {listed}: each row has one text and its language; make a "
            "table with a row for each pair and a column for each language"
        )
    return SourceError(
        f"{table}: its columns are {listed}; cannot tell which two hold the texts. Name them with "
        "--source-column and --target-column. If there are more than two languages, choose two "
        "with --langs"
    )


def missing_column_error(table: str, missing: str, names: Sequence[str]) -> SourceError:
    """Return the error for a table without a column that the user names."""
    listed = ", ".join(repr(name[:40]) for name in names[:20])
    return SourceError(f"{table}: has no column {missing!r}; its columns are {listed}")


def _find_both(
    by_lower: dict[str, str], aliases: tuple[tuple[str, ...], ...]
) -> tuple[str, str] | None:
    source, target = (
        next((by_lower[name] for name in side if name in by_lower), None) for side in aliases
    )
    return (source, target) if source and target else None
