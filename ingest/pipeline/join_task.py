"""One task of the join: which keys it looks at, and the rows it reads and sends.

A *chunk* is a run of consecutive shards. A *node* is a row of its keys as one number, with the
chunk in the high bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64, U16, U64
from ingest.dedup.stars import Pairs
from ingest.minhash import BANDS, ROWS
from ingest.pipeline.join_files import JoinPlan
from ingest.pipeline.shuffle import Rows, read_rows, write_rows
from ingest.pipeline.state import State

NODE_BITS = 40  # bits of a node for its row in the chunk

KEY = np.dtype([("doc", "<u8"), ("article", "<i4"), ("shard", "<i4")])
PAIR = np.dtype([("left", "<i8"), ("right", "<i8")])
NODE = np.dtype([("node", "<i8")])
SIGNATURE = np.dtype([("node", "<i8"), ("values", "<u2", (BANDS * ROWS,))])
NAMED = np.dtype([("to", "<i8"), ("node", "<i8"), ("doc", "<u8"), ("article", "<i4")])
LINE = np.dtype([("line", "<u8"), ("article", "<i8"), ("chunk", "<i4")])
TEMPLATE = np.dtype([("line", "<u8")])


class JoinTask(NamedTuple):
    """One step for one chunk or bucket.

    Attributes:
        state: where the shards and the other steps are.
        plan: how the keys are cut.
        work: the folder for what the task writes.
        number: number of the chunk or bucket.
        round: counts steps that are repeated.
        threshold: how similar copies of an article are, at least.
    """

    state: State
    plan: JoinPlan
    work: Path
    number: int
    round: int
    threshold: float

    @property
    def base(self) -> int:
        """The first node of the chunk."""
        return self.number << NODE_BITS

    @property
    def rows(self) -> int:
        """Number of nodes of the chunk."""
        return self.plan.rows[self.number]

    @property
    def shards(self) -> range:
        """The shards of the chunk."""
        return range(*self.plan.starts[self.number : self.number + 2])

    def read(
        self, step: str, dtype: np.dtype[Any], tasks: int | None = None
    ) -> Iterator[tuple[int, Rows]]:
        """Yield the rows for this chunk or bucket, each block with the task it comes from."""
        tasks = self.plan.chunks if tasks is None else tasks
        return read_rows(self.state, step, range(tasks), self.number, dtype)

    def read_pairs(self, step: str) -> Iterator[Pairs]:
        """Yield the pairs for this chunk."""
        for _, rows in self.read(step, PAIR):
            yield rows["left"], rows["right"]

    def write_to_left(self, pairs: Iterable[Pairs]) -> None:
        """Send pairs to the chunk of the left node."""
        for left, right in pairs:
            write_rows(self.work, left >> NODE_BITS, records(PAIR, left=left, right=right))

    def keys(self) -> Rows:
        """Read the keys of the chunk, of type KEY."""
        return self._gathered("keys.npy")

    def values(self) -> U16:
        """Read the signatures of the chunk: uint16 [rows, BANDS * ROWS]."""
        values: U16 = self._gathered("values.npy")
        return values

    def _gathered(self, name: str) -> NDArray[Any]:
        with self.state.borrow(self.state.joined("keys", self.number), name) as folder:
            array: NDArray[Any] = np.load(folder / name)
            return array


def spread(keys: U64, buckets: int) -> I64:
    """Return the bucket of each key. Greater keys have greater buckets.

    >>> spread(np.array([0, 1 << 63], np.uint64), 2).tolist()
    [0, 1]
    """
    bucket: I64 = ((keys >> np.uint64(32)) * np.uint64(buckets) >> np.uint64(32)).astype(np.int64)
    return bucket


def records(dtype: np.dtype[Any], **columns: Any) -> Rows:
    """Return rows with these columns.

    >>> records(PAIR, left=[1, 2], right=[3, 4]).tolist()
    [(1, 3), (2, 4)]
    """
    rows = np.empty(len(next(iter(columns.values()))), dtype)
    for name, column in columns.items():
        rows[name] = column
    return rows
