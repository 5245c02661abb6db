"""The files in the output folder of a run, and how commands find their input there."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ingest.errors import OutputError, SourceError
from ingest.io.file_kinds import describe_kind, read_file
from ingest.io.in_place import contents, is_empty
from ingest.io.remake import (
    STEPS_FILE,
    DamagedFileError,
    describe_damage,
    describe_unfinished,
    is_run_folder,
    is_unfinished_folder,
    unreadable,
)
from ingest.io.urls import check_source_is_local

PAIRS_FILE = "pairs.parquet"
RUN_FILE = "run.json"
EXPORT_FILE = "export.json"  # describes a folder that `export` wrote
CORRECTIONS_FILE = "corrections.jsonl"  # what people said; a new run of the same OUT keeps it

ARTICLES_FILE = "articles.jsonl"
OUTPUTS = ("documents.parquet", "segments.parquet", ARTICLES_FILE, RUN_FILE)
# Files that later commands add. They are deleted when the run is overwritten.
DERIVED_OUTPUTS = (
    "pages.parquet", PAIRS_FILE, "scored.parquet", "filtered.parquet", "split.parquet",
    "translated.parquet", "report.html",
)  # fmt: skip
# Files made from the pairs, in order, and how many of them each command could read instead.
_LATER_FILES = ("scored.parquet", "filtered.parquet", "split.parquet")
_FOREIGN = "contains files that ingest did not write"
_MAX_LISTED = 3  # files or runs in a message
_POSSIBLE_INPUTS = {"filter": 1, "split": 2, "export": 3}


def check_run_output(
    target: Path, *, overwrite: bool, shown: str | os.PathLike[str] | None = None
) -> None:
    """Raise unless a run may write to `target`.

    An empty folder is in nobody's way, and neither is the output of a run that could read no page:
    a corrected run replaces it.

    Args:
        target: the folder to write.
        overwrite: whether the output of an earlier run may be replaced.
        shown: `target` as the user gave it, for messages.

    Raises:
        OutputError: it exists, and may not be replaced or contains files of other programs.
    """
    if not os.path.lexists(target) or is_empty(target):
        return
    shown = Path(shown or target)
    if not target.is_dir():
        raise OutputError(f"{shown}: is not a folder; choose another name")
    if others := foreign_files(contents(target)):
        raise OutputError(describe_foreign(target, others, shown=shown, what=_FOREIGN))
    if not overwrite and not has_only_errors(target):
        raise OutputError(f"{shown}: exists already; choose another name, or give --overwrite")


def describe_foreign(target: Path, names: Sequence[str], *, shown: Path, what: str) -> str:
    """Say that a folder may not be replaced, because it has files that it would not have.

    Args:
        target: the folder.
        names: these files, relative to it.
        shown: `target` as the user gave it.
        what: what is wrong, unless these files are those of runs.

    >>> describe_foreign(Path("out"), ["a", "b"], shown=Path("out"), what="contains other files")
    'out: contains other files (a, b); choose another name'
    """
    folders = dict.fromkeys(name.partition(os.sep)[0] for name in names)
    runs = [str(shown / name) for name in folders if is_run_folder(target / name)]
    if runs:
        listed = ", ".join(runs[:_MAX_LISTED]) + ", …" * (len(runs) > _MAX_LISTED)
        return f"{shown}: has runs in it ({listed}); choose another name, such as {shown / 'new'}"
    for name in folders:
        if is_unfinished_folder(target / name):
            new = shown / "new"
            return f"{describe_unfinished(shown / name)}; or choose another name, such as {new}"
    listed = ", ".join(names[:_MAX_LISTED])
    return f"{shown}: {what} ({listed}); choose another name"


def has_only_errors(target: Path) -> bool:
    """Whether a folder is the output of a run in which all pages are in error, and nothing else.

    >>> has_only_errors(Path("no-such-folder"))
    False
    """
    try:
        if contents(target) - {CORRECTIONS_FILE} != set(OUTPUTS):
            return False
        return all_pages_in_error(json.loads(read_file(target / RUN_FILE)))
    except (OSError, ValueError):
        return False


def all_pages_in_error(report: Any) -> bool:
    """Whether a run could read none of its pages, by its report.

    >>> all_pages_in_error({"counts": {"pages": 2, "errors": 2}}), all_pages_in_error({})
    (True, False)
    """
    try:
        counts = report["counts"]
        return bool(counts["pages"] and counts["errors"] == counts["pages"])
    except (KeyError, TypeError):
        return False


def refuse_incomplete(folder: str | os.PathLike[str]) -> None:
    """Raise if a folder lacks a file of a run, and has others.

    Raises:
        SourceError: it does.

    >>> refuse_incomplete("no-such-folder")
    """
    present = [name for name in OUTPUTS if os.path.isfile(Path(folder) / name)]
    missing = [name for name in OUTPUTS if name not in present]
    if len(present) >= 2 and missing:
        path = Path(folder) / missing[0]
        raise DamagedFileError(describe_damage(path, describe_kind(path) or "is missing"))


def describe_unfinished_run(folder: str | os.PathLike[str]) -> str:
    """Say that a folder has no run because its run has not finished; else return "".

    >>> describe_unfinished_run("no-such-folder")
    ''
    """
    is_whole = all(os.path.isfile(Path(folder) / name) for name in OUTPUTS)
    return "" if is_whole else describe_unfinished(folder)


def foreign_files(names: Iterable[str]) -> list[str]:
    """Those names in the folder of a run that ingest does not write, sorted.

    >>> foreign_files(["run.json", "notes.txt"])
    ['notes.txt']
    """
    return sorted(name for name in names if not is_run_file(name))


def is_run_file(name: str) -> bool:
    """Whether ingest writes a file of this name, or a temporary file that a kill may leave.

    >>> is_run_file("pairs.parquet"), is_run_file(".pairs.parquet.1f"), is_run_file("notes.txt")
    (True, True, False)
    """
    names = (*OUTPUTS, *DERIVED_OUTPUTS, CORRECTIONS_FILE)
    return name in names or name.startswith(tuple(f".{known}." for known in names))


def find_pairs(source: str | Path) -> Path:
    """The pairs file that a path means: the file itself, or the one in a run folder.

    Raises:
        SourceError: there is none, or the path is a URL.
    """
    check_source_is_local(source)
    path = Path(source)
    if path.is_dir():
        if what := describe_kind(path / PAIRS_FILE):
            raise DamagedFileError(describe_damage(path / PAIRS_FILE, what))
        if not (path / PAIRS_FILE).is_file():
            raise SourceError(
                f"{path}: contains no {PAIRS_FILE}; "
                + (point_to_run(path) or "a run with --align writes one")
            )
        return path / PAIRS_FILE
    if not path.is_file():
        raise SourceError(f"{path}: no such file; give a {PAIRS_FILE} or a folder that contains it")
    check_is_parquet(path)
    return path


def point_to_run(folder: str | Path, names: Sequence[str] = ("run", "pairs")) -> str:
    """Return where the run of a data set is, if a folder is the data set or the one next to it.

    Args:
        folder: what was given instead of a run.
        names: what can be pointed to: the run, or the folder of imported pairs.

    >>> point_to_run("no-such-folder")
    ''
    """
    path = Path(folder)
    named = path if path.name else path.resolve()  # "." has no name
    for work in (path, named.with_name(f"{named.name}.work")):
        for name in names:
            if (work / STEPS_FILE).is_file() and (work / name).is_dir():
                kind = "the working folder of a data set" if work == path else "a data set"
                return f"it is {kind}; give {work / name}"
    if (path / EXPORT_FILE).is_file():
        return "it is what ingest export wrote; give the run or the pairs it was made from"
    return ""


def check_is_parquet(path: Path) -> None:
    """Raise if a file is not Parquet; the error says how to import pairs from other formats.

    Raises:
        SourceError: it is not Parquet, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise unreadable(path, error) from error
    if not start:
        raise DamagedFileError(describe_damage(path, "is empty"))
    if start != b"PAR1":
        raise SourceError(
            f"{path}: cannot be read as Parquet: it is another format; if it contains pairs, "
            f"convert it: ingest import {shlex.quote(str(path))} -o {PAIRS_FILE}"
        )


def describe_later_files(source: str | Path, command: str) -> list[str]:
    """A note for the user if a run folder contains later results than the pairs.parquet used.

    Args:
        source: the path that was passed to `find_pairs`.
        command: filter, split or export.

    >>> describe_later_files("no-such-folder", "export")
    []
    """
    folder = Path(source)
    later = [
        name
        for name in _LATER_FILES[: _POSSIBLE_INPUTS[command]]
        if (folder / name).is_file()  # never true if `source` is a file
    ]
    if not later:
        return []
    used, last = folder / PAIRS_FILE, folder / later[-1]
    return [f"using {used}; {last} also exists: give it to use that instead"]
