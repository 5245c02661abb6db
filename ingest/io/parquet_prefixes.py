"""How much the values of a page of Parquet become that are stored as differences.

With DELTA_BYTE_ARRAY, a value is stored as the number of bytes it has in common with the value
before, and the rest. So a long value and a thousand numbers become a thousand long values. These
numbers come first; they are all that is looked at here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ingest.errors import SourceError
from ingest.io.compressed_start import decompress_start
from ingest.io.thrift import read_signed, read_varint

DELTA_BYTE_ARRAY = 7
DATA_PAGE, DATA_PAGE_V2 = 5, 8
_RLE = 3
_LEVEL_SIZE = 4  # bytes: the length of a list of levels
_MAX_VALUE_BYTES = 8  # of a number and the levels of its value
_MAX_HEADER = 1 << 12
_MAX_START = 1 << 26  # bytes; a page has a megabyte, as a rule
_MAX_COMPRESSED_BLOCK = 1 << 18  # bytes; those of zstd have half of that
_MAX_BLOCK = 1 << 16  # values; writers use 128


class PageData(NamedTuple):
    """A page with values that are stored as differences, and how to read it.

    Attributes:
        header: what it says of itself.
        stored: its bytes, or as many as `needed_bytes` says.
        codec: the number of its compression.
        levels: how many lists of levels precede the values.
    """

    header: dict[int, Any]
    stored: bytes
    codec: int
    levels: int


def is_delta(header: dict[int, Any]) -> bool:
    """Return whether a page has values that are stored as differences."""
    v1, v2 = header.get(DATA_PAGE, {}), header.get(DATA_PAGE_V2, {})
    return DELTA_BYTE_ARRAY in (v1.get(2), v2.get(4))


def needed_bytes(header: dict[int, Any]) -> int:
    """Return how many of its stored bytes `count_prefix_bytes` needs of a page."""
    v2 = header.get(DATA_PAGE_V2, {})
    start = _start_size(header) * 9 // 8 + _MAX_COMPRESSED_BLOCK
    return int(max(v2.get(5, 0), 0) + max(v2.get(6, 0), 0) + min(start, _MAX_START))


def _start_size(header: dict[int, Any]) -> int:
    """Return how many bytes of a page its numbers may have, when it is decompressed."""
    count = header[DATA_PAGE_V2 if DATA_PAGE_V2 in header else DATA_PAGE][1]
    return int(min(header[2], _MAX_VALUE_BYTES * max(count, 0) + _MAX_HEADER))


def count_prefix_bytes(page: PageData) -> int:
    """Return how many bytes the values of a page have in common with those before them.

    If it cannot be read here, this is the most that they could have.

    Raises:
        SourceError: it is damaged.
    """
    header, size = page.header, page.header[2]
    kind = DATA_PAGE_V2 if DATA_PAGE_V2 in header else DATA_PAGE
    count = header[kind][1]
    if count < 0:
        raise SourceError("is damaged: it has a negative number of values")
    wanted = _start_size(header)
    stored, codec, skipped = page.stored, page.codec, page.levels
    if wanted > _MAX_START // 2:
        return int(count * size)
    if kind == DATA_PAGE_V2:
        levels = header[kind].get(5, 0), header[kind].get(6, 0)
        if min(levels) < 0:
            raise SourceError("is damaged: it has a negative size")
        stored, skipped = stored[sum(levels) :], 0
        codec = codec if header[kind].get(7, True) else 0
    elif skipped and header[kind].get(3) != _RLE:
        return int(count * size)
    start = decompress_start(stored, codec, wanted)
    if start is None:
        return int(count * size)
    at = 0
    for _ in range(skipped):
        at += _LEVEL_SIZE + int.from_bytes(start[at : at + _LEVEL_SIZE], "little")
    return _sum_numbers(start[at:], count) if at < len(start) else 0


def _sum_numbers(data: bytes, most: int) -> int:
    """Add up at most so many numbers that are stored with DELTA_BINARY_PACKED."""
    try:
        block, at = read_varint(data, 0)
        parts, at = read_varint(data, at)
        count, at = read_varint(data, at)
        number, at = read_signed(data, at)
        if not 0 < parts <= block <= _MAX_BLOCK or block % parts or count > most:
            raise SourceError("is damaged: its numbers have no sense")
        total = number if count else 0
        left = count - 1
        while left > 0:
            least, at = read_signed(data, at)
            widths = data[at : at + parts]
            at += parts
            for width in widths:
                if left <= 0:
                    break
                values = min(block // parts, left)
                size = -(-block // parts * width // 8)
                deltas = least + _unpack(data[at : at + size], width, values)
                numbers = number + np.cumsum(deltas)
                total += int(numbers.sum())
                number = int(numbers[-1])
                left -= values
                at += size
    except IndexError:
        raise SourceError("is damaged: its numbers are cut off") from None
    except OverflowError:
        raise SourceError("is damaged: its numbers have no sense") from None
    if total < 0:
        raise SourceError("is damaged: its numbers have no sense")
    return total


def _unpack(data: bytes, width: int, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    if width > 32 or len(bits) < count * width:
        raise IndexError
    weights = 1 << np.arange(width, dtype=np.int64)
    return bits[: count * width].reshape(count, width) @ weights
