"""Convert rows of a table to rows of a pairs frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl

from ingest.errors import FrameError, SourceError
from ingest.frames import METHOD_IMPORTED, METHOD_TRANSLATED, METHODS, PAIRS, schema
from ingest.pairs.columns import (
    TEXTS,
    find_text_columns,
    is_written_by_ingest,
    missing_column_error,
    unclear_columns_error,
)
from ingest.pairs.languages import detect_language, detect_languages, normalize_language
from ingest.scoring.surface import script_share

EMPTY_SIDE = "has an empty side"
_PAIR_COLUMNS = schema(PAIRS)
_TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum)
_HUMAN_NAMES = ("human", "manual")
# What other tools call machine translation. This mark must never be lost.
_MACHINE_NAMES = (
    "machine", "mt", "nmt", "machine translation", "machine-translated", "machine_translated",
)  # fmt: skip
_SIDES = ("source", "target")
_CLEAR_SHARE = 0.8  # of the letters of a text that is clearly in a language


class PairReader:
    """Converts the rows of one table. The first rows determine its columns and languages.

    Args:
        first: the first rows.
        langs: source and target, if the table does not name them.
        name: the table, for error messages.
        method: method of rows that do not name one.
        chosen: names of the columns of source and target, if the user gives them.

    Attributes:
        other_columns: columns that pairs do not have.
        notice: what is odd about the languages of the sides, and what was done; None if nothing.
        exchanged: of the rows read last, those whose sides were exchanged one by one.
        remarks: of the rows read last, the first with an ignored value of a column, and why, if
            no earlier row had one.

    Raises:
        SourceError: the columns of the texts are unclear, or are in other languages than `langs`.
        ConfigError: the languages cannot be detected.
        FrameError: a column of texts contains something else.
    """

    def __init__(
        self,
        first: pl.DataFrame,
        langs: tuple[str, str] | None,
        name: str,
        method: str = METHOD_IMPORTED,
        chosen: tuple[str, str] | None = None,
    ) -> None:
        columns = find_text_columns(first.columns, langs, chosen)
        if columns is None and chosen and all(map(str.isdecimal, chosen)):
            columns = find_text_columns(first.columns, langs)  # a table without a header
        if columns is None and chosen:
            missing = next(column for column in chosen if column not in first.columns)
            raise missing_column_error(name, missing, first.columns)
        if columns is None:
            raise unclear_columns_error(name, first.columns)
        for column in columns.texts:
            if first.schema[column] not in _TEXT_TYPES and first.schema[column] != pl.Null:
                raise FrameError(
                    f"{name}: column {column!r} is {first.schema[column]}, must be text"
                )
        self._columns, self._method = columns, method
        self._langs = langs if langs and not columns.langs else columns.langs
        if langs and columns.langs and not chosen and set(langs) != set(columns.langs):
            raise wrong_languages_error(name, langs, columns.langs)
        self._is_own = is_written_by_ingest(first.columns)
        self._may_swap = not chosen and not columns.row_langs
        self.notice: str | None = None
        self.exchanged = pl.Series([], dtype=pl.Boolean)
        self.remarks: list[tuple[int, str]] = []
        self._remarked: set[str] = set()
        if langs and self._may_swap and columns.langs:
            source, target = columns.texts
            if first.columns.index(source) > first.columns.index(target):
                self.notice = f"the sides are exchanged: the source is the column {source!r}"
        if not columns.row_langs:
            sides = [first[column].cast(pl.String) for column in columns.texts]
            if self._langs:
                self._check_order(sides, self._langs, has_langs=bool(langs))
            else:
                self._langs = detect_languages(sides, name)
        used = {*columns.texts, *(columns.row_langs or ()), *_PAIR_COLUMNS}
        self.other_columns = [column for column in first.columns if column not in used]

    def _check_order(
        self, sides: list[pl.Series], langs: tuple[str, str], *, has_langs: bool
    ) -> None:
        """Exchange the sides if each is in the language of the other, or only say so."""
        found = [detect_language(side) for side in sides]
        source, target = self._columns.texts
        if tuple(found) == langs[::-1] and self._may_swap:
            self._columns = self._columns._replace(texts=(target, source))
            named = "" if (source, target) == TEXTS else f" (columns {source!r} and {target!r})"
            self.notice = (
                f"the sides are swapped: the first is {found[0]}, the second {found[1]}{named}; "
                f"they were exchanged, so that the source is {langs[0]}"
            )
            return
        if self._may_swap and (turned := _in_each_other(sides, langs)).any():
            found = [detect_language(side) for side in _swap(sides, turned)]
        for side, lang, expected in zip(_SIDES, found, langs, strict=True):
            if lang in langs and lang != expected:
                check = "--langs" if has_langs else "the names of the columns or files"
                self.notice = f"the {side} looks like {lang}, not {expected}; check {check}"

    def read(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """Convert some rows.

        Returns:
            A pairs frame, in which `pair_id` is null if the table has none, and the problem of
            each row, null if there is none.
        """
        texts, langs = self._texts_and_langs(frame)
        self.exchanged = pl.repeat(value=False, n=len(frame), eager=True)
        if self._may_swap and self._langs:
            self.exchanged = _in_each_other(texts, self._langs)
            texts = _swap(texts, self.exchanged)
        self.remarks = []
        method = self._methods(frame)
        columns = {
            **{name: cast_column(frame, name, dtype) for name, dtype in _PAIR_COLUMNS.items()},
            **dict(zip(("source_text", "target_text"), texts, strict=True)),
            **dict(zip(("source_lang", "target_lang"), langs, strict=True)),
            "method": method.set(~method.is_in(METHODS).fill_null(value=False), None),
        }
        pairs = pl.DataFrame(columns, _PAIR_COLUMNS)
        has_score = pl.col("method") != METHOD_IMPORTED
        pairs = pairs.with_columns(
            pl.when(has_score).then(pl.col("model")),
            pl.when(has_score).then(self._scores(frame, pairs)),
            pl.when(pl.col("pair_id") != "").then("pair_id"),
        )
        return pairs, _problems(pairs, method)

    def _texts_and_langs(self, frame: pl.DataFrame) -> tuple[list[pl.Series], list[pl.Series]]:
        """Return texts and languages of the source and target of each row."""
        columns = self._columns
        texts = [_text(frame, name) for name in columns.texts]
        langs = [
            pl.Series([lang], dtype=pl.String).new_from_index(0, len(frame))
            for lang in self._langs or (None, None)
        ]
        if not columns.row_langs:
            return texts, langs
        row_langs = [
            _map_distinct(_text(frame, name), normalize_language) for name in columns.row_langs
        ]
        if columns.langs:
            # Each text is in the column of its language; the row says which one is the source.
            turned = (row_langs[0] == columns.langs[1]) & (row_langs[1] == columns.langs[0])
            turned = turned.fill_null(value=False)
            return _swap(texts, turned), _swap(langs, turned)
        named = [_text(frame, name).is_not_null() for name in columns.row_langs]
        langs = [
            row_lang.zip_with(is_named, lang)
            for row_lang, is_named, lang in zip(row_langs, named, langs, strict=True)
        ]
        return texts, langs

    def _methods(self, frame: pl.DataFrame) -> pl.Series:
        """Return the method of each row. Unknown names are returned as they are."""
        names = _text(frame, "method").str.strip_chars().str.to_lowercase()
        human = dict.fromkeys(_HUMAN_NAMES, METHOD_IMPORTED)
        machine = dict.fromkeys(_MACHINE_NAMES, METHOD_TRANSLATED)
        names = names.replace({**human, **machine, "": None})
        if not self._is_own:
            # the same name may mean something else there
            ignored = ~names.is_in((METHOD_IMPORTED, METHOD_TRANSLATED)).fill_null(value=True)
            self._remark(frame, "method", ignored, "which is not a mark of other tools")
            names = names.set(ignored, None)
        is_machine = cast_column(frame, "machine", pl.Boolean()).fill_null(value=False)
        default = is_machine.replace_strict(
            {True: METHOD_TRANSLATED, False: self._method}, return_dtype=pl.String
        )
        return names.zip_with(names.is_not_null(), default)

    def _scores(self, frame: pl.DataFrame, pairs: pl.DataFrame) -> pl.Series:
        """Return the score of each row, null if it is not a number from 0 to 1."""
        score = pairs["score"]
        is_valid = score.is_between(0, 1).fill_null(value=False)
        given = _text(frame, "score").fill_null("").str.strip_chars() != ""
        is_used = pairs["method"] != METHOD_IMPORTED
        ignored = given & ~is_valid & is_used.fill_null(value=False)
        self._remark(frame, "score", ignored, "which is not a number from 0 to 1")
        return score.set(~is_valid, None)

    def _remark(self, frame: pl.DataFrame, name: str, ignored: pl.Series, reason: str) -> None:
        """Note the first row whose value of a column is ignored."""
        if name in self._remarked or not ignored.any():
            return
        self._remarked.add(name)
        at = int(ignored.arg_true()[0])
        value = str(_text(frame, name)[at])[:40]
        self.remarks.append(
            (at, f"column {name!r} has {value!r}, {reason}; such values are ignored")
        )


def wrong_languages_error(name: str, langs: tuple[str, str], found: tuple[str, str]) -> SourceError:
    """Return the error for a table in other languages than those that the user gives."""
    return SourceError(
        f"{name}: has no pairs of {'-'.join(langs)}, only of {'-'.join(found)}; check --langs"
    )


def _in_each_other(sides: list[pl.Series], langs: tuple[str, str]) -> pl.Series:
    """Return the rows whose two texts are clearly in each other's language, by their letters."""
    own, other = (
        [
            script_share(side, pl.Series([lang]).new_from_index(0, len(side)))
            for side, lang in zip(sides, order, strict=True)
        ]
        for order in (langs, langs[::-1])
    )
    is_other = [
        (one <= 1 - _CLEAR_SHARE) & (two >= _CLEAR_SHARE)
        for one, two in zip(own, other, strict=True)
    ]
    return pl.Series(is_other[0] & is_other[1])


