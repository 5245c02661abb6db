"""The corrections that people have already made in a run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from ingest.review.corrections import read_corrections


def collect_corrections(
    path: Path, pages: Iterable[str], pairs: Iterable[str]
) -> list[dict[str, Any]]:
    """Return the corrections of what a report shows, without fields that are null.

    Damaged lines are left out: `ingest correct` names them when it reads the file.

    Args:
        path: a file of corrections; there are none if it does not exist.
        pages: IDs of the pages that the report shows.
        pairs: IDs of the pairs that it shows.

    Raises:
        SourceError: the file cannot be read.
    """
    if not path.exists():
        return []
    given = read_corrections(path)
    shown = (
        ("segment", given.segments, "doc_id", set(pages)),
        ("pair", given.pairs, "pair_id", set(pairs)),
    )
    return [
        {"kind": kind, **{key: value for key, value in row.items() if value is not None}}
        for kind, frame, key, ids in shown
        for row in frame.filter(pl.col(key).is_in(list(ids)))
        .drop("text", "uri", "source_text", "target_text", strict=False)
        .iter_rows(named=True)
    ]
