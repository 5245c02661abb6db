"""Read files and standard input as streams of bytes, decompressed in bounded memory."""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import IO, AnyStr, BinaryIO

import zstandard

from ingest.errors import SourceError
from ingest.io.opening import open_binary
from ingest.io.remote_file import FIRST_STEP, RemoteFile
from ingest.io.stream_copies import StreamCopy, copy_of

STDIN = "-"
CHUNK = 1 << 16
HEAD = 1 << 9  # bytes at the start of a file that show whether it is compressed
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_SURE = 64  # bytes without a control byte, which compressed data hardly ever has
_SKIP_SIZE = 1 << 20  # bytes of an overlong line that are read at once
_GZIP = 31  # zlib's window bits for a gzip member
# A zstd block holds at most 128 KiB and can be stored in four bytes. Limiting the input of one step
# therefore limits its output, here to 32 MiB.
ZSTD_STEP = 1 << 10
_FORMS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x5d\x2a\x4d\x18", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
    *((b"BZh%d1AY" % level, "bzip2") for level in range(1, 10)),
)
_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}
_MAX_XZ_MEMORY = 1 << 28  # bytes; what `xz -9` needs is a quarter of it
_DICTIONARY_MAGIC = b"\x5d\x2a\x4d\x18"  # frame with the dictionary of a .warc.zst
_MAX_DICTIONARY = 1 << 26  # bytes
# Called with the number of stored bytes read. It is not an argument, because many readers of many
# formats would have to pass it on.
_READ_REPORT: ContextVar[Callable[[int], None] | None] = ContextVar("_READ_REPORT", default=None)
TRUNCATED = "cannot be decompressed: the file is cut off"


def describe_os_error(error: OSError) -> str:
    """The `error` of a page whose file cannot be read."""
    reason = error.strerror or str(error)
    return f"cannot be read: {reason[0].lower()}{reason[1:]}"


def compression(name: str, start: bytes) -> str | None:
    r"""How a file is compressed, by its first bytes, else by its name.

    The result is gzip, zstd, bzip2, xz or None.

    A name that says so is wrong if the file starts with text: many tools decompress what they
    download, and keep its name.

    >>> compression("a.gz", b""), compression("a.warc", b"\x1f\x8b"), compression("a.gz", b"text")
    ('gzip', 'gzip', None)

    Args:
        name: the name of the file.
        start: its first HEAD bytes.
    """
    for magic, form in _FORMS:
        if start.startswith(magic):
            return form
    if start and _is_text(start):
        return None
    return _SUFFIXES.get(os.path.splitext(name.lower())[1])


def _is_text(start: bytes) -> bool:
    """Whether bytes are text. Compressed bytes soon have a control byte, or are not UTF-8."""
    if _CONTROL.search(start):
        return False
    if len(start) >= _SURE:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def read_pieces(
    source: str, start: int = 0, stop: int | None = None, *, first: int = FIRST_STEP
) -> Iterator[bytes]:
    """Yield the content of a file or of standard input in pieces, decompressed if necessary.

    Args:
        source: path, URL, or '-' for standard input.
        start: first stored byte to read; in a compressed file, the start of a gzip member or a zstd
            frame.
        stop: end of the stored bytes to read.
        first: bytes to ask an object store for at first.

    Raises:
        SourceError: the file cannot be read or is damaged. Pieces before the damage are yielded.
    """
    try:
        with _open(source, first) as file:
            if isinstance(raw := getattr(file, "raw", None), RemoteFile) and first == FIRST_STEP:
                raw.expect(start, stop or raw.size)
            head = file.read(len(_DICTIONARY_MAGIC) + 4)
            dictionary, at = None, 0
            if head.startswith(_DICTIONARY_MAGIC):
                at = len(head) + _dictionary_size(head)
                dictionary, head = _parse_dictionary(head, file), b""
                form: str | None = "zstd"
            else:
                head += file.read(HEAD - len(head))
                form = compression(source, head)
            if start:
                at, head = start, b""
                file.seek(start)
            chunks = _read_chunks(file, head, copy_of(source))
            stored = _limit(chunks, None if stop is None else stop - at)
            if form == "zstd":
                yield from unzstd(stored, dictionary)
            elif form:
                yield from _DECOMPRESS[form](stored)
            else:
                yield from stored
    except OSError as error:
        raise SourceError(describe_os_error(error)) from error


