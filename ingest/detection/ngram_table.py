"""Vectors of the longest known n-gram ending at each position of a batch, summed for each text.

A trie in arrays: `node[k]` of a position is the number of the k-gram ending there (0: unknown),
found from the (k-1)-gram ending one position before. Vectors are whole numbers, so a sum is exact
and does not depend on the batch around a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.detection.symbols import Batch

Symbols = NDArray[np.int32]
NATS = 256  # one nat in the fixed point of the vectors
UNKNOWN, SPACE = 0, 1
_CHUNK = 1 << 17  # positions at once: the working set stays in the cache, memory stays flat


class Level(NamedTuple):
    """All k-grams of one order: `parent` is the node of the first k-1 symbols, `symbol` the last.

    Both int32 of length n, node i + 1 being (parent[i], symbol[i]).
    """

    parent: Symbols
    symbol: Symbols


class SuffixTable:
    """`lookup`: int32 of size BMP, code point to symbol; `vectors`: int32, (languages, 1 + nodes).

    Column 0 of `vectors` is what an unknown symbol says: nothing. Then come all unigrams in the
    order of their symbols, all bigrams, all trigrams…
    """

    def __init__(
        self, lookup: Symbols, alphabet: int, levels: Sequence[Level], vectors: Symbols
    ) -> None:
        self.lookup = lookup
        self.alphabet = alphabet
        self.vectors = np.ascontiguousarray(vectors)
        self._children: list[Symbols] = []
        self._offsets: list[int] = []
        above, offset = alphabet, alphabet
        for level in levels:
            children = np.zeros((above, alphabet), dtype=np.int32)
            children[level.parent, level.symbol] = np.arange(1, len(level.parent) + 1)
            self._children.append(children.ravel())
            self._offsets.append(offset - 1)
            above, offset = len(level.parent) + 1, offset + len(level.parent)

    def columns(self, symbols: Symbols) -> Symbols:
        """For each position the column of the longest known n-gram that ends there.

        Args:
            symbols: int32, one a position.
        """
        column = symbols.copy()
        node = symbols
        for children, offset in zip(self._children, self._offsets, strict=True):
            nodes = np.zeros_like(symbols)
            nodes[1:] = children.take(node[:-1] * self.alphabet + symbols[1:])
            np.copyto(column, nodes + offset, where=nodes > 0)
            node = nodes
        return column

    def sums(self, batch: Batch, *, silent: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """The sum of vectors of each text: int64, (texts, languages), in 1/NATS nats.

        Args:
            batch: the texts.
            silent: bool, one a position of the batch: where nothing is to be counted.
        """
        columns = self.columns(self.lookup[batch.codes])
        if silent is not None:
            columns[silent] = 0
        out = np.zeros((len(batch.starts), len(self.vectors)), dtype=np.int64)
        first = 0
        while first < len(batch.starts):
            begin = batch.starts[first]
            last = int(np.searchsorted(batch.starts, begin + _CHUNK))
            last = max(last, first + 1)
            end = batch.starts[last] if last < len(batch.starts) else len(columns)
            part = columns[begin:end]
            cuts = batch.starts[first:last] - begin
            for i, vector in enumerate(self.vectors):
                out[first:last, i] = np.add.reduceat(vector.take(part), cuts)
            first = last
        return out
