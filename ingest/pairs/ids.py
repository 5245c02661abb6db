"""Names for pairs that have none: a hash of what they say."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import U64

_SAID = ("source_lang", "target_lang", "source_text", "target_text")


class Names:
    """Gives names to pairs, batch by batch; eight bytes a pair are held to know repeats by.

    >>> pairs = pl.DataFrame({"pair_id": [None, "mine", None], "source_lang": "ar",
    ...     "target_lang": "en", "source_text": "نعم", "target_text": "Yes"})
    >>> names = Names().fill(pairs, pl.Series([1, 2, 3]))["pair_id"]
    >>> again = Names().fill(pairs, pl.Series([7, 8, 9]))["pair_id"]
    >>> names[1], names.n_unique(), names[0] == again[0]
    ('mine', 3, True)
    """

    def __init__(self) -> None:
        self._runs: list[U64] = []  # sorted, each shorter than the one before

    def fill(self, pairs: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
        """Pairs whose `pair_id` was null, with one; one that repeats another takes its row too."""
        none = pairs["pair_id"].is_null().arg_true()
        if none.is_empty():
            return pairs
        said = ["\n".join(map(str, row)) for row in pairs[none].select(_SAID).iter_rows()]
        made = [_hash(text) for text in said]
        again = self._seen(np.array([int(name, 16) for name in made], np.uint64))
        numbers = rows.gather(none)
        for at in np.flatnonzero(again).tolist():
            made[at] = _hash(f"{said[at]}\n{numbers[at]}")
        return pairs.with_columns(pair_id=pairs["pair_id"].scatter(none, made))

    def _seen(self, keys: U64) -> NDArray[np.bool_]:
        """Which keys came before, in earlier batches or this one."""
        kept, first = np.unique(keys, return_index=True)
        seen = np.ones(len(keys), bool)
        seen[first] = False
        for run in self._runs:
            seen |= run[np.minimum(np.searchsorted(run, keys), len(run) - 1)] == keys
        while self._runs and len(self._runs[-1]) <= len(kept):
            kept = np.union1d(self._runs.pop(), kept)
        self._runs.append(kept)
        return seen


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
