"""TSV: a header, a pair a line, nothing quoted; read it with quoting switched off.

Null is an empty field; lists are JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from ingest.writers.plain_text import LINE_BREAKERS, SPACED, flat, replaced
from ingest.writers.selection import Selection

FOLDER = False


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    changed = 0
    with dest.open("wb") as file:
        header = pl.DataFrame({"name": selection.columns.names()})
        names, _ = replaced(header, LINE_BREAKERS, " ")
        file.write(("\t".join(names["name"]) + "\n").encode())
        for batch in selection.batches():
            clean, rows = replaced(flat(batch), LINE_BREAKERS, " ")
            changed += rows
            clean.write_csv(file, separator="\t", quote_style="never", include_header=False)
    return {"changed": {SPACED: changed}}
