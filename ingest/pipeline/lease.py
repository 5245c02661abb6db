"""Locks in an object store: an object that its holder writes again every few seconds.

A process that is killed leaves its object behind, which counts for nothing once it has not been
written for LEASE seconds. Times are those of the store, so clocks need not agree.
"""

from __future__ import annotations

import json
import math
import os
import platform
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any

from ingest.io import storage
from ingest.io.locks import LockHeldError
from ingest.io.storage_errors import StorageError
from ingest.io.stores import Meta

LEASE = 30.0  # seconds
RENEW = 5.0  # seconds between two writes
_CLOCK = "clock-"
_TIME = "%Y-%m-%d %H:%M UTC"


class Lease:
    """A lock that is held.

    Attributes:
        is_lost: whether another process has taken it, or may have.
    """

    def __init__(self, url: str, version: Meta) -> None:
        self.is_lost = False
        self._url = url
        self._version = version
        self._since = datetime.now(UTC).strftime(_TIME)
        self._renewed = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._keep,), daemon=True, name="lease"
        )
        self._thread.start()

    def _keep(self) -> None:
        while not self._stopped.wait(RENEW) and not self.is_lost:
            with suppress(StorageError):  # the store may be back in time
                version = storage.replace(self._url, _new_content(self._since), self._version)
                if version is None:
                    self.is_lost = True
                    return
                self._version, self._renewed = version, time.monotonic()
            self.is_lost = time.monotonic() - self._renewed > LEASE

    def release(self) -> None:
        """Give the lock up."""
        self._stopped.set()
        self._thread.join()
        if not self.is_lost:
            with suppress(StorageError):  # then it runs out
                storage.delete([self._url])


@contextmanager
def hold_lease(folder: str, name: str, *, excludes: str | None = None) -> Iterator[Lease]:
    """Hold a lock while the block runs.

    Args:
        folder: URL of the folder with all locks, which has nothing else.
        name: name of the lock.
        excludes: name of the one other lock that must not be held; all others if None.

    Raises:
        LockHeldError: another process holds this lock or one that is excluded, or did so less than
            LEASE seconds ago. The message says when to try again.
    """
    url = f"{folder}{name}"
    version = storage.create(url, _new_content())
    if version is None:
        present = storage.read_if_present(url)
        version = present and _take_over(folder, url, present[1])
        if version is None:
            raise LockHeldError(_describe(url, LEASE))
    lease = Lease(url, version)
    try:
        _check_others(folder, name, excludes)
        yield lease
    finally:
        lease.release()


def other_leases(folder: str, name: str) -> dict[str, float]:
    """The other locks in a folder that are held, and for how many seconds they still count."""
    return {other: left for other, left in _leases(folder).items() if other != name}


def _leases(folder: str) -> dict[str, float]:
    held = [
        (url, meta)
        for url, meta in storage.list_objects(folder)
        if not url.startswith(f"{folder}{_CLOCK}")
    ]
    now = _store_time(folder) if held else 0.0
    return {url[len(folder) :]: meta.modified + LEASE - now for url, meta in held}


def check_leases(folder: str, name: str, excludes: str | None = None) -> None:
    """Raise if a lock could not be held now; see `hold_lease`.

    Raises:
        LockHeldError: another process holds it, or one that is excluded.
    """
    for other, left in _leases(folder).items():
        if left >= 0 and (excludes is None or other in (name, excludes)):
            raise LockHeldError(_describe(f"{folder}{other}", left))


def _check_others(folder: str, name: str, excludes: str | None) -> None:
    for other, left in other_leases(folder, name).items():
        if left >= 0 and excludes in (None, other):
            raise LockHeldError(_describe(f"{folder}{other}", left))


def _take_over(folder: str, url: str, present: Meta) -> Meta | None:
    left = present.modified + LEASE - _store_time(folder)
    if left >= 0:
        raise LockHeldError(_describe(url, left))
    return storage.replace(url, _new_content(), present)


def _store_time(folder: str) -> float:
    """The time of the store's clock, which gives every object the time it was written."""
    url = f"{folder}{_CLOCK}{secrets.token_hex(8)}"
    storage.write(url, b"")
    try:
        meta = storage.stat(url, fresh=True)
    finally:
        storage.delete([url])
    return meta.modified if meta else math.inf


def _describe(url: str, left: float) -> str:
    """Who holds a lock, since when, and what to do."""
    held = storage.read_if_present(url)
    content: dict[str, Any] = {}
    with suppress(ValueError):
        content = json.loads(held[0]) if held else {}
    again = f"if it was killed, try again in {math.ceil(left) + 1} s"
    if "host" not in content:
        return again
    return (
        f"on {content['host']}, process {content['process']}, since {content['since']}; wait until "
        f"it ends, or stop it there; {again}"
    )


def _new_content(since: str | None = None) -> bytes:
    """A content that no other write has, as S3 compares versions by it."""
    holder = {
        "host": platform.node() or "another machine",
        "process": os.getpid(),
        "since": since or datetime.now(UTC).strftime(_TIME),
        "version": secrets.token_hex(16),
    }
    return json.dumps(holder).encode()
