"""What hangs together: rows that share a key, and texts whose signatures are alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ingest.codepoints import I64, mix
from ingest.dedupe import BANDS, ROWS
from ingest.filter.grams import U16

_TOGETHER = 1 << 14  # signatures compared at once
_FIRST = 256  # rows of what hangs together with which all others of it are compared


def components(nodes: int, edges: list[tuple[I64, I64]]) -> I64:
    """For each node the least number of those it hangs together with.

    >>> import numpy as np
    >>> components(5, [(np.array([4, 1]), np.array([1, 3]))]).tolist()
    [0, 1, 2, 1, 1]
    """
    parent: I64 = np.arange(nodes)
    one = np.concatenate([np.empty(0, np.int64), *(a for a, _ in edges)])
    other = np.concatenate([np.empty(0, np.int64), *(b for _, b in edges)])
    while True:
        roots = parent[one], parent[other]
        apart = roots[0] != roots[1]
        if not apart.any():
            return parent
        one, other = one[apart], other[apart]
        low, high = (f(roots[0][apart], roots[1][apart]) for f in (np.minimum, np.maximum))
        np.minimum.at(parent, high, low)
        while ((above := parent[parent]) != parent).any():
            parent = above


def alike(values: U16, threshold: float) -> tuple[I64, I64]:
    """Rows whose signatures agree in a share of `threshold` or more, in pairs.

    Not all such pairs: those that make the clusters which all of them would make. Rows are to
    come in an order of their own, and then the pairs do not depend on any other.
    """
    found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for band in range(BANDS):
        key = np.zeros(len(values), np.uint64)
        for column in range(band * ROWS, (band + 1) * ROWS):
            with np.errstate(over="ignore"):
                key = mix(key * np.uint64(31) + values[:, column])
        order = np.argsort(key, kind="stable")
        new = np.ones(len(order), bool)
        new[1:] = key[order[1:]] != key[order[:-1]]
        first = order[np.flatnonzero(new)[np.cumsum(new) - 1]]
        before = np.roll(order, 1)
        found += _agree(before[~new], order[~new], values, threshold)
        found += _agree(first[~new], order[~new], values, threshold)
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def repeats(values: U16, threshold: float) -> NDArray[np.bool_]:
    """Whether each row is like an earlier one that is no repeat: signatures agree by `threshold`.

    Of what hangs together the first row stays, those like it are repeats, and so on with the
    rest. Where more than 256 stay, others that are like each other may stay too: those left are
    compared with a few only.

    >>> chain = np.repeat(np.array([[0, 0, 0], [0, 0, 1], [0, 1, 1]], np.uint16), 21, axis=1)
    >>> repeats(chain, 0.6).tolist()
    [False, True, False]
    """
    one, other = alike(values, threshold)
    group = components(len(values), [(one, other)])
    repeat = np.zeros(len(values), bool)
    rest = np.argsort(group, kind="stable")
    for _ in range(_FIRST):
        new = np.diff(group[rest], prepend=-1) > 0
        first = rest[new][np.cumsum(new) - 1]
        for _, like in _agree(first[~new], rest[~new], values, threshold):
            repeat[like] = True
        rest = rest[~new & ~repeat[rest]]
    left = np.isin(one, rest) & np.isin(other, rest)
    order = np.lexsort((one[left], other[left]))
    for earlier, later in zip(one[left][order].tolist(), other[left][order].tolist(), strict=True):
        repeat[later] |= not repeat[earlier]
    return repeat


def _agree(one: I64, other: I64, values: U16, threshold: float) -> Iterator[tuple[I64, I64]]:
    for at in range(0, len(one), _TOGETHER):
        a, b = one[at : at + _TOGETHER], other[at : at + _TOGETHER]
        enough: NDArray[np.bool_] = (values[a] == values[b]).mean(axis=1) >= threshold
        yield a[enough], b[enough]
