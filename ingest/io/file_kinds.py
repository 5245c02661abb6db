"""What stands where a file should be. To open a pipe would wait until somebody writes to it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class NotAFileError(OSError):
    """A path is that of a folder, a pipe, a socket or a device."""


def describe_kind(path: str | os.PathLike[str]) -> str:
    """Return what a path is instead of a file; "" if it is a file or missing. Links are followed.

    >>> describe_kind("/"), describe_kind("/dev/null"), describe_kind("no-such-file")
    ('is a folder, not a file', 'is a device, not a file', '')
    """
    try:
        kind = _KINDS.get(stat.S_IFMT(os.stat(path).st_mode), "")
    except OSError:
        return ""
    return f"is a {kind}, not a file" if kind else ""


def check_is_file(path: str | os.PathLike[str]) -> None:
    """Raise if a path is something else than a file, and not missing.

    Raises:
        NotAFileError: it is; `strerror` says what.

    >>> check_is_file("/dev/null")
    Traceback (most recent call last):
    ...
    ingest.io.file_kinds.NotAFileError: [Errno 22] is a device, not a file: '/dev/null'
    """
    if what := describe_kind(path):
        raise NotAFileError(errno.EINVAL, what, os.fspath(path))


def read_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        NotAFileError: it is something else than a file.
        OSError: it cannot be read.

    >>> read_file(Path("no-such-file"))
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no-such-file'
    """
    check_is_file(path)
    return path.read_bytes()
