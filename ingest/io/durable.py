"""Make sure that what was written is still there after a power cut.

The system writes to the disk when it likes: a file may have its new name before it has its content.
So what a rename puts into place is first written to the disk, and after it the name.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

# What systems say that cannot write a folder, or a file that is none on a disk, to the disk.
_UNSUPPORTED = frozenset(
    {errno.EINVAL, errno.EBADF, errno.ENOSYS, errno.ENOTSUP, errno.EACCES, errno.EPERM,
     errno.EISDIR}
)  # fmt: skip


def sync(path: Path) -> None:
    """Write a file, or a folder with all that is in it, to the disk. Links are not followed.

    Raises:
        OSError: the disk is full or broken; some systems notice this only now.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sync(Path(folder))
    """
    if path.is_symlink() or not path.exists():
        return
    if path.is_dir():
        for folder, _, names in os.walk(path):
            for name in names:
                sync(Path(folder, name))
            _sync(folder)
    else:
        _sync(path)


def sync_names(folder: Path) -> None:
    """Write to the disk which names a folder has: what was created, renamed or removed in it."""
    _sync(folder)


def replace(path: Path, dest: Path) -> None:
    """Rename a file or folder to `dest`, which keeps its content whatever happens.

    Raises:
        OSError: it cannot be renamed, or the disk is full or broken.
    """
    sync(path)
    path.rename(dest)
    sync_names(dest.parent)


def _sync(path: str | Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
