"""JSON Lines: an object a pair, with the frame's columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from polars import selectors as cs

from ingest.writers.selection import Selection

FOLDER = False
NULLED = "numbers that are not finite became null"

# JSON may hold these as they are, but some readers end a line there. Outside of strings they
# cannot stand, so that the bytes can be replaced wherever they are.
_ESCAPES = [(c.encode(), f"\\u{ord(c):04x}".encode()) for c in "\x7f\x85\u2028\u2029"]


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    changed = 0
    with dest.open("wb") as file:
        for batch in selection.batches():
            changed += _not_finite(batch)
            lines = batch.write_ndjson().encode()
            for raw, escaped in _ESCAPES:
                lines = lines.replace(raw, escaped)
            file.write(lines)
    return {"changed": {NULLED: changed}}


def _not_finite(batch: pl.DataFrame) -> int:
    if not (names := batch.select(cs.float()).columns):
        return 0
    return int(
        batch.select(
            pl.any_horizontal(pl.col(names).is_infinite() | pl.col(names).is_nan()).sum()
        ).item()
    )
