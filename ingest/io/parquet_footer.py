"""What a Parquet file says of its row groups, without decompressing anything.

The footer names the columns and where they are. How much a page becomes is said by the page itself,
which Polars believes; the sizes in the footer may be anything.
"""

from __future__ import annotations

import os
from typing import Any, BinaryIO, NamedTuple

from ingest.errors import SourceError
from ingest.io.parquet_prefixes import (
    DATA_PAGE,
    DATA_PAGE_V2,
    PageData,
    count_prefix_bytes,
    is_delta,
    needed_bytes,
)
from ingest.io.thrift import (
    BINARY,
    BOOL,
    I32,
    I64,
    LIST,
    STRUCT,
    Field,
    TruncatedError,
    read_struct,
)

_MAGIC = b"PAR1"
_END = 8  # bytes: the length of the footer and the magic number
_MAX_FOOTER = 1 << 26  # bytes; forty columns of ten thousand row groups have about that
_PAGE_HEADERS = (1 << 9, 1 << 13, 1 << 17, 1 << 21)  # bytes to read; a header may have statistics
_SKIPPED_STRUCT = Field(STRUCT)
_COLUMN = {
    1: Field(I32), 2: Field(LIST, items=I32), 3: Field(LIST, items=BINARY), 4: Field(I32),
    5: Field(I64), 6: Field(I64), 7: Field(I64), 8: Field(LIST), 9: Field(I64), 10: Field(I64),
    11: Field(I64), 12: _SKIPPED_STRUCT,
}  # fmt: skip
_CHUNK = {1: Field(BINARY), 2: Field(I64), 3: Field(STRUCT, _COLUMN)}
_ROW_GROUP = {1: Field(LIST, _CHUNK), 2: Field(I64), 3: Field(I64)}
_ELEMENT = {
    **{number: Field(I32) for number in (1, 2, 3, 5, 6, 7, 8, 9)}, 4: Field(BINARY),
    10: _SKIPPED_STRUCT,
}  # fmt: skip
_FOOTER = {
    1: Field(I32), 2: Field(LIST, _ELEMENT), 3: Field(I64), 4: Field(LIST, _ROW_GROUP),
    5: Field(LIST), 6: Field(BINARY), 7: Field(LIST),
}  # fmt: skip
_STATISTICS = Field(STRUCT, {
    1: Field(BINARY), 2: Field(BINARY), 3: Field(I64), 4: Field(I64), 5: Field(BINARY),
    6: Field(BINARY), 7: Field(BOOL), 8: Field(BOOL),
})  # fmt: skip
_I32S = {number: Field(I32) for number in range(1, 7)}
_PAGE = {
    **_I32S,
    5: Field(STRUCT, {**_I32S, 5: _STATISTICS}),
    6: _SKIPPED_STRUCT,
    7: Field(STRUCT, {1: Field(I32), 2: Field(I32), 3: Field(BOOL)}),
    8: Field(STRUCT, {**_I32S, 7: Field(BOOL), 8: _STATISTICS}),
}
_REPEATED, _REQUIRED = 2, 0  # how often a field of the schema has a value


class Chunk(NamedTuple):
    """A column of a row group.

    Attributes:
        name: the column of the table; a nested one is in several chunks.
        codec: the number of the compression, as in the specification of Parquet.
        start: where its pages begin.
        stored: how many bytes they have.
        levels: how many lists of levels its pages have: where values are null, or lists end.
    """

    name: str
    codec: int
    start: int
    stored: int
    levels: int


class RowGroup(NamedTuple):
    """The number of rows of a row group, and its columns."""

    rows: int
    chunks: list[Chunk]


