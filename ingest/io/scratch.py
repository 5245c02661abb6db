"""Arrays that are written once, from the first row to the last, and may not fit into memory."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ingest.errors import WriteError
from ingest.io.temporary import tmpdir

_MAX_IN_MEMORY = 1 << 28  # bytes; what is more goes to a temporary file


class ScratchStore:
    """What a store of arrays has: some in memory, the others in a temporary file.

    The file is in the folder for temporary files (TMPDIR). It disappears with the store, which is a
    context manager.

    Args:
        max_in_memory: bytes that are kept in memory before they are written.
    """

    def __init__(self, max_in_memory: int) -> None:
        self._max_in_memory = max_in_memory
        self._parts: list[NDArray[Any]] = []  # in memory
        self._bytes = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the arrays, and remove the temporary file."""
        self._parts.clear()
        if self._file:
            self._file.close()


class RowStore(ScratchStore):
    """Rows of numbers, in memory as long as they are few, else in a temporary file.

    The file is written by `write` and not through the map, because a full disk then gives an error
    and not a signal that ends the process.

    Args:
        width: numbers in a row.
        dtype: their type.
        max_in_memory: bytes that are kept in memory.

    >>> with RowStore(2, np.uint8, max_in_memory=3) as store:
    ...     store.append(np.array([[1, 2]], np.uint8))
    ...     store.append(np.array([[3, 4]], np.uint8))
    ...     store.rows()[1].tolist()
    [3, 4]
    """

    def __init__(
        self, width: int, dtype: DTypeLike, *, max_in_memory: int = _MAX_IN_MEMORY
    ) -> None:
        super().__init__(max_in_memory)
        self._empty: NDArray[Any] = np.empty((0, width), dtype)

    def __len__(self) -> int:
        """Number of rows."""
        rows: int = self._bytes // (self._empty.dtype.itemsize * self._empty.shape[1])
        return rows

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows at the end.

        Raises:
            WriteError: the temporary file cannot be written.
        """
        self._parts.append(np.ascontiguousarray(rows, self._empty.dtype))
        self._bytes += self._parts[-1].nbytes
        if self._bytes > self._max_in_memory:
            self._file = append_to_scratch(self._file, self._parts)
            self._parts.clear()

    def rows(self) -> NDArray[Any]:
        """Return all rows, for reading while the store is open."""
        if self._file is None:
            if len(self._parts) != 1:
                self._parts = [np.concatenate([self._empty, *self._parts])]
            return self._parts[0]
        self._file.flush()
        flat: NDArray[Any] = np.memmap(self._file, self._empty.dtype, "r")
        return flat.reshape(-1, self._empty.shape[1])

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return the rows from `start` to before `stop`, without mapping the file."""
        if self._file is None:
            return self.rows()[start:stop]
        width = self._empty.dtype.itemsize * self._empty.shape[1]
        flat = read_scratch(self._file, start * width, stop * width, self._empty.dtype)
        return flat.reshape(-1, self._empty.shape[1])

    def batches(self, size: int) -> Iterator[NDArray[Any]]:
        """Yield all rows in order, `size` at a time, without mapping the file."""
        for start in range(0, len(self), size):
            yield self.read(start, min(start + size, len(self)))


def append_to_scratch(file: IO[bytes] | None, arrays: list[NDArray[Any]]) -> IO[bytes]:
    """Write arrays to the end of a temporary file, which is made if there is none yet.

    Raises:
        WriteError: the temporary file cannot be written.
    """
    try:
        file = file or tempfile.TemporaryFile(dir=tmpdir())  # noqa: SIM115  # closed by the caller
        for array in arrays:
            if array.size:
                file.write(array.view(np.uint8).data)
    except OSError as error:
        raise WriteError(
            f"{tmpdir()}: a temporary file cannot be written: {error.strerror}; "
            "set TMPDIR to a folder with more room"
        ) from error
    return file


def read_scratch(file: IO[bytes], start: int, stop: int, dtype: DTypeLike) -> NDArray[Any]:
    """Read the bytes from `start` to before `stop` of a temporary file, which stays at its end."""
    content = bytearray(stop - start)
    file.seek(start)
    file.readinto(content)  # type: ignore[attr-defined]  # typeshed does not know it of IO
    file.seek(0, io.SEEK_END)
    return np.frombuffer(content, dtype)
