"""Decide whether the first row of a table is a header, and which columns have the texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from ingest.errors import SourceError
from ingest.pairs.columns import TEXTS, find_text_columns, missing_column_error
from ingest.pairs.dictionaries import is_dictionary
from ingest.pairs.languages import detect_language

_TRANSLATION = "translation"  # name of a column of dictionaries
_MAX_NAME_CHARS = 60
_MAX_NAME_WORDS = 4
_MOST = 0.9  # share of the values of a column that must look alike
_NOT_LATIN = re.compile("[^\\W\\d_a-zA-Z\u00aa-\u024f]")
_LETTER = re.compile(r"[^\W\d_]")
_SENTENCE_END = re.compile(r"[.!?؟…،؛:]\s*\Z")
# Values of columns with addresses, identifiers and numbers; they hold no sentences.
_NOT_PROSE = re.compile(r"(?:\S*(?:\d|/|@)\S*|\W*|true|false)\Z", re.IGNORECASE)
_MAX_COLUMNS = 50  # of a table in whose texts languages are looked for
_BARS = " ||| "  # between the texts of a line, as fast_align reads them
_MUCH_LONGER = 3  # how much longer texts are than labels


class Header(NamedTuple):
    """The columns of a table without types.

    Attributes:
        names: a name for each column.
        has_row: whether the first row is the header, and so no data.
        guessed: whether this was concluded from the other rows, and not from known names.
    """

    names: list[str]
    has_row: bool
    guessed: bool = False


def find_header(
    rows: Sequence[list[str]],
    langs: tuple[str, str] | None,
    chosen: tuple[str, str] | None,
    name: str,
) -> Header:
    """Find the names of the columns from the first rows of a table.

    Args:
        rows: the first rows, at least one.
        langs: source and target language, or None.
        chosen: names or 1-based numbers of the columns of texts, or None.
        name: the table, for error messages.

    Raises:
        SourceError: it cannot be told which columns have the texts, or a chosen one is missing.
    """
    first = [cell.strip() for cell in rows[0]]
    others = [row for row in rows[1:] if len(row) == len(first)]
    at = None if chosen else _find_translation([first, *others])
    if at is not None:
        has_row = not is_dictionary(first[at])
        names = _distinct(first) if has_row else _numbers(first)
        names[at] = _TRANSLATION
        return Header(names, has_row)
    if len(first) == 1:
        if not any(len(row) == len(TEXTS) for row in rows):
            raise _one_column_error(name, rows)
        return Header(list(TEXTS), has_row=False)
    is_named = _names_texts(first, langs, chosen)
    guessed = not is_named and _looks_like_header(first, others)
    has_row = is_named or guessed
    names = _distinct(first) if has_row else _numbers(first)
    if chosen and not find_text_columns(names, langs, chosen):
        names = _name_by_number(names, chosen, name)
    elif not chosen and not is_named:
        texts = _find_texts(others if has_row else [first, *others], langs, name, names, has_row)
        for index, text_name in zip(texts, TEXTS, strict=True):
            names[index] = text_name
    return Header(names, has_row, guessed)


def _find_translation(rows: list[list[str]]) -> int | None:
    """Return the column that has a dictionary in the first or the second row, if there is one."""
    cells = (at for row in rows[:2] for at, cell in enumerate(row) if is_dictionary(cell))
    return next(cells, None)


def _names_texts(
    first: list[str],
    langs: tuple[str, str] | None,
    chosen: tuple[str, str] | None,
) -> bool:
    """Return whether the first row names columns of texts."""
    if any(len(cell) > _MAX_NAME_CHARS for cell in first):
        return False
    if chosen and find_text_columns(first, langs, chosen):
        return True
    return find_text_columns(first, langs) is not None


def _looks_like_header(first: list[str], others: list[list[str]]) -> bool:
    """Return whether the first row is unlike the others: names above texts, scores or numbers.

    >>> _looks_like_header(["prompt", "completion"], [["الباب مفتوح", "The door is open."]])
    True
    >>> _looks_like_header(["English", "الإنجليزية"], [["French", "الفرنسية"]])
    False
    """
    if len(first) < 2 or not others or len({cell.casefold() for cell in first}) < len(first):
        return False
    numbers = [cell for cell in first if cell]
    if numbers == [str(number) for number in range(len(numbers))] and len(numbers) > 1:
        return True  # names that pandas gives
    if not all(map(_is_name, first)):
        return False
    columns = zip(*others, strict=True)
    return any(_is_unlike(cell, column) for cell, column in zip(first, columns, strict=True))


def _is_name(cell: str) -> bool:
    is_short = len(cell) <= _MAX_NAME_CHARS and 0 < len(cell.split()) <= _MAX_NAME_WORDS
    return is_short and bool(_LETTER.search(cell)) and not _SENTENCE_END.search(cell)


def _is_unlike(cell: str, column: Sequence[str]) -> bool:
    """Return whether a cell is in another script than a column, or has letters above numbers."""
    values = [value for value in column if value.strip()]
    lettered = [value for value in values if _LETTER.search(value)]
    if not values:
        return False
    if len(lettered) <= (1 - _MOST) * len(values):
        return True
    other_script = sum(1 for value in lettered if _NOT_LATIN.search(value))
    if _NOT_LATIN.search(cell):
        return other_script <= (1 - _MOST) * len(lettered)
    return other_script >= _MOST * len(lettered)


def _find_texts(
    rows: list[list[str]],
    langs: tuple[str, str] | None,
    name: str,
    names: list[str],
    has_row: bool,
) -> tuple[int, int]:
    """Find the two columns of texts by their content; two columns need no search."""
    width = len(names)
    if width == 2:
        return 0, 1
    found: list[tuple[float, int, str]] = []  # length, column, language
    for index, column in enumerate(zip(*rows, strict=True) if width <= _MAX_COLUMNS else ()):
        values = pl.Series([value for value in column if value.strip()], dtype=pl.String)
        prose = values.filter([not _NOT_PROSE.match(value.strip()) for value in values])
        if len(prose) and len(prose) >= _MOST * len(values) and (lang := detect_language(prose)):
            found.append((float(prose.str.len_chars().mean() or 0), index, lang))  # type: ignore[arg-type]
    longest = max((length for length, *_ in found), default=0.0)
    texts = {lang: at for length, at, lang in found if length * _MUCH_LONGER >= longest}
    is_clear = len(texts) == 2 == sum(length * _MUCH_LONGER >= longest for length, *_ in found)
    if is_clear and set(langs or texts) == set(texts):
        first, second = (texts[lang] for lang in langs or texts)
        return first, second
    listed = ", ".join(repr(column) for column in names[:20]) if has_row else f"1 to {width}"
    raise SourceError(
        f"{name}: has {width} columns ({listed}), and it is unclear which two hold the texts; name "
        "them with --source-column and --target-column, by name or number. If there are more than "
        "two languages, choose two with --langs"
    )


def _one_column_error(name: str, rows: Sequence[list[str]]) -> SourceError:
    if sum(_BARS in row[0] for row in rows) >= _MOST * len(rows):
        return SourceError(
            f"{name}: its lines have two texts around {_BARS!r}; replace it by a tab, as in TSV"
        )
    return SourceError(
        f"{name}: is a text with one column; give two text files, source first, or a table with a "
        "column for each language"
    )


def _name_by_number(names: list[str], chosen: tuple[str, str], name: str) -> list[str]:
    """Name two columns source_text and target_text that are chosen by 1-based number."""
    if not all(number.isdecimal() and 0 < int(number) <= len(names) for number in chosen):
        raise missing_column_error(name, next(c for c in chosen if c not in names), names)
    named = [f"{column} " if column in TEXTS else column for column in names]
    for number, text_name in zip(chosen, TEXTS, strict=True):
        named[int(number) - 1] = text_name
    return named


def _numbers(row: list[str]) -> list[str]:
    return [str(number) for number in range(1, len(row) + 1)]


def _distinct(names: list[str]) -> list[str]:
    """Number the repeated names, so that no column is lost.

    >>> _distinct(["ar", "en", "en", ""])
    ['ar', 'en', 'en 3', '4']
    """
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        names[number - 1] = name if name and name not in seen else f"{name} {number}".strip()
        seen.add(names[number - 1])
    return names
