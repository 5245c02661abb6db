"""Types that several packages share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

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
"""Gives the batches of a frame from its beginning, as often as it is called."""

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""

TranslationProgress = Callable[[int, "int | None", int], None]
"""Called with how many texts are done, of how many (None if unknown), and the tokens used."""
