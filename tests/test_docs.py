"""SETTINGS.md and COLUMNS.md match the code. To rewrite them, set UPDATE_DOCS=1."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest import frames, roles
from ingest.config import Config

FOLDER = Path(ingest.__file__).parent
NOTE = "<!-- Written by: UPDATE_DOCS=1 uv run pytest -n0 tests/test_docs.py -->"
GROUPS = {
    "Documents": (
        frames.DOCUMENTS,
        "One row per page: `documents.parquet`, made by `ingest.read` and `ingest run`.",
    ),
    "Segments": (
        frames.SEGMENTS,
        "One row per segment: `segments.parquet`, made by `ingest.segment` and `ingest run`.",
    ),
    "Language": (frames.DETECTED, "Columns of segments, added by `ingest.detect`."),
    "Role and article": (frames.LABELLED, "Columns of segments, added by `ingest.label`."),
    "Copies": (frames.CLUSTERED, "Column of segments, added by `ingest.dedupe`."),
    "Annotated segments": (
        frames.ANNOTATED,
        "Columns of the result of `ingest.annotate`, around the columns of segments except `doc_id` "
        "and `cluster`.",
    ),
    "Annotated rows": (
        frames.ANNOTATED_ROWS,
        'Columns of the result of `ingest.annotate` with `level="row"`.',
    ),
    "Articles": (
        frames.ARTICLES,
        "One row per article with kept text: `articles.jsonl`, made by `ingest run`. `ingest export` "
        "writes the same columns but `headline` and `lines`.",
    ),
    "Pairs": (
        frames.PAIRS,
        "One row per pair: `pairs.parquet`, made by `ingest.align`, `ingest.read_pairs` and "
        "`ingest.translate`.",
    ),
    "Alignment": (frames.ALIGNED, "Columns of pairs, added by `ingest.align`."),
    "Translation": (frames.TRANSLATED, "Column of pairs, added by `ingest.translate`."),
    "Scores": (frames.SCORED, "Columns of pairs, added by `ingest.score`."),
    "Filter": (frames.FILTERED, "Columns of pairs, added by `ingest.filter`."),
    "Split": (frames.SPLIT, "Column of pairs, added by `ingest.split`."),
    "Masked texts": (frames.MASKED, "Columns of pairs, added by `ingest.mask_pii`."),
    "Edits": (
        frames.EDITED,
        "Columns of pairs, added by `ingest correct` to files with pairs that a person has edited.",
    ),
    "Kept by hand": (
        frames.BY_HAND,
        "Column of pairs, added by `ingest correct` to files with pairs that a person keeps.",
    ),
    "Word alignment": (
        frames.WORD_ALIGNED,
        "Column of pairs, added by `ingest.align_words` and `ingest export --word-alignments`.",
    ),
}


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = [[cell.replace("<", "&lt;").replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ("---",) * len(head), *cells])


def toml(value: object) -> str:
    if isinstance(value, tuple):
        return str(list(value))
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def settings_page() -> str:
    parts = [
        "# Settings",
        NOTE,
        "Settings are read from a TOML file (`--config FILE`) with one table per step, or one by "
        "one (`--set filter.near=0.8`); `ingest config` prints such a file. In Python, from "
        "`ingest.Config`. An unknown table or key is an error.",
    ]
    for step, settings in vars(Config()).items():
        rows = [
            (f"`{f.name}`", f"`{toml(getattr(settings, f.name))}`", f.metadata["help"])
            for f in dataclasses.fields(settings)
        ]
        summary = " ".join(settings.__doc__.split())
        parts += [f"## `[{step}]`", summary, table(("setting", "default", "meaning"), rows)]
    return "\n\n".join(parts) + "\n"


def type_name(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List):
        return f"list of {type_name(dtype.inner)}"
    if isinstance(dtype, pl.Struct):
        return "{" + ", ".join(f"{f.name}: {type_name(f.dtype)}" for f in dtype.fields) + "}"
    return str(dtype)


def columns_page() -> str:
    parts = [
        "# Columns",
        NOTE,
        "Every step adds columns to a frame or makes the next frame. No step drops rows.",
    ]
    for title, (group, summary) in GROUPS.items():
        rows = [(f"`{c.name}`", type_name(c.dtype), c.meaning) for c in group]
        parts += [f"## {title}", summary, table(("column", "type", "meaning"), rows)]
    names = ", ".join(f"`{role}`" for role in roles.ROLES)
    boilerplate = ", ".join(f"`{role}`" for role in roles.BOILERPLATE_ROLES)
    kept = ", ".join(f"`{role}`" for role in roles.KEPT_ROLES)
    parts += [
        "## Roles",
        f"ROLES are {names}. Of these, {kept} are kept, and {boilerplate} are boilerplate.",
    ]
    return "\n\n".join(parts) + "\n"


@pytest.mark.parametrize(
    ("name", "build"), [("SETTINGS.md", settings_page), ("COLUMNS.md", columns_page)]
)
def test_reference_pages_are_up_to_date(name, build):
    path = FOLDER / name
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(build(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == build(), "run with UPDATE_DOCS=1 to rewrite it"


def test_every_column_group_is_listed():
    groups = [
        value
        for value in vars(frames).values()
        if isinstance(value, tuple) and value and isinstance(value[0], frames.Column)
    ]
    assert groups == [group for group, _ in GROUPS.values()]


def test_every_setting_has_a_meaning():
    for settings in vars(Config()).values():
        for field in dataclasses.fields(settings):
            assert field.metadata["help"].endswith("."), field.name
