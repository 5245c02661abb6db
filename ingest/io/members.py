"""The parts of a compressed file that can be decompressed on their own.

They are the members of a gzip file and the frames of a zstd file; here, both are called members.
"""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Protocol

import numpy as np
import zstandard

from ingest.errors import SourceError
from ingest.io.opening import expect, map_ranges, pread
from ingest.io.remote_file import RemoteFile
from ingest.io.streams import (
    TRUNCATED,
    ZSTD_STEP,
    inflate,
    new_gzip_member,
    read_dictionary,
)
from ingest.io.window import FileWindow

_MEMBER_STEP = 1 << 14  # stored bytes of a gzip member that are decompressed at once
_HEADER_STEP = 1 << 12  # bytes read at once if only headers are needed
_PADDING, _NOT_PADDING = re.compile(rb"\0"), re.compile(rb"[^\0]")
_RANGE = 32  # cuts that are searched for one after the other
_MAX_STORED_BLOCK = 4 + 0xFFFF  # bytes of a block of deflate that is not compressed
_MAX_BLOCK = 1 << 17  # bytes of a block of zstd
_ID_SIZES, _CONTENT_SIZES = (0, 1, 2, 4), (0, 2, 4, 8)  # bytes of fields in the header of a frame
_RLE, _RESERVED = 1, 3  # kinds of blocks

File = io.FileIO | RemoteFile


class Member(Protocol):
    """One member, with the number of stored bytes that were consumed so far.

    Attributes:
        consumed: that number.
        ended: whether all of it was decompressed, and is sound.
    """

    consumed: int
    ended: bool

    def pieces(self) -> Iterator[bytes]:
        """Yield its content. Raises SourceError if it is damaged or cut off."""


class Members(ABC):
    """How the members of a kind of file are found."""

    magic: ClassVar[re.Pattern[bytes]]

    @abstractmethod
    def open(self, window: FileWindow) -> Member:
        """The member at the window, which must stay there while the member is read."""

    @abstractmethod
    def skip_padding(self, window: FileWindow) -> bool:
        """Move behind bytes between members that have no content. Return whether there are any."""

    @abstractmethod
    def length(self, window: FileWindow, member: Member | None = None) -> int | None:
        """The stored bytes of the member at the window, which was read; None if it is damaged."""

    @abstractmethod
    def find_cuts(
        self, file: File, start: int, stop: int, distance: int, content: re.Pattern[bytes]
    ) -> list[int]:
        """Where to cut a range of a file: starts of members about `distance` bytes apart.

        Args:
            file: the file.
            start: a start of a member, from which the range is searched.
            stop: end of the range.
            distance: bytes between two cuts.
            content: what matches the start of the content of a member.
        """

    def seek(
        self,
        window: FileWindow,
        start: int,
        content: re.Pattern[bytes],
        stop: int | None = None,
    ) -> bool:
        """Move to the next member at or after `start` whose content starts as it should.

        Returns:
            Whether there is one before the offset `stop`.
        """
        while window.skip_to(self.magic, start, stop):
            try:
                if content.match(next(self.open(window).pieces(), b"")):
                    return True
            except SourceError:
                pass
            start = 1
        return False


class GzipMembers(Members):
    """The members of a gzip file. Only by decompressing one is its end found."""

    magic = re.compile(rb"\x1f\x8b\x08")

    def open(self, window: FileWindow) -> Member:
        return _GzipMember(window)

    def skip_padding(self, window: FileWindow) -> bool:
        if not window.match(_PADDING):
            return False
        window.skip_to(_NOT_PADDING, 0)
        return True

    def length(self, window: FileWindow, member: Member | None = None) -> int | None:
        return member.consumed if member and member.ended else None

    def find_cuts(
        self, file: File, start: int, stop: int, distance: int, content: re.Pattern[bytes]
    ) -> list[int]:
        """Where to cut: see `Members`. Only bytes near the cuts are read."""

        def find(own: File, begin: int, end: int) -> list[int]:
            cuts: list[int] = []
            at = begin + distance if begin == start else begin
            while at < end:
                expect(own, before := max(at - _MAX_STORED_BLOCK, 0), at)
                pread(own, 1, before)  # so that one request fetches all that is looked at
                window = FileWindow(own, at)
                found = self.seek(window, 0, content, end)
                while found and _may_be_stored(own, window.offset):
                    found = self.seek(window, 1, content, end)
                if not found or window.offset >= end:
                    break
                cuts.append(window.offset)
                at = window.offset + distance
            return cuts

        begins = range(start, stop, _RANGE * distance)
        ranges = [(begin, min(begin + begins.step, stop)) for begin in begins]
        return [cut for cuts in map_ranges(file, find, ranges) for cut in cuts]


