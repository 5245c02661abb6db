"""What readers give and take: slices of sources in, records out."""

from __future__ import annotations

from typing import NamedTuple


class Slice(NamedTuple):
    """A part of one source that can be read by itself.

    `kind` names the reader: file, warc, jsonl, csv, parquet or pipe. `start` and `stop` are its
    range, in bytes or row groups, as the reader that made it understands them; `first` is the
    number of its first record. `size` is about how many stored bytes it covers.
    """

    source: str
    kind: str
    start: int = 0
    stop: int = 0
    first: int = 0
    size: int = 0


class Record(NamedTuple):
    """One page as its container holds it, not yet decoded.

    `record` and `key` name it inside the source; both None where the file is the page.
    `content` is bytes, or text where the container holds text; None where it cannot be had, and
    `error` says why. `media_type` is text/html or text/plain, or None where the content itself
    must tell. `charset` is what came with the record, such as in a Content-Type header. `sha256`
    is that of the stored bytes, where they are not the content itself.
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
