"""What models said before: on disk, across runs, shared by any number of processes.

One SQLite file. What is put in is there once the call returns, so a killed run loses no more than
the seconds since; and since an entry says nothing of its text but a hash, the file is worth nothing
to a stranger but for the translations.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import NamedTuple

from ingest.errors import SourceError, WriteError
from ingest.translation.packages.locations import caches

FILE = "translations.sqlite"
_FORM = 1  # of the table; another number is another program's file, or another version's
_TOGETHER = 500  # keys of a query: SQLite once allowed but 999
_WAIT = 60.0  # seconds for which another process may hold the file


class Said(NamedTuple):
    """What a model made of a piece: `score` is the mean log-probability of its `tokens`."""

    text: str
    score: float
    tokens: int
    cut: bool


def key(text: str, model: str, options: str) -> bytes:
    """What an entry is found by.

    >>> key("a", "model", "beam 2").hex()[:16]
    '62d4bb41f99c9984'
    """
    whole = "\0".join((options, model, text))  # neither options nor hashes hold a NUL
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).digest()


class Cache:
    """Translations by key; threads may share one.

    Args:
        folder: where the file stands, made where it is missing; `shelves.caches()` if None.

    Raises:
        SourceError: the file is damaged, or not what this class wrote.
        WriteError: the file cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(folder or caches()) / FILE
        self._option = "--cache" if folder else "$INGEST_CACHE_DIR"
        self._lock = RLock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error
        with self._said():
            self._base = sqlite3.connect(
                self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False
            )
            # readers and a writer do not wait for each other; where the file system has no shared
            # memory SQLite goes on without
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._begin()

    def _begin(self) -> None:
        with self._transaction():
            form = self._base.execute("PRAGMA user_version").fetchone()[0]
            tables = self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not tables and not form:
                self._base.execute(
                    "CREATE TABLE said (key BLOB PRIMARY KEY, text TEXT NOT NULL, "
                    "score REAL NOT NULL, tokens INTEGER NOT NULL, cut INTEGER NOT NULL) "
                    "WITHOUT ROWID"
                )
                self._base.execute(f"PRAGMA user_version = {_FORM}")
            elif form != _FORM:
                raise self._damaged("it is not a cache of this version of ingest")

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Said]:
        """The entries that are there."""
        found: dict[bytes, Said] = {}
        with self._said():
            for at in range(0, len(keys), _TOGETHER):
                some = keys[at : at + _TOGETHER]
                marks = ", ".join("?" * len(some))
                rows = self._base.execute(
                    f"SELECT key, text, score, tokens, cut FROM said WHERE key IN ({marks})",  # noqa: S608
                    some,
                )
                for name, text, score, tokens, cut in rows:
                    found[name] = Said(text, score, tokens, bool(cut))
        return found

    def put(self, entries: Iterable[tuple[bytes, Said]]) -> None:
        """Keep all of them, or, if the process is killed meanwhile, none."""
        rows = [(name, *said) for name, said in entries]
        if not rows:
            return
        with self._said(), self._transaction():
            self._base.executemany("INSERT OR IGNORE INTO said VALUES (?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._base.in_transaction:
                self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Have the file alone among threads, and turn what SQLite says into one error."""
        try:
            with self._lock:
                yield
        except sqlite3.ProgrammingError:  # a mistake of ours, not of the file
            raise
        except sqlite3.OperationalError as error:  # locked, disk full, read-only, not to be opened
            raise self._unwritable(error) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _unwritable(self, error: Exception) -> WriteError:
        return WriteError(
            f"{self.path}: the cache of translations cannot be written: {error}; "
            f"{self._option} names another folder"
        )

    def _damaged(self, why: str) -> SourceError:
        return SourceError(
            f"{self.path}: the cache of translations cannot be used: {why}; remove it, and what "
            "it held is translated again"
        )
