"""Read the lines of a text file."""

from __future__ import annotations

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.readers import document, single_file
from ingest.readers.records import Slice

_SETTINGS = ReadConfig(max_record_bytes=1 << 32)  # a whole book; all of it is held in memory


def read_text(source: str, data: bytes | None = None) -> str:
    r"""Decode a file of any suffix, plain or compressed, as text, with \n at the end of lines.

    Args:
        source: path, or '-' for standard input.
        data: the content, if it is read already.

    Raises:
        SourceError: the file cannot be read or is not text.
    """
    pieces = None if data is None else iter([data])
    record = next(single_file.read_records(Slice(source, "file"), _SETTINGS, pieces))
    row = document.to_row(record._replace(media_type="text/plain"))
    if row["error"]:
        raise SourceError(f"{source}: {row['error']}")
    return str(row["text"]).replace("\r\n", "\n")


def read_lines(source: str) -> list[str]:
    r"""Decode a file of any suffix, plain or compressed, as text and split it into lines.

    Only \n and \r\n end a line.

    Args:
        source: path, or '-' for standard input.

    Raises:
        SourceError: the file cannot be read or is not text.

    >>> from ingest.resources import samples
    >>> read_lines(str(samples().parent / "parallel" / "library.en.txt"))[:2]
    ['The Floating Library of Marsa Tahla', 'Home']
    """
    text = read_text(source)
    return text.removesuffix("\n").split("\n") if text else []
