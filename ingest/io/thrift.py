"""Read structs in Thrift's compact protocol, in which Parquet describes itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from ingest.errors import SourceError

BOOL, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = 2, *range(3, 14)
_TRUE = 1  # as a field; BOOL stands for both here
_SIZES = {BYTE: 1, DOUBLE: 8, UUID: 16}
_MAX_DEPTH = 32  # structs inside each other; Parquet has seven
_MAX_SHIFT = 63  # bits of a number


class Field(NamedTuple):
    """What a field must be, and which parts of it are returned.

    Attributes:
        kind: its type, such as I64.
        fields: the fields of a struct, or of each struct of a list; they are skipped if None.
        items: the type of what a list contains.
    """

    kind: int
    fields: Fields | None = None
    items: int = STRUCT


Fields: TypeAlias = Mapping[int, Field]


class TruncatedError(SourceError):
    """The bytes end within a struct."""


def read_struct(data: bytes, fields: Fields) -> tuple[dict[int, Any], int]:
    r"""Return the values of these fields, and how many bytes the struct has.

    Numbers, texts as bytes, lists, and structs as dictionaries are returned. Other fields are
    skipped.

    Raises:
        TruncatedError: the bytes end within the struct.
        SourceError: it is damaged, or one of these fields has another type.

    >>> read_struct(b"\x15\x06\x18\x02ab\0", {1: Field(I32), 2: Field(BINARY)})
    ({1: 3, 2: b'ab'}, 7)
    """
    reader = _Reader(data)
    try:
        return reader.read(fields, 0), reader.at
    except IndexError:
        raise TruncatedError("is cut off") from None


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    r"""Return the number that begins at a byte, and where it ends. Parquet has such numbers, too.

    Raises:
        IndexError: the bytes end within it.
        SourceError: it has more than 64 bits.

    >>> read_varint(b"\xac\x02", 0)
    (300, 2)
    """
    value = shift = 0
    while shift <= _MAX_SHIFT:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise SourceError("is damaged: a number has more than 64 bits")


def read_signed(data: bytes, at: int) -> tuple[int, int]:
    r"""Return the number with a sign that begins at a byte, and where it ends.

    Raises:
        IndexError: the bytes end within it.
        SourceError: it has more than 64 bits.

    >>> read_signed(b"\x03", 0)
    (-2, 1)
    """
    value, at = read_varint(data, at)
    return (value >> 1) ^ -(value & 1), at


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def read(self, fields: Fields, depth: int) -> dict[int, Any]:
        values: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) & 15:
            kind = max(head & 15, BOOL)
            number = number + (head >> 4) if head >> 4 else self._number()
            field = fields.get(number)
            if field is None:
                if kind != BOOL:  # its value is its type
                    self._skip(kind, depth + 1)
            elif field.kind != kind:
                raise SourceError(f"is damaged: field {number} has the wrong type")
            elif kind == BOOL:
                values[number] = head & 15 == _TRUE
            else:
                values[number] = self._value(field, depth + 1)
        return values

    def _value(self, field: Field, depth: int) -> Any:
        if field.kind in (I16, I32, I64):
            return self._number()
        if field.kind == BINARY:
            return self._bytes()
        if field.kind == STRUCT and field.fields is not None:
            return self.read(field.fields, depth)
        if field.kind == LIST and (field.fields is not None or field.items == BINARY):
            kind, size = self._list()
            if size and kind != field.items:
                raise SourceError("is damaged: a list has items of the wrong type")
            if field.fields is None:
                return [self._bytes() for _ in range(size)]
            return [self.read(field.fields, depth) for _ in range(size)]
        return self._skip(field.kind, depth)

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise SourceError("is damaged: its structs are nested too deeply")
        if kind in (I16, I32, I64):
            self._varint()
        elif kind == BINARY:
            self._move(self._varint())
        elif kind in _SIZES:
            self._move(_SIZES[kind])
        elif kind == STRUCT:
            self.read({}, depth)
        elif kind in (LIST, SET, MAP):
            *kinds, size = self._map() if kind == MAP else self._list()
            for _ in range(size):
                for item in kinds:
                    self._skip_item(item, depth + 1)
        else:
            raise SourceError(f"is damaged: there is no type {kind}")

    def _skip_item(self, kind: int, depth: int) -> None:
        if kind in (_TRUE, BOOL):
            self._move(1)
        else:
            self._skip(kind, depth)

    def _list(self) -> tuple[int, int]:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._varint()
        return head & 15, size  # each item has a byte at least, so a wrong size ends the bytes

    def _map(self) -> tuple[int, int, int]:
        size = self._varint()
        kinds = self._byte() if size else 0
        return kinds >> 4, kinds & 15, size

    def _bytes(self) -> bytes:
        size = self._varint()
        start = self.at
        self._move(size)
        return self._data[start : self.at]

    def _move(self, size: int) -> None:
        self.at += size
        if self.at > len(self._data):
            raise IndexError

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _number(self) -> int:
        value, self.at = read_signed(self._data, self.at)
        return value

    def _varint(self) -> int:
        value, self.at = read_varint(self._data, self.at)
        return value
