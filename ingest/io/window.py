"""A window on a stream of bytes: look at what comes next before consuming it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from ingest.errors import SourceError
from ingest.io.opening import pread, size_of
from ingest.io.remote_file import RemoteFile
from ingest.io.streams import CHUNK, describe_os_error

_LONGEST_MATCH = 64  # bytes; no pattern that a window is searched for matches more


class Window:
    """A stream that can be inspected ahead of the current position.

    Attributes:
        offset: the current position in the stream.
        damage: why the stream ended too early, or None.
        seekable: whether skipped bytes need not be read.
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
        """Bytes that have been read but not consumed."""
        return len(self._data) - self._at

    @property
    def left(self) -> int:
        """Bytes that are known to follow."""
        return self.ahead

    def has(self, size: int) -> bool:
        """Whether at least `size` bytes follow."""
        return self._reach(size)

    def peek(self, start: int, size: int) -> bytes:
        """`size` bytes from `start` bytes ahead; fewer at the end of the stream."""
        self._reach(start + size)
        return bytes(self._data[self._at + start : self._at + start + size])

    def match(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether a short pattern matches at the current position."""
        self._reach(_LONGEST_MATCH)
        return pattern.match(self._data, self._at) is not None

    def search(self, pattern: re.Pattern[bytes], most: int) -> tuple[int, int] | None:
        """Start and end of the first match of a short pattern in the next `most` bytes."""
        searched = 0
        while True:
            if match := pattern.search(self._data, self._at + searched, self._at + most):
                return match.start() - self._at, match.end() - self._at
            searched = max(self.ahead - _LONGEST_MATCH, 0)
            if self.ahead >= most or not self._reach(self.ahead + 1):
                return None

    def skip_to(self, pattern: re.Pattern[bytes], start: int, stop: int | None = None) -> bool:
        """Move to the next match of a pattern at or after `start`.

        Args:
            pattern: what to find.
            start: number of bytes ahead.
            stop: offset from which no match is needed.

        Returns:
            Whether there is one. If not, the window is at the end of the stream or behind `stop`.
        """
        self.advance(start)
        while (span := self.search(pattern, CHUNK)) is None:
            if stop is not None and self.offset >= stop:
                return False
            if not self._reach(CHUNK):
                self.advance(self.ahead)
                return False
            self.advance(CHUNK - _LONGEST_MATCH)
        self.advance(span[0])
        return True

    def advance(self, size: int) -> None:
        """Consume `size` bytes, or all if fewer follow."""
        while size > self.ahead and not self._ended:
            size -= self.ahead
            self._consume(self.ahead)
            self._fill()
        self._consume(min(size, self.ahead))

    def _consume(self, size: int) -> None:
        self._at += size
        self.offset += size

    def _reach(self, size: int) -> bool:
        while self.ahead < size and not self._ended:
            self._fill()
        return self.ahead >= size

    def _fill(self) -> None:
        if self._at > len(self._data) // 2:  # rarely, so that bytes are not moved often
            del self._data[: self._at]
            self._at = 0
        try:
            data = self._read_more()
        except SourceError as error:
            self.damage = str(error)
            data = b""
        self._data += data
        self._ended = not data

    def _read_more(self) -> bytes:
        return next(self._source, b"")


class FileWindow(Window):
    """A window on a file. Bytes that are skipped are not read."""

    seekable = True

    def __init__(self, file: io.FileIO | RemoteFile, offset: int = 0, step: int = CHUNK) -> None:
        super().__init__(iter(()), offset)
        self._file = file
        self._size = size_of(file)
        self._step = step

    @property
    def left(self) -> int:
        return self._size - self.offset

    def has(self, size: int) -> bool:
        return size <= self.left

    def peek(self, start: int, size: int) -> bytes:
        if start + size <= max(self.ahead, self._step):
            return super().peek(start, size)
        return pread(self._file, size, self.offset + start)

    def advance(self, size: int) -> None:
        if size <= self.ahead:
            self._consume(size)
            return
        self.offset = min(self.offset + size, max(self._size, self.offset))
        self._data.clear()
        self._at = 0
        self._ended = False

    def _read_more(self) -> bytes:
        try:
            return pread(self._file, self._step, self.offset + self.ahead)
        except OSError as error:
            raise SourceError(describe_os_error(error)) from error
