"""A batch of texts as one array of code points, so that no step needs a loop over texts.

A space comes before each text and after the last one. The space before a text is the left edge of
its first word, and the space after it the right edge of its last word. This is how langdetect's
n-gram buffer works: it starts with a space and is cleared at a space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.codepoints import decode

if TYPE_CHECKING:
    import polars as pl

    from ingest._typing import I64, Bools

BMP = 0x10000


class TextBatch(NamedTuple):
    """Decoded texts.

    Attributes:
        codes: int32 [1 + sum(length + 1)], code points.
        starts: int64 [texts], where each text begins. Text i, with the space after it, is
            `codes[starts[i] : starts[i] + length_i + 1]`.
    """

    codes: NDArray[np.int32]
    starts: I64


def decode_batch(texts: pl.Series) -> TextBatch:
    """Decode strings without nulls. Code points outside the BMP become 0xFFFF.

    >>> import polars as pl
    >>> batch = decode_batch(pl.Series(["ab", "", "ب"]))
    >>> batch.codes.tolist(), batch.starts.tolist()
    ([32, 97, 98, 32, 32, 1576, 32], [1, 4, 5])
    """
    codes, lengths = decode(texts, separator=" ")
    lengths = lengths + 1
    starts = np.concatenate(([1], 1 + np.cumsum(lengths)[:-1])) if len(texts) else lengths
    return TextBatch(np.minimum(codes, BMP - 1).astype(np.int32), starts)


def drop_chars(batch: TextBatch, unwanted: Bools) -> TextBatch:
    """Remove code points from a batch.

    Args:
        batch: the texts.
        unwanted: bool [BMP], the code points to remove.

    >>> import polars as pl
    >>> marks = np.zeros(BMP, dtype=bool)
    >>> marks[0x64B] = True
    >>> drop_chars(decode_batch(pl.Series(["بً", "a"])), marks).starts.tolist()
    [1, 3]
    """
    dropped = unwanted.take(batch.codes)
    at = np.flatnonzero(dropped)
    if not len(at):
        return batch
    return TextBatch(batch.codes[~dropped], batch.starts - np.searchsorted(at, batch.starts))
