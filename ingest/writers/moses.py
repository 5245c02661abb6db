"""Write the Moses format: a folder with one file per language, one pair per line.

    NAME.ar  NAME.en  NAME.ids

NAME is the split, or `pairs` if the frame has none. Machine-translated pairs are in files of their
own, NAME.translated.*, and so are imported pairs, NAME.imported.*, if there are aligned pairs.
The .ids file has the other columns, separated by tabs and without a header; export.json lists their
names. Line N of all files is about the same pair. If asked for, NAME.ar-en.align has the word
alignment of each pair, Arabic token first; the line is empty if it has none.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import polars as pl

from ingest.frames import METHOD_ALIGNED, WORD_ALIGNMENT
from ingest.word_alignment import swap_sides
from ingest.writers.plain_text import LINE_BREAKERS, SPACED, as_text, replace_matches
from ingest.writers.selection import Part, Selection

FOLDER = True


def write(selection: Selection, dest: Path) -> dict[str, Any]:
    """Write all files into the folder `dest`."""
    langs = selection.language_pair()
    ends = [*langs, "ids"]
    apart = ["source_text", "target_text"]
    if selection.word_alignments:
        ends.append(f"{'-'.join(langs)}.align")
        apart.append(WORD_ALIGNMENT)
    ids_columns = [n for n in selection.columns if n not in apart]
    changed = 0
    files = []
    for part in selection.parts or [Part(None, METHOD_ALIGNED, 0)]:
        stem = part.split or "pairs"
        if part.method != selection.default_method:
            stem += f".{part.method}"
        names = [f"{stem}.{end}" for end in ends]
        with ExitStack() as stack:
            first, second, ids, *align = (stack.enter_context((dest / n).open("wb")) for n in names)
            for batch in selection.batches(part):
                rows, changed_rows = replace_matches(as_text(batch), LINE_BREAKERS, " ")
                changed += changed_rows
                in_order = pl.col("source_lang") == langs[0]
                source, target = pl.col("source_text"), pl.col("target_text")
                for file, text in (
                    (first, pl.when(in_order).then(source).otherwise(target)),
                    (second, pl.when(in_order).then(target).otherwise(source)),
                ):
                    _write_lines(rows.select(text).to_series(), file)
                for file in align:
                    links = rows[WORD_ALIGNMENT]
                    as_is = rows.select(in_order).to_series()
                    _write_lines(links.zip_with(as_is, swap_sides(links)).fill_null(""), file)
                rows.select(ids_columns).write_csv(
                    ids, separator="\t", quote_style="never", include_header=False
                )
        files += names
    return {"files": files, "changed": {SPACED: changed}, "ids_columns": ids_columns}


def _write_lines(texts: pl.Series, file: IO[bytes]) -> None:
    file.write(("\n".join(texts.to_list()) + "\n").encode())
