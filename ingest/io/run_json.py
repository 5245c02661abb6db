"""What run.json says about a run."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from ingest.errors import SourceError
from ingest.io.file_kinds import NotAFileError, read_file
from ingest.io.remake import DamagedFileError, describe_damage, is_run_folder
from ingest.io.run_files import RUN_FILE, point_to_run
from ingest.roles import KEPT_ROLES
from ingest.text import describe_parse_error

# Entries that commands read, if they are there.
_TYPES: dict[str, type] = {"config": dict, "fingerprint": str, "counts": dict, "inputs": list}
_COUNTS = ("pages", "errors", "articles", "segments", "kept")


def read_run(folder: Path) -> dict[str, Any]:
    """Return what run.json says.

    Raises:
        SourceError: it is not there, cannot be read, or has a value that ingest does not write.
    """
    if not os.path.lexists(folder / RUN_FILE):
        hint = point_to_run(folder, ["run"]) or "give the OUT folder of ingest run"
        raise SourceError(f"{folder}: is not the folder of a run; {hint}")
    run = read_run_if_any(folder)
    if fault := _find_fault(run):
        raise DamagedFileError(describe_damage(folder / RUN_FILE, f"is damaged: {fault}"))
    return run


def read_run_if_any(folder: Path) -> dict[str, Any]:
    """Return what a run.json says, whoever wrote it; nothing if a folder has none.

    Raises:
        SourceError: it cannot be read.

    >>> read_run_if_any(Path("no-such-folder"))
    {}
    """
    path = folder / RUN_FILE
    try:
        run = json.loads(read_file(path), parse_constant=str, parse_float=_parse_float)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFileError(describe_damage(path, _describe_unreadable(error))) from error
    if not isinstance(run, dict):
        raise DamagedFileError(describe_damage(path, "is not a JSON object"))
    return run


def read_run_of(file: Path) -> dict[str, Any]:
    """Return what run.json says of the run that a file of pairs belongs to; nothing if of none.

    Raises:
        SourceError: the file is in the folder of a run, and run.json cannot be read. Elsewhere, it
            may be that of another program.

    >>> read_run_of(Path("no-such-folder/pairs.parquet"))
    {}
    """
    try:
        return read_run_if_any(file.parent)
    except SourceError:
        if is_run_folder(file.parent):
            raise
        return {}


def _describe_unreadable(error: Exception) -> str:
    if isinstance(error, NotAFileError):
        return str(error.strerror)
    reason = describe_parse_error(error)
    return reason if reason == "is empty" else f"cannot be read: {reason}"


def _parse_float(number: str) -> float | str:
    """Return a number of JSON; as a string if it is too large for a float."""
    value = float(number)
    return value if math.isfinite(value) else number


def _find_fault(run: dict[str, Any]) -> str | None:
    for name, kind in _TYPES.items():
        if not isinstance(run.get(name, kind()), kind):
            return f"{name} is {type(run[name]).__name__}, must be {kind.__name__}"
    for name, table in run.get("config", {}).items():
        if not isinstance(table, dict):
            return f"config.{name} is {type(table).__name__}, must be dict"
    for entry in run.get("inputs", []):
        if not (isinstance(entry, dict) and isinstance(entry.get("source"), str)):
            return "inputs has an entry without a source"
    return None


def read_complete_run(folder: Path) -> dict[str, Any]:
    """Return what run.json says of a run that is complete.

    Raises:
        SourceError: as `read_run`; or it lacks an entry.
    """
    run = read_run(folder)
    counts = run.get("counts", {})
    missing = [name for name in (*_TYPES, "in_error") if name not in run]
    missing += [f"counts.{name}" for name in _COUNTS if not isinstance(counts.get(name), int)]
    if missing:
        what = f"is damaged: {missing[0]} is missing"
        raise DamagedFileError(describe_damage(folder / RUN_FILE, what))
    return run


def kept_roles_of(run: dict[str, Any]) -> tuple[str, ...]:
    """Return the roles that a run kept, by its run.json; the usual ones if it does not say.

    >>> kept_roles_of({"config": {"label": {"keep": ["body", "comment"]}}})
    ('body', 'comment')
    """
    try:
        return tuple(map(str, run["config"]["label"]["keep"]))
    except (KeyError, TypeError):
        return KEPT_ROLES
