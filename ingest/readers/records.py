"""The input and output of readers: slices of sources, and records."""

from __future__ import annotations

from typing import NamedTuple


class Slice(NamedTuple):
    """A range of one source that can be read independently.

    Attributes:
        source: path of the source, or '-' for standard input.
        kind: the reader, such as file, warc or jsonl; pipe if only reading it tells.
        start: start of the range, in bytes or rows, depending on the reader.
        stop: end of the range.
        first: number of the first record.
        size: approximate number of stored bytes.
    """

    source: str
    kind: str
    start: int = 0
    stop: int = 0
    first: int = 0
    size: int = 0


class Record(NamedTuple):
    """One page as stored in its container, before decoding.

    Attributes:
        source: path of the source.
        record: number or byte offset in the source; None if the source is a single page.
        key: the name of the page in its table, if it has one.
        content: bytes, or text if the container stores text; None if there is an `error`.
        media_type: text/html, text/plain or text/markdown; None if it has to be detected from the
            content.
        charset: the declared encoding, for example from a Content-Type header.
        url: the address of the page.
        sha256: hash of the stored bytes, if they differ from the content.
        error: why the content cannot be read, or must not be looked at.
        left_out: what the record is, if it is not a page but the crawler's own.
        title: the title of the page, as its container says.
        published: when it was published, as its container says, as in ISO 8601.
        author: its authors, as its container says, separated by "; ".
    """

    source: str
    record: int | None = None
    key: str | None = None
    content: bytes | str | None = None
    media_type: str | None = None
    charset: str | None = None
    url: str | None = None
    sha256: str | None = None
    error: str | None = None
    left_out: str | None = None
    title: str | None = None
    published: str | None = None
    author: str | None = None


def too_large_message(limit: int) -> str:
    """The `error` of a page that exceeds the size limit."""
    return f"has more than {limit} bytes; read.max_record_bytes in a config file sets the limit"
