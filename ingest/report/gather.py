"""OUT's files as plain data: what the page shows, and nothing else."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl

from ingest.errors import SourceError
from ingest.frames import ROLES
from ingest.report.funnel import told
from ingest.report.pages import of_pages, page_views
from ingest.report.pairs import meanings, of_pairs
from ingest.report.run_data import Files, opened
from ingest.report.sample import CUT, SEED
from ingest.report.segments import of_segments
from ingest.report.sources import of_sources
from ingest.text import safe


def gather(out: Path, pairs: Path | None = None) -> dict[str, Any]:
    """What is to be shown of a run.

    Args:
        out: folder that `ingest run` made.
        pairs: file of pairs, in place of those in `out`.

    Raises:
        SourceError: there is nothing to report on, or a file cannot be read.
        FrameError: a file lacks a column.
    """
    files = opened(out, pairs)
    try:
        return _gathered(out, files)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{out}: a file of it is damaged: {error}") from error


def _gathered(out: Path, files: Files) -> dict[str, Any]:
    run, documents, segments = files.run, files.documents, files.segments
    made: dict[str, Any] = {
        "name": safe(out.resolve().name),
        "run": _of_run(run),
        "articles": _numbers(run.get("counts")).get("articles"),
        "roles": ROLES,
        "meanings": meanings(),
        "seed": SEED,
        "cut": CUT,
    }
    if documents is not None:
        made["pages"] = of_pages(documents)
        made["sources"] = of_sources(documents, segments)
    if segments is not None:
        made["segments"] = of_segments(segments)
    if documents is not None and segments is not None:
        made["views"] = page_views(documents, segments)
    if files.pairs is not None:
        made["pairs"] = {
            "files": [safe(name) for name in files.shown],
            **of_pairs(files.pairs, told(run), documents),
        }
    return made


def _of_run(run: dict[str, Any]) -> dict[str, Any]:
    """What run.json says of the run itself, where it is of the right kind."""
    said = {key: run[key] for key in ("version", "fingerprint") if isinstance(run.get(key), str)}
    config = run.get("config")
    steps = config.items() if isinstance(config, dict) else ()
    return {
        **said,
        **_numbers({"elapsed": run.get("elapsed")}),
        "seconds": _numbers(run.get("seconds")),
        "config": {step: settings for step, settings in steps if isinstance(settings, dict)},
    }


def _numbers(entries: Any) -> dict[str, float]:
    """The entries of an object that are numbers; none where it is no object."""
    held = entries.items() if isinstance(entries, dict) else ()
    return {k: v for k, v in held if isinstance(v, int | float) and math.isfinite(v)}
