"""Rows of a table, whatever its columns, as rows of a pairs frame."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from ingest.errors import FrameError
from ingest.frames import METHOD_IMPORTED, METHOD_TRANSLATED, METHODS, PAIRS, schema
from ingest.pairs.columns import choose, none_known
from ingest.pairs.languages import base, found

EMPTY = "has an empty side"
_PAIRS = schema(PAIRS)
_TEXTS = (pl.String, pl.Categorical, pl.Enum)
_OF_PEOPLE = ("human", "manual")
# What others call it when a machine translated: that must never be lost.
_OF_MACHINES = ("machine", "mt", "nmt", "machine translation", "machine-translated",
                "machine_translated")  # fmt: skip
_SIDES = ("source", "target")


def unnested(frame: pl.DataFrame) -> pl.DataFrame:
    """The texts of a struct `translation`, as Hugging Face has it, as columns of their own."""
    if not isinstance(frame.schema.get("translation"), pl.Struct):
        return frame
    texts = frame["translation"].struct.unnest()
    return frame.drop("translation", *texts.columns, strict=False).hstack(texts)


class Taker:
    """Makes pairs of the rows of one table, whose first rows tell its columns and languages.

    Args:
        first: some rows.
        langs: source and target, where the table does not say them.
        what: the table, for errors.
        method: of rows that do not say theirs.

    Raises:
        SourceError: the columns do not tell where the texts are.
        ConfigError: the languages cannot be told.
        FrameError: a column of texts holds something else.
    """

    def __init__(
        self,
        first: pl.DataFrame,
        langs: tuple[str, str] | None,
        what: str,
        method: str = METHOD_IMPORTED,
    ) -> None:
        columns = choose(first.columns, langs)
        if columns is None:
            raise none_known(what, first.columns)
        for name in columns.texts:
            if first.schema[name] not in _TEXTS and first.schema[name] != pl.Null:
                raise FrameError(f"{what}: column {name!r} is {first.schema[name]}, must be text")
        self._columns, self._method = columns, method
        self._langs = langs if langs and not columns.langs else columns.langs
        if not (self._langs or columns.said):
            self._langs = found([first[name].cast(pl.String) for name in columns.texts], what)
        used = {*columns.texts, *(columns.said or ()), *_PAIRS}
        self.others = [name for name in first.columns if name not in used]

    def pairs(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """A pairs frame of some rows, and what is wrong with each; null where it is as it should.

        `pair_id` is null where the table has none.
        """
        columns, langs = self._columns, self._langs
        texts = [_text(frame, name) for name in columns.texts]
        named = [pl.Series([lang], dtype=pl.String).new_from_index(0, len(frame))
                 for lang in langs or (None, None)]  # fmt: skip
        if columns.said:
            own = [_each(_text(frame, name), base) for name in columns.said]
            if columns.langs:  # each text stands under its language: the row says which is first
                turned = (own[0] == columns.langs[1]) & (own[1] == columns.langs[0])
                turned = turned.fill_null(value=False)
                texts = [texts[1].zip_with(turned, texts[0]), texts[0].zip_with(turned, texts[1])]
                named = [named[1].zip_with(turned, named[0]), named[0].zip_with(turned, named[1])]
            else:
                said = [_text(frame, name).is_not_null() for name in columns.said]
                named = [a.zip_with(s, b) for a, s, b in zip(own, said, named, strict=True)]
        method = self._methods(frame)
        made = {
            name: carried(frame, name, dtype) for name, dtype in _PAIRS.items()
        } | dict(zip(("source_text", "target_text"), texts, strict=True)) | dict(
            zip(("source_lang", "target_lang"), named, strict=True)
        )  # fmt: skip
        made["method"] = method.set(~method.is_in(METHODS).fill_null(value=False), None)
        pairs = pl.DataFrame(made, _PAIRS)
        no_score = pl.col("method") == METHOD_IMPORTED
        pairs = pairs.with_columns(
            pl.when(~no_score).then(pl.col("model", "score")),
            pl.when(pl.col("pair_id") != "").then("pair_id"),
        )
        return pairs, _wrong(pairs, method)

    def _methods(self, frame: pl.DataFrame) -> pl.Series:
        """How each pair was made, in our words; what nobody knows as it stands there."""
        said = _text(frame, "method").str.strip_chars().str.to_lowercase()
        people = dict.fromkeys(_OF_PEOPLE, METHOD_IMPORTED)
        machines = dict.fromkeys(_OF_MACHINES, METHOD_TRANSLATED)
        said = said.replace({**people, **machines, "": None})
        machine = carried(frame, "machine", pl.Boolean()).fill_null(value=False)
        unsaid = machine.replace_strict({True: METHOD_TRANSLATED, False: self._method},
                                        return_dtype=pl.String)  # fmt: skip
        return said.zip_with(said.is_not_null(), unsaid)


def carried(frame: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Series:
    """A column as the frames have it, from text where the table knows nothing else.

    What cannot be read so, and a column that is not there, is null.

    >>> table = pl.DataFrame({"n": ["[1, 2]", "", "x"], "yes": ["true", "false", None]})
    >>> carried(table, "n", pl.List(pl.Int64())).to_list()
    [[1, 2], None, None]
    >>> carried(table, "yes", pl.Boolean()).to_list()
    [True, False, None]
    """
    if name not in frame.columns:
        return pl.Series(name, [None], dtype).new_from_index(0, len(frame))
    column = frame[name]
    if column.dtype == dtype:
        return column
    if column.dtype in _TEXTS and isinstance(dtype, pl.List):
        values = [_list(text) for text in column.cast(pl.String)]
        return pl.Series(name, values, dtype, strict=False)
    if column.dtype in _TEXTS and dtype == pl.Boolean:
        lower = column.cast(pl.String).str.to_lowercase()
        return lower.replace_strict({"true": True, "false": False}, default=None,
                                    return_dtype=pl.Boolean)  # fmt: skip
    try:
        return column.cast(dtype, strict=False)
    except pl.exceptions.PolarsError:  # of a kind that is never one of the other
        return pl.Series(name, [None], dtype).new_from_index(0, len(frame))


def _list(text: str | None) -> list[Any] | None:
    try:
        made = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return made if isinstance(made, list) else None


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    return carried(frame, name, pl.String())


def _each(column: pl.Series, call: Any) -> pl.Series:
    """What a call makes of each different value."""
    made = {value: call(value) for value in column.unique().drop_nulls()}
    return column.replace_strict(made, default=None, return_dtype=pl.String)


def _wrong(pairs: pl.DataFrame, method: pl.Series) -> pl.Series:
    """What is wrong with each pair; null where nothing is."""
    why = pl.lit(None, pl.String)
    for side in _SIDES:
        blank = ~pl.col(f"{side}_text").str.contains(r"\S").fill_null(False)
        why = pl.when(blank).then(pl.lit(EMPTY)).otherwise(why)
    for side in _SIDES:
        none = pl.col(f"{side}_lang").is_null()
        why = pl.when(none).then(pl.lit(f"has no language of its {side}")).otherwise(why)
    unknown = pl.lit(f"has a method that is none of {', '.join(METHODS)}: '") + method + pl.lit("'")
    why = pl.when(pl.col("method").is_null()).then(unknown).otherwise(why)
    return pairs.select(why=why)["why"]
