"""Read files inside a ZIP archive without unpacking it: ARCHIVE!MEMBER names such a file."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator

from ingest.errors import SourceError
from ingest.io.streams import CHUNK, read_pieces, report_read

_SEPARATOR = "!"
_MAGIC = b"PK\3\4"
_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)


def is_archive(path: str) -> bool:
    """Return whether a path is a ZIP archive."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC or zipfile.is_zipfile(path)


def list_members(path: str) -> list[str]:
    """Return the files in an archive, each as ARCHIVE!MEMBER, in order of their names.

    Raises:
        SourceError: the archive is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(entry.filename for entry in archive.infolist() if not entry.is_dir())
    except _ERRORS as error:
        raise SourceError(f"{path}: cannot be read as ZIP: {error}") from error
    return [f"{path}{_SEPARATOR}{name}" for name in names]


def open_pieces(source: str) -> Iterator[bytes]:
    """Yield the content of a file, or of a file in an archive, in pieces and decompressed.

    Raises:
        SourceError: it cannot be read, or is damaged. Pieces before the damage are yielded.
    """
    archive, separator, member = source.partition(_SEPARATOR)
    if not separator or os.path.exists(source) or not is_archive(archive):
        yield from read_pieces(source)
        return
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as file:
            entry = opened.getinfo(member)
            stored = entry.compress_size / max(entry.file_size, 1)
            while piece := file.read(CHUNK):
                report_read(round(len(piece) * stored))
                yield piece
    except (*_ERRORS, KeyError) as error:
        raise SourceError(f"cannot be read from the ZIP archive: {error}") from error
