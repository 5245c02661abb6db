"""Atomic writes: a file or folder appears under its name only when it is complete.

It is on the disk before it gets its name, so this also holds after a power cut.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from ingest.errors import OutputError, WriteError
from ingest.io.durable import sync, sync_names
from ingest.io.in_place import fill_folder, is_empty, must_stay, rename_folder, resolve_link
from ingest.io.parquet import UNEXPLAINED
from ingest.io.run_files import EXPORT_FILE
from ingest.io.urls import check_target_is_local

_OS_ERROR = re.compile(r"([^:\n]*) \(os error \d+\)")  # as Rust prints it
_TEXT_SUFFIXES = (".tsv", ".csv", ".txt", ".jsonl", ".json", ".tmx")


def check_output(
    dest: str | Path,
    *,
    overwrite: bool,
    folder: bool = False,
    parquet: bool = False,
    inputs: Iterable[str | Path] = (),
) -> None:
    """Raise unless `dest` may be written. Call this before the work starts.

    Args:
        dest: the file or folder to write.
        overwrite: whether an existing one may be replaced.
        folder: whether `dest` is a folder.
        parquet: whether `dest` is a Parquet file, which must not have the suffix of a text file.
        inputs: files that are read to produce `dest`, and so are never replaced.

    Raises:
        WriteError: the parent folder does not exist.
        OutputError: `dest` exists and may not be replaced, is an input, is of another kind, has
            the suffix of another kind of file, or is a URL.

    >>> check_output("no-such-folder/pairs.tsv", overwrite=False)
    Traceback (most recent call last):
    ...
    ingest.errors.WriteError: no-such-folder/pairs.tsv: cannot be written: there is no folder \
no-such-folder; create it first
    """
    check_target_is_local(dest)
    dest = resolve_link(Path(dest)) if folder else Path(dest)
    _check_parent(dest)
    if any(_is_same_file(dest, path) for path in inputs):
        raise OutputError(f"{dest}: is the input itself; choose another name")
    if parquet and dest.suffix.lower() in _TEXT_SUFFIXES:
        raise OutputError(
            f"{dest}: would be a Parquet file; name it {dest.stem}.parquet, and convert it to "
            "text with: ingest export --format"
        )
    if not os.path.lexists(dest) or (folder and is_empty(dest)):
        return
    if not overwrite:
        raise OutputError(f"{dest}: exists already; choose another name, or give --overwrite")
    if dest.is_symlink() or not (dest.is_dir() if folder else dest.is_file()):
        kind = "folder" if folder else "file"
        raise OutputError(
            f"{dest}: is not a regular {kind} and will not be replaced; choose another name"
        )


@contextmanager
def atomic_write(dest: str | Path, *, folder: bool = False, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `dest` on success and removed on failure.

    Missing parent folders are never created, so that a typo in a path is an error. If `dest` is a
    folder and a link, the folder that it leads to is written; a folder that cannot be renamed gets
    its files one by one.

    Args:
        dest: the file or folder to write.
        folder: whether the temporary path is an empty folder.
        durable: whether `dest` must survive a power cut. That takes some milliseconds per file.

    Raises:
        WriteError: writing failed, or the parent folder does not exist.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("complete")
    >>> [(path.name, path.read_text()) for path in folder.iterdir()]
    [('a.txt', 'complete')]
    """
    dest = resolve_link(Path(dest)) if folder else Path(dest)
    _check_parent(dest)
    with wrap_os_errors(dest):
        # absolute: Polars takes the start of `file:x` for that of a URL
        place = (dest if folder and must_stay(dest) else dest.parent).absolute()
        temporary = place / f".{dest.name}.{secrets.token_hex(4)}"
        try:
            if folder:
                temporary.mkdir()
            yield temporary
            if durable:
                sync(temporary)
            if folder and dest.exists():
                aside = temporary.with_name(temporary.name + ".old")
                if not rename_folder(temporary, dest, aside):
                    fill_folder(temporary, dest, EXPORT_FILE)
                if durable:  # before what was there is gone
                    sync_names(dest)
                    sync_names(dest.parent)
                shutil.rmtree(aside, ignore_errors=True)
            else:
                temporary.rename(dest)
            if durable:
                sync_names(dest.parent)
        finally:
            if folder:
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                temporary.unlink(missing_ok=True)


def _check_parent(dest: Path) -> None:
    if not os.path.isdir(dest.parent):
        raise WriteError(
            f"{dest}: cannot be written: there is no folder {dest.parent}; create it first"
        )


def _is_same_file(dest: Path, path: str | Path) -> bool:
    return os.path.exists(dest) and os.path.exists(path) and os.path.samefile(dest, path)


@contextmanager
def atomic_folder(folder: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `folder` on success and removed on failure.

    Missing parent folders are created. If another process creates `folder` first, its copy stays.

    Args:
        folder: the folder to make.
        durable: whether it must survive a power cut. That takes some milliseconds per file.
    """
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if durable:
            sync(temporary)
        try:
            temporary.rename(folder)
        except OSError as error:
            # Another process was faster; the content is the same.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        if durable:
            sync_names(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def wrap_os_errors(target: Path) -> Iterator[None]:
    """Convert errors of the operating system to `WriteError`.

    Raises:
        WriteError: a file or folder could not be written.
    """
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
        else:
            reason = _reason_of_polars(str(error))
        if not reason:
            raise
        raise with_notes(WriteError(f"{target}: cannot be written: {reason}"), error) from error


def _reason_of_polars(message: str) -> str:
    """Return why Polars could not write a file; an empty text for any other error.

    >>> _reason_of_polars("parquet: underlying IO error: No space left on device (os error 28)")
    'No space left on device'
    """
    if UNEXPLAINED in message:
        return "not all of it could be written, as when the disk is full"
    found = _OS_ERROR.search(message)
    return found[1].strip() if found else ""


def with_notes(error: WriteError, cause: BaseException) -> WriteError:
    """Return an error with the notes of its cause, such as how to go on."""
    for note in getattr(cause, "__notes__", ()):
        error.add_note(note)
    return error