def read_row_groups(file: BinaryIO) -> list[RowGroup]:
    """Read the footer of an open file.

    Raises:
        SourceError: it is damaged.
        OSError: the file cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END))
    end = file.read(_END)
    length = int.from_bytes(end[:4], "little")
    if end[4:] != _MAGIC or length > size - _END - len(_MAGIC):
        raise SourceError("has no footer, so it is cut off or no Parquet file")
    if length > _MAX_FOOTER:
        raise SourceError(
            f"has a footer of more than {_MAX_FOOTER:,} bytes; write it with fewer row groups"
        )
    file.seek(size - _END - length)
    try:
        footer, _ = read_struct(file.read(length), _FOOTER)
        leaves = _leaves(footer[2])
        return [_row_group(group, leaves, size) for group in footer[4]]
    except KeyError:
        raise SourceError("has a footer in which something is missing") from None
    except SourceError as error:
        raise SourceError(f"has a footer that {error}") from error


def _leaves(schema: list[dict[int, Any]]) -> list[tuple[str, int]]:
    """Return the column that each chunk of a row group belongs to, and how many levels it has.

    Chunks have names of their own, but readers go by their order.
    """
    leaves: list[tuple[str, int]] = []
    # of the elements around this one: their children that are not yet seen, column and levels
    around: list[tuple[int, str, set[str]]] = []
    for element in schema[1:]:  # after the root
        name, levels = element.get(4, b"").decode(errors="replace"), set[str]()
        if around:
            left, name, levels = around.pop()
            if left > 1:
                around.append((left - 1, name, levels))
        repetition = element.get(3, _REQUIRED)
        if repetition != _REQUIRED:
            levels = levels | {"null"} | ({"list"} if repetition == _REPEATED else set())
        children = element.get(5, 0)
        if children > 0:
            around.append((children, name, levels))
        else:
            leaves.append((name, len(levels)))
    return leaves


def _row_group(group: dict[int, Any], leaves: list[tuple[str, int]], size: int) -> RowGroup:
    columns = [chunk[3] for chunk in group[1]]
    if len(columns) != len(leaves) or group[3] < 0:
        raise SourceError("is damaged: a row group differs from the schema")
    chunks = []
    for (name, levels), column in zip(leaves, columns, strict=True):
        start, stored = column.get(11, column[9]), column[7]
        if min(start, stored) < 0 or start + stored > size:
            raise SourceError("is damaged: a column is not in the file")
        chunks.append(Chunk(name, column[4], start, stored, levels))
    return RowGroup(group[3], chunks)


class Content(NamedTuple):
    """What the pages of a column become.

    Attributes:
        stored: their bytes.
        size: their bytes when they are decompressed.
        values: how many values they have: one per row, or one per item of a list.
        prefixes: bytes that values have in common with those before them, which are stored once.
        damage: what is wrong with the page after the last one that is counted; empty if nothing is.
    """

    stored: int
    size: int
    values: int
    prefixes: int = 0
    damage: str = ""


def read_content(file: BinaryIO, chunk: Chunk) -> Content:
    """Add up what the pages of a column say of themselves.

    Raises:
        OSError: the file cannot be read.
    """
    at, stop = chunk.start, chunk.start + chunk.stored
    size = values = prefixes = 0
    damage = ""
    while at < stop:
        try:
            page, length = _read_page(file, at, stop)
            stored = page[3]
            if min(stored, page[2]) < 0:
                raise SourceError("is damaged: it has a negative size")
            if is_delta(page):
                file.seek(at + length)
                data = file.read(min(stored, stop - at - length, needed_bytes(page)))
                prefixes += count_prefix_bytes(PageData(page, data, chunk.codec, chunk.levels))
            size += page[2]
            values += sum(page[kind][1] for kind in (DATA_PAGE, DATA_PAGE_V2) if kind in page)
        except SourceError as error:
            damage = str(error)
            break
        except KeyError:
            damage = "is damaged: it does not tell its size"
            break
        at += length + stored
    return Content(at - chunk.start, size, values, prefixes, damage)


def _read_page(file: BinaryIO, at: int, stop: int) -> tuple[dict[int, Any], int]:
    """Return what a page says of itself, and how many bytes that takes."""
    for length in _PAGE_HEADERS:
        file.seek(at)
        data = file.read(min(length, stop - at))
        try:
            return read_struct(data, _PAGE)
        except TruncatedError:
            if len(data) < length:
                break
    raise SourceError("is cut off")
