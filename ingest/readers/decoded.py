"""Decode streams that are too large for memory. Their beginning decides the encoding."""

from __future__ import annotations

import codecs
import io
import itertools
import re
from collections.abc import Iterable, Iterator

from ingest.errors import SourceError
from ingest.io.streams import as_stream
from ingest.readers.encoding import decode
from ingest.readers.sniff import wide_encoding

SURROGATES = "surrogatepass"
_LONGEST_MARK = 16  # bytes that tell UTF-16 from UTF-8 if the text starts with ASCII
_SAMPLE = 1 << 20  # bytes from which the encoding is detected
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# The first bytes of a UTF-8 character that is cut off.
_CUT_CHARACTER = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef].?|[\xf0-\xf4].{0,2})\Z", re.DOTALL)
# Like surrogateescape, which cannot represent damaged UTF-16.
_LONE_SURROGATES = "ingest.lone"
codecs.register_error(_LONE_SURROGATES, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


def take_sample(parts: Iterator[bytes], most: int = _SAMPLE) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a stream, at most `most`, and an iterator over the whole stream.

    Raises:
        SourceError: the stream raised it before its first piece.
    """
    pieces: list[bytes] = []
    size = 0
    try:
        while size < most and (part := next(parts, b"")):
            pieces.append(part)
            size += len(part)
    except SourceError as error:
        if not pieces:
            raise
        parts = _raise(error)
    return b"".join(pieces)[:most], itertools.chain(pieces, parts)


def _raise(error: SourceError) -> Iterator[bytes]:
    yield from ()
    raise error


def detect_encoding(sample: bytes) -> str:
    """The encoding of a text that starts with `sample`, whose last character may be cut off.

    Raises:
        SourceError: the bytes are not text.

    >>> detect_encoding("أعلنت الوزارة عن خطة".encode("cp1256"))
    'cp1256'
    """
    if len(sample) == _SAMPLE:
        cut = _CUT_CHARACTER.search(sample, len(sample) - 3)
        sample = sample[: cut.start()] if cut and b"\0" not in sample else sample
    return decode(sample).encoding


def decode_pieces(parts: Iterator[bytes], encoding: str | None) -> Iterator[str]:
    r"""Decode pieces. Bytes that cannot be decoded become lone surrogates.

    Without an encoding, pieces are ASCII until the first other byte; the encoding is detected from
    there on. Some of the results may be empty.

    >>> "".join(decode_pieces(iter([b"ASCII ", b"and \xc3", b"\xa9"]), None))
    'ASCII and é'
    """
    if encoding is None:
        for part in parts:
            if match := _NOT_ASCII.search(part):
                yield part[: match.start()].decode()
                sample, parts = take_sample(itertools.chain([part[match.start() :]], parts))
                try:
                    encoding = detect_encoding(sample)
                except SourceError:  # binary, but what came before it is text
                    encoding = "utf-8"
                break
            yield part.decode()
        else:
            return
    decoder = codecs.getincrementaldecoder(encoding)(_LONE_SURROGATES)
    yield from map(decoder.decode, parts)
    yield decoder.decode(b"", True)


def narrow(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of a stream of JSON: those of UTF-16 and UTF-32 as UTF-8, others as they are.

    Raises:
        SourceError: the stream raised it.
    """
    start, parts = take_sample(parts, _LONGEST_MARK)
    if encoding := wide_encoding(start):
        for text in decode_pieces(parts, encoding):
            yield text.encode("utf-8", SURROGATES)
    else:
        yield from parts


def open_text(parts: Iterator[bytes], newline: str) -> tuple[str, io.TextIOWrapper]:
    """Decode a stream: the beginning of its text, and the whole text as a file.

    Args:
        parts: the bytes of the stream.
        newline: as for `open`.

    Raises:
        SourceError: the bytes are not text, or the stream raised it before its first piece.
    """
    sample, parts = take_sample(parts)
    encoding = detect_encoding(sample)
    start = sample.decode(encoding, "replace").removeprefix("\ufeff")
    known = None if encoding == "utf-8" and sample.isascii() else encoding
    return start, text_file(
        (text.encode("utf-8", SURROGATES) for text in decode_pieces(parts, known)), newline
    )


def text_file(parts: Iterable[bytes], newline: str) -> io.TextIOWrapper:
    """A text file over UTF-8 pieces, some of which may be empty. Lone surrogates are kept."""
    stream = as_stream(part for part in parts if part)  # an empty piece would end it
    return io.TextIOWrapper(stream, "utf-8", SURROGATES, newline=newline)
