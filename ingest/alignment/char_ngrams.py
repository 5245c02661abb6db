"""Vectors of character n-grams, which are similar for two wordings of the same text.

Set beside the bilingual vectors, they let a machine translation serve as evidence. Like those
vectors they add up, so a span of lines costs no more than a single line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from ingest._typing import F32
from ingest.codepoints import decode_with_owner
from ingest.text import comparable

Encode = Callable[[list[str]], F32]

ORDER = 4  # characters per n-gram: about a stem, and short enough to tolerate inflection
SIZE = 512
# Weight of the n-gram vectors relative to the encoder's. More made clean documents worse.
WEIGHT = 0.6
_MIX = np.uint64(0x9E3779B97F4A7C15)
_BATCH = 8192  # texts whose n-grams are in memory at once


def encode_ngrams(texts: Sequence[str]) -> F32:
    """Count the character n-grams of each text in signed hash buckets: float32 [texts, SIZE].

    >>> cats, dogs, cat = encode_ngrams(["two black cats", "three dogs", "a black cat"])
    >>> bool(cats @ cat > cats @ dogs)
    True
    """
    frame = pl.DataFrame({"text": texts}, {"text": pl.String})
    folded = frame.select(comparable(pl.col("text")).str.to_lowercase())["text"]
    out = np.zeros((len(folded), SIZE), np.float32)
    for at in range(0, len(folded), _BATCH):
        _add_ngrams(folded[at : at + _BATCH], out[at : at + _BATCH])
    return out


def _add_ngrams(texts: pl.Series, out: F32) -> None:
    spaced = pl.select(pl.lit(" ") + texts + pl.lit(" ")).to_series()
    codes, owner = decode_with_owner(spaced)
    count = max(len(codes) - ORDER + 1, 0)
    key = np.zeros(count, np.uint64)
    for step in range(ORDER):
        key = (key ^ codes[step : step + count]) * _MIX
        key ^= key >> np.uint64(31)
    inside = owner[:count] == owner[ORDER - 1 : ORDER - 1 + count]
    key, owner = key[inside], owner[:count][inside]
    sign = np.where(key & np.uint64(1), 1.0, -1.0)
    bucket = owner * SIZE + (key >> np.uint64(8)).astype(np.int64) % SIZE
    out += np.bincount(bucket, sign, minlength=out.size).reshape(out.shape)


def append_vectors(encode: Encode, extra: Mapping[str, Encode], lang: str) -> Encode:
    """Return an encoder that appends the vectors of `extra[lang]`, scaled to WEIGHT, to its own."""

    def encode_both(texts: list[str]) -> F32:
        first, second = encode(texts), extra[lang](texts)
        # root mean square length of the vectors over all texts that are encoded together
        sizes = [float(np.sqrt(np.square(part).sum(axis=1).mean())) for part in (first, second)]
        scale = np.float32(WEIGHT * sizes[0] / max(sizes[1], 1e-9))
        return np.concatenate([first, second * scale], axis=1)

    return encode_both
