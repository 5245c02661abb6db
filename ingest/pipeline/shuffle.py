"""Rows that tasks send to each other, in files.

Each task writes one file per bucket, and later tasks read one bucket each. A file is named after
its bucket and is in the folder of the task that wrote it. So tasks can run in
any process and any order, and what is in memory does not grow with the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64
from ingest.pipeline.state import State

Rows = NDArray[Any]
"""Rows of a structured type."""

_BLOCK_BYTES = 1 << 24  # of a file, read at once


def write_rows(folder: Path, bucket: I64, rows: Rows) -> None:
    """Append rows to the files of their buckets, in order.

    Args:
        folder: where the files are.
        bucket: int64 [rows], number of the bucket of each row.
        rows: the rows.
    """
    order = np.argsort(bucket, kind="stable")
    numbers, starts = np.unique(bucket[order], return_index=True)
    for number, part in zip(numbers.tolist(), np.split(rows[order], starts[1:]), strict=False):
        append_rows(folder, number, part)


def append_rows(folder: Path, bucket: int, rows: Rows) -> None:
    """Append rows to the file of one bucket."""
    with (folder / _name(bucket)).open("ab") as file:
        file.write(rows.tobytes())


def read_rows(
    state: State, step: str, tasks: Iterable[int], bucket: int, dtype: np.dtype[Any]
) -> Iterator[tuple[int, Rows]]:
    """Yield the rows of one bucket in blocks, each with the number of the task that wrote it.

    Args:
        state: where the files are.
        step: the step whose tasks wrote them.
        tasks: those of its tasks to read from.
        bucket: the bucket.
        dtype: type of the rows.
    """
    name = _name(bucket)
    for task in tasks:
        # a task has no file for a bucket without rows, which only a pattern allows
        with state.borrow(state.joined(step, task), f"{name}*") as folder:
            if (folder / name).exists():
                with (folder / name).open("rb") as file:
                    size = max(_BLOCK_BYTES // dtype.itemsize, 1)
                    while len(rows := np.fromfile(file, dtype, size)):
                        yield task, rows


def _name(bucket: int) -> str:
    return f"{bucket:06d}.rows"
