"""Convert values to text, for formats that have no other types."""

from __future__ import annotations

import polars as pl
from polars import selectors as cs

from ingest.errors import FrameError

# All characters that some reader treats as the end of a line (str.splitlines knows the most), tabs,
# NUL and other control characters. \r\n is a single line break.
LINE_BREAKERS = r"\r\n|[\x00-\x1F\x7F-\x9F\u2028\u2029]"
SPACED = "line breaks and control characters became spaces"


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Convert every column to String: lists and structs to JSON; null stays null.

    Raises:
        FrameError: a column cannot be converted.

    >>> as_text(pl.DataFrame({"a": [[1, 2]], "b": [0.5]})).rows()
    [('[1,2]', '0.5')]
    """
    return frame.select(_text(name, dtype) for name, dtype in frame.schema.items())


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype in (pl.Binary, pl.Object):
        raise FrameError(
            f"export: column {name!r} is {dtype}, which cannot be written as text; drop it, or "
            "export to parquet"
        )
    if not dtype.is_nested():
        return column.cast(pl.String)
    wrapped = pl.struct(v=column).struct.json_encode()
    json = wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")
    return pl.when(column.is_not_null()).then(json).alias(name)


def replace_matches(
    frame: pl.DataFrame, pattern: str, replacement: str
) -> tuple[pl.DataFrame, int]:
    r"""Replace all matches of a pattern in String columns, and count the rows that had any.

    >>> frame, rows = replace_matches(pl.DataFrame({"a": ["x\ny", "z"]}), LINE_BREAKERS, " ")
    >>> frame["a"].to_list(), rows
    (['x y', 'z'], 1)
    """
    if not (names := frame.select(cs.string()).columns):
        return frame, 0
    has_match = pl.any_horizontal(pl.col(names).str.contains(pattern).fill_null(False))
    rows = int(frame.select(has_match.sum()).item())
    if not rows:
        return frame, 0
    return frame.with_columns(pl.col(names).str.replace_all(pattern, replacement)), rows
