"""Write the Moses format: a folder with one file per language, one pair per line.

    NAME.ar  NAME.en  NAME.ids

NAME is the split, or `pairs` if the frame has none. Machine-translated pairs are in files of their
own, NAME.translated.*, and so are imported pairs, NAME.imported.*, if there are aligned pairs.
The .ids file has the other columns, separated by tabs and without a header; export.json lists their
names. Line N of all three files is about the same pair.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl

from ingest.frames import METHOD_ALIGNED
from ingest.writers.plain_text import LINE_BREAKERS, SPACED, as_text, replace_matches
from ingest.writers.selection import Part, Selection

FOLDER = True


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write all files into the folder `dest`."""
    langs = selection.language_pair()
    ids_columns = [n for n in selection.columns if n not in ("source_text", "target_text")]
    changed = 0
    files = []
    for part in selection.parts or [Part(None, METHOD_ALIGNED, 0)]:
        stem = part.split or "pairs"
        if part.method != selection.default_method:
            stem += f".{part.method}"
        names = [f"{stem}.{end}" for end in (*langs, "ids")]
        with ExitStack() as stack:
            first, second, ids = (stack.enter_context((dest / n).open("wb")) for n in names)
            for batch in selection.batches(part):
                rows, changed_rows = replace_matches(as_text(batch), LINE_BREAKERS, " ")
                changed += changed_rows
                in_order = pl.col("source_lang") == langs[0]
                source, target = pl.col("source_text"), pl.col("target_text")
                for file, text in (
                    (first, pl.when(in_order).then(source).otherwise(target)),
                    (second, pl.when(in_order).then(target).otherwise(source)),
                ):
                    lines = rows.select(text=text)["text"].to_list()
                    file.write(("\n".join(lines) + "\n").encode())
                rows.select(ids_columns).write_csv(
                    ids, separator="\t", quote_style="never", include_header=False
                )
        files += names
    return {"files": files, "changed": {SPACED: changed}, "ids_columns": ids_columns}
