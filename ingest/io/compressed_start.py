"""The first bytes of a compressed page of Parquet, without those that follow."""

from __future__ import annotations

import io
import zlib

import zstandard

from ingest.errors import SourceError

_GZIP = 47  # gzip or zlib, whichever the header says
_CODECS = {0: "none", 1: "snappy", 2: "gzip", 6: "zstd", 7: "lz4"}


def decompress_start(data: bytes, codec: int, size: int) -> bytes | None:
    r"""Return at most the first `size` bytes of a page; None if nothing here reads its compression.

    Args:
        data: the page as it is stored.
        codec: the number of its compression, as in the specification of Parquet.
        size: how many bytes to return.

    Raises:
        SourceError: it is damaged.

    >>> decompress_start(b"\x07\x08abc\x01\x03", 1, 6), decompress_start(b"", 4, 6)
    (b'abcabc', None)
    """
    kind = _CODECS.get(codec)
    try:
        if kind == "none" or not size:  # for zlib, 0 is no limit
            return data[:size]
        if kind == "gzip":
            return zlib.decompressobj(_GZIP).decompress(data, size)
        if kind == "zstd":
            return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read(size)
        if kind == "snappy":
            return _snappy(data, size)
        return _lz4(data, size) if kind else None
    except (zlib.error, zstandard.ZstdError, IndexError) as error:
        raise SourceError("is damaged: it cannot be decompressed") from error


def _snappy(data: bytes, size: int) -> bytes:
    out = bytearray()
    at = 0
    while data[at] & 128:  # the size of the whole
        at += 1
    at += 1
    while at < len(data) and len(out) < size:
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            length = (tag >> 2) + 1
            if (extra := length - 60) > 0:
                length = int.from_bytes(data[at : at + extra], "little") + 1
                at += extra
            out += data[at : at + length]
            at += length
            continue
        if tag & 3 == 1:
            length, distance = (tag >> 2 & 7) + 4, tag >> 5 << 8 | data[at]
            at += 1
        else:
            length, width = (tag >> 2) + 1, 2 if tag & 3 == 2 else 4
            distance = int.from_bytes(data[at : at + width], "little")
            at += width
        _copy(out, distance, length)
    return bytes(out[:size])


def _lz4(data: bytes, size: int) -> bytes:
    out = bytearray()
    at = 0
    while at < len(data) and len(out) < size:
        token = data[at]
        length, at = _lz4_length(data, at + 1, token >> 4)
        out += data[at : at + length]
        at += length
        if at >= len(data):  # the last sequence has no copy
            break
        distance = int.from_bytes(data[at : at + 2], "little")
        length, at = _lz4_length(data, at + 2, token & 15)
        _copy(out, distance, min(length + 4, size))
    return bytes(out[:size])


def _lz4_length(data: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while data[at] == 255:
            length += 255
            at += 1
        length += data[at]
        at += 1
    return length, at


def _copy(out: bytearray, distance: int, length: int) -> None:
    """Append what is so many bytes before the end; the copy may overlap with itself."""
    if not 0 < distance <= len(out):
        raise IndexError
    start = len(out) - distance
    piece = out[start : start + length]
    out += (piece * (length // len(piece) + 1))[:length]
