"""What the user names — files, folders, globs, '-' — as a sorted list of files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ingest.errors import SourceError

STDIN = "-"
COMPRESSED = (".gz", ".zst")
_MEDIA_TYPES = {
    ".txt": "text/plain", ".text": "text/plain",
    ".html": "text/html", ".htm": "text/html", ".xhtml": "text/html", ".shtml": "text/html",
}  # fmt: skip
_KINDS = {
    ".warc": "warc", ".wet": "warc", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".csv": "csv", ".tsv": "csv", ".parquet": "parquet",
} | dict.fromkeys(_MEDIA_TYPES, "file")  # fmt: skip
_MAGIC = {b"WARC/": "warc", b"PAR1": "parquet"}


class Found(NamedTuple):
    """The files to read, by name, and the files of a folder that no reader takes."""

    files: list[str]
    skipped: list[str]


def find(sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Found:
    """Expand sources; each file is listed once, in the order of its name.

    A folder stands for the files below it that some reader takes, hidden ones left out. A file
    named by the user is always listed, whatever its suffix; so is a name that does not exist,
    since its page will say so, unless nothing at all was found.

    Raises:
        SourceError: no file was found.

    >>> find(["-", "-"])
    Found(files=['-'], skipped=[])
    """
    if isinstance(sources, (str, os.PathLike)):
        sources = [sources]
    named: list[str] = []
    missing: list[str] = []
    skipped: list[str] = []
    for source in [os.fspath(s) for s in sources]:
        if source == STDIN or os.path.isfile(source):
            named.append(source)
        elif os.path.isdir(source):
            for path in _below(source):
                (named if readable(path) else skipped).append(path)
        elif os.path.exists(source):  # a pipe, such as /dev/stdin or <(command)
            named.append(source)
        elif matches := [p for p in glob.glob(source, recursive=True) if os.path.isfile(p)]:
            named += matches
        else:
            missing.append(source)
    if not named:
        what = ", ".join(missing) if missing else "the folders given"
        hint = f" ({len(skipped)} files of other kinds)" if skipped else ""
        raise SourceError(
            f"{what}: no page to read{hint}; name a file or folder of text, HTML, WARC, JSONL, "
            "Parquet, CSV or TSV, plain, .gz or .zst, a glob, or - for standard input"
        )
    return Found(_once(named + missing), sorted(set(skipped)))


def readable(path: str) -> bool:
    """Whether a folder's file is taken, by its suffix.

    >>> readable("a/b.txt.gz"), readable("a/b.warc"), readable("a/b.png")
    (True, True, False)
    """
    return suffix(path) in _KINDS


def suffix(path: str) -> str:
    """The last suffix of a path in small letters, that of a compression left out.

    >>> suffix("a/B.JSONL.gz")
    '.jsonl'
    """
    stem = path.lower()
    for ending in COMPRESSED:
        stem = stem.removesuffix(ending)
    return os.path.splitext(stem)[1]


def kind(path: str) -> str:
    """Which reader takes a file: its suffix tells, else its first bytes."""
    if known := _KINDS.get(suffix(path)):
        return known
    if path != STDIN and os.path.isfile(path):
        try:
            with open(path, "rb") as file:
                start = file.read(8)
        except OSError:
            return "file"  # whose reader says what is wrong
        return next((k for magic, k in _MAGIC.items() if start.startswith(magic)), "file")
    return "file"


def media_type(path: str) -> str | None:
    """What the suffix of a file says of its content; None where the content must tell."""
    return _MEDIA_TYPES.get(suffix(path))


def _below(folder: str) -> list[str]:
    found: list[str] = []
    for at, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        found += (os.path.join(at, n) for n in names if not n.startswith("."))
    return found


def _once(paths: list[str]) -> list[str]:
    """One path a file, the first in order: the same file under two names is one page."""
    by_file: dict[str, str] = {}
    for path in sorted(os.path.normpath(p) for p in paths):
        by_file.setdefault(path if path == STDIN else os.path.realpath(path), path)
    return [Path(p).as_posix() for p in by_file.values()]