def read_stored(source: str) -> Iterator[bytes]:
    """Yield the content of a file or of standard input in pieces, as it is stored.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with _open(source, FIRST_STEP) as file:
            yield from _read_chunks(file, b"", None)
    except OSError as error:
        raise SourceError(describe_os_error(error)) from error


def _open(source: str, first: int) -> AbstractContextManager[BinaryIO]:
    if copy := copy_of(source):
        return open_binary(copy.path) if copy.path else nullcontext(io.BytesIO(copy.data))
    if source != STDIN:
        return open_binary(source, first)
    if sys.stdin is None:
        raise SourceError("cannot be read: standard input is closed")
    return nullcontext(sys.stdin.buffer)


def open_source(source: str, start: int = 0, stop: int | None = None) -> io.BufferedReader:
    """The content of a file as a binary stream. Reads raise what `read_pieces` raises."""
    return as_stream(read_pieces(source, start, stop))


def read_line(file: IO[AnyStr], limit: int) -> tuple[AnyStr, bool]:
    r"""The next line, and whether it is longer than `limit` bytes or characters.

    Only the beginning of an overlong line is returned; the rest is skipped. Only \n ends a line.
    At the end of the file, the line is empty.

    >>> file = io.StringIO("one\nthree\n")
    >>> read_line(file, 3), read_line(file, 3), read_line(file, 3)
    (('one\n', False), ('thre', True), ('', False))
    """
    line = rest = file.readline(limit + 1)
    end = "\n" if isinstance(line, str) else b"\n"
    overlong = len(line) > limit and not line.endswith(end)
    while overlong and rest and not rest.endswith(end):
        rest = file.readline(_SKIP_SIZE)
    return line, overlong


def as_stream(parts: Iterator[bytes]) -> io.BufferedReader:
    """A binary stream over pieces of bytes."""
    return io.BufferedReader(_RawPieces(parts), CHUNK)


def gunzip(stored: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress all members of a gzip file, in pieces of at most CHUNK bytes.

    Raises:
        SourceError: the data is damaged or cut off.
    """
    member = None
    members = 0
    for piece in stored:
        rest = piece
        while rest:
            if member is None:
                if members and not (rest := rest.lstrip(b"\0")):  # gzip allows zero padding
                    break
                member = new_gzip_member()
                members += 1
            output = inflate(member, rest)
            while output:
                yield output
                rest = member.unconsumed_tail
                output = b"" if member.eof or len(output) < CHUNK else inflate(member, rest)
            rest = b""
            if member.eof:
                rest, member = member.unused_data, None
    if member is not None:
        raise SourceError(TRUNCATED)


def inflate(member: zlib._Decompress, data: bytes) -> bytes:
    """Decompress at most CHUNK bytes of a gzip member.

    Raises:
        SourceError: the data is damaged.
    """
    try:
        return member.decompress(data, CHUNK)
    except zlib.error as error:
        raise SourceError(f"cannot be decompressed: {error}") from error


def new_gzip_member() -> zlib._Decompress:
    """A decompressor for one gzip member."""
    return zlib.decompressobj(_GZIP)


def unzstd(
    stored: Iterable[bytes], dictionary: zstandard.ZstdCompressionDict | None = None
) -> Iterator[bytes]:
    """Decompress all frames of a zstd file.

    Raises:
        SourceError: the data is damaged or cut off.
    """
    frame = None
    decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)
    for piece in stored:
        for at in range(0, len(piece), ZSTD_STEP):
            rest = piece[at : at + ZSTD_STEP]
            while rest:
                frame = frame or decompressor.decompressobj()
                try:
                    output = frame.decompress(rest)
                except zstandard.ZstdError as error:
                    raise SourceError(f"cannot be decompressed: {error}") from error
                if output:
                    yield output
                rest = b""
                if frame.eof:
                    rest, frame = frame.unused_data, None
    if frame is not None:
        raise SourceError(TRUNCATED)


