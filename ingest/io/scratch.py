"""Arrays that are written once, from the first row to the last, and may not fit into memory."""

from __future__ import annotations

import tempfile
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ingest.errors import WriteError
from ingest.io.temporary import tmpdir

_MAX_IN_MEMORY = 1 << 28  # bytes; what is more goes to a temporary file


class RowStore:
    """Rows of numbers, in memory as long as they are few, else in a temporary file.

    The file is in the folder for temporary files (TMPDIR) and disappears with the store. It is
    written by `write` and not through the map, because a full disk then gives an error and not a
    signal that ends the process.

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
        self._empty: NDArray[Any] = np.empty((0, width), dtype)
        self._max_in_memory = max_in_memory
        self._parts: list[NDArray[Any]] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> RowStore:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._parts.clear()
        if self._file:
            self._file.close()

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows at the end.

        Raises:
            WriteError: the temporary file cannot be written.
        """
        self._parts.append(np.ascontiguousarray(rows, self._empty.dtype))
        self._bytes += rows.nbytes
        try:
            if self._file is None and self._bytes > self._max_in_memory:
                self._file = tempfile.TemporaryFile(dir=tmpdir())  # noqa: SIM115  # closed with the store
            if self._file:
                for part in self._parts:
                    self._file.write(part.data)
                self._parts.clear()
        except OSError as error:
            raise WriteError(
                f"{tmpdir()}: a temporary file cannot be written: {error.strerror}; "
                "set TMPDIR to a folder with more room"
            ) from error

    def rows(self) -> NDArray[Any]:
        """Return all rows, for reading while the store is open."""
        if self._file is None:
            self._parts = [np.concatenate([self._empty, *self._parts])]
            return self._parts[0]
        self._file.flush()
        flat: NDArray[Any] = np.memmap(self._file, self._empty.dtype, "r")
        return flat.reshape(-1, self._empty.shape[1])