def cast_column(frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    """Return a column with the given type, parsing text if necessary.

    Values that cannot be converted are null, and so is a missing column.

    >>> table = pl.DataFrame({"n": ["[1, 2]", "", "x"], "yes": ["true", "false", None]})
    >>> cast_column(table, "n", pl.List(pl.Int64())).to_list()
    [[1, 2], None, None]
    >>> cast_column(table, "yes", pl.Boolean()).to_list()
    [True, False, None]
    """
    if name not in frame.columns:
        return pl.Series(name, [None], dtype).new_from_index(0, len(frame))
    column = frame[name]
    if column.dtype == dtype:
        return column
    if column.dtype in _TEXT_TYPES and isinstance(dtype, pl.List):
        values = [_parse_list(text) for text in column.cast(pl.String)]
        return pl.Series(name, values, dtype, strict=False)
    if column.dtype in _TEXT_TYPES and dtype == pl.Boolean:
        return (
            column.cast(pl.String)
            .str.to_lowercase()
            .replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
        )
    try:
        return column.cast(dtype, strict=False)
    except pl.exceptions.PolarsError:  # there is no conversion between these types
        return pl.Series(name, [None], dtype).new_from_index(0, len(frame))


def _parse_list(text: str | None) -> list[Any] | None:
    try:
        value = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    return cast_column(frame, name, pl.String())


def _swap(sides: list[pl.Series], turned: pl.Series) -> list[pl.Series]:
    first, second = sides
    return [second.zip_with(turned, first), first.zip_with(turned, second)]


def _map_distinct(column: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """Apply a function to each distinct value."""
    values = {value: function(value) for value in column.unique().drop_nulls()}
    return column.replace_strict(values, default=None, return_dtype=pl.String)


def _problems(pairs: pl.DataFrame, method: pl.Series) -> pl.Series:
    """Return the problem of each pair, or null."""
    problem = pl.lit(None, pl.String)
    for side in _SIDES:
        blank = ~pl.col(f"{side}_text").str.contains(r"\S").fill_null(False)
        problem = pl.when(blank).then(pl.lit(EMPTY_SIDE)).otherwise(problem)
    for side in _SIDES:
        missing = pl.col(f"{side}_lang").is_null()
        message = pl.lit(f"has no language for its {side}")
        problem = pl.when(missing).then(message).otherwise(problem)
    unknown = (
        pl.lit(f"has a method that is not one of {', '.join(METHODS)}: '") + method + pl.lit("'")
    )
    problem = pl.when(pl.col("method").is_null()).then(unknown).otherwise(problem)
    return pairs.select(problem=problem)["problem"]
