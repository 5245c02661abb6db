"""What a folder that export made says of itself, and how it is known to be ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingest.errors import OutputError
from ingest.io.run_files import EXPORT_FILE


def leave_report(folder: Path, report: dict[str, Any]) -> None:
    """Say in a folder what it holds, and what it does not."""
    with (folder / EXPORT_FILE).open("w", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=False, indent=2)
        file.write("\n")


def refuse_strangers(folder: Path) -> None:
    """Raise if a folder, which may be missing, holds what its report does not name.

    Raises:
        OutputError: it does.
    """
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    try:
        ours = set(json.loads((folder / EXPORT_FILE).read_bytes())["files"])
    except (OSError, ValueError, LookupError, TypeError):
        ours = set()
    if others := sorted(found - ours):
        raise OutputError(
            f"{folder}: holds what export did not write ({', '.join(others[:3])}); "
            "choose another name"
        )
