"""Vectors of how texts are spelled: alike for two wordings of one thing in one language.

Beside the bilingual vectors these let a machine translation speak for an alignment. They are sums
too, so a span of lines costs no more than a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from ingest._typing import F32
from ingest.codepoints import characters
from ingest.text import comparable

Encode = Callable[[list[str]], F32]

RUN = 4  # characters: about a stem, and short enough to forgive an ending
SIZE = 512
# What a translation weighs beside the encoder: as much as that made clean documents worse
SHARE = 0.6
_MIX = np.uint64(0x9E3779B97F4A7C15)
_TOGETHER = 8192  # texts whose runs are held at once


def encode_ngrams(texts: Sequence[str]) -> F32:
    """float32 [texts, SIZE]: how often each run of characters occurs, hashed, with signs.

    >>> cats, dogs, cat = encode_ngrams(["two black cats", "three dogs", "a black cat"])
    >>> bool(cats @ cat > cats @ dogs)
    True
    """
    frame = pl.DataFrame({"text": texts}, {"text": pl.String})
    folded = frame.select(comparable(pl.col("text")).str.to_lowercase())["text"]
    out = np.zeros((len(folded), SIZE), np.float32)
    for at in range(0, len(folded), _TOGETHER):
        _add_runs(folded[at : at + _TOGETHER], out[at : at + _TOGETHER])
    return out


def _add_runs(texts: pl.Series, out: F32) -> None:
    spaced = pl.select(pl.lit(" ") + texts + pl.lit(" ")).to_series()
    codes, owner = characters(spaced)
    count = max(len(codes) - RUN + 1, 0)
    key = np.zeros(count, np.uint64)
    for step in range(RUN):
        key = (key ^ codes[step : step + count]) * _MIX
        key ^= key >> np.uint64(31)
    inside = owner[:count] == owner[RUN - 1 : RUN - 1 + count]
    key, owner = key[inside], owner[:count][inside]
    sign = np.where(key & np.uint64(1), 1.0, -1.0)
    place = owner * SIZE + (key >> np.uint64(8)).astype(np.int64) % SIZE
    out += np.bincount(place, sign, minlength=out.size).reshape(out.shape)


def beside(encode: Encode, also: Mapping[str, Encode], lang: str) -> Encode:
    """Vectors of `encode`, and beside them SHARE as much of what `also` has for a language."""

    def both(texts: list[str]) -> F32:
        first, second = encode(texts), also[lang](texts)
        # lengths of vectors, as they are over all the texts that are encoded together
        sizes = [float(np.sqrt(np.square(part).sum(axis=1).mean())) for part in (first, second)]
        scale = np.float32(SHARE * sizes[0] / max(sizes[1], 1e-9))
        return np.concatenate([first, second * scale], axis=1)

    return both
