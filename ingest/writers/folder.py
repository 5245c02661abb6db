"""The report inside an exported folder, by which ingest recognizes its own exports."""

from __future__ import annotations

import json
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


def refuse_foreign_files(folder: Path) -> None:
    """Raise if a folder contains files that its report does not list. The folder may not exist.

    Raises:
        OutputError: it contains other files.
    """
    folder = resolve_link(folder)
    paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    # of an export into a folder that cannot be renamed, which was killed
    partial = f".{folder.name}."
    files = {path.as_posix() for path in paths if not path.parts[0].startswith(partial)}
    try:
        exported = set(json.loads(read_file(folder / EXPORT_FILE))["files"])
    except (OSError, ValueError, LookupError, TypeError):
        exported = set()
    if foreign := sorted(files - exported):
        raise OutputError(describe_foreign(folder, foreign, shown=folder, writer="export"))
