"""Connected components of a graph that is cut into buckets: the least node of each component.

A bucket has some of the nodes and all of their edges. Two steps take turns until each component is
a star around its least node (Kiveris et al. 2014, "Connected Components in MapReduce and Beyond");
both only need the least neighbour of each node of the bucket. The number of rounds grows with the
logarithm of the longest path, and the number of edges never grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ingest._typing import I64
from ingest.dedup.candidates import distinct_pairs

Pairs = tuple[I64, I64]
"""Both ends of edges."""


class Neighbours:
    """The least and the greatest neighbour of each node of one bucket.

    Args:
        base: the first node; those of the bucket are `base`, `base + 1`, …
        nodes: number of nodes.
        edges: edges from nodes of the bucket, to any nodes. One element is in memory at a time.

    Attributes:
        least: int64 [nodes], the least neighbour, or the node itself if it is less.
    """

    def __init__(self, base: int, nodes: int, edges: Iterable[Pairs]) -> None:
        self.base = base
        self.node: I64 = np.arange(base, base + nodes)
        self.least = self.node.copy()
        self._greatest: I64 = np.full(nodes, -1, np.int64)
        for node, other in edges:
            np.minimum.at(self.least, node - base, other)
            np.maximum.at(self._greatest, node - base, other)

    def count_unsettled(self) -> int:
        """Count the nodes that are neither the centre of a star nor a leaf of one.

        If no bucket has any, each leaf has one neighbour: the least node of its component.
        """
        return int(((self.least < self.node) & (self.least != self._greatest)).sum())

    def large_star(self, edges: Iterable[Pairs]) -> Iterator[Pairs]:
        """Connect the greater neighbours of each node to its least one.

        Yields:
            Edges from the greater to the lesser node.

        >>> edges = np.array([5, 5]), np.array([3, 9])
        >>> [(greater, lesser)] = Neighbours(5, 1, [edges]).large_star([edges])
        >>> greater.tolist(), lesser.tolist()
        ([9], [3])
        """
        for node, other in edges:
            greater = other > node
            yield distinct_pairs(other[greater], self.least[node[greater] - self.base])

    def small_star(self, edges: Iterable[Pairs]) -> Iterator[Pairs]:
        """Connect each node and its lesser neighbours to the least one.

        Args:
            edges: edges from the greater to the lesser node.

        Yields:
            Edges from the greater to the lesser node.
        """
        for node, other in edges:
            least = self.least[node - self.base]
            differ = other != least
            yield distinct_pairs(other[differ], least[differ])
        leaf = self.least < self.node
        yield self.node[leaf], self.least[leaf]
