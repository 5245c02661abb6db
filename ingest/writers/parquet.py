"""Write Parquet: the frame itself, holding one row group in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest.io.parquet import sink
from ingest.writers.selection import Selection

FOLDER = False


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write the file."""
    sink(selection.batches(), selection.columns, dest)
    return {}
