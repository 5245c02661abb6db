"""Write texts as a folder that `datasets.load_dataset` reads, with a data card.

README.md                           the data card
data/train-00000-of-00001.parquet   the rows
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ingest import frames
from ingest._version import __version__
from ingest.io.parquet import sink
from ingest.writers.card import (
    license_entries,
    license_section,
    scalar_type,
    size_category,
    sources_section,
)
from ingest.writers.markdown import table, yaml_lines
from ingest.writers.texts import TextSelection

FOLDER = True

_GROUPS_PER_FILE = 16  # row groups: about 200 MB of articles
_MEANINGS = {
    c.name: c.meaning
    for c in (*frames.SEGMENTS, *frames.DETECTED, *frames.LABELLED, *frames.ARTICLES)
}


def write(selection: TextSelection, dest: Path, *, license: str = "") -> dict[str, Any]:
    """Write all files into the folder `dest`."""
    (dest / "data").mkdir()
    batches = _Batches(selection.batches())
    rows = _GROUPS_PER_FILE * selection.row_group
    paths: list[Path] = []
    while batches.has_more() or not paths:
        paths.append(dest / "data" / f"{len(paths)}.parquet")
        sink(batches.take(rows), selection.columns, paths[-1], rows=selection.row_group)
    names = [f"data/train-{n:05d}-of-{len(paths):05d}.parquet" for n in range(len(paths))]
    for path, name in zip(paths, names, strict=True):
        path.rename(dest / name)
    (dest / "README.md").write_text(text_card(selection, license), encoding="utf-8")
    return {"files": ["README.md", *names]}


class _Batches:
    """Batches that are cut where a file is full."""

    def __init__(self, batches: Iterator[pl.DataFrame]) -> None:
        self._batches = (batch for batch in batches if len(batch))
        self._pending = next(self._batches, None)

    def has_more(self) -> bool:
        return self._pending is not None

    def take(self, rows: int) -> Iterator[pl.DataFrame]:
        while rows > 0 and self._pending is not None:
            batch = self._pending
            self._pending = batch[rows:] if len(batch) > rows else next(self._batches, None)
            yield batch[:rows]
            rows -= len(batch)


def text_card(selection: TextSelection, license: str) -> str:
    """Return the content of README.md. All batches must have been read.

    Args:
        selection: the exported texts.
        license: license of the texts, as the user gives it.
    """
    langs = dict(sorted(selection.by_lang.items(), key=lambda item: (-item[1], item[0])))
    what, run = selection.what, selection.run()
    front = {
        "language": [lang for lang in langs if lang not in ("zxx", "und")] or ["und"],
        "license": "",
        "task_categories": ["text-generation"],
        "size_categories": [size_category(selection.written)],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": "data/train-*.parquet"}],
            }
        ],
        "dataset_info": {
            "features": [
                {"name": name, "dtype": scalar_type(dtype)}
                for name, dtype in selection.columns.items()
            ]
        },
    } | license_entries(license)
    body = [
        f"# {what.capitalize()} of web pages",
        "",
        f"{selection.written:,} {what}.",
        "",
        *table(("language", what), [(lang, f"{rows:,}") for lang, rows in langs.items()]),
        *_selection_notes(selection),
        "## Columns",
        "",
        *table(
            ("column", "meaning"), [(f"`{name}`", _MEANINGS[name]) for name in selection.columns]
        ),
        *sources_section(run),
        "## What was left out",
        "",
        *_left_out(selection),
        *license_section(license),
        f"Made with ingest {__version__}.",
        "",
    ]
    return "\n".join(["---", *yaml_lines(front), "---", "", *body])


def _selection_notes(selection: TextSelection) -> list[str]:
    roles = ", ".join(selection.roles) or "those that the run keeps"
    notes = [f"The roles of the segments are {roles}."]
    if selection.langs:
        notes.append(f"Only text in these languages is selected: {', '.join(selection.langs)}.")
    if selection.dedupe:
        notes.append("Of copies of an article, the longest is here, then the earliest.")
    return [" ".join(notes), ""]


def _left_out(selection: TextSelection) -> list[str]:
    if not selection.left_out:
        return ["Nothing.", ""]
    rows = [(reason, f"{number:,}") for reason, number in selection.left_out.items()]
    return table(("reason", selection.what), rows)
