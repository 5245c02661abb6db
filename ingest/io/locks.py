"""File locks. The operating system releases them when their holder dies."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import WriteError

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class LockHeldError(Exception):
    """Another process holds the lock."""


@contextmanager
def hold_lock(path: Path, *, shared: bool = False, wait: bool = False) -> Iterator[int]:
    """Hold the lock on a file and yield the file descriptor.

    The file and its folder are created if needed. The holder may remove the file.

    Args:
        path: the lock file.
        shared: whether other shared holders are allowed at the same time.
        wait: whether to wait until the lock is free.

    Raises:
        LockHeldError: another process holds the lock, and `wait` is not set.
        WriteError: the file system has no locks.
    """
    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    lock = None
    while lock is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _try_lock(path, operation)
    try:
        yield lock
    finally:
        os.close(lock)


def try_make_exclusive(lock: int) -> bool:
    """Try to make a shared lock exclusive. Returns False if another process shares it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_SH)  # flock released the shared lock before it tried
        return False
    return True


def _try_lock(path: Path, operation: int) -> int | None:
    """The descriptor of the locked file, or None if its last holder has just removed the file."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, operation)
        if os.path.samestat(os.fstat(lock), os.stat(path)):
            return lock
    except BlockingIOError:
        os.close(lock)
        raise LockHeldError from None
    except FileNotFoundError:
        pass
    except OSError as error:
        os.close(lock)
        if error.errno not in _NO_LOCKS:
            raise
        path.unlink(missing_ok=True)
        raise WriteError(
            f"{path}: cannot be locked: the file system does not support locks (flock); choose a "
            "folder on a local disk, or have this file system mounted with locks"
        ) from error
    os.close(lock)
    return None
