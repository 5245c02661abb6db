"""Types shared by several packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

Bools = NDArray[np.bool_]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Columns = dict[str, NDArray[np.generic]]
"""Features by name, one value per row."""

Batches = Callable[[], Iterator["pl.DataFrame"]]
"""Returns a new iterator over the batches of a frame; it can be called more than once."""

Progress = Callable[[int, int], None]
"""Called with the amount of work done and the total."""

TranslationProgress = Callable[[int, "int | None", int], None]
"""Called with the number of texts done, the total (None if unknown) and the tokens used."""


class ArrowTable(Protocol):
    """A table that can be read through Arrow: of Polars, pandas, PyArrow and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class Result(Protocol):
    """What a job returns to the command that started it. `str(result)` is a one-line summary."""

    @property
    def messages(self) -> list[str]:
        """What the user should know, one line each."""

    @property
    def in_error(self) -> int:
        """Number of inputs that failed."""

    def __str__(self) -> str: ...
