"""Where an export goes: whole or not at all, and over nothing that export did not write."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.errors import OutputError
from ingest.state import writing

REPORT = "export.json"  # what a folder holds, and how it is known to be ours


def refuse(dest: Path, *, folder: bool, overwrite: bool) -> None:
    """Raise unless `dest` may be made.

    Raises:
        OutputError: it is there, and is not to be replaced or is not what export made.
    """
    if not os.path.lexists(dest):
        return
    if not overwrite:
        raise OutputError(f"{dest}: exists; choose another name, or give --overwrite")
    if dest.is_symlink() or not (dest.is_dir() if folder else dest.is_file()):
        kind = "folder" if folder else "file"
        raise OutputError(f"{dest}: is no plain {kind}, and is not replaced; choose another name")
    if folder and (others := _strangers(dest)):
        raise OutputError(
            f"{dest}: holds what export did not write ({', '.join(others[:3])}); "
            "choose another name"
        )


def _strangers(folder: Path) -> list[str]:
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    try:
        ours = set(json.loads((folder / REPORT).read_bytes())["files"])
    except (OSError, ValueError, LookupError, TypeError):
        ours = set()
    return sorted(found - ours)


@contextmanager
def placed(dest: Path, *, folder: bool) -> Iterator[Path]:
    """A name to write to, which becomes `dest` when all went well and vanishes if not.

    Raises:
        WriteError: it could not be written.
    """
    with writing(dest):
        dest.parent.mkdir(parents=True, exist_ok=True)
        work = dest.with_name(f".{dest.name}.{secrets.token_hex(4)}")
        try:
            if folder:
                work.mkdir()
            yield work
            _swap(work, dest) if folder and dest.exists() else work.rename(dest)
        finally:
            shutil.rmtree(work, ignore_errors=True) if folder else work.unlink(missing_ok=True)


def _swap(work: Path, dest: Path) -> None:
    old = work.with_name(work.name + ".old")
    dest.rename(old)
    try:
        work.rename(dest)
    except OSError:
        old.rename(dest)
        raise
    shutil.rmtree(old, ignore_errors=True)


def leave_report(folder: Path, report: dict[str, Any]) -> None:
    """Say in a folder what it holds, and what it does not."""
    with (folder / REPORT).open("w", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=False, indent=2)
        file.write("\n")
