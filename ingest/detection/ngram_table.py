"""For each position of a batch, look up the longest known n-gram; sum the vectors of each text.

The table is a trie in arrays. The node of a position at order k is the number of the k-gram that
ends there (0 if unknown); it is looked up from the (k-1)-gram that ends one position earlier.
Vectors are integers, so sums are exact and do not depend on the batch around a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest._typing import I64, Bools
    from ingest.detection.text_batch import TextBatch

Symbols = NDArray[np.int32]
NATS = 256  # vectors are fixed-point numbers: one nat is 256
UNKNOWN, SPACE = 0, 1
_CHUNK = 1 << 17  # positions at once: the working set fits the cache and memory stays constant


class Level(NamedTuple):
    """All k-grams of one order. Node i + 1 is the k-gram (parent[i], symbol[i]).

    Attributes:
        parent: int32 [n-grams], the node of the first k - 1 symbols.
        symbol: int32 [n-grams], the last symbol.
    """

    parent: Symbols
    symbol: Symbols


class SuffixTable:
    """Vectors of n-grams, found by the longest known suffix.

    Args:
        lookup: int32 [BMP], the symbol of each code point.
        alphabet: the number of symbols.
        levels: the n-grams of each order, from bigrams on.
        vectors: int32 [languages, 1 + nodes]. Column 0 is the vector of an unknown symbol, all
            zero. Then follow all single symbols, all bigrams, all trigrams, …
    """

    def __init__(
        self, lookup: Symbols, alphabet: int, levels: Sequence[Level], vectors: Symbols
    ) -> None:
        self.lookup = lookup
        self.alphabet = alphabet
        self.vectors = np.ascontiguousarray(vectors)
        self._children: list[Symbols] = []
        self._offsets: list[int] = []
        parents, offset = alphabet, alphabet
        for level in levels:
            children = np.zeros((parents, alphabet), dtype=np.int32)
            children[level.parent, level.symbol] = np.arange(1, len(level.parent) + 1)
            self._children.append(children.ravel())
            self._offsets.append(offset - 1)
            parents, offset = len(level.parent) + 1, offset + len(level.parent)

    def columns(self, symbols: Symbols) -> Symbols:
        """Return the column of the longest known n-gram that ends at each position.

        Args:
            symbols: int32 [positions].
        """
        column = symbols.copy()
        node = symbols
        for children, offset in zip(self._children, self._offsets, strict=True):
            nodes = np.zeros_like(symbols)
            nodes[1:] = children.take(node[:-1] * self.alphabet + symbols[1:])
            np.copyto(column, nodes + offset, where=nodes > 0)
            node = nodes
        return column

    def sums(self, batch: TextBatch, *, skip: Bools | None = None) -> I64:
        """Sum the vectors of each text: int64 [texts, languages], in 1/NATS nats.

        Args:
            batch: the texts.
            skip: bool [positions], positions that do not count.
        """
        columns = self.columns(self.lookup[batch.codes])
        if skip is not None:
            columns[skip] = 0
        out = np.zeros((len(batch.starts), len(self.vectors)), dtype=np.int64)
        first = 0
        while first < len(batch.starts):
            begin = batch.starts[first]
            last = int(np.searchsorted(batch.starts, begin + _CHUNK))
            last = max(last, first + 1)
            end = batch.starts[last] if last < len(batch.starts) else len(columns)
            chunk = columns[begin:end]
            cuts = batch.starts[first:last] - begin
            for i, vector in enumerate(self.vectors):
                out[first:last, i] = np.add.reduceat(vector.take(chunk), cuts)
            first = last
        return out
