"""What formats that write any rows need to know of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import polars as pl


class Rows(Protocol):
    """Rows to export, in batches."""

    @property
    def columns(self) -> pl.Schema:
        """The schema of each batch."""
        ...

    @property
    def row_group(self) -> int:
        """Rows of a row group of Parquet."""
        ...

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield the rows in order."""
        ...
