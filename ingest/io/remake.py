"""What to say of a file of a run that is damaged or not there yet: which one, and what to do."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ingest.errors import SourceError
from ingest.io.file_kinds import describe_kind
from ingest.io.in_place import UNFINISHED

STEPS_FILE = "steps.json"  # in the folder next to a data set, which has the run it was made from
_RUN = "ingest run SOURCES -o {folder} --overwrite"
# By name, the command that makes a file in the folder of a run. {before} is the newest file there
# of those that it can be made from.
_COMMANDS = {
    "documents.parquet": _RUN,
    "segments.parquet": _RUN,
    "articles.jsonl": _RUN,
    "run.json": _RUN,
    "pages.parquet": "ingest pair {folder} -o {path} --overwrite",
    "pairs.parquet": "ingest align {folder} -o {path} --overwrite",
    "scored.parquet": "ingest score {before} -o {path} --overwrite",
    "filtered.parquet": "ingest filter {before} -o {path} --overwrite",
    "split.parquet": "ingest split {before} -o {path} --overwrite",
    "translated.parquet": "ingest translate {folder} --to LANG -o {path} --overwrite",
}
_OF_DATASET = set(_COMMANDS) - {"translated.parquet"}  # what `ingest dataset` makes
_OF_PAIRS = ("pairs.parquet", "scored.parquet", "filtered.parquet", "split.parquet")


class DamagedFileError(SourceError):
    """A file is certainly damaged. The message says all: which one, what is wrong, what to do.

    Where two files contradict each other, a plain `SourceError` with such a message is right: then
    `ingest.jobs.damage` looks at all files before it is printed.
    """


def describe_damage(path: str | Path, what: str) -> str:
    """Return the message about a damaged file. Of a link, it is about the file that it leads to.

    Args:
        path: the file.
        what: what is wrong with it.

    >>> describe_damage("my.parquet", "is empty")
    'my.parquet: is empty; make it again with the command that wrote it, or give another file'
    """
    path = Path(path)
    if path.is_symlink() and (path.is_dir() or not describe_kind(path)):
        path = Path(os.path.realpath(path))
    return f"{path}: {what}; {_describe_remedy(path)}"


def unreadable(path: str | Path, error: Exception) -> DamagedFileError:
    """Return the error about a file that cannot be read as Parquet.

    Args:
        path: the file.
        error: what Polars or the system said.
    """
    return DamagedFileError(describe_damage(path, describe_parquet_error(path, error)))


def describe_parquet_error(path: str | Path, error: Exception) -> str:
    r"""Return what is wrong with a file that cannot be read as Parquet.

    >>> describe_parquet_error("no-such.parquet", OSError("broken\nat some place"))
    'cannot be read as Parquet: broken'
    """
    import polars as pl  # who only starts a command does not wait for it

    if what := describe_kind(path):
        return what
    if os.path.isfile(path) and not os.path.getsize(path):
        return "is empty"
    reason = str(error) if isinstance(error, (pl.exceptions.PolarsError, OSError)) else ""
    lines = reason.strip().splitlines() or [type(error).__name__]
    return f"cannot be read as Parquet: {lines[0]}"


def _describe_remedy(path: Path) -> str:
    folder = path.parent
    if is_working_folder(folder) and path.name in _OF_DATASET:
        return f"to make it again, delete it and run: {_dataset_command(folder.parent)}"
    if path.name not in _COMMANDS or not is_run_folder(folder):
        return "make it again with the command that wrote it, or give another file"
    command = _COMMANDS[path.name]
    if command == _RUN and (folder / "pairs.parquet").exists():
        command += " --align"
    number = _OF_PAIRS.index(path.name) if path.name in _OF_PAIRS else 0
    before = [folder / name for name in _OF_PAIRS[:number] if (folder / name).is_file()]
    places = {"folder": folder, "path": path, "before": before[-1] if before else folder}
    command = command.format(**{name: shlex.quote(str(place)) for name, place in places.items()})
    # a run replaces its whole folder; the others replace files only
    is_in_the_way = bool(describe_kind(path)) and not command.startswith("ingest run ")
    return f"to make it again, {'delete it and ' * is_in_the_way}run: {command}"


def describe_unfinished(folder: str | os.PathLike[str]) -> str:
    """Say that the run of a folder has begun and not finished; return "" if that is not so.

    >>> describe_unfinished("no-such-folder")
    ''
    """
    path = Path(folder)
    named = _with_name(path)
    if is_unfinished_folder(path):
        work = named if named.name.endswith(UNFINISHED) else Path(os.path.realpath(named))
        name = work.name.removesuffix(UNFINISHED)
        owner = work.with_name(name) if name else work.parent
        return f"{path}: is the work of a run that has not finished; {_describe_finishing(owner)}"
    if not any(os.path.isdir(work / "locks") for work in _work_folders(named)):
        return ""
    return f"{path}: its run has not finished; {_describe_finishing(path)}"


def describe_earlier_run(folder: str | os.PathLike[str]) -> str:
    """Say that a whole run is the earlier one, because a new one has not replaced it yet.

    Returns:
        What to say; "" if no run has begun, or if what is there is the new run already.

    >>> describe_earlier_run("no-such-folder")
    ''
    """
    later = describe_unfinished(folder)
    is_new = any(_is_published(Path(folder), work) for work in _work_folders(_with_name(folder)))
    return f"this is the earlier run; {later}" if later and not is_new else ""


def _is_published(out: Path, work: Path) -> bool:
    """Whether the outputs of a run are in place, and only its work is left to be removed."""
    if not os.path.exists(work / "done.json"):
        return False
    try:
        return (work / "out" / "run.json").read_bytes() == (out / "run.json").read_bytes()
    except FileNotFoundError:  # they were moved
        return True


def _with_name(folder: str | os.PathLike[str]) -> Path:
    path = Path(folder)
    return path if path.name else path.resolve()  # "." has no name


def _work_folders(out: Path) -> list[Path]:
    """Where the unfinished work of a run may be; of a link, of the folder that it leads to."""
    real = Path(os.path.realpath(out)) if os.path.islink(out) else out
    beside = [real.with_name(f"{real.name}{UNFINISHED}")] if real.name else []  # not of the root
    return [real / UNFINISHED, *beside]


def _describe_finishing(out: Path) -> str:
    folder = Path(os.path.abspath(out)).parent
    command = (
        _dataset_command(folder)
        if (folder / STEPS_FILE).is_file()
        else f"ingest run SOURCES -o {shlex.quote(str(out))} --resume"
    )
    return f"to finish it: {command}"


def is_unfinished_folder(folder: str | os.PathLike[str]) -> bool:
    """Return whether a folder is the unfinished work of a run, by its name and those in it.

    >>> is_unfinished_folder("no-such-folder.unfinished")
    False
    """
    name = os.path.basename(os.path.realpath(folder))
    is_there = any(os.path.lexists(Path(folder) / mark) for mark in ("locks", "plan.json"))
    return is_there and name.endswith(UNFINISHED)


def is_run_folder(folder: Path) -> bool:
    """Return whether a folder is that of a run, as far as its names say, or has steps of one.

    >>> is_run_folder(Path("no-such-folder"))
    False
    """
    tables = ("documents.parquet", "segments.parquet")
    return any(os.path.lexists(folder / name) for name in tables) or is_working_folder(folder)


def is_working_folder(folder: str | Path) -> bool:
    """Return whether a folder is one where `ingest dataset` keeps what its steps made.

    >>> is_working_folder("no-such-folder")
    False
    """
    path = Path(folder).absolute()
    return path.name in ("run", "pairs") and (path.parent / STEPS_FILE).is_file()


def _dataset_command(work: Path) -> str:
    data = str(work).removesuffix(".work")
    return f"ingest dataset SOURCES -o {shlex.quote(data)} --resume"
