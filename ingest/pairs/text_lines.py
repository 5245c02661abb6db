"""Read the lines of a text file of any size, one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import read_line
from ingest.pairs.archives import open_pieces
from ingest.readers.decoded import open_text
from ingest.readers.records import too_large_message

MAX_CHARS = ReadConfig().max_record_bytes  # longest line
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_lines(source: str, *, has_mark: bool = True) -> Iterator[tuple[int, str | SourceError]]:
    r"""Yield the 1-based number and text of each line, or an error if it cannot be read.

    Lines end with \n or \r\n, and nowhere else; if a file has no \n at its start, they end with \r.
    Invalid bytes become lone surrogates.

    Args:
        source: the file.
        has_mark: whether U+FEFF at the start is a byte order mark, and not part of the text.

    Raises:
        SourceError: the file cannot be read, or is not text.

    >>> from ingest.resources import samples
    >>> next(read_lines(str(samples().parent / "parallel" / "library.en.txt")))
    (1, 'The Floating Library of Marsa Tahla')
    """
    try:
        start, file = open_text(open_pieces(source), newline="\n")
    except SourceError as error:
        raise SourceError(f"{source}: {error}") from error
    if "\r" in start and "\n" not in start:
        file.reconfigure(newline="\r")
    number = 0
    while True:
        number += 1
        try:
            line, too_large = read_line(file, MAX_CHARS - 1)
        except SourceError as error:
            yield number, error
            return
        if not line:
            return
        if number == 1 and has_mark:
            line = line.removeprefix("\ufeff")
        text = line.removesuffix("\n").removesuffix("\r")
        yield number, SourceError(too_large_message(MAX_CHARS)) if too_large else text


def is_damaged(text: str) -> bool:
    """Return whether a text contains surrogates: invalid bytes, or half of a character."""
    return not text.isascii() and _SURROGATE.search(text) is not None
