"""Gather the files of a run into the plain data that the HTML page shows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl

from ingest.errors import SourceError
from ingest.report.funnel import read_funnel
from ingest.report.pages import collect_page_views, summarize_pages
from ingest.report.pairs import column_meanings, summarize_pairs
from ingest.report.run_data import RunData, open_run
from ingest.report.sample import MAX_CHARS, SEED
from ingest.report.segments import summarize_segments
from ingest.report.sources import summarize_sources
from ingest.roles import ROLES
from ingest.text import safe


def gather(out: Path, pairs: Path | None = None) -> dict[str, Any]:
    """Return what a report shows of a run.

    Args:
        out: folder written by `ingest run`.
        pairs: file of pairs to show instead of those in `out`.

    Raises:
        SourceError: there is nothing to report on, or a file cannot be read.
        FrameError: a file lacks a column.
    """
    files = open_run(out, pairs)
    try:
        return _gather(out, files)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{out}: one of its files is damaged: {error}") from error


def _gather(out: Path, files: RunData) -> dict[str, Any]:
    run, documents, segments = files.run, files.documents, files.segments
    data: dict[str, Any] = {
        "name": safe(out.resolve().name),
        "run": _summarize_run(run),
        "articles": _numbers(run.get("counts")).get("articles"),
        "roles": ROLES,
        "meanings": column_meanings(),
        "seed": SEED,
        "cut": MAX_CHARS,
    }
    if documents is not None:
        data["pages"] = summarize_pages(documents)
        data["sources"] = summarize_sources(documents, segments)
    if segments is not None:
        data["segments"] = summarize_segments(segments)
    if documents is not None and segments is not None:
        data["views"] = collect_page_views(documents, segments)
    if files.pairs is not None:
        data["pairs"] = {
            "files": [safe(name) for name in files.pairs_files],
            **summarize_pairs(files.pairs, read_funnel(run), documents),
        }
    return data


def _summarize_run(run: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of run.json about the run itself that have the expected type."""
    config = run.get("config")
    steps = config.items() if isinstance(config, dict) else ()
    return {
        **{key: run[key] for key in ("version", "fingerprint") if isinstance(run.get(key), str)},
        **_numbers({"elapsed": run.get("elapsed")}),
        "seconds": _numbers(run.get("seconds")),
        "config": {step: settings for step, settings in steps if isinstance(settings, dict)},
    }


def _numbers(entries: Any) -> dict[str, float]:
    """Return the entries that are finite numbers; none if `entries` is not a dictionary."""
    items = entries.items() if isinstance(entries, dict) else ()
    return {k: v for k, v in items if isinstance(v, int | float) and math.isfinite(v)}
