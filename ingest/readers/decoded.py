"""Bytes that are too many to hold, as text: their beginning tells the encoding."""

from __future__ import annotations

import codecs
import io
import itertools
import re
from collections.abc import Iterable, Iterator

from ingest.errors import SourceError
from ingest.io.streams import as_stream
from ingest.readers.encoding import decode

SURROGATES = "surrogatepass"
_SAMPLE = 1 << 20  # bytes that tell the encoding
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# the beginning of a character in UTF-8
_CUT_CHARACTER = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef].?|[\xf0-\xf4].{0,2})\Z", re.DOTALL)
# Like surrogateescape, which cannot stand for what is damaged in UTF-16.
_LONE = "ingest.lone"
codecs.register_error(_LONE, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


def take_sample(parts: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a stream, and the whole of it.

    Raises:
        SourceError: what the stream raises before anything came.
    """
    held: list[bytes] = []
    size = 0
    try:
        while size < _SAMPLE and (part := next(parts, b"")):
            held.append(part)
            size += len(part)
    except SourceError as error:
        if not held:
            raise
        parts = _raising(error)
    return b"".join(held)[:_SAMPLE], itertools.chain(held, parts)


def _raising(error: SourceError) -> Iterator[bytes]:
    yield from ()
    raise error


def detect_encoding(sample: bytes) -> str:
    """What text is in that begins so; a character that the sample cuts tells nothing.

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
    r"""Decoded pieces, some of them empty; bytes that cannot be become lone surrogates.

    Without an encoding, what comes is ASCII until the first bytes that are not tell it.

    >>> "".join(decode_pieces(iter([b"ASCII ", b"and \xc3", b"\xa9"]), None))
    'ASCII and é'
    """
    if encoding is None:
        for part in parts:
            if found := _NOT_ASCII.search(part):
                yield part[: found.start()].decode()
                sample, parts = take_sample(itertools.chain([part[found.start() :]], parts))
                try:
                    encoding = detect_encoding(sample)
                except SourceError:  # no text; but what was read before it is
                    encoding = "utf-8"
                break
            yield part.decode()
        else:
            return
    decoder = codecs.getincrementaldecoder(encoding)(_LONE)
    yield from map(decoder.decode, parts)
    yield decoder.decode(b"", True)


def open_text(parts: Iterator[bytes], newline: str) -> tuple[str, io.TextIOWrapper]:
    """How a text begins, and the whole of it as a file.

    Args:
        parts: its bytes.
        newline: as `open` has it.

    Raises:
        SourceError: the bytes are not text, or what the stream raises before anything came.
    """
    sample, parts = take_sample(parts)
    encoding = detect_encoding(sample)
    start = sample.decode(encoding, "replace").removeprefix("\ufeff")
    told = None if encoding == "utf-8" and sample.isascii() else encoding
    return start, text_file(
        (text.encode("utf-8", SURROGATES) for text in decode_pieces(parts, told)), newline
    )


def text_file(parts: Iterable[bytes], newline: str) -> io.TextIOWrapper:
    """A file of text in UTF-8 whose lone surrogates stay; pieces may be empty."""
    whole = as_stream(part for part in parts if part)  # an empty one would be its end
    return io.TextIOWrapper(whole, "utf-8", SURROGATES, newline=newline)
