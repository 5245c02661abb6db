"""IDs for pairs that have none: a hash of their content."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from ingest._typing import U64, Bools

_HASHED = ("source_lang", "target_lang", "source_text", "target_text")


class IdGenerator:
    """Fills in missing IDs, batch by batch. It keeps eight bytes per pair to recognize repeats.

    >>> pairs = pl.DataFrame({"pair_id": [None, "mine", None], "source_lang": "ar",
    ...     "target_lang": "en", "source_text": "نعم", "target_text": "Yes"})
    >>> ids = IdGenerator().fill_null(pairs, pl.Series([1, 2, 3]))["pair_id"]
    >>> again = IdGenerator().fill_null(pairs, pl.Series([7, 8, 9]))["pair_id"]
    >>> ids[1], ids.n_unique(), ids[0] == again[0]
    ('mine', 3, True)
    """

    def __init__(self) -> None:
        self._runs: list[U64] = []  # sorted keys; each run is shorter than the one before

    def fill_null(self, pairs: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
        """Fill null values of `pair_id`. The ID of a repeated pair also depends on its row number.

        Args:
            pairs: the next batch.
            rows: row number of each pair.
        """
        missing = pairs["pair_id"].is_null().arg_true()
        if missing.is_empty():
            return pairs
        contents = ["\n".join(map(str, row)) for row in pairs[missing].select(_HASHED).iter_rows()]
        ids = [_hash(content) for content in contents]
        repeated = self._is_repeated(np.array([int(pair_id, 16) for pair_id in ids], np.uint64))
        numbers = rows.gather(missing)
        for i in np.flatnonzero(repeated).tolist():
            ids[i] = _hash(f"{contents[i]}\n{numbers[i]}")
        return pairs.with_columns(pair_id=pairs["pair_id"].scatter(missing, ids))

    def _is_repeated(self, keys: U64) -> Bools:
        """Return which keys occurred before, in earlier batches or this one."""
        distinct, first = np.unique(keys, return_index=True)
        repeated = np.ones(len(keys), bool)
        repeated[first] = False
        for run in self._runs:
            repeated |= run[np.minimum(np.searchsorted(run, keys), len(run) - 1)] == keys
        while self._runs and len(self._runs[-1]) <= len(distinct):
            distinct = np.union1d(self._runs.pop(), distinct)
        self._runs.append(distinct)
        return repeated


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
