"""Folders that cannot be renamed, such as mount points: what belongs there is moved into them."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from ingest.errors import OutputError

UNFINISHED = ".unfinished"  # in such a folder, the work that is not finished
_OF_THE_SYSTEM = "lost+found"  # at the root of every ext4 file system
_MOUNTS = Path("/proc/self/mountinfo")
# A mount point; the lower layer of a container; a folder that belongs to somebody else
_NOT_RENAMED = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM)


def resolve_link(path: Path) -> Path:
    """Return the place that a link leads to. Any other path is returned as it is.

    Raises:
        OutputError: the link leads nowhere.

    >>> resolve_link(Path("no-such-folder")).name
    'no-such-folder'
    """
    if not path.is_symlink():
        return path
    try:
        return Path(os.path.realpath(path, strict=True))
    except FileNotFoundError:
        raise OutputError(
            f"{path}: is a link to {os.path.realpath(path)}, which does not exist; create that "
            "folder first"
        ) from None
    except OSError as error:
        raise OutputError(f"{path}: is a link that cannot be followed: {error.strerror}") from error


def must_stay(folder: Path) -> bool:
    """Return whether a folder cannot be renamed, or should not be.

    That is a mount point, a folder in one that may not be changed, and the current folder: the
    shell that is there would be nowhere.

    >>> must_stay(Path("/")), must_stay(Path("no-such-folder"))
    (True, False)
    """
    if not folder.is_dir():
        return False
    with suppress(OSError):  # the current folder may have been deleted
        if os.path.samefile(folder, os.curdir):
            return True
    return not os.access(folder.parent, os.W_OK | os.X_OK) or _is_mount_point(folder)


def _is_mount_point(folder: Path) -> bool:
    """Return whether a folder is a mount point, also of a folder of the same file system."""
    if os.path.ismount(folder):
        return True
    try:
        mounts = _MOUNTS.read_bytes().splitlines()
    except OSError:  # not Linux
        return False
    real = os.fsencode(os.path.realpath(folder))
    return any(_unescape(mount.split()[4]) == real for mount in mounts)


def _unescape(path: bytes) -> bytes:
    r"""Return a path of the list of mounts, in which some bytes are octal.

    >>> _unescape(rb"/my\040disk")
    b'/my disk'
    """
    return re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), path)


def contents(folder: Path) -> set[str]:
    """Return the names in a folder, without unfinished work and what the file system put there."""
    return set(os.listdir(folder)) - {UNFINISHED, _OF_THE_SYSTEM}


def is_empty(path: Path) -> bool:
    """Return whether a path is a folder with nothing in it.

    >>> is_empty(Path("no-such-folder"))
    False
    """
    return path.is_dir() and not contents(path)


def rename_folder(new: Path, dest: Path, aside: Path) -> bool:
    """Rename a folder to `dest`; what is there is renamed to `aside` before.

    Returns:
        False if what is at `dest` cannot be renamed; then nothing was done. `aside` in `dest` means
        that its owner knew that.
    """
    if os.path.lexists(dest):
        if dest in aside.parents or must_stay(dest):
            return False
        try:
            dest.rename(aside)
        except OSError as error:
            if error.errno in _NOT_RENAMED:
                return False
            raise
    try:
        new.rename(dest)
    except OSError:
        if os.path.lexists(aside):
            aside.rename(dest)
        raise
    return True


def fill_folder(new: Path, dest: Path, first: str) -> None:
    """Move the content of a folder to `dest`, instead of what is there. Then remove the folder.

    Args:
        new: the folder; it may be in `dest`.
        dest: a folder, which stays.
        first: the file that lists all others. It is there while any of them is, so that whoever
            continues after an interruption knows whose they are.
    """
    for path in sorted(dest.iterdir(), key=lambda path: path.name == first):
        if path != new and path.name != _OF_THE_SYSTEM:
            remove(path)
    for path in sorted(new.iterdir(), key=lambda path: path.name != first):
        path.rename(dest / path.name)
    new.rmdir()


def remove(path: Path, *, ignore_errors: bool = False) -> None:
    """Remove a file, a link, or a folder with all that is in it.

    Args:
        path: what to remove; it need not exist.
        ignore_errors: of a folder, remove as much as can be removed.

    >>> remove(Path("no-such-file"))
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=ignore_errors)
    else:
        path.unlink(missing_ok=True)


def place_file(path: Path, dest: Path) -> None:
    """Let a file also have the name `dest`, instead of the file that is there.

    It keeps its other name, so that whoever continues after an interruption finds all files.
    Without hard links it is moved, and to another file system it is copied.
    """
    new = dest.with_name(f".{dest.name}.{secrets.token_hex(4)}")
    try:
        try:
            new.hardlink_to(path)
        except OSError as error:
            if error.errno != errno.EXDEV:
                path.replace(dest)
                return
            shutil.copyfile(path, new)
        new.replace(dest)
    finally:
        new.unlink(missing_ok=True)
