"""Values that are stored as their difference from the one before are measured before they are read."""

from __future__ import annotations

import gzip
import io
import random
from bisect import bisect
from contextlib import suppress
from itertools import pairwise

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import SourceError
from ingest.io import parquet_bombs, parquet_prefixes
from ingest.io.compressed_start import decompress_start
from ingest.io.parquet_bombs import find_bombs
from ingest.io.parquet_footer import _read_page, read_content, read_row_groups

COMPRESS = {0: bytes, 2: gzip.compress, 6: zstandard.compress, 4: bytes}
UNKNOWN = 4  # no such compression is read here


class Long(int):
    """A number of 64 bits."""


def varint(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    return bytes([number & 127 | 128]) + varint(number >> 7)


def zigzag(number: int) -> bytes:
    return varint((number << 1) ^ (number >> 63))


def thrift(value) -> tuple[int, bytes]:
    """The type and the bytes of a value; a dictionary is a struct."""
    match value:
        case Long():
            return 6, zigzag(value)
        case int():
            return 5, zigzag(value)
        case bytes():
            return 8, varint(len(value)) + value
        case list():
            kinds, items = zip(*map(thrift, value), strict=True)
            return 9, bytes([len(items) << 4 | kinds[0]]) + b"".join(items)
    out, last = b"", 0
    for number, field in value.items():
        kind, data = thrift(field)
        out += bytes([number - last << 4 | kind]) + data
        last = number
    return 12, out + b"\0"


def packed(numbers: list[int]) -> bytes:
    """Numbers as their differences, in blocks of four times 32."""
    out = varint(128) + varint(4) + varint(len(numbers)) + zigzag(numbers[0] if numbers else 0)
    deltas = [b - a for a, b in pairwise(numbers)]
    for at in range(0, len(deltas), 128):
        block = deltas[at : at + 128]
        least = min(block)
        block = [delta - least for delta in block] + [0] * (128 - len(block))
        minis = [block[n : n + 32] for n in range(0, 128, 32)]
        widths = [max(mini).bit_length() for mini in minis]
        out += zigzag(least) + bytes(widths)
        for mini, width in zip(minis, widths, strict=True):
            bits = sum(value << n * width for n, value in enumerate(mini))
            out += bits.to_bytes(4 * width, "little")
    return out


def prefix_sizes(texts: list[bytes]) -> list[int]:
    sizes = []
    for before, text in pairwise([b"", *texts]):
        lengths = range(1, min(len(before), len(text)) + 1)
        sizes.append(bisect(lengths, 0, key=lambda n: before[:n] != text[:n]))
    return sizes


def write(texts: list[bytes], codec: int = 0, *, optional: bool = False) -> io.BytesIO:
    sizes = prefix_sizes(texts)
    rest = [text[size:] for text, size in zip(texts, sizes, strict=True)]
    data = packed(sizes) + packed(list(map(len, rest))) + b"".join(rest)
    if optional:
        levels = varint(len(texts) << 1) + b"\x01"
        data = len(levels).to_bytes(4, "little") + levels + data
    body = COMPRESS[codec](data)
    count = len(texts)
    page = {1: 0, 2: len(data), 3: len(body), 5: {1: count, 2: 7, 3: 3, 4: 3}}
    stored = thrift(page)[1] + body
    column = {1: 6, 2: [7, 3], 3: [b"text"], 4: codec, 5: Long(count), 6: Long(len(data)),
              7: Long(len(stored)), 9: Long(4)}  # fmt: skip
    group = {1: [{2: Long(4), 3: column}], 2: Long(len(stored)), 3: Long(count)}
    leaf = {1: 6, 3: int(optional), 4: b"text", 6: 0}
    footer = thrift({1: 1, 2: [{4: b"root", 5: 1}, leaf], 3: Long(count), 4: [group]})[1]
    return io.BytesIO(b"PAR1" + stored + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def measure(file: io.BytesIO):
    [group] = read_row_groups(file)
    return read_content(file, group.chunks[0])


TEXTS = st.lists(st.text("ab", max_size=9), min_size=1, max_size=300)


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.sampled_from([0, 2, 6]), st.booleans())
def test_what_polars_reads_is_what_is_measured(texts, codec, optional):
    encoded = [text.encode() for text in texts]
    file = write(encoded, codec, optional=optional)
    content = measure(file)
    assert (content.damage, content.values) == ("", len(texts))
    assert content.prefixes == sum(prefix_sizes(encoded))
    assert pl.read_parquet(io.BytesIO(file.getvalue()))["text"].to_list() == texts


LONG = [b"a" * 2000 + str(n).encode() for n in range(1000)]


@pytest.mark.parametrize("codec", [0, 2, 6, UNKNOWN])
def test_a_start_that_is_repeated(codec, monkeypatch):
    file = write(LONG, codec)
    assert find_bombs(file) == []
    monkeypatch.setattr(parquet_bombs, "MIN_SIZE", 1 << 20)
    [bomb] = find_bombs(file)
    assert "DELTA_BYTE_ARRAY" in bomb.reason
    numbers = sorted(n * 7919 % 1_000_003 for n in range(9000))
    usual = [f"https://example.org/pages/of/{n}".encode() for n in numbers]
    assert codec == UNKNOWN or find_bombs(write(usual, codec)) == []


@pytest.mark.parametrize("codec", [0, 2, 6])
def test_the_rest_of_a_large_page_is_not_read(codec):
    """Its numbers are in the first bytes."""
    draw = random.Random(1)
    texts = [b"same " + draw.randbytes(20_000).hex().encode() for _ in range(50)]
    file = write(texts, codec)
    content = measure(file)
    reads = []
    read = file.read
    file.read = lambda size: reads.append(size) or read(size)
    assert measure(file) == content
    assert content.prefixes == sum(prefix_sizes(texts))
    assert max(reads) < content.stored / 3


def test_damage_is_told():
    for texts, codec in ((LONG, 0), (LONG, 6), (LONG, 2)):
        data = bytearray(write(texts, codec).getvalue())
        for at in range(30, 60):
            data[at] ^= 255
        content = measure(io.BytesIO(bytes(data)))
        assert content.damage.startswith("is damaged: ")


@pytest.mark.parametrize(("codec", "name"), [(1, "snappy"), (7, "lz4"), (2, "gzip"), (6, "zstd")])
def test_the_start_of_what_polars_compresses(codec, name):
    texts = [f"The boat {n} left. رحل القارب {n}." + "x" * n for n in range(900)]
    pages = {}
    for compression in (name, "uncompressed"):
        file = io.BytesIO()
        pl.DataFrame({"text": texts}).write_parquet(file, compression=compression)
        [group] = read_row_groups(file)
        chunk = group.chunks[0]
        page, length = _read_page(file, chunk.start, chunk.start + chunk.stored)
        file.seek(chunk.start + length)
        pages[compression] = file.read(page[3])
        assert chunk.codec == (codec if compression == name else 0)
    whole = pages["uncompressed"]
    for size in (0, 1, 100, 5000, len(whole), len(whole) + 9):
        assert decompress_start(pages[name], codec, size) == whole[:size]


@given(st.binary(max_size=60), st.sampled_from([1, 2, 6, 7]))
def test_any_bytes(data, codec):
    with suppress(SourceError):
        assert len(decompress_start(data, codec, 99)) <= 99


@pytest.mark.parametrize(
    "numbers",
    [
        b"\x80" * 1_000_000,  # one number without end
        b"\x80\x01\x04\x02\x00" + b"\xff" * 9 + b"\x7f" + b"\x01" * 4 + b"\xff" * 100,
    ],
)
def test_numbers_of_more_than_64_bits_are_damage(numbers):
    with pytest.raises(SourceError, match="is damaged: "):
        parquet_prefixes._sum_numbers(numbers, 1000)
