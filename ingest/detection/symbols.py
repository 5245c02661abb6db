"""A whole batch of texts as one array of code points, so that nothing loops over texts.

Every text is preceded by one space and the batch ends with one: the space before a text is the
left edge of its first word, the space after it the right edge of its last, as in langdetect's
n-gram buffer, which starts with a space and forgets at a space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

Int = NDArray[np.int32]
BMP = 0x10000


class Batch(NamedTuple):
    """`codes`: int32, 1 + sum(len + 1) code points; `starts`: int64, where each text's part begins.

    The part of text i is `codes[starts[i] : starts[i] + len_i + 1]`, its closing space included.
    """

    codes: Int
    starts: NDArray[np.int64]


def decode(texts: pl.Series) -> Batch:
    """The code points of a series of strings without nulls; outside the BMP they become 0xFFFF.

    >>> import polars as pl
    >>> batch = decode(pl.Series(["ab", "", "ب"]))
    >>> batch.codes.tolist(), batch.starts.tolist()
    ([32, 97, 98, 32, 32, 1576, 32], [1, 4, 5])
    """
    joined = " " + " ".join(texts.to_list()) + " "
    codes = np.frombuffer(joined.encode("utf-32-le"), dtype="<u4")
    lengths = texts.str.len_chars().to_numpy().astype(np.int64) + 1
    starts = np.concatenate(([1], 1 + np.cumsum(lengths)[:-1])) if len(texts) else lengths
    return Batch(np.minimum(codes, BMP - 1).astype(np.int32), starts)


def drop(batch: Batch, unwanted: NDArray[np.bool_]) -> Batch:
    """The batch without the code points for which `unwanted` (BMP, bool) holds.

    >>> import polars as pl
    >>> marks = np.zeros(BMP, dtype=bool)
    >>> marks[0x64B] = True
    >>> drop(decode(pl.Series(["بً", "a"])), marks).starts.tolist()
    [1, 3]
    """
    gone = unwanted[batch.codes]
    if not gone.any():
        return batch
    before = np.concatenate(([0], np.cumsum(gone)))
    return Batch(batch.codes[~gone], batch.starts - before[batch.starts])
