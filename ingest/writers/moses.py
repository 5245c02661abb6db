"""Moses: a folder with a file a language, one pair a line, and a file of all else.

    NAME.ar  NAME.en  NAME.ids

NAME is the split, or `pairs` where the frame has none. Pairs that a machine translated stand in
files of their own, NAME.translated.*; so do given ones, NAME.given.*, beside aligned ones. The
columns of .ids are tab-separated, without a header, so that line N of each file is about the same
pair; export.json names them.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from ingest.frames import METHOD_ALIGNED
from ingest.writers.plain_text import LINE_BREAKERS, SPACED, flat, replaced
from ingest.writers.selection import Part, Selection

FOLDER = True


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Fill the folder."""
    sides = selection.sides()
    about = [name for name in selection.columns if name not in ("source_text", "target_text")]
    changed = 0
    files = []
    for part in selection.parts or [Part(None, METHOD_ALIGNED, 0)]:
        name = part.split or "pairs"
        if part.method != selection.plain:
            name += f".{part.method}"
        names = [f"{name}.{end}" for end in (*sides, "ids")]
        with ExitStack() as stack:
            one, other, ids = (stack.enter_context((dest / n).open("wb")) for n in names)
            for batch in selection.batches(part):
                clean, rows = replaced(flat(batch), LINE_BREAKERS, " ")
                changed += rows
                forward = pl.col("source_lang") == sides[0]
                texts = ("source_text", "target_text")
                for file, (a, b) in ((one, texts), (other, texts[::-1])):
                    text = pl.when(forward).then(pl.col(a)).otherwise(pl.col(b))
                    lines = clean.select(text=text)["text"].to_list()
                    file.write(("\n".join(lines) + "\n").encode())
                clean.select(about).write_csv(
                    ids, separator="\t", quote_style="never", include_header=False
                )
        files += names
    return {"files": files, "changed": {SPACED: changed}, "ids_columns": about}
