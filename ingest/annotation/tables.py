"""Turn the tables of other libraries into Polars frames. None of them is imported here."""

from __future__ import annotations

from typing import Any

import polars as pl

from ingest.errors import FrameError


def to_polars(table: Any) -> pl.DataFrame | pl.LazyFrame:
    """A Polars frame with the same columns and rows; a Polars frame is returned as it is.

    Raises:
        FrameError: it is not a table, or two of its columns have the same name.

    >>> to_polars("pages.parquet")
    Traceback (most recent call last):
    ...
    ingest.errors.FrameError: annotate: frame: must be a Polars, pandas or Arrow table, is str
    """
    if isinstance(table, (pl.DataFrame, pl.LazyFrame)):
        return table
    library = type(table).__module__.partition(".")[0]
    kind = f"{library}.{type(table).__name__}".removeprefix("builtins.")
    is_pandas = library == "pandas" and getattr(table, "ndim", 0) == 2
    is_arrow = hasattr(table, "__arrow_c_stream__") and library not in ("pandas", "polars")
    if not (is_pandas or is_arrow):
        raise FrameError(f"annotate: frame: must be a Polars, pandas or Arrow table, is {kind}")
    try:
        return _from_pandas(table) if is_pandas else pl.DataFrame(table)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise FrameError(f"annotate: frame: this {kind} cannot be read: {error}") from error


def _from_pandas(table: Any) -> pl.DataFrame:
    return pl.DataFrame([_to_series(table.iloc[:, [at]]) for at in range(table.shape[1])])


def _to_series(table: Any) -> pl.Series:
    """The only column of a table of pandas; missing values become null."""
    try:
        return pl.from_pandas(table).to_series()
    except (ImportError, TypeError, ValueError):  # no PyArrow, or values of several types
        name, column = str(table.columns[0]), table.iloc[:, 0]
        values = column.astype(object).where(column.notna(), None).tolist()
    try:
        return pl.Series(name, values)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        return pl.Series(name, values, dtype=pl.Object)