def _unbzip2(stored: Iterable[bytes]) -> Iterator[bytes]:
    return _decompress(stored, bz2.BZ2Decompressor)


def _unxz(stored: Iterable[bytes]) -> Iterator[bytes]:
    return _decompress(
        stored, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ_MEMORY)
    )


def _decompress(
    stored: Iterable[bytes], new: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
) -> Iterator[bytes]:
    """Decompress all streams of a file, in pieces of at most CHUNK bytes."""
    stream = None
    streams = 0
    for piece in stored:
        rest = piece
        while rest:
            if stream is None:
                if streams and not (rest := rest.lstrip(b"\0")):  # xz allows zero padding
                    break
                stream = new()
                streams += 1
            try:
                output = stream.decompress(rest, CHUNK)
                while output:
                    yield output
                    output = (
                        b"" if stream.needs_input or stream.eof else stream.decompress(b"", CHUNK)
                    )
            except (OSError, EOFError, lzma.LZMAError) as error:
                raise SourceError(f"cannot be decompressed: {error}") from error
            rest = b""
            if stream.eof:
                rest, stream = stream.unused_data, None
    if stream is not None:
        raise SourceError(TRUNCATED)


_DECOMPRESS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "gzip": gunzip, "bzip2": _unbzip2, "xz": _unxz,
}  # fmt: skip


def read_dictionary(file: BinaryIO | io.RawIOBase) -> zstandard.ZstdCompressionDict | None:
    """The dictionary that a .warc.zst starts with; None if there is none.

    Raises:
        SourceError: it is damaged.
    """
    head = file.read(len(_DICTIONARY_MAGIC) + 4) or b""
    return _parse_dictionary(head, file) if head.startswith(_DICTIONARY_MAGIC) else None


def _dictionary_size(head: bytes) -> int:
    return int.from_bytes(head[len(_DICTIONARY_MAGIC) :], "little")


def _parse_dictionary(head: bytes, file: BinaryIO | io.RawIOBase) -> zstandard.ZstdCompressionDict:
    size = _dictionary_size(head)
    data = (file.read(size) if size <= _MAX_DICTIONARY else None) or b""
    if data.startswith(_FORMS[1][0]):
        try:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=_MAX_DICTIONARY)
        except zstandard.ZstdError as error:
            raise SourceError(f"cannot be decompressed: its dictionary: {error}") from error
    return zstandard.ZstdCompressionDict(data)


def _read_chunks(file: BinaryIO, head: bytes, copy: StreamCopy | None) -> Iterator[bytes]:
    if head:
        report_read(len(head))
        yield head
    while piece := file.read(CHUNK):
        report_read(len(piece))
        yield piece
    if copy and copy.error:
        raise SourceError(copy.error)


@contextmanager
def reporting_reads(report: Callable[[int], None] | None) -> Iterator[None]:
    """Call a function with the number of stored bytes of each piece that is read in the block.

    Args:
        report: the function; None to report nothing, such as while a file is only looked at.
    """
    token = _READ_REPORT.set(report)
    try:
        yield
    finally:
        _READ_REPORT.reset(token)


def report_read(size: int) -> None:
    """Report stored bytes that were read in another way than by `read_pieces`."""
    if report := _READ_REPORT.get():
        report(size)


def _limit(stored: Iterator[bytes], size: int | None) -> Iterator[bytes]:
    for piece in stored:
        if size is None:
            yield piece
        elif size > 0:
            yield piece[:size]
            size -= len(piece)
        else:
            return


class _RawPieces(io.RawIOBase):
    """The raw stream below `io.BufferedReader`."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._left:
            self._left = memoryview(next(self._source, b""))
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
