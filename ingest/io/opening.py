"""Open sources and ask what they are, whether they are local files or objects in a store."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from ingest.io import storage
from ingest.io.access import RANGES_AT_ONCE, in_parallel, range_limit
from ingest.io.remote_file import FIRST_STEP, RemoteFile
from ingest.io.storage_files import LOOK_AHEAD, open_remote, stamp_of_opened
from ingest.io.urls import is_remote

R = TypeVar("R")
# Size and modification time of a file, or size and ETag of an object; None for anything else:
# missing, a pipe, standard input.
Stamp = tuple[int, int | str] | None


def open_binary(source: str, first: int = FIRST_STEP) -> io.BufferedReader:
    """Open a source for reading.

    Args:
        source: path or URL.
        first: bytes to ask an object store for at first.

    Raises:
        OSError: it cannot be read.
    """
    if is_remote(source):
        return io.BufferedReader(open_remote(source, first))
    return open(source, "rb")


def open_raw(source: str) -> io.FileIO | RemoteFile:
    """Open a source for reading without a buffer of its own, for `pread`.

    Raises:
        OSError: it cannot be read.
    """
    return open_remote(source) if is_remote(source) else open(source, "rb", buffering=0)


def pread(file: io.FileIO | RemoteFile, size: int, offset: int) -> bytes:
    """Read `size` bytes from `offset`; fewer at the end of the file."""
    if isinstance(file, RemoteFile):
        return file.pread(size, offset)
    return os.pread(file.fileno(), size, offset)


def expect(file: io.FileIO | RemoteFile, start: int, stop: int) -> None:
    """Say which bytes of an open file will be read, in order, so that few others are fetched."""
    if isinstance(file, RemoteFile):
        file.expect(start, stop + LOOK_AHEAD)


def map_ranges(
    file: io.FileIO | RemoteFile,
    function: Callable[[io.FileIO | RemoteFile, int, int], R],
    ranges: Sequence[tuple[int, int]],
) -> list[R]:
    """The results of a function that reads ranges of a file; many at a time of an object.

    Args:
        file: the open file.
        function: gets the file, the start of a range and its end.
        ranges: start and end of each.
    """
    if not isinstance(file, RemoteFile):
        return [function(file, start, stop) for start, stop in ranges]

    def read(span: tuple[int, int]) -> R:
        with range_limit(), file.duplicate() as own:
            return function(own, *span)

    return in_parallel(read, ranges, at_once=RANGES_AT_ONCE)


def size_of(file: io.FileIO | RemoteFile) -> int:
    """The size of an open file, in bytes."""
    return file.size if isinstance(file, RemoteFile) else os.fstat(file.fileno()).st_size


def is_file(source: str) -> bool:
    """Whether a source is a file or an object.

    Raises:
        StorageError: the store cannot be asked.
    """
    return storage.stat(source) is not None if is_remote(source) else os.path.isfile(source)


def is_pipe(source: str) -> bool:
    """Whether a path is neither a file nor missing, so that it can be read only once."""
    return not is_remote(source) and os.path.exists(source) and not os.path.isfile(source)


def file_size(source: str) -> int:
    """The size of a file or object, in bytes.

    Raises:
        OSError: there is none, or it cannot be asked for.
    """
    if not is_remote(source):
        return os.path.getsize(source)
    meta = storage.stat(source)
    if meta is None:
        raise FileNotFoundError(None, "no such file", source)
    return meta.size


def stamp(source: str) -> Stamp:
    """What shows whether a source has changed.

    For an object that was read, this is what it was then.

    Raises:
        StorageError: the object could not be read to its end, but perhaps later.
    """
    if is_remote(source):
        return stamp_of_opened(source)
    try:
        if not os.path.isfile(source):
            return None
        stat = os.stat(source)
    except OSError:  # the file has just been deleted
        return None
    return stat.st_size, stat.st_mtime_ns
