"""Gather the files of a run into the plain data that the HTML page shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from ingest._typing import Progress
from ingest.errors import SourceError
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.report.audit import collect_audit
from ingest.report.corrections import collect_corrections
from ingest.report.funnel import read_funnel
from ingest.report.pages import collect_page_views, summarize_pages
from ingest.report.pairs import column_meanings, summarize_pairs
from ingest.report.run_data import RunData, open_run
from ingest.report.sample import MAX_CHARS, SEED
from ingest.report.segments import summarize_segments
from ingest.report.sources import summarize_sources
from ingest.report.unmatched import collect_unmatched
from ingest.roles import KEPT_ROLES, ROLES
from ingest.text import safe

_Step: TypeAlias = tuple[str, int, Callable[[], Any]]


def gather(
    out: Path,
    pairs: Path | None = None,
    *,
    audit: int | None = None,
    seed: int = SEED,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return what a report shows of a run.

    Args:
        out: folder written by `ingest run`.
        pairs: file of pairs to show instead of those in `out`.
        audit: number of segments and pairs to draw for an audit; None for no audit.
        seed: seed of the audit.
        progress: called with the number of rows that were looked at, and that of all.

    Raises:
        SourceError: there is nothing to report on, or a file cannot be read.
        FrameError: a file lacks a column.
    """
    files = open_run(out, pairs)
    data: dict[str, Any] = {
        "name": safe(out.resolve().name),
        "run": _summarize_run(files.run),
        "articles": _numbers(files.run.get("counts")).get("articles"),
        "roles": ROLES,
        "kept_roles": _kept_roles(files.run),
        "meanings": column_meanings(),
        "seed": SEED,
        "cut": MAX_CHARS,
    }
    try:
        steps = _steps(files, audit, seed)
        total, done = sum(rows for _, rows, _ in steps), 0
        for key, rows, make in steps:
            if progress is not None:
                progress(done, total)
            data[key] = make()
            done += rows
        shown = collect_corrections(out / CORRECTIONS_FILE, *_shown_ids(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{out}: one of its files is damaged: {error}") from error
    return {**data, "corrections": shown}


def _steps(files: RunData, audit: int | None, seed: int) -> list[_Step]:
    """Return the parts of the data: name, number of rows to read for it, and what makes it."""
    documents, segments, pairs = files.documents, files.segments, files.pairs
    pages, lines, couples = map(_count, (documents, segments, pairs))
    steps: list[_Step] = []
    if documents is not None:
        steps.append(("pages", pages, partial(summarize_pages, documents)))
        steps.append(("sources", pages + lines, partial(summarize_sources, documents, segments)))
    if segments is not None:
        steps.append(("segments", 2 * lines, partial(summarize_segments, segments, documents)))
    if documents is not None and segments is not None:
        steps.append(("views", 2 * lines, partial(collect_page_views, documents, segments)))
        if pairs is not None:
            unmatched = partial(collect_unmatched, documents, segments, pairs)
            steps.append(("unmatched", lines + couples, unmatched))
    if pairs is not None:
        passes = 4 + len(pairs.collect_schema())  # about one for each score
        steps.append(("pairs", passes * couples, partial(_pairs, pairs, files)))
    if audit is not None:
        sample = partial(collect_audit, audit, seed, documents, segments, pairs)
        steps.append(("audit", 2 * (lines + couples), sample))
    return steps


def _pairs(pairs: pl.LazyFrame, files: RunData) -> dict[str, Any]:
    return {
        "files": [safe(name) for name in files.pairs_files],
        **summarize_pairs(pairs, read_funnel(files.run), files.documents),
    }


def _count(frame: pl.LazyFrame | None) -> int:
    return 0 if frame is None else int(frame.select(pl.len()).collect().item())


def _shown_ids(data: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the IDs of the pages and of the pairs that the report shows."""
    items = data.get("audit", {}).get("items", [])
    pages = [page["doc_id"] for page in data.get("views", {}).get("pages", [])]
    pairs = data.get("pairs", {}).get("columns", {}).get("pair_id", [])
    return (
        [*pages, *(item["doc_id"] for item in items if item["kind"] == "segment")],
        [*pairs, *(item["pair_id"] for item in items if item["kind"] == "pair")],
    )


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


def _kept_roles(run: dict[str, Any]) -> list[str]:
    """Return the roles that the run keeps."""
    config = run.get("config")
    label = config.get("label") if isinstance(config, dict) else None
    keep = label.get("keep") if isinstance(label, dict) else None
    known = [role for role in keep if role in ROLES] if isinstance(keep, list) else []
    return known or list(KEPT_ROLES)


def _numbers(entries: Any) -> dict[str, float]:
    """Return the entries that are finite numbers; none if `entries` is not a dictionary."""
    items = entries.items() if isinstance(entries, dict) else ()
    return {k: v for k, v in items if isinstance(v, int | float) and math.isfinite(v)}