def _may_be_stored(file: File, at: int) -> bool:
    """Whether a position may be inside of a block that is not compressed.

    An archive in an archive is stored like that, and its members are not those of the file. Such a
    block begins with its length and the complement of that. One time in three, that is true of
    other bytes by chance, and another place is as good for a cut.
    """
    begin = max(at - _MAX_STORED_BLOCK, 0)
    data = np.frombuffer(pread(file, at - begin, begin), np.uint8).astype(np.uint16)
    numbers = data[:-1] | (data[1:] << 8)  # none, or one for each byte that begins one
    blocks = np.flatnonzero((numbers[:-2] ^ numbers[2:]) == 0xFFFF)
    return bool((blocks + 4 + numbers[blocks] > len(data)).any())


class ZstdMembers(Members):
    """The frames of a zstd file. Their headers and those of their blocks say where they end.

    Args:
        dictionary: the one that a .warc.zst starts with, with which its frames are decompressed.
    """

    magic = re.compile(rb"\x28\xb5\x2f\xfd")
    _skippable = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")

    def __init__(self, dictionary: zstandard.ZstdCompressionDict | None = None) -> None:
        self._decompressor = zstandard.ZstdDecompressor(dict_data=dictionary)

    def open(self, window: FileWindow) -> Member:
        return _ZstdFrame(window, self._decompressor)

    def skip_padding(self, window: FileWindow) -> bool:
        """Move behind a frame that is to be skipped, such as one with a dictionary or an index."""
        if not window.match(self._skippable):
            return False
        size = 8 + int.from_bytes(window.peek(4, 4), "little")
        if not window.has(size):
            return False
        window.advance(size)
        return True

    def length(self, window: FileWindow, member: Member | None = None) -> int | None:
        # also if its content is damaged, so that the next frame does not depend on its content
        if not window.match(self.magic):
            return None
        flags = window.peek(4, 1)
        if not flags:
            return None
        is_single = flags[0] >> 5 & 1
        content_size = max(_CONTENT_SIZES[flags[0] >> 6], is_single)
        at = 6 - is_single + _ID_SIZES[flags[0] & 3] + content_size
        is_last = 0
        while not is_last:
            header = int.from_bytes(head := window.peek(at, 3), "little")
            is_last, kind, size = header & 1, header >> 1 & 3, header >> 3
            if len(head) < 3 or kind == _RESERVED or size > _MAX_BLOCK:
                return None
            at += 3 + (1 if kind == _RLE else size)
        at += 4 * (flags[0] >> 2 & 1)  # the checksum
        return at if window.has(at) else None

    def find_cuts(
        self, file: File, start: int, stop: int, distance: int, content: re.Pattern[bytes]
    ) -> list[int]:
        """Where to cut: see `Members`. The headers of all frames of the range are read."""
        window = FileWindow(file, start, _HEADER_STEP)
        cuts: list[int] = []
        due = start + distance
        while window.has(1) and window.offset < stop:
            if window.offset >= due:
                cuts.append(window.offset)
                due = window.offset + distance
            if self.skip_padding(window):
                continue
            if length := self.length(window):
                window.advance(length)
            else:
                self.seek(window, 1, content)
        return cuts


def open_members(file: File, form: str | None) -> Members | None:
    """How the members of a file are found; None if it has none that can be found.

    Args:
        file: the file.
        form: how it is compressed, as `ingest.io.streams.compression` says.

    Raises:
        SourceError: its dictionary is damaged.
    """
    if form == "gzip":
        return GzipMembers()
    if form == "zstd":
        file.seek(0)
        return ZstdMembers(read_dictionary(file))
    return None


class _GzipMember:
    def __init__(self, window: FileWindow) -> None:
        self.consumed = 0
        self.ended = False
        self._window = window

    def pieces(self) -> Iterator[bytes]:
        member = new_gzip_member()
        while not member.eof:
            data = self._window.peek(self.consumed, _MEMBER_STEP)
            output = inflate(member, data)
            left = member.unused_data if member.eof else member.unconsumed_tail
            self.consumed += len(data) - len(left)
            if output:
                yield output
            elif not data and not member.eof:
                raise SourceError(TRUNCATED)
        self.ended = True


class _ZstdFrame:
    def __init__(self, window: FileWindow, decompressor: zstandard.ZstdDecompressor) -> None:
        self.consumed = 0
        self.ended = False
        self._window = window
        self._decompressor = decompressor

    def pieces(self) -> Iterator[bytes]:
        frame = self._decompressor.decompressobj()
        while not frame.eof:
            data = self._window.peek(self.consumed, ZSTD_STEP)
            if not data:
                raise SourceError(TRUNCATED)
            try:
                output = frame.decompress(data)
            except zstandard.ZstdError as error:
                raise SourceError(f"cannot be decompressed: {error}") from error
            self.consumed += len(data) - len(frame.unused_data)
            if output:
                yield output
        self.ended = True
