"""Sources to documents: one reader a format, one dispatch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from ingest.frames import DOCUMENTS, schema
from ingest.read.plain import page
from ingest.read.sources import find

__all__ = ["batches", "read"]


def read(sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> pl.DataFrame:
    """Read pages into a documents frame: one row a page, sorted by source.

    A page that cannot be read is a row with its `error`, and never an exception.

    Args:
        sources: files, folders, globs, or '-' for standard input.

    Raises:
        SourceError: no file was found.

    >>> from ingest.models import samples
    >>> read(samples()).select("media_type", "encoding", "error").row(0)
    ('text/plain', 'utf-8', None)
    """
    return pl.concat(batches(find(sources).files))


def batches(files: Iterable[str], *, batch_chars: int = 1 << 62) -> Iterator[pl.DataFrame]:
    """Documents frames of whole pages, each closed when its text reaches `batch_chars`.

    At least one frame comes, so that what follows always has columns to look at.
    """
    rows: list[dict[str, Any]] = []
    size = made = 0
    for file in files:
        rows.append(page(file))
        size += rows[-1].get("chars", 0)
        if size >= batch_chars:
            yield _frame(rows)
            made, rows, size = made + 1, [], 0
    if rows or not made:
        yield _frame(rows)


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema(DOCUMENTS))
