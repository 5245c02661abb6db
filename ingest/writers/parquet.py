"""Write Parquet: the frame itself, holding a few row groups in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingest.io.parquet import sink
from ingest.writers.rows import Rows

FOLDER = False


def write(selection: Rows, dest: Path) -> dict[str, Any]:
    """Write the file."""
    sink(selection.batches(), selection.columns, dest, rows=selection.row_group)
    return {}
