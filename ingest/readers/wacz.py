"""Read WACZ files: ZIP archives with WARC files of a crawl inside. One record is one page.

The WARC files are stored without further compression, so that each is a range of the file, and is
read and cut like a WARC file. `record` is the offset in the WACZ file.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.members import GzipMembers
from ingest.io.opening import expect, open_binary, open_raw, pread
from ingest.io.remote_file import RemoteFile
from ingest.io.streams import CHUNK, HEAD, compression, describe_os_error, gunzip
from ingest.io.window import FileWindow, Window
from ingest.readers import archive, warc
from ingest.readers.records import Record, Slice

_WARC = (".warc", ".warc.gz")
_FOLDER = "archive/"
_LOCAL_HEADER = 30  # bytes before the name; the lengths of name and extra field are the last four
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
_MEMBERS = GzipMembers()
_COMPRESSED = -1  # `stop` of a slice whose WARC file is compressed by ZIP as well


def is_wacz(path: str) -> bool:
    """Whether a ZIP archive has WARC files where WACZ has them.

    >>> is_wacz("no-such-file")
    False
    """
    try:
        with _open_zip(path) as file:
            return any(map(_is_warc, file.namelist()))
    except (OSError, *_DAMAGE):
        return False


def cut_slices(source: str, shard_bytes: int) -> list[Slice]:
    """Cut a WACZ file at its WARC files, and those at the starts of records."""
    parts: list[Slice] = []
    try:
        with open_raw(source) as raw, _open_zip(source) as file:
            for info in sorted(file.infolist(), key=lambda info: info.header_offset):
                if not _is_warc(info.filename):
                    continue
                at, size = info.header_offset, info.compress_size
                if info.compress_type != zipfile.ZIP_STORED:
                    parts.append(Slice(source, "wacz", at, _COMPRESSED, at, size))
                    continue
                start = _find_content(raw, at)
                is_gzip = compression("", pread(raw, HEAD, start)) == "gzip"
                cuts = (
                    _MEMBERS.find_cuts(raw, start, start + size, shard_bytes, warc.SYNTAX.start)
                    if is_gzip and size > shard_bytes
                    else []
                )
                ends = [*cuts, start + size]
                for begin, end in zip([start, *cuts], ends, strict=True):
                    parts.append(Slice(source, "wacz", begin, end, at, end - begin))
    except (OSError, *_DAMAGE):
        pass
    return parts or [Slice(source, "wacz")]


def read_records(
    part: Slice, settings: ReadConfig, data: Iterator[bytes] | None = None
) -> Iterator[Record]:
    """Yield the pages of a slice; not of a pipe, because the list of files is at its end."""
    if data is not None:
        message = "is WACZ or another ZIP archive, which cannot be read from a pipe; save it first"
        yield Record(part.source, error=message)
        return
    limit = settings.max_record_bytes
    try:
        frames = _read_compressed(part, limit) if part.stop < 0 else _read_stored(part, limit)
        yield from warc.to_records(part.source, frames, limit)
    except OSError as error:
        yield Record(part.source, part.start or None, error=describe_os_error(error))
    except _DAMAGE as error:
        yield Record(part.source, part.start or None, error=f"is a damaged ZIP archive: {error}")


def _read_stored(part: Slice, limit: int) -> Iterator[archive.Frame]:
    if not part.stop:
        raise zipfile.BadZipFile("its list of files cannot be read")
    with open_raw(part.source) as file:
        expect(file, part.start, part.stop)
        window = FileWindow(file, part.start)
        wanted, syntax = warc.is_wanted, warc.SYNTAX
        if compression("", window.peek(0, HEAD)) == "gzip":
            yield from archive.read_members(window, _MEMBERS, limit, wanted, syntax, stop=part.stop)
        else:
            yield from archive.read_stream(window, limit, wanted, syntax, part.stop)


def _read_compressed(part: Slice, limit: int) -> Iterator[archive.Frame]:
    """Yield the records of a WARC file that ZIP compressed; its offsets count up from its own."""
    with _open_zip(part.source) as file:
        info = next(i for i in file.infolist() if i.header_offset == part.start)
        with file.open(info) as stream:
            pieces: Iterator[bytes] = iter(lambda: stream.read(CHUNK), b"")
            if info.filename.endswith(".gz"):
                pieces = gunzip(pieces)
            frames = archive.read_stream(
                Window(_report_damage(pieces)), limit, warc.is_wanted, warc.SYNTAX
            )
            for number, frame in enumerate(frames):
                yield frame._replace(offset=part.start + number)


def _report_damage(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except _DAMAGE as error:
        raise SourceError(f"is a damaged ZIP archive: {error}") from error


@contextmanager
def _open_zip(source: str) -> Iterator[zipfile.ZipFile]:
    with open_binary(source) as file, zipfile.ZipFile(file) as archive_file:
        yield archive_file


def _is_warc(name: str) -> bool:
    return name.startswith(_FOLDER) and name.lower().endswith(_WARC)


def _find_content(file: io.FileIO | RemoteFile, at: int) -> int:
    """Where the content of a stored file starts, whose local header is at `at`."""
    header = pread(file, _LOCAL_HEADER, at)
    if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile("a header is damaged")
    name, extra = (int.from_bytes(header[n : n + 2], "little") for n in (26, 28))
    return at + _LOCAL_HEADER + name + extra
