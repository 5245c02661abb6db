"""What `--resume` does if OUT is complete already: nothing, if this run would be the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ingest.config import Config
from ingest.errors import OutputError
from ingest.io.opening import file_size, is_file
from ingest.io.run_files import CORRECTIONS_FILE, all_pages_in_error
from ingest.pipeline.state import State
from ingest.readers.sources import is_stream
from ingest.review.corrections import (
    Corrections,
    merge_corrections,
    parse_corrections,
    write_corrections,
)
from ingest.text import escape_file_name


def find_same_run(
    state: State, files: Iterable[str], config: Config, corrections: Corrections, *, shown: str
) -> dict[str, Any] | None:
    """Return the report of a complete OUT; None if there is none, or all its pages are in error.

    Args:
        state: where OUT is.
        files: the sources of this run.
        config: its settings.
        corrections: those that it was given.
        shown: OUT as the user gave it.

    Raises:
        OutputError: OUT is of other sources, settings or corrections.
        SourceError: run.json is damaged.
    """
    if not state.is_complete():
        return None
    report = state.read_report()
    if all_pages_in_error(report):
        return None
    if difference := _find_difference(state, report, files, config, corrections):
        raise OutputError(
            f"{shown}: is complete, but with {difference}; choose another name, or give "
            "--overwrite instead of --resume"
        )
    return report


def _find_difference(
    state: State,
    report: dict[str, Any],
    files: Iterable[str],
    config: Config,
    corrections: Corrections,
) -> str | None:
    if report.get("fingerprint") != config.fingerprint():
        return "other settings"
    files = list(files)
    if streams := [file for file in files if is_stream(file)]:
        return f"input from {streams[0]}, which cannot be read again to compare it"
    before = {item["source"]: item["bytes"] for item in report["inputs"]}
    now = {escape_file_name(file): file_size(file) if is_file(file) else 0 for file in files}
    if before != now:
        different = {*(before.items() ^ now.items())}
        return f"other sources ({min(name for name, _ in different)} is new, gone or changed)"
    kept = parse_corrections(state.read_kept_corrections(), CORRECTIONS_FILE)
    if write_corrections(merge_corrections([kept, corrections])) != write_corrections(kept):
        return "other corrections"
    return None
