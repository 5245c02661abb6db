"""Locks that the system lets go when their holder dies, however that happens."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockHeldError(Exception):
    """Another process holds the lock."""


@contextmanager
def hold_lock(path: Path, *, shared: bool = False, wait: bool = False) -> Iterator[int]:
    """Hold the lock that a file stands for, alone or with others who share it; gives its handle.

    The file and its folder are made where they are missing, and may be removed by the holder.

    Raises:
        LockHeldError: another process holds it, and `wait` is not set.
    """
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    lock = None
    while lock is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _try(path, how)
    try:
        yield lock
    finally:
        os.close(lock)


def try_make_exclusive(lock: int) -> bool:
    """Whether a shared lock could be made exclusive: no one else shares it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_SH)  # which flock let go before it tried
        return False
    return True


def _try(path: Path, how: int) -> int | None:
    """None where whoever held the lock has just removed the file."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, how)
        if os.path.samestat(os.fstat(lock), os.stat(path)):
            return lock
    except BlockingIOError:
        os.close(lock)
        raise LockHeldError from None
    except FileNotFoundError:
        pass
    os.close(lock)
    return None
