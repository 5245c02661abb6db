"""Records that are grouped by a key, and may not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest._typing import I64, U64
from ingest.io.scratch import ScratchStore, append_to_scratch, read_scratch

_BITS = 10  # of the key, that choose the bucket
_MAX_IN_MEMORY = 1 << 22  # bytes that wait to be written
_READ_BYTES = 1 << 23  # of neighbouring buckets that are read together


class BucketStore(ScratchStore):
    """Records with a key, which come back in ranges of keys, so that equal keys are together.

    The first bits of the key choose one of 1,024 buckets. So keys should be hashes: if all were in
    one bucket, it would be read as a whole. More than a few megabytes are in a temporary file.

    Args:
        fields: names and types of what a record has besides its key.
        max_in_memory: bytes that are kept in memory before they are written.

    >>> with BucketStore({"row": np.int64}) as store:
    ...     store.append(np.array([1 << 63, 5], np.uint64), row=np.array([7, 8]))
    ...     store.append(np.array([1 << 63], np.uint64), row=np.array([9]))
    ...     [records["row"].tolist() for records in store.ranges()]
    [[8, 7, 9]]
    """

    def __init__(
        self, fields: Mapping[str, type[np.generic]], *, max_in_memory: int = _MAX_IN_MEMORY
    ) -> None:
        super().__init__(max_in_memory)
        self._type = np.dtype([("key", np.uint64), *fields.items()])
        self._counts: list[I64] = []  # records of each part of the file in each bucket
        self._waiting = np.empty(0, self._type)
        self._ends: I64 | None = None  # of the buckets in each part, and of those in memory

    def close(self) -> None:
        """Forget the records, and remove the temporary file."""
        super().close()
        self._waiting = np.empty(0, self._type)

    def append(self, key: U64, **fields: NDArray[Any]) -> None:
        """Add records.

        Raises:
            WriteError: the temporary file cannot be written.
        """
        records = np.empty(len(key), self._type)
        records["key"] = key
        for name, values in fields.items():
            records[name] = values
        self._parts.append(records)
        self._bytes += records.nbytes
        if self._bytes > self._max_in_memory:
            records, counts = self._by_bucket()
            self._file = append_to_scratch(self._file, [records])
            self._counts.append(counts)

    def _by_bucket(self) -> tuple[NDArray[Any], I64]:
        """Return the records in memory, sorted by bucket, and how many are in each; forget them."""
        records = np.concatenate([np.empty(0, self._type), *self._parts])
        self._parts, self._bytes = [], 0
        bucket = (records["key"] >> np.uint64(64 - _BITS)).astype(np.uint16)
        order = np.argsort(bucket, kind="stable")
        return records[order], np.bincount(bucket, minlength=1 << _BITS)

    def ranges(self) -> Iterator[NDArray[Any]]:
        """Yield the records of some buckets at a time, those with the lowest keys first.

        All records of one key are in the same range, in no particular order. Nothing can be
        appended any more.
        """
        counts = np.diff(self._finish(), axis=1, prepend=0).sum(axis=0)
        total = np.cumsum(counts * self._type.itemsize)
        first = 0
        while first < len(counts):
            before = total[first - 1] if first else 0
            last = int(np.searchsorted(total, before + _READ_BYTES, side="right"))
            records = self._read(first, max(last, first + 1))
            if len(records):
                yield records
            first = max(last, first + 1)

    def by_bucket(self) -> Iterator[NDArray[Any]]:
        """Yield the records of each bucket, of which some have none. Nothing can be appended."""
        self._finish()
        for bucket in range(1 << _BITS):
            yield self._read(bucket, bucket + 1)

    def _finish(self) -> I64:
        """Sort what is in memory, and return the ends of the buckets in each part."""
        if self._ends is None:
            self._waiting, counts = self._by_bucket()
            self._ends = np.cumsum([*self._counts, counts], axis=1)
        return self._ends

    def _read(self, first: int, last: int) -> NDArray[Any]:
        """Read the records of buckets `first` to before `last`."""
        parts, start, width = [np.empty(0, self._type)], 0, self._type.itemsize
        for number, ends in enumerate(self._finish()):
            begin, end = int(ends[first - 1]) if first else 0, int(ends[last - 1])
            if number == len(self._counts):
                parts.append(self._waiting[begin:end])
            elif self._file and begin < end:
                span = (start + begin) * width, (start + end) * width
                parts.append(read_scratch(self._file, *span, self._type))
            start += int(ends[-1])
        return np.concatenate(parts)
