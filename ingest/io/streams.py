"""Files in pieces, decompressed within bounds, and a window on what lies ahead in them."""

from __future__ import annotations

import io
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import IO, AnyStr, BinaryIO

import zstandard

from ingest.errors import SourceError

STDIN = "-"
CHUNK = 1 << 16
_PASSED_OVER = 1 << 20  # of a line that is too long, at once
_GZIP = 31  # zlib's window bits for a gzip member
# A block of zstd is at most 128 KiB and can be stored in four bytes: what goes in at once bounds
# what comes out at once, here 32 MiB.
_ZSTD_STEP = 1 << 10
_FORMS = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x5d\x2a\x4d\x18", "zstd"))
_SUFFIXES = {".gz": "gzip", ".zst": "zstd"}
_DICTIONARY = b"\x5d\x2a\x4d\x18"  # the frame that holds the dictionary of a .warc.zst
_MOST_DICTIONARY = 1 << 26
TRUNCATED = "cannot be decompressed: the file is cut off"
_LONGEST_MATCH = 64  # bytes of what a window is searched for


def describe_os_error(error: OSError) -> str:
    """What stands in `error` of a page whose file cannot be read."""
    reason = error.strerror or str(error)
    return f"cannot be read: {reason[0].lower()}{reason[1:]}"


def compression(name: str, start: bytes) -> str | None:
    r"""How bytes are compressed: gzip, zstd or None. Their start tells, else the name of the file.

    >>> compression("a.gz", b""), compression("a.warc", b"\x1f\x8b"), compression("a.txt", b"")
    ('gzip', 'gzip', None)
    """
    for magic, form in _FORMS:
        if start.startswith(magic):
            return form
    return _SUFFIXES.get(os.path.splitext(name.lower())[1])


def read_pieces(source: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """What a file or standard input holds, piece by piece; decompressed where it is compressed.

    `start` and `stop` are a range of stored bytes, for files that are not compressed.

    Raises:
        SourceError: the file cannot be read or is damaged; the pieces before that have come.
    """
    try:
        with _file(source) as file:
            if start:
                file.seek(start)
            head = file.read(8)
            if not (form := None if start else compression(source, head)):
                yield from _within(_read(file, head), None if stop is None else stop - start)
            elif head.startswith(_DICTIONARY):
                size = int.from_bytes(head[4:8], "little")
                yield from unzstd(_read(file, b""), _dictionary(file, size))
            else:
                yield from (gunzip if form == "gzip" else unzstd)(_read(file, head))
    except OSError as error:
        raise SourceError(describe_os_error(error)) from error


def _file(source: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if source == STDIN else open(source, "rb")


def open_source(source: str, start: int = 0, stop: int | None = None) -> io.BufferedReader:
    """The content of a file as a stream of bytes, whose reads raise what `pieces` raises."""
    return as_stream(read_pieces(source, start, stop))


def read_line(file: IO[AnyStr], limit: int) -> tuple[AnyStr, bool]:
    r"""The next line, and whether it has more than `limit` bytes or characters.

    Of one that has, no more than the beginning is held, and the rest is passed over. Only \n ends
    a line; at the end of the file it is empty.

    >>> file = io.StringIO("one\nthree\n")
    >>> read_line(file, 3), read_line(file, 3), read_line(file, 3)
    (('one\n', False), ('thre', True), ('', False))
    """
    line = rest = file.readline(limit + 1)
    end = "\n" if isinstance(line, str) else b"\n"
    large = len(line) > limit and not line.endswith(end)
    while large and rest and not rest.endswith(end):
        rest = file.readline(_PASSED_OVER)
    return line, large


def as_stream(parts: Iterator[bytes]) -> io.BufferedReader:
    """Pieces as a stream of bytes."""
    return io.BufferedReader(_Pieces(parts), CHUNK)


def gunzip(stored: Iterable[bytes]) -> Iterator[bytes]:
    """All members of a gzip file, in pieces of at most CHUNK bytes.

    Raises:
        SourceError: the data is damaged or cut off.
    """
    member = None
    members = 0
    for piece in stored:
        rest = piece
        while rest:
            if member is None:
                if members and not (rest := rest.lstrip(b"\0")):  # gzip allows padding
                    break
                member = new_gzip_member()
                members += 1
            made = inflate(member, rest)
            while made:
                yield made
                rest = member.unconsumed_tail
                made = b"" if member.eof or len(made) < CHUNK else inflate(member, rest)
            rest = b""
            if member.eof:
                rest, member = member.unused_data, None
    if member is not None:
        raise SourceError(TRUNCATED)


def inflate(member: zlib._Decompress, data: bytes) -> bytes:
    """The next CHUNK bytes at most of a gzip member.

    Raises:
        SourceError: the data is damaged.
    """
    try:
        return member.decompress(data, CHUNK)
    except zlib.error as error:
        raise SourceError(f"cannot be decompressed: {error}") from error


def new_gzip_member() -> zlib._Decompress:
    """What decompresses one gzip member."""
    return zlib.decompressobj(_GZIP)


def unzstd(
    stored: Iterable[bytes], dictionary: zstandard.ZstdCompressionDict | None = None
) -> Iterator[bytes]:
    """All frames of a zstd file.

    Raises:
        SourceError: the data is damaged or cut off.
    """
    frame = None
    decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)
    for piece in stored:
        for at in range(0, len(piece), _ZSTD_STEP):
            rest = piece[at : at + _ZSTD_STEP]
            while rest:
                frame = frame or decompressor.decompressobj()
                try:
                    made = frame.decompress(rest)
                except zstandard.ZstdError as error:
                    raise SourceError(f"cannot be decompressed: {error}") from error
                if made:
                    yield made
                rest = b""
                if frame.eof:
                    rest, frame = frame.unused_data, None
    if frame is not None:
        raise SourceError(TRUNCATED)


def _dictionary(file: BinaryIO, size: int) -> zstandard.ZstdCompressionDict:
    data = file.read(size) if size <= _MOST_DICTIONARY else b""
    if data.startswith(_FORMS[1][0]):
        try:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=_MOST_DICTIONARY)
        except zstandard.ZstdError as error:
            raise SourceError(f"cannot be decompressed: its dictionary: {error}") from error
    return zstandard.ZstdCompressionDict(data)


