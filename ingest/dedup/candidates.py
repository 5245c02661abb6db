"""Which signatures to compare, from sorted keys of a band instead of all signatures.

The pairs are those of `ingest.minhash.similar_pairs`: each row with the row before it and with the
first row of the same key, in the order of doc_id and article.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64, Bools

# the key of one band of one row, the row's place in the order, and its number
ENTRY = np.dtype([("key", "<u8"), ("doc", "<u8"), ("article", "<i4"), ("node", "<i8")])
Entries = NDArray[Any]
T = TypeVar("T", np.int64, np.uint64)


class Candidates(NamedTuple):
    """Pairs of rows to compare, and what later entries need to know of these.

    Attributes:
        earlier: int64 [pairs], number of the row that comes first.
        later: int64 [pairs], number of the other row.
        ends: the first and the last entry of each key.
    """

    earlier: I64
    later: I64
    ends: Entries


def find_candidates(entries: Entries) -> Candidates:
    """Pair each entry with the one before it and with the first one of the same key.

    To pair many entries a part at a time, sort the parts by doc_id and put `ends` of one part
    before the entries of the next.

    >>> rows = [(7, 3, 1, 30), (7, 1, 1, 10), (7, 2, 1, 20), (8, 1, 1, 40)]
    >>> pairs = find_candidates(np.array(rows, ENTRY))
    >>> sorted(set(zip(pairs.earlier.tolist(), pairs.later.tolist())))
    [(10, 20), (10, 30), (20, 30)]
    """
    by_key = np.argsort(entries["key"].copy())  # of a field it takes longer
    new = _is_new(entries["key"][by_key])
    shared = ~new
    shared[:-1] |= ~new[1:]
    alone = entries[by_key[~shared]]
    rows = entries[by_key[shared]]  # in most bands these are few
    rows = rows[np.lexsort((rows["node"], rows["article"], rows["doc"], rows["key"]))]
    new = _is_new(rows["key"])
    last = np.roll(new, -1)
    node = rows["node"]
    later = node[~new]
    first = node[np.flatnonzero(new)[np.cumsum(new) - 1]][~new]
    before = np.roll(node, 1)[~new]
    other = before != first
    return Candidates(
        np.concatenate([first, before[other]]),
        np.concatenate([later, later[other]]),
        np.concatenate([alone, rows[new | last]]),
    )


def _is_new(keys: NDArray[Any]) -> Bools:
    new = np.ones(len(keys), bool)
    new[1:] = keys[1:] != keys[:-1]
    return new


def distinct_pairs(left: NDArray[T], right: I64) -> tuple[NDArray[T], I64]:
    """Return the different pairs, sorted.

    >>> [side.tolist() for side in distinct_pairs(np.array([2, 1, 2]), np.array([5, 6, 5]))]
    [[1, 2], [6, 5]]
    """
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    new = _is_new(left) | _is_new(right)
    return left[new], right[new]
