"""The lines of a text file, where lines are what counts and no page is made of them."""

from __future__ import annotations

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.readers import document, single_file
from ingest.readers.records import Slice

_MOST = ReadConfig(max_record_bytes=1 << 32)  # a book is no page; all of it is held at once


def read_lines(source: str) -> list[str]:
    r"""Decode a file, plain or compressed, whatever its name says that it is, and cut its lines.

    A line ends with \n or \r\n, and nowhere else.

    Args:
        source: path, or '-' for standard input.

    Raises:
        SourceError: it cannot be read, or is no text.

    >>> from ingest.resources import samples
    >>> read_lines(str(samples().parent / "parallel" / "library.en.txt"))[:2]
    ['The Floating Library of Marsa Tahla', 'Home']
    """
    record = next(single_file.records(Slice(source, "file"), _MOST))
    row = document.to_row(record._replace(media_type="text/plain"))
    if row["error"]:
        raise SourceError(f"{source}: {row['error']}")
    content: str = row["text"]
    return content.replace("\r\n", "\n").removesuffix("\n").split("\n") if content else []
