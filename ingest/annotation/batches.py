"""Annotate frames in batches, so that memory does not grow with their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from ingest.annotation.chosen import Chosen
from ingest.config import Config
from ingest.detection import detect
from ingest.io.parquet import stream
from ingest.labelling import label
from ingest.readers import batch_records, dataframe
from ingest.segmentation import segment

# Rows of a lazy frame are read in small chunks, because a row can be a page of megabytes, and
# joined to larger ones, because a row can also be a line.
_CHUNK_ROWS = 1 << 8
_CHUNK_BYTES = 1 << 23


def annotate_batches(
    frames: Iterable[pl.DataFrame], chosen: Chosen, config: Config
) -> Iterator[pl.DataFrame]:
    """Yield the annotations of frames whose rows follow each other, with `chosen.schema`.

    The batches are those of a run; they make no difference to the result.
    """
    before = 0
    for frame in frames:
        kept = frame.select(chosen.kept)
        records = dataframe.read_records(frame, chosen.read)
        for documents in batch_records(records, batch_chars=config.run.batch_chars):
            segments = segment(documents, config=config.segment)
            segments = label(detect(segments, config=config.detect), config=config.label)
            rows = documents.select("doc_id", "error", row="record")
            result = chosen.level.build(rows, segments)
            if chosen.kept:
                result = result.hstack(kept[result["row"]])
            yield result.with_columns(pl.col("row") + before).select(
                pl.col(name).cast(dtype) if name == "row" else pl.col(name)
                for name, dtype in chosen.schema.items()
            )
        before += len(frame)


def annotate_lazily(frame: pl.LazyFrame, chosen: Chosen, config: Config) -> pl.LazyFrame:
    """The annotations of a lazy frame. It is read in batches whenever the result is collected."""

    def batches() -> Iterator[pl.DataFrame]:
        return annotate_batches(_chunks(frame.select(chosen.needed)), chosen, config)

    return stream(batches, chosen.schema)


def _chunks(frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows of a lazy frame in order, in frames of about _CHUNK_BYTES."""
    chunks: list[pl.DataFrame] = []
    size = 0
    for chunk in frame.collect_batches(chunk_size=_CHUNK_ROWS, maintain_order=True):
        chunks.append(chunk)
        size += int(chunk.estimated_size())
        if size >= _CHUNK_BYTES:
            yield pl.concat(chunks)
            chunks, size = [], 0
    if chunks:
        yield pl.concat(chunks)
