"""Detect changes to a Parquet file that is read several times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import polars as pl

from ingest.errors import SourceError
from ingest.io.remake import unreadable

T = TypeVar("T")


class Snapshot:
    """The state of a file at one time; later reads fail if the file has changed since.

    Args:
        path: the file, whose size and modification time are recorded now.

    >>> from ingest.io.parquet import scan_parquet
    >>> Snapshot(Path("pairs.parquet")).read(scan_parquet("no-such-file").collect)
    Traceback (most recent call last):
    ...
    ingest.io.remake.DamagedFileError: pairs.parquet: cannot be read as Parquet: ...
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = self._current_state()

    def read(self, call: Callable[[], T]) -> T:
        """Call a function that reads the file, and return its result.

        Raises:
            SourceError: the file cannot be read or has changed.
        """
        try:
            result = call()
        except (pl.exceptions.PolarsError, OSError) as error:
            self._check_unchanged()
            raise unreadable(self._path, error) from error
        self._check_unchanged()
        return result

    def _check_unchanged(self) -> None:
        if self._current_state() != self._state:
            raise SourceError(f"{self._path}: was changed while it was read; start again")

    def _current_state(self) -> tuple[int, int, int] | None:
        """Inode, size and modification time; None if there is no such file."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns
