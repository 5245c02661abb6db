"""The report inside an exported folder, by which ingest recognizes its own exports."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ingest.errors import OutputError
from ingest.io.file_kinds import read_file
from ingest.io.in_place import resolve_link
from ingest.io.run_files import EXPORT_FILE, describe_foreign


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Write the report of an export into its folder."""
    with (folder / EXPORT_FILE).open("w", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=False, indent=2)
        file.write("\n")


def refuse_foreign_files(folder: Path, known: Collection[str] = ()) -> None:
    """Raise if a folder contains files that its report does not list. The folder may not exist.

    Args:
        folder: the folder.
        known: files that are known to be of an export, if the report is lost.

    Raises:
        OutputError: it contains other files.
    """
    folder = resolve_link(folder)
    paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    # of an export into a folder that cannot be renamed, which was killed
    partial = f".{folder.name}."
    files = {path.as_posix() for path in paths if not path.parts[0].startswith(partial)}
    listed = _read_files(folder)
    foreign = sorted(files - (listed or set()) - {EXPORT_FILE, *known})
    if not foreign:
        return
    is_lost = listed is None and not known
    report = folder / EXPORT_FILE
    if is_lost and report.is_file():
        raise OutputError(
            f"{report}: is damaged, so it is unknown which files export wrote there; choose "
            f"another name, or move {folder} away"
        )
    what = "contains files that export did not write"
    if is_lost:
        what = f"has no {EXPORT_FILE}, which would say that export wrote its files"
    message = describe_foreign(folder, foreign, shown=folder, what=what)
    raise OutputError(message + ", or move the folder away" * is_lost)


def restore_report(folder: Path, known: Collection[str]) -> None:
    """List the files of an export again if its report is lost, so that it can be replaced.

    Args:
        folder: the folder, which may not exist.
        known: its files.
    """
    listed = _read_files(folder) or set()
    if folder.is_dir() and not set(known) <= listed:
        write_report(folder, {"files": sorted({EXPORT_FILE, *known, *listed})})


def _read_files(folder: Path) -> set[str] | None:
    """Return the files that the report in a folder lists; None if that cannot be read."""
    try:
        return set(json.loads(read_file(folder / EXPORT_FILE))["files"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
