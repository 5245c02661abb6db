"""Assemble the outputs of a run from its shards."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import zstandard

from ingest._version import __version__
from ingest.config import Config
from ingest.frames import DOCUMENTS, schema
from ingest.io.memory import release_memory
from ingest.io.parquet import read_parquet, sink
from ingest.io.run_files import CORRECTIONS_FILE, RUN_FILE
from ingest.pipeline.plan import Plan
from ingest.pipeline.shard import ARTICLES_FILE, OUTPUT_SEGMENTS, StepTimer
from ingest.pipeline.state import State
from ingest.pipeline.stats import (
    MAX_LISTED_SKIPPED,
    ReportTotals,
    sum_counts,
)
from ingest.review.corrections import parse_corrections
from ingest.text import escape_file_name

# Size of a Parquet row group. It depends on neither batches nor shards, so neither do the outputs.
# A group takes a few megabytes, of which Polars holds several at a time, and two kilobytes per
# column until the file is complete, so there must not be too many.
SEGMENT_ROWS = 1 << 13
_DOCUMENT_CHARS, _MAX_DOCUMENT_ROWS = 1 << 19, 1 << 10


def write_outputs(state: State, plan: Plan, config: Config, started: float) -> dict[str, Any]:
    """Assemble the outputs from the shards, in order. Return the content of run.json.

    Args:
        state: where the shards are and the outputs go.
        plan: the plan of the run.
        config: its settings.
        started: `time.perf_counter()` at the start of the run.
    """
    if state.has(state.out):  # an earlier run was killed just before it moved them into place
        return state.read_written_report()
    timer = StepTimer()
    numbers = range(len(plan.shards))
    documents = _batches(state, map(state.labelled, numbers), "documents-*.parquet")
    segments = _batches(state, map(state.finished, numbers), "segments-*.parquet")
    labelled = ReportTotals(state.read_reports(map(state.labelled, numbers)))
    pages = labelled.counts
    document_rows = _DOCUMENT_CHARS * pages["pages"] // max(pages["chars"], 1)
    release_memory()
    state.check_room(numbers)
    with state.store(state.out) as work:
        for name, paths, columns, rows in (
            (
                "documents.parquet",
                documents,
                schema(DOCUMENTS),
                min(max(document_rows, 1), _MAX_DOCUMENT_ROWS),
            ),
            ("segments.parquet", segments, OUTPUT_SEGMENTS, SEGMENT_ROWS),
        ):
            timer("write", sink, map(read_parquet, paths), columns, work / name, rows=rows)
            timer("write", state.add_output, work / name)
        timer("write", _concat_articles, state, numbers, work / "articles.jsonl")
        timer("write", state.add_output, work / "articles.jsonl")
        if corrections := state.read_corrections():
            (work / CORRECTIONS_FILE).write_bytes(corrections)
            state.add_output(work / CORRECTIONS_FILE)
        report = _build_report(state, plan, config, labelled, timer)
        report["elapsed"] = round(time.perf_counter() - started, 3)
        with (work / RUN_FILE).open("w", encoding="utf-8") as file:
            json.dump(report, file, ensure_ascii=False, indent=2)
            file.write("\n")
        state.add_output(work / RUN_FILE)
    return report


def _batches(state: State, folders: Iterable[Path], pattern: str) -> Iterator[Path]:
    """The files of shards, in order. Each shard is there until the next one is asked for."""
    for folder in folders:
        with state.borrow(folder, pattern) as shard:
            yield from sorted(shard.glob(pattern))


def _concat_articles(state: State, numbers: Sequence[int], dest: Path) -> None:
    with dest.open("wb") as out:
        for n in numbers:
            with (
                state.borrow(state.finished(n), ARTICLES_FILE) as shard,
                zstandard.open(shard / ARTICLES_FILE) as file,
            ):
                shutil.copyfileobj(file, out)


def _build_report(
    state: State, plan: Plan, config: Config, labelled: ReportTotals, timer: StepTimer
) -> dict[str, Any]:
    finished = ReportTotals(state.read_reports(map(state.finished, range(len(plan.shards)))))
    (joined,) = state.read_reports([state.joined("report", 0)])
    inputs = []
    for name, stamp in plan.stamps.items():
        source = escape_file_name(name)  # as in documents
        counts = labelled.sources.get(source, {"records": 0, "errors": 0, "sha256": None})
        inputs.append({"source": source, "bytes": stamp[0] if stamp else 0, **counts})
    corrected = finished.corrected
    joined["counts"]["articles"] += corrected.pop("articles", 0)
    if corrections := state.read_corrections():
        given = len(parse_corrections(corrections, CORRECTIONS_FILE).segments)
        corrected = {"segments": given, **corrected}
    changed = labelled.changed
    lost = [{"source": escape_file_name(n), "error": changed[n]} for n in sorted(changed)]
    seconds = sum_counts([labelled.seconds, joined["seconds"], finished.seconds, timer.seconds])
    return {
        "version": __version__,
        "config": config.to_dict(),
        "fingerprint": config.fingerprint(),
        "inputs": inputs,
        "in_error": labelled.in_error,
        **({"changed": lost[:MAX_LISTED_SKIPPED]} if lost else {}),
        "skipped": [
            {"source": escape_file_name(source), "reason": reason}
            for source, reason in plan.skipped[:MAX_LISTED_SKIPPED]
        ],
        "left_out": dict(sorted(labelled.left_out.items())),
        "columns": [escape_file_name(line) for line in plan.columns],
        "counts": {
            **sum_counts([labelled.counts, finished.counts]),
            **joined["counts"],
            "skipped": len(plan.skipped),
            "by_role_and_lang": finished.by_role_and_lang(),
        },
        **({"corrected": corrected} if corrected else {}),
        "seconds": {step: round(s, 3) for step, s in seconds.items()},
    }
