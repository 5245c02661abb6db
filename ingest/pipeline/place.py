"""Where the unfinished work of a run is kept on a disk, and whether it can be made there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ingest.errors import WriteError
from ingest.io.in_place import UNFINISHED, must_stay


def unfinished_folder(target: Path) -> Path:
    """Return where the unfinished work is: where some is already, else next to OUT if possible.

    >>> unfinished_folder(Path("no-such-folder/out")).as_posix()
    'no-such-folder/out.unfinished'
    """
    inside = target / UNFINISHED
    if inside.is_dir() or not target.name:  # the root of all has no name
        return inside
    beside = target.with_name(f"{target.name}{UNFINISHED}")
    return inside if must_stay(target) and not beside.is_dir() else beside


def check_place(target: Path) -> None:
    """Raise if OUT cannot be made, by the nearest folder that exists. Nothing is left there.

    Only trying tells: permissions say nothing about /proc, or about a full or read-only disk.

    Raises:
        WriteError: it cannot.

    >>> check_place(Path("no-such-folder/out").absolute())
    """
    places = (target, *target.parents) if must_stay(target) else target.parents
    nearest = next(folder for folder in places if os.path.lexists(folder))
    problem = f"{target}: cannot be written: "
    if not nearest.is_dir():
        raise WriteError(f"{problem}{nearest} is not a folder; choose another place")
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".ingest-", dir=nearest))
    except PermissionError as error:
        raise WriteError(
            f"{problem}no permission to write in {nearest}; choose another place"
        ) from error
    except OSError as error:
        raise WriteError(
            f"{problem}no folder can be made in {nearest} ({error.strerror}); choose another place"
        ) from error
