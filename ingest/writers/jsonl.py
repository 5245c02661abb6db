"""Write JSON Lines: one object per row, with the columns of the frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from polars import selectors as cs

from ingest.writers.rows import Rows

FOLDER = False
NULLED = "non-finite numbers became null"

# JSON allows these characters, but some readers treat them as line ends. In valid JSON they only
# occur inside strings, so their bytes can be replaced anywhere.
_ESCAPES = [(c.encode(), f"\\u{ord(c):04x}".encode()) for c in "\x7f\x85\u2028\u2029"]


def write(selection: Rows, dest: Path) -> dict[str, Any]:
    """Write the file."""
    changed = 0
    with dest.open("wb") as file:
        for batch in selection.batches():
            changed += _count_not_finite(batch)
            lines = batch.write_ndjson().encode()
            for raw, escaped in _ESCAPES:
                lines = lines.replace(raw, escaped)
            file.write(lines)
    return {"changed": {NULLED: changed}}


def _count_not_finite(batch: pl.DataFrame) -> int:
    if not (names := batch.select(cs.float()).columns):
        return 0
    not_finite = pl.col(names).is_infinite() | pl.col(names).is_nan()
    return int(batch.select(pl.any_horizontal(not_finite).sum()).item())
