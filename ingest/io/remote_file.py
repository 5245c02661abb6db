"""A file over ranges of bytes that are fetched when they are needed, and a little before."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

FIRST_STEP = 1 << 17  # bytes that are fetched at once at first: most pages are smaller
MAX_STEP = 1 << 22  # bytes that are fetched at once where a file is read from start to end
_GROWTH = 4
_MAX_GAP = 1 << 19  # bytes; skipping fewer than these still counts as reading on
_RANGE = 1 << 14  # bytes that are fetched at least of a place that is looked at
_KEPT = 2  # blocks in memory, for readers that go back a little
_DEPTH = 2  # blocks that are fetched ahead

T = TypeVar("T")
Buffer = bytes | memoryview
Fetch = Callable[[int, int], Buffer]
"""Returns the bytes of a file from a start to a stop."""


class _Block(NamedTuple):
    start: int
    data: Buffer

    @property
    def stop(self) -> int:
        return self.start + len(self.data)


class Ahead(NamedTuple, Generic[T]):
    """A range that is being fetched, with its bytes or the answer that has them."""

    start: int
    stop: int
    data: Future[T]


class RemoteFile(io.RawIOBase):
    """A seekable binary file. While one block is read, threads fetch the next two.

    Blocks are small at first and wherever a reader jumps, and larger where it reads on, or says
    what it will read.

    Args:
        name: name of the file.
        size: its size in bytes.
        fetch: returns a range of it, and raises OSError if it cannot.
        start: the first bytes, if they are known.
        find_ahead: returns what is being fetched already of the bytes that are expected from an
            offset, if anything.

    >>> file = RemoteFile("a", 6, lambda start, stop: b"abcdef"[start:stop])
    >>> file.read(2), file.pread(2, 4), file.read(), file.seek(-1, io.SEEK_END), file.read()
    (b'ab', b'ef', b'cdef', 5, b'f')
    """

    def __init__(
        self,
        name: str,
        size: int,
        fetch: Fetch,
        start: Buffer = b"",
        find_ahead: Callable[[int], Ahead[Buffer] | None] | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self._fetch = fetch
        self._find_ahead = find_ahead
        self._at = 0
        self._step = FIRST_STEP
        self._blocks = deque([_Block(0, start)] if len(start) else [], _KEPT)
        self._threads: ThreadPoolExecutor | None = None
        self._expected = 0, 0
        self._ahead: deque[Ahead[Buffer]] = deque()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        # the one of the base class copies everything twice
        data = self.pread(self.size if size is None or size < 0 else size, self._at)
        self._at += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and (piece := self._piece(self._at, len(view) - done)):
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        return done

    def pread(self, size: int, offset: int) -> bytes:
        """Read `size` bytes from `offset`, like os.pread; fewer at the end of the file."""
        pieces = []
        while size > 0 and (piece := self._piece(offset, size)):
            pieces.append(piece)
            size -= len(piece)
            offset += len(piece)
        return pieces[0].tobytes() if len(pieces) == 1 else b"".join(pieces)

    def expect(self, start: int, stop: int) -> None:
        """Say that the bytes from `start` to `stop` will be read, in order, and few after them."""
        self._expected = start, min(stop, self.size)
        if self._find_ahead and (found := self._find_ahead(start)):
            self._drop_ahead()
            self._ahead.append(found)

    def duplicate(self) -> RemoteFile:
        """Another view of the same file, for another thread."""
        return RemoteFile(self.name, self.size, self._fetch)

    def close(self) -> None:
        self._drop_ahead()
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None
        super().close()

    def _drop_ahead(self) -> None:
        while self._ahead:
            self._ahead.popleft().data.cancel()

    def _piece(self, offset: int, most: int) -> memoryview:
        """Bytes from `offset`, at least one and at most `most`; none at the end of the file."""
        if offset >= self.size:
            return memoryview(b"")
        block = next((b for b in reversed(self._blocks) if b.start <= offset < b.stop), None)
        block = block or self._load(offset)
        return memoryview(block.data)[offset - block.start :][:most]

    def _load(self, offset: int) -> _Block:
        last = self._blocks[-1].stop if self._blocks else 0
        expected = self._expected[1] if self._expected[0] <= offset < self._expected[1] else 0
        reads_on = 0 <= offset - last < _MAX_GAP and (expected or not self._expected[1])
        if expected:
            self._step = min(expected - offset, MAX_STEP)
        else:
            self._step = min(self._step * _GROWTH, MAX_STEP) if reads_on else FIRST_STEP
        end = expected or self.size
        while self._ahead and not self._ahead[0].start <= offset < self._ahead[0].stop:
            self._ahead.popleft().data.cancel()
        if self._ahead:
            ahead = self._ahead.popleft()
            block = _Block(ahead.start, ahead.data.result())
        else:
            block = _Block(offset, self._fetch(offset, min(offset + self._step, self.size)))
        self._blocks.append(block)
        if expected or (reads_on and last):
            at = self._ahead[-1].stop if self._ahead else block.stop
            while len(self._ahead) < _DEPTH and at < end:
                stop = min(at + self._step, end)
                self._threads = self._threads or ThreadPoolExecutor(_DEPTH)
                self._ahead.append(Ahead(at, stop, self._threads.submit(self._fetch, at, stop)))
                at = stop
        return block


class RangeFile(io.RawIOBase):
    """A file of which only a few places are looked at, each as one range, and nothing ahead.

    Args:
        size: its size in bytes.
        fetch: returns a range of it, and raises OSError if it cannot.

    >>> ranges = []
    >>> file = RangeFile(9 << 20, lambda start, stop: ranges.append((start, stop)) or b"ab")
    >>> file.seek(4 << 20), file.read(1), file.read(1), ranges
    (4194304, b'a', b'b', [(4194304, 4210688)])
    """

    def __init__(self, size: int, fetch: Fetch) -> None:
        self._size, self._fetch = size, fetch
        self._at = 0
        self._block = _Block(0, b"")

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        most = self._size - self._at
        size = most if size is None or size < 0 else min(size, most)
        if size <= 0:
            return b""
        stop = self._at + size
        if not self._block.start <= self._at <= stop <= self._block.stop:
            # what is near the end is often read bit by bit from there
            start = max(min(self._at, self._size - _RANGE), 0)
            block = self._fetch(start, min(max(stop, start + _RANGE), self._size))
            self._block = _Block(start, block)
        at = self._at - self._block.start
        data = bytes(self._block.data[at : at + size])
        self._at += len(data)
        return data
