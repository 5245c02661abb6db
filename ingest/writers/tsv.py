"""Write TSV: a header, then one pair per line, never quoted. Read it with quoting switched off.

Null is an empty field, and lists are JSON.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from ingest.writers.plain_text import LINE_BREAKERS, SPACED, as_text, replace_matches
from ingest.writers.selection import Selection

FOLDER = False


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    changed = 0
    with dest.open("wb") as file:
        header = pl.DataFrame({"name": selection.columns.names()})
        names, _ = replace_matches(header, LINE_BREAKERS, " ")
        file.write(("\t".join(names["name"]) + "\n").encode())
        for batch in selection.batches():
            rows, changed_rows = replace_matches(as_text(batch), LINE_BREAKERS, " ")
            changed += changed_rows
            rows.write_csv(file, separator="\t", quote_style="never", include_header=False)
    return {"changed": {SPACED: changed}}
