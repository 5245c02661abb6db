"""Where one file or folder is written: whole or not at all, and over nothing by surprise."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from ingest.errors import OutputError, WriteError

_TEXT = (".tsv", ".csv", ".txt", ".jsonl", ".json", ".tmx")


def check_output(
    dest: str | Path,
    *,
    overwrite: bool,
    folder: bool = False,
    parquet: bool = False,
    inputs: Iterable[str | Path] = (),
) -> None:
    """Raise unless `dest` may be made; ask before the work, so that none is done in vain.

    Args:
        dest: what is to be made.
        overwrite: whether it may be replaced.
        folder: whether it is to be a folder.
        parquet: whether it is to be a Parquet file, which no name of a text file may have.
        inputs: what it is made from, and so never replaces.

    Raises:
        WriteError: the folder that it is to stand in is not there.
        OutputError: it is there, and is not to be replaced or is an input; or is of another kind;
            or has the name of one.

    >>> check_output("no-such-folder/pairs.tsv", overwrite=False)
    Traceback (most recent call last):
    ...
    ingest.errors.WriteError: no-such-folder/pairs.tsv: cannot be written: there is no folder \
no-such-folder; make it first
    """
    dest = Path(dest)
    _in_a_folder(dest)
    if any(_same(dest, path) for path in inputs):
        raise OutputError(f"{dest}: is the input itself; choose another name")
    if parquet and dest.suffix.lower() in _TEXT:
        raise OutputError(
            f"{dest}: would be a Parquet file; name it {dest.stem}.parquet, and make text of it "
            "with: ingest export --format"
        )
    if not os.path.lexists(dest):
        return
    if not overwrite:
        raise OutputError(f"{dest}: exists already; choose another name, or give --overwrite")
    if dest.is_symlink() or not (dest.is_dir() if folder else dest.is_file()):
        kind = "folder" if folder else "file"
        raise OutputError(f"{dest}: is no plain {kind}, and is not replaced; choose another name")


@contextmanager
def atomic_write(dest: str | Path, *, folder: bool = False) -> Iterator[Path]:
    """A name to write to, which becomes `dest` when all went well and vanishes if not.

    A folder is there already and empty. Missing folders above are never made: a path with a slip
    in it is to be an error, and no tree of folders.

    Raises:
        WriteError: it could not be written, or the folder that it is to stand in is not there.

    >>> import tempfile
    >>> at = Path(tempfile.mkdtemp())
    >>> with atomic_write(at / "a.txt") as work:
    ...     _ = work.write_text("all of it")
    >>> [(path.name, path.read_text()) for path in at.iterdir()]
    [('a.txt', 'all of it')]
    """
    dest = Path(dest)
    _in_a_folder(dest)
    with wrap_os_errors(dest):
        work = dest.with_name(f".{dest.name}.{secrets.token_hex(4)}")
        try:
            if folder:
                work.mkdir()
            yield work
            _swap(work, dest) if folder and dest.exists() else work.rename(dest)
        finally:
            shutil.rmtree(work, ignore_errors=True) if folder else work.unlink(missing_ok=True)


def _in_a_folder(dest: Path) -> None:
    if not os.path.isdir(dest.parent):
        raise WriteError(
            f"{dest}: cannot be written: there is no folder {dest.parent}; make it first"
        )


def _same(dest: Path, path: str | Path) -> bool:
    return os.path.exists(dest) and os.path.exists(path) and os.path.samefile(dest, path)


def _swap(work: Path, dest: Path) -> None:
    old = work.with_name(work.name + ".old")
    dest.rename(old)
    try:
        work.rename(dest)
    except OSError:
        old.rename(dest)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name when all went well and vanishes if not."""
    work = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    work.mkdir(parents=True)
    try:
        yield work
        try:
            work.rename(folder)
        except OSError as error:
            # another process was first; what it wrote is the same
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def wrap_os_errors(target: Path) -> Iterator[None]:
    """Turn what the system says into one error.

    Raises:
        WriteError: a file or folder could not be written.
    """
    try:
        yield
    except OSError as error:
        raise WriteError(f"{target}: cannot be written: {error}") from error
    except pl.exceptions.PolarsError as error:
        if "os error" not in str(error):  # how Polars tells of a full disk
            raise
        raise WriteError(f"{target}: cannot be written: {error}") from error
