"""The translation cache: an SQLite file that runs, threads and processes share.

Each write is a transaction, so a killed run or a power cut loses at most the last few seconds of
work. A damaged file is put aside, and its texts are translated again. An entry stores a hash of the
source text, not the text itself.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

from ingest.errors import SourceError, WriteError
from ingest.translation.packages.locations import cache_dir

FILE = "translations.sqlite"
DAMAGED = ".damaged"  # added to the name of a file that is put aside
_SCHEMA_VERSION = 1  # the file's user_version; any other number is not our file
_KEYS_PER_QUERY = 500  # older versions of SQLite allow 999 parameters
_LOCK_SECONDS = 60.0  # how long to wait while another process writes


class CachedTranslation(NamedTuple):
    """A model's output for one piece of text.

    `score` is the mean log-probability of its `tokens`; `cut` means the output hit the length
    limit.
    """

    text: str
    score: float
    tokens: int
    cut: bool


def cache_key(text: str, model: str, options: str) -> bytes:
    """Return the SHA-256 key of an entry.

    >>> cache_key("a", "model", "beam 2").hex()[:16]
    '62d4bb41f99c9984'
    """
    joined = "\0".join((options, model, text))  # options and hashes contain no NUL
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).digest()


class Cache:
    """Translations by key. Threads may share one instance.

    Args:
        folder: folder of the file, created if missing; None means `locations.cache_dir()`.

    Attributes:
        notes: what the user should know: the file was damaged.

    Raises:
        SourceError: the file is a database, but not a cache of this version.
        WriteError: the file cannot be created.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(folder or cache_dir()) / FILE
        self._option = "--cache" if folder else "$INGEST_CACHE_DIR"
        self._lock = RLock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._write_error(error) from error
        self.notes: list[str] = []
        try:
            self._open()
        except _DamagedError as error:
            self._start_again(error)

    def _open(self) -> None:
        self._inode = _inode(self.path)
        with self._locked():
            self._connection = sqlite3.connect(
                self.path, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False
            )
            # WAL lets readers and a writer work at once. SQLite falls back to another mode on file
            # systems without shared memory.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._create_table()
            self._inode = _inode(self.path)

    def _start_again(self, error: _DamagedError) -> None:
        """Put the damaged file aside, unless another process has, and make a new one."""
        self._connection.close()
        aside = self.path.with_name(FILE + DAMAGED)
        try:
            if _inode(self.path) == self._inode:
                for suffix in ("-wal", "-shm"):
                    self.path.with_name(FILE + suffix).unlink(missing_ok=True)
                self.path.replace(aside)
        except OSError as cause:
            raise self._write_error(cause) from cause
        self.notes.append(
            f"{self.path}: the translation cache was damaged ({error}) and is now {aside}; its "
            "texts are translated again"
        )
        self._open()

    def _create_table(self) -> None:
        with self._transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not tables and not version:
                self._connection.execute(
                    "CREATE TABLE said (key BLOB PRIMARY KEY, text TEXT NOT NULL, "
                    "score REAL NOT NULL, tokens INTEGER NOT NULL, cut INTEGER NOT NULL) "
                    "WITHOUT ROWID"
                )
                self._connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            elif version != _SCHEMA_VERSION:
                raise SourceError(
                    f"{self.path}: is not a translation cache of this version of ingest; choose "
                    f"another folder with {self._option}, or delete the file"
                )

    def get(self, keys: Sequence[bytes]) -> dict[bytes, CachedTranslation]:
        """Return the entries that exist, by key; none if the file is damaged."""
        with self._lock:
            try:
                return self._get(keys)
            except _DamagedError as error:
                self._start_again(error)
                return {}

    def _get(self, keys: Sequence[bytes]) -> dict[bytes, CachedTranslation]:
        entries: dict[bytes, CachedTranslation] = {}
        with self._locked():
            for start in range(0, len(keys), _KEYS_PER_QUERY):
                batch = keys[start : start + _KEYS_PER_QUERY]
                marks = ", ".join("?" * len(batch))
                rows = self._connection.execute(
                    f"SELECT key, text, score, tokens, cut FROM said WHERE key IN ({marks})",  # noqa: S608
                    batch,
                )
                for key, text, score, tokens, cut in rows:
                    entries[key] = CachedTranslation(text, score, tokens, bool(cut))
        return entries

    def put(self, entries: Iterable[tuple[bytes, CachedTranslation]]) -> None:
        """Store all entries in one transaction. Existing entries are left as they are."""
        rows = [(key, *translation) for key, translation in entries]
        if not rows:
            return
        with self._lock:
            try:
                self._put(rows)
            except _DamagedError as error:
                self._start_again(error)
                self._put(rows)

    def _put(self, rows: Sequence[tuple[Any, ...]]) -> None:
        with self._locked(), self._transaction():
            self._connection.executemany("INSERT OR IGNORE INTO said VALUES (?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other threads out, and convert SQLite's errors into ours."""
        try:
            with self._lock:
                yield
        except sqlite3.ProgrammingError:  # a bug in our code, not a problem with the file
            raise
        except sqlite3.OperationalError as error:  # locked, disk full, read-only, cannot be opened
            raise self._write_error(error) from error
        except sqlite3.DatabaseError as error:
            raise _DamagedError(str(error)) from error

    def _write_error(self, error: Exception) -> WriteError:
        return WriteError(
            f"{self.path}: cannot write the translation cache: {error}; choose another folder with "
            f"{self._option}"
        )


class _DamagedError(Exception):
    """SQLite says that the file is damaged, or not a database."""


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
