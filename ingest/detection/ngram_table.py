"""For each position of a batch, look up the longest known n-gram; sum the vectors of each text.

The table is a trie in arrays. The node of a position at order k is the number of the k-gram that
ends there (0 if unknown); it is looked up from the (k-1)-gram that ends one position earlier.
Vectors are integers, so sums are exact and do not depend on the batch around a text.

Looking up vectors takes most of the time, so the numbers of three languages are stored in one
integer, and one look-up and one addition serve all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest._typing import I64, Bools
    from ingest.detection.text_batch import TextBatch

Symbols = NDArray[np.int32]
NATS = 256  # vectors are fixed-point numbers: one nat is 256
UNKNOWN, SPACE = 0, 1
_CHUNK = 1 << 16  # positions at once: the working set fits the cache and memory stays constant
_PACKED, _BITS = 3, 21  # languages in one integer, and bits of each
_FIELD = (1 << _BITS) - 1


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
        vectors: int32 [languages, 1 + nodes], none above zero. Column 0 is the vector of an unknown
            symbol, all zero. Then follow all single symbols, all bigrams, all trigrams, …
    """

    def __init__(
        self, lookup: Symbols, alphabet: int, levels: Sequence[Level], vectors: Symbols
    ) -> None:
        self.lookup = lookup
        self.alphabet = alphabet
        self._languages = len(vectors)
        self._orders = 1 + len(levels)
        # Row n, column s: the column of the n-gram made of the n-gram of column n and symbol s.
        shorter = vectors.shape[1] - (len(levels[-1].parent) if levels else 0)
        following = np.zeros((shorter, alphabet), dtype=np.int32)
        before, size = 0, alphabet  # the n-grams in front of the parents, and of the children
        for level in levels:
            children = np.arange(size, size + len(level.parent))
            following[before + level.parent, level.symbol] = children
            before, size = size - 1, size + len(level.parent)
        self._following = following.ravel()
        self._packed, self._piece = _pack(vectors)

    def columns(self, symbols: Symbols) -> Symbols:
        """Return the column of the longest known n-gram that ends at each position.

        Args:
            symbols: int32 [positions].
        """
        column, node = symbols, symbols
        for _ in range(1, self._orders):
            nodes = np.zeros_like(symbols)
            # No index is outside the table. The mode "clip" is faster, as it does not check first.
            np.take(
                self._following,
                node[:-1] * np.int32(self.alphabet) + symbols[1:],
                out=nodes[1:],
                mode="clip",
            )
            column = np.maximum(column, nodes)  # longer n-grams come later
            node = nodes
        return column

    def sums(self, batch: TextBatch, *, skip: Bools | None = None) -> I64:
        """Sum the vectors of each text: int64 [languages, texts], in 1/NATS nats.

        Args:
            batch: the texts.
            skip: bool [positions], positions that do not count.
        """
        out = np.empty((self._languages, len(batch.starts)), dtype=np.int64)
        for first, last in _chunks(batch):
            begin = batch.starts[first]
            end = batch.starts[last] if last < len(batch.starts) else len(batch.codes)
            # The space before the first text is the left edge of its first word.
            columns = self.columns(self.lookup.take(batch.codes[begin - 1 : end]))[1:]
            if skip is not None:
                columns[skip[begin:end]] = 0
            out[:, first:last] = self._sum_chunk(columns, batch.starts[first:last] - begin)
        return out

    def _sum_chunk(self, columns: Symbols, starts: I64) -> I64:
        """Sum the vectors of texts that begin at `starts`: [languages, texts]."""
        # Fields would overflow in longer pieces.
        pieces = -(-np.diff(starts, append=len(columns)) // self._piece)
        first = np.cumsum(pieces) - pieces
        offset = np.arange(pieces.sum()) - np.repeat(first, pieces)
        cuts = np.repeat(starts, pieces) + offset * self._piece
        index = columns.astype(np.intp)
        values = np.empty(len(index), np.int64)
        sums = np.empty((len(self._packed), _PACKED, len(cuts)), np.int64)
        for packed, out in zip(self._packed, sums, strict=True):
            np.take(packed, index, out=values, mode="clip")
            total = np.add.reduceat(values, cuts)
            for field in range(_PACKED):
                out[field] = -((total >> (field * _BITS)) & _FIELD)
        by_piece = sums.reshape(-1, len(cuts))[: self._languages]
        return np.add.reduceat(by_piece, first, axis=1)


def _pack(vectors: Symbols) -> tuple[I64, int]:
    """Pack the vectors of _PACKED languages each into one integer per column.

    Returns:
        packed: int64 [languages / _PACKED, columns].
        piece: how many columns may be added up without an overflow of a field.
    """
    groups = -(-len(vectors) // _PACKED)
    packed = np.zeros((groups, vectors.shape[1]), np.int64)
    for language, vector in enumerate(vectors):
        group, field = divmod(language, _PACKED)
        packed[group] += -vector.astype(np.int64) << (field * _BITS)
    return packed, _FIELD // max(1, -int(vectors.min(initial=0)))


def _chunks(batch: TextBatch) -> Iterator[tuple[int, int]]:
    """Yield the first text of each chunk, and the one after its last."""
    first = 0
    while first < len(batch.starts):
        end = np.searchsorted(batch.starts, batch.starts[first] + _CHUNK)
        last = max(int(end), first + 1)
        yield first, last
        first = last
