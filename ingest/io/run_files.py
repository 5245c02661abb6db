"""The files of a run: their names, which of them a path means, and whether they may be replaced."""

from __future__ import annotations

import os
from pathlib import Path

from ingest.errors import OutputError, SourceError

OUTPUTS = ("documents.parquet", "segments.parquet", "articles.jsonl", "run.json")


# by later commands; they go with the run
DERIVED_OUTPUTS = (
    "pages.parquet", "pairs.parquet", "scored.parquet", "filtered.parquet", "split.parquet",
    "translated.parquet", "report.html",
)  # fmt: skip


def check_run_output(target: Path, *, overwrite: bool) -> None:
    """Raise unless OUT may be made.

    Raises:
        OutputError: it is there, and is not to be replaced or is not what a run made.
    """
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise OutputError(f"{target}: exists; choose another folder, or give --overwrite")
    if not target.is_dir():
        raise OutputError(f"{target}: is no folder; choose another")
    others = sorted(p.name for p in target.iterdir() if not _ours(p.name))
    if others:
        raise OutputError(
            f"{target}: holds what ingest did not write ({', '.join(others[:3])}); "
            "choose another folder"
        )


def _ours(name: str) -> bool:
    """Whether ingest writes it to OUT, or begins with it what a kill may leave half made.

    >>> _ours("pairs.parquet"), _ours(".pairs.parquet.1f"), _ours("notes.txt")
    (True, True, False)
    """
    ours = (*OUTPUTS, *DERIVED_OUTPUTS)
    return name in ours or name.startswith(tuple(f".{made}." for made in ours))


PAIRS_FILE = "pairs.parquet"


_STEPS = ("scored.parquet", "filtered.parquet", "split.parquet")  # what is made of it, in order


_BEFORE = {"filter": 1, "split": 2, "export": 3}  # how many of these a verb may be meant for


RUN_FILE = "run.json"
EXPORT_FILE = "export.json"  # in a folder that export made: what it holds


def find_pairs(source: str | Path) -> Path:
    """The file that a path or a run folder means.

    Raises:
        SourceError: there is none.
    """
    path = Path(source)
    if path.is_dir():
        if not (path / PAIRS_FILE).is_file():
            raise SourceError(
                f"{path}: holds no {PAIRS_FILE}, which a run with alignment or translation makes"
            )
        return path / PAIRS_FILE
    if not path.is_file():
        raise SourceError(f"{path}: no such file; give a {PAIRS_FILE} or a folder that holds it")
    check_is_parquet(path)
    return path


def check_is_parquet(path: Path) -> None:
    """Raise for a file that is no Parquet file, and say how pairs in other files are taken.

    Raises:
        SourceError: it is none.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read as Parquet: {error}") from error
    if start != b"PAR1":
        raise SourceError(
            f"{path}: cannot be read as Parquet, which it is not; if it holds pairs, make a "
            f"{PAIRS_FILE} of it: ingest import {path} -o {PAIRS_FILE}"
        )


def describe_later_files(source: str | Path, verb: str) -> list[str]:
    """What to say of a folder that holds more than the pairs.parquet taken from it.

    Args:
        source: what `find` was asked for.
        verb: what is done to the pairs: filter, split or export.

    >>> describe_later_files("no-such-folder", "export")
    []
    """
    folder = Path(source)
    later = [name for name in _STEPS[: _BEFORE[verb]] if (folder / name).is_file()]
    if not later:  # which a file has not either
        return []
    taken, last = folder / PAIRS_FILE, folder / later[-1]
    return [f"{taken} is taken; {last} is there too: name it to take that"]
