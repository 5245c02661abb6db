"""Find the objects in a stream of JSON: in an array, in several, or one after the other.

Only the record at hand is in memory, and each byte is looked at a fixed number of times, however
large or damaged the stream is. Damage costs the record that contains it: the search goes on at the
next object that starts with the same key, as the objects of a table do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ingest.errors import SourceError
from ingest.readers.records import too_large_message

_BOM = b"\xef\xbb\xbf"
# Before an object or a bracket: separators, also those of RFC 7464, and byte order marks.
_BETWEEN = re.compile(rb"(?:[\s,\x1e]|\xef\xbb\xbf)*+")
# Inside an object, outside strings: everything but brackets and strings.
_OUTSIDE = re.compile(rb"[\s,:0-9.eE+\-trufalsnINity]*+")
_STRING = re.compile(rb"(?:[^\"\\\n]++|\\[^\n])*+")
_FIRST_KEY = re.compile(rb"\{\s*(\"(?:[^\"\\\n]|\\.){0,200}\"\s*:)")
_ANY_OBJECT = re.compile(rb"\{\s*\"")
_CLOSERS = {ord("{"): ord("}"), ord("["): ord("]")}
_LONGEST_START = 512  # bytes of an object up to the end of its first key
_TRUNCATED = "is cut off: the JSON ends inside a record"
_UNCLOSED = "is cut off: the array is not closed"


def sniff_json(text: str, *, lines: bool) -> str | None:
    r"""How to read text that starts like JSON: json, jsonl (an object per line), or None.

    Args:
        text: the start of the source.
        lines: whether its name says that each line has an object.

    >>> sniff_json('{"a": 1}\n{"a": 2}', lines=False), sniff_json('[\n{"a": 1},', lines=False)
    ('jsonl', 'json')
    >>> sniff_json('{\n  "a": 1\n}', lines=False), sniff_json("[1] is the first.", lines=False)
    ('json', None)
    """
    text = text.lstrip(" \t\r\n\ufeff\x1e,")
    if re.match(r"\[[\s\[]*+\{\s*+\"", text):
        return "json"
    if not re.match(r"\{\s*+\"", text):
        return None
    if re.match(r"\{[ \t]*\r?\n\s*\"", text):
        return "json"
    is_line = lines  # a single object, or one that is longer than the sample, may contain pages
    try:
        first, end = json.JSONDecoder().raw_decode(text)
    except RecursionError:
        pass
    except ValueError:  # damaged, or longer than the sample
        if not lines and not re.match(r"\{\s*\"(?:[^\"\\\n]|\\.)*+\"\s*:", text):
            return None
    else:
        if not (isinstance(first, dict) and first):
            return None
        separator = re.compile(r"\s*").match(text, end)
        after = separator.end() if separator else end
        has_more_lines = "\n" in text[end:after]
        if after < len(text):
            is_line = has_more_lines and (lines or text[after] == "{")
    return "jsonl" if is_line else "json"


def split_objects(parts: Iterator[bytes], limit: int) -> Iterator[bytes | SourceError]:
    r"""Yield the bytes of each object in a stream, and an error in place of each damaged part.

    Args:
        parts: the stream, in UTF-8.
        limit: maximum size of an object in bytes.

    >>> list(split_objects(iter([b'[{"a": 1}, {"a": ', b'2}]']), 99))
    [b'{"a": 1}', b'{"a": 2}']
    """
    return _Splitter(parts, limit).split()


class _Splitter:
    def __init__(self, parts: Iterator[bytes], limit: int) -> None:
        self._parts = parts
        self._limit = limit
        self._data = bytearray()
        self._at = 0  # the next byte to look at
        self._dropped = 0  # bytes of the stream before `_data`
        self._is_large = False  # whether the object at hand exceeds the limit and is not kept
        self._ended: SourceError | bool = False
        self._start = _ANY_OBJECT
        self._damage_at = -1  # offset of the last damage in the stream
        self._has_lost_end = False  # whether nothing was found after some damage

    def split(self) -> Iterator[bytes | SourceError]:
        arrays = 0
        while True:
            self._skip(_BETWEEN)
            if not self._has_byte():
                break
            byte = self._data[self._at]
            if byte == ord("{"):
                yield self._read_object()
            elif byte == ord("["):
                arrays += 1
                self._at += 1
            elif byte == ord("]"):
                arrays = max(arrays - 1, 0)
                self._at += 1
            elif byte == _BOM[0] and len(self._data) - self._at < len(_BOM) and self._more():
                continue
            else:
                yield SourceError("is not a JSON object" if arrays else "is not JSON")
                self._recover(self._at)
        if isinstance(self._ended, SourceError):
            yield self._ended
        elif arrays and not self._has_lost_end:
            yield SourceError(_UNCLOSED)

    def _read_object(self) -> bytes | SourceError:
        """The object at the current position. Moves behind it, or behind its damage."""
        self._drop(self._at)
        self._is_large = False
        if reason := self._find_end():
            self._recover(self._at if self._is_large else 1)
            return SourceError(reason)
        if self._is_large:
            return SourceError(too_large_message(self._limit))
        if self._start is _ANY_OBJECT and (key := _FIRST_KEY.match(self._data)):
            self._start = re.compile(rb"\{\s*" + re.escape(key[1]))
        return bytes(self._data[: self._at])

    def _find_end(self) -> str | None:
        """Move behind the object at 0. The result says what is wrong with it, if anything is."""
        closers = bytearray()
        while True:
            self._skip(_OUTSIDE)
            if not self._has_byte():
                return self._truncated()
            byte = self._data[self._at]
            self._at += 1
            if byte == ord('"'):
                if reason := self._skip_string():
                    return reason
            elif byte in _CLOSERS:
                closers.append(_CLOSERS[byte])
            elif byte != closers.pop():
                return f"is not JSON: {bytes([byte])!r} {self._where(-1)}"
            if not closers:
                self._is_large |= self._at > self._limit
                return None

    def _skip_string(self) -> str | None:
        """Move behind a string that has begun. The result says what is wrong with it."""
        while True:
            self._skip(_STRING)
            if not self._has_byte():
                return self._truncated()
            if self._data[self._at] == ord('"'):
                self._at += 1
                return None
            if self._at + 1 == len(self._data) and not self._more():  # a backslash at the end
                return self._truncated()
            if ord("\n") in self._data[self._at : self._at + 2]:
                return f"is not JSON: a line ends inside a string, {self._where()}"

    def _truncated(self) -> str:
        return str(self._ended) if isinstance(self._ended, SourceError) else _TRUNCATED

    def _where(self, offset: int = 0) -> str:
        return f"at byte {self._dropped + self._at + offset}"

    def _recover(self, begin: int) -> None:
        """Move to the next object at or after `begin`, but to no damage a second time."""
        damage = self._dropped + self._at
        if damage > self._damage_at:
            self._at = begin
        self._damage_at = max(damage, self._damage_at)
        while True:
            if match := self._start.search(self._data, self._at):
                self._at = match.start()
                return
            self._drop(max(len(self._data) - _LONGEST_START, self._at))
            if not self._more():
                self._at = len(self._data)
                self._has_lost_end = True
                return

    def _skip(self, pattern: re.Pattern[bytes]) -> None:
        """Move behind what a pattern matches, even if more of it has to be read."""
        while True:
            match = pattern.match(self._data, self._at)
            self._at = match.end() if match else self._at
            if self._at > self._limit or self._is_large:
                self._is_large = True
                self._drop(self._at)
            if self._has_byte() or not self._more():
                return

    def _has_byte(self) -> bool:
        return self._at < len(self._data)

    def _drop(self, size: int) -> None:
        del self._data[:size]
        self._at = max(self._at - size, 0)
        self._dropped += size

    def _more(self) -> bool:
        """Read on. False at the end of the stream."""
        if self._ended:
            return False
        try:
            part = next(self._parts, b"")
        except SourceError as error:
            self._ended = error
            return False
        self._data += part
        self._ended = not part
        return bool(part)
