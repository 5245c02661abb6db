"""What run.json says about a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingest.errors import SourceError
from ingest.io.run_files import RUN_FILE, point_to_run
from ingest.roles import KEPT_ROLES
from ingest.text import describe_parse_error


def read_run(folder: Path) -> dict[str, Any]:
    """Return what run.json says.

    Raises:
        SourceError: it is not there, or cannot be read.
    """
    path = folder / RUN_FILE
    try:
        run = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        hint = point_to_run(folder, ["run"]) or "give the OUT folder of ingest run"
        raise SourceError(f"{folder}: is not the folder of a run; {hint}") from error
    except (OSError, ValueError) as error:
        reason = describe_parse_error(error)
        raise SourceError(f"{path}: cannot be read: {reason}; run the sources again") from error
    if not isinstance(run, dict):
        raise SourceError(f"{path}: is not a JSON object; ingest run makes it")
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
