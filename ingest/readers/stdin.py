"""Read standard input and pipes, whose first bytes decide the format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ingest.config import ReadConfig
from ingest.errors import SourceError
from ingest.io.streams import read_pieces
from ingest.readers import arc, delimited, feeds, json_file, jsonl, mhtml, single_file, wacz, warc
from ingest.readers.decoded import take_sample
from ingest.readers.formats import SNIFF_BYTES, detect_format
from ingest.readers.records import Record, Slice

_Reader = Callable[[Slice, ReadConfig, Iterator[bytes]], Iterator[Record]]
_READERS: dict[str, _Reader] = {
    "file": single_file.read_records, "warc": warc.read_records, "arc": arc.read_records,
    "json": json_file.read_records, "jsonl": jsonl.read_records, "csv": delimited.read_records,
    "mhtml": mhtml.read_records, "feed": feeds.read_records,
}  # fmt: skip


def read_records(part: Slice, settings: ReadConfig) -> Iterator[Record]:
    """Yield the records of a source that can be read only once; it may be compressed."""
    try:
        start, data = take_sample(read_pieces(part.source), SNIFF_BYTES)
    except SourceError as error:
        yield Record(part.source, error=str(error))
        return
    kind = detect_format(start, part.source).kind
    if kind == "parquet":
        message = "is Parquet, which cannot be read from a pipe; save it to a file"
        yield Record(part.source, error=message)
    elif kind in ("zip", "wacz"):
        yield from wacz.read_records(part, settings, data)
    else:
        yield from _READERS[kind](part, settings, data)
