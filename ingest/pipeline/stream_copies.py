"""Copies of inputs that can be read only once, so that a page of them may end a process."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import SourceError
from ingest.io.stream_copies import StreamCopy
from ingest.io.streams import read_stored


@contextmanager
def copied_streams(sources: Iterable[str], folder: Path) -> Iterator[dict[str, StreamCopy]]:
    """Copy standard input or pipes to files as they are; the files are removed after the block.

    Args:
        sources: the inputs.
        folder: a folder to make for the files.

    Yields:
        What `ingest.io.stream_copies.reading_copies` takes.

    Raises:
        OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield {
            source: _copy(source, folder / f"{number:06d}") for number, source in enumerate(sources)
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: str, to: Path) -> StreamCopy:
    pieces = read_stored(source)
    with to.open("wb") as file:
        while True:
            try:
                piece = next(pieces, b"")
            except SourceError as error:
                return StreamCopy(str(to), str(error))
            if not piece:
                return StreamCopy(str(to), None)
            file.write(piece)


def copy_to_memory(source: str) -> StreamCopy:
    """Copy standard input or a pipe to memory, for what is small."""
    data = bytearray()
    try:
        for piece in read_stored(source):
            data += piece
    except SourceError as error:
        return StreamCopy(None, str(error), bytes(data))
    return StreamCopy(None, None, bytes(data))
