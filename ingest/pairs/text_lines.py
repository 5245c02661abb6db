"""The lines of a text file, one after the other, however many there are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import read_line, read_pieces
from ingest.readers.decoded import open_text
from ingest.readers.single_file import too_large_message

LONGEST = ReadConfig().max_record_bytes  # characters of a line
_LONE = re.compile("[\ud800-\udfff]")


def lines(source: str) -> Iterator[tuple[int, str | SourceError]]:
    r"""Number, from 1 on, and text of each line; an error for one that cannot be read.

    A line ends with \n or \r\n, and nowhere else. Bytes that are no text become lone surrogates.

    Raises:
        SourceError: the file cannot be read, or is no text.

    >>> from ingest.resources import samples
    >>> next(lines(str(samples().parent / "parallel" / "library.en.txt")))
    (1, 'The Floating Library of Marsa Tahla')
    """
    try:
        file = open_text(read_pieces(source), newline="\n")[1]
    except SourceError as error:
        raise SourceError(f"{source}: {error}") from error
    number = 0
    while True:
        number += 1
        try:
            line, large = read_line(file, LONGEST - 1)
        except SourceError as error:
            yield number, error
            return
        if not line:
            return
        if number == 1:
            line = line.removeprefix("\ufeff")
        text = line.removesuffix("\n").removesuffix("\r")
        yield number, SourceError(too_large_message(LONGEST)) if large else text


def damaged(text: str) -> bool:
    """Whether a text holds what no UTF-8 can: bytes that were none, or half a character."""
    return not text.isascii() and _LONE.search(text) is not None
