"""Values as text, for formats that hold nothing else."""

from __future__ import annotations

import polars as pl
from polars import selectors as cs

from ingest.errors import FrameError

# Whatever some reader ends a line at (str.splitlines is the widest), tabs, NUL and all other
# controls; \r\n is one line break.
LINE_BREAKERS = r"\r\n|[\x00-\x1F\x7F-\x9F\u2028\u2029]"
SPACED = "line breaks and control characters became spaces"


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as String: lists and structs as JSON, null stays null.

    Raises:
        FrameError: a column holds what has no text form.

    >>> flat(pl.DataFrame({"a": [[1, 2]], "b": [0.5]})).rows()
    [('[1,2]', '0.5')]
    """
    return frame.select(_text(name, dtype) for name, dtype in frame.schema.items())


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype in (pl.Binary, pl.Object):
        raise FrameError(f"export: column {name!r} is {dtype}, which has no form as text")
    if not dtype.is_nested():
        return column.cast(pl.String)
    wrapped = pl.struct(v=column).struct.json_encode()
    json = wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(column.is_not_null()).then(json).alias(name)


def replaced(frame: pl.DataFrame, pattern: str, by: str) -> tuple[pl.DataFrame, int]:
    r"""Put `by` for what matches in any text, and count the rows where there was any.

    >>> made, rows = replaced(pl.DataFrame({"a": ["x\ny", "z"]}), LINE_BREAKERS, " ")
    >>> made["a"].to_list(), rows
    (['x y', 'z'], 1)
    """
    if not (names := frame.select(cs.string()).columns):
        return frame, 0
    found = pl.any_horizontal(pl.col(names).str.contains(pattern).fill_null(False))
    rows = int(frame.select(found.sum()).item())
    return frame.with_columns(pl.col(names).str.replace_all(pattern, by)) if rows else frame, rows