def _read(file: BinaryIO, head: bytes) -> Iterator[bytes]:
    if head:
        yield head
    while piece := file.read(CHUNK):
        yield piece


def _within(stored: Iterator[bytes], most: int | None) -> Iterator[bytes]:
    for piece in stored:
        if most is None:
            yield piece
        elif most > 0:
            yield piece[:most]
            most -= len(piece)
        else:
            return


class _Pieces(io.RawIOBase):
    """Pieces as the raw stream that io's readers stand on."""

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


class Window:
    """What lies ahead in a stream: looked at before it is taken.

    `offset` is where in the stream it stands; `damage` says why the stream ended too early.
    """

    seekable = False

    def __init__(self, source: Iterator[bytes], offset: int = 0) -> None:
        self.offset = offset
        self.damage: str | None = None
        self._source = source
        self._data = bytearray()
        self._at = 0
        self._ended = False

    @property
    def ahead(self) -> int:
        """How many bytes ahead have been read already."""
        return len(self._data) - self._at

    @property
    def left(self) -> int:
        """How many bytes are known to lie ahead."""
        return self.ahead

    def has(self, size: int) -> bool:
        """Whether so many bytes lie ahead."""
        return self._reach(size)

    def peek(self, start: int, size: int) -> bytes:
        """`size` bytes from `start` on; fewer at the end."""
        self._reach(start + size)
        return bytes(self._data[self._at + start : self._at + start + size])

    def match(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether a short pattern is what comes next."""
        self._reach(_LONGEST_MATCH)
        return pattern.match(self._data, self._at) is not None

    def search(self, pattern: re.Pattern[bytes], most: int) -> tuple[int, int] | None:
        """Where a short pattern is first found in the next `most` bytes: its start and end."""
        tried = 0
        while True:
            if found := pattern.search(self._data, self._at + tried, self._at + most):
                return found.start() - self._at, found.end() - self._at
            tried = max(self.ahead - _LONGEST_MATCH, 0)
            if self.ahead >= most or not self._reach(self.ahead + 1):
                return None

    def skip_to(self, pattern: re.Pattern[bytes], start: int) -> bool:
        """Go to where a pattern is next found at or after `start`; to the end where it is not."""
        self.advance(start)
        while (found := self.search(pattern, CHUNK)) is None:
            if not self._reach(CHUNK):
                self.advance(self.ahead)
                return False
            self.advance(CHUNK - _LONGEST_MATCH)
        self.advance(found[0])
        return True

    def advance(self, size: int) -> None:
        """Take `size` bytes, or those that are left."""
        while size > self.ahead and not self._ended:
            size -= self.ahead
            self._take(self.ahead)
            self._fill()
        self._take(min(size, self.ahead))

    def _take(self, size: int) -> None:
        self._at += size
        self.offset += size

    def _reach(self, size: int) -> bool:
        while self.ahead < size and not self._ended:
            self._fill()
        return self.ahead >= size

    def _fill(self) -> None:
        if self._at > len(self._data) // 2:  # so that no byte is moved often
            del self._data[: self._at]
            self._at = 0
        try:
            more = self._more()
        except SourceError as error:
            self.damage = str(error)
            more = b""
        self._data += more
        self._ended = not more

    def _more(self) -> bytes:
        return next(self._source, b"")


class FileWindow(Window):
    """A window on a file, which hops over what nobody looks at."""

    seekable = True

    def __init__(self, file: io.FileIO, offset: int = 0, step: int = CHUNK) -> None:
        super().__init__(iter(()), offset)
        self._file = file.fileno()
        self._size = os.fstat(self._file).st_size
        self._step = step

    @property
    def left(self) -> int:
        return self._size - self.offset

    def has(self, size: int) -> bool:
        return size <= self.left

    def peek(self, start: int, size: int) -> bytes:
        if start + size <= max(self.ahead, self._step):
            return super().peek(start, size)
        return os.pread(self._file, size, self.offset + start)

    def advance(self, size: int) -> None:
        if size <= self.ahead:
            self._take(size)
            return
        self.offset = min(self.offset + size, max(self._size, self.offset))
        self._data.clear()
        self._at = 0
        self._ended = False

    def _more(self) -> bytes:
        try:
            return os.pread(self._file, self._step, self.offset + self.ahead)
        except OSError as error:
            raise SourceError(describe_os_error(error)) from error
