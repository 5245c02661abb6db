"""A Parquet file that is read several times, and must be what it was at first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import polars as pl

from ingest.errors import SourceError

T = TypeVar("T")


class Snapshot:
    """Calls that read a file, and what is said where it is damaged or was changed meanwhile.

    Args:
        path: the file, as it is now.
        hint: what to do about a file that cannot be read.

    >>> Snapshot(Path("pairs.parquet")).read(pl.scan_parquet("no-such-file").collect)
    Traceback (most recent call last):
    ...
    ingest.errors.SourceError: pairs.parquet: cannot be read as Parquet: ...
    """

    def __init__(self, path: Path, hint: str = "") -> None:
        self._path, self._hint = path, hint
        self._first = self._stamp()

    def read(self, call: Callable[[], T]) -> T:
        """What a call that reads the file gives.

        Raises:
            SourceError: it cannot be read, or is not what it was.
        """
        try:
            got = call()
        except (pl.exceptions.PolarsError, OSError) as error:
            self._refuse_changes()
            raise SourceError(
                f"{self._path}: cannot be read as Parquet: {error}{self._hint}"
            ) from error
        self._refuse_changes()
        return got

    def _refuse_changes(self) -> None:
        if self._stamp() != self._first:
            raise SourceError(f"{self._path}: was changed while it was read; start again")

    def _stamp(self) -> tuple[int, int, int] | None:
        """What tells that the file is another."""
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return seen.st_ino, seen.st_size, seen.st_mtime_ns
