"""Expand files, folders, globs and '-' to a sorted list of files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ingest.errors import SourceError
from ingest.io.streams import STDIN, describe_os_error, open_source
from ingest.text import count_noun

__all__ = [
    "STDIN",
    "FoundSources",
    "describe_skipped",
    "find_sources",
    "is_readable",
    "is_run",
    "is_stream",
    "kind_from_magic",
    "media_type",
    "reader_kind",
    "suffix",
]  # fmt: skip

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
_RUN_FILES = {"run.json", "documents.parquet", "segments.parquet"}  # in OUT of a finished run
_RUN_TABLES = {"documents.parquet", "segments.parquet"}
_UNFINISHED_FILES = {"plan.json", "locks"}  # in OUT.unfinished of an unfinished run
_MAX_LISTED = 3  # earlier runs in a message


class FoundSources(NamedTuple):
    """The files to read, sorted, and the files in folders that are skipped."""

    files: list[str]
    skipped: list[str]


def find_sources(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> FoundSources:
    """Expand sources to files. Each file is listed once; the list is sorted by name.

    A folder is expanded to the files below it that some reader supports. Links are followed;
    hidden files and the output of earlier runs are skipped. A file named by the user is always
    listed, whatever its suffix. So are missing files and unreadable folders, because their rows
    will have an error, unless nothing else was found.

    Raises:
        SourceError: no file was found, or a source is a table of a finished run.

    >>> find_sources(["-", "-"])
    FoundSources(files=['-'], skipped=[])
    """
    if isinstance(sources, (str, os.PathLike)):
        sources = [sources]
    given = [os.fspath(s) for s in sources]
    named: list[str] = []
    unavailable: dict[str, str] = {}  # path to reason
    skipped: list[str] = []
    for source in given:
        if source == STDIN or (os.path.exists(source) and not os.path.isdir(source)):
            _check_not_in_run(source)
            named.append(source)  # also a pipe, such as /dev/stdin or <(command)
            continue
        matches = [source] if os.path.isdir(source) else glob.glob(source, recursive=True)
        if not matches:
            unavailable[source] = "not found"
        for match in matches:
            if os.path.isdir(match):
                files, others = _walk_folder(match, unavailable, named=match == source)
                named += files
                skipped += others
            else:
                (named if _may_be_file(match) else skipped).append(match)
    if not named:
        reasons = (f"{name} ({reason})" for name, reason in unavailable.items())
        names = ", ".join(reasons) or ", ".join(given)
        hint = f", {describe_skipped(skipped)}" if skipped else ""
        raise SourceError(
            f"{names or 'no source given'}: no page to read{hint}; give a file or folder of text, "
            "HTML, WARC, JSONL, CSV or TSV, plain, .gz or .zst, or of Parquet, a glob, or - for "
            "standard input"
        )
    paths = _deduplicate([*named, *unavailable])
    return FoundSources(paths, sorted({_normalize(path) for path in skipped}.difference(paths)))


def is_run(path: str) -> bool:
    """Whether a path is the output folder of a finished run.

    >>> is_run("no-such-folder")
    False
    """
    return all(os.path.isfile(os.path.join(path, name)) for name in _RUN_FILES)


def _check_not_in_run(path: str) -> None:
    """Raise if a path is a table of a finished run."""
    folder, name = os.path.split(path)
    if name in _RUN_TABLES and is_run(folder or "."):
        raise SourceError(f"{path}: is part of a run; name its folder: {folder or '.'}")


def describe_skipped(skipped: Iterable[str]) -> str:
    """Describe what was skipped in folders: files by suffix, and earlier runs.

    >>> describe_skipped(["a.docx", "b.PDF", "c", "out/documents.parquet", "out/run.json"])
    '3 files skipped (.docx, .pdf, no suffix), and 1 earlier run (out)'
    """
    files = list(skipped)
    # Parquet files are skipped only in runs, and plans exist only there.
    markers = ("documents.parquet", ".unfinished/plan.json")
    runs = sorted({os.path.dirname(path) for path in files if path.endswith(markers)})
    endings = [os.path.splitext(p)[1].lower() for p in files if os.path.dirname(p) not in runs]
    notes = []
    if endings:
        kinds = {ending if ending[1:].isalnum() else "no suffix" for ending in endings}
        listed = ", ".join(sorted(kinds, key=lambda kind: (kind == "no suffix", kind)))
        notes.append(f"{count_noun(len(endings), 'file')} skipped ({listed})")
    if runs:
        count = count_noun(len(runs), "earlier run")
        listed = ", ".join(runs[:_MAX_LISTED]) + ", …" * (len(runs) > _MAX_LISTED)
        notes.append(f"{count}{'' if notes else ' skipped'} ({listed})")
    return ", and ".join(notes)


def is_readable(path: str) -> bool:
    """Whether a file in a folder is read, by its suffix.

    >>> is_readable("a/b.txt.gz"), is_readable("a/b.warc"), is_readable("a/b.png")
    (True, True, False)
    """
    return suffix(path) in _KINDS


def suffix(path: str) -> str:
    """The last suffix of a path in lower case, ignoring that of a compression.

    >>> suffix("a/B.JSONL.gz")
    '.jsonl'
    """
    stem = path.lower()
    for ending in COMPRESSED:
        stem = stem.removesuffix(ending)
    return os.path.splitext(stem)[1]


def reader_kind(path: str) -> str:
    """The kind of reader for a file, by its suffix, else by its first decompressed bytes.

    Streams are not inspected, because that would consume their data.
    """
    if known := _KINDS.get(suffix(path)):
        return known
    if is_stream(path):
        return "pipe"
    try:
        start = open_source(path).read(8)
    except SourceError:
        return "file"  # its reader reports the error
    return kind_from_magic(start) or "file"


def kind_from_magic(start: bytes) -> str | None:
    """The kind of reader for data that start with these bytes, or None."""
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


def is_stream(path: str) -> bool:
    """Whether a source can be read only once: standard input or a pipe."""
    return path == STDIN or not (_may_be_file(path) or os.path.isdir(path))


def media_type(path: str) -> str | None:
    """The media type by the suffix of a file; None if it has to be detected from the content."""
    return _MEDIA_TYPES.get(suffix(path))


def _may_be_file(path: str) -> bool:
    """Whether a path is a file, or does not exist, or cannot be inspected."""
    return os.path.isfile(path) or not os.path.exists(path)


def _walk_folder(
    folder: str, unavailable: dict[str, str], *, named: bool
) -> tuple[list[str], list[str]]:
    """The files below a folder that some reader supports, and the others.

    Linked folders come last, and no folder is visited twice, so that links do not change the names
    of files. The output of a run is skipped unless its folder is `named` by the user.
    """
    files: list[str] = []
    others: list[str] = []
    seen: set[str] = set()
    folders, linked = [folder], list[str]()
    while folders or linked:
        at = folders.pop() if folders else linked.pop(0)
        if (real := os.path.realpath(at)) in seen:
            continue
        seen.add(real)
        try:
            names = sorted(os.listdir(at))
        except OSError as error:
            unavailable[at] = describe_os_error(error)
            continue
        skip = _is_run_folder(at, names) and not (named and at == folder)
        for path in (os.path.join(at, name) for name in names if not name.startswith(".")):
            if os.path.isdir(path):
                if not skip:
                    (linked if os.path.islink(path) else folders).append(path)
            else:
                supported = is_readable(path) and _may_be_file(path) and not skip
                (files if supported else others).append(path)
    return files, others


def _is_run_folder(folder: str, names: Iterable[str]) -> bool:
    """Whether a folder is the output of a run or its state, by the names of its files."""
    if folder.endswith(".unfinished"):
        return not _UNFINISHED_FILES.isdisjoint(names)
    return _RUN_FILES.issubset(names)


def _deduplicate(paths: list[str]) -> list[str]:
    """Keep the first path of each file: a file with two names is one page."""
    by_file: dict[str, str] = {}
    for path in sorted(map(_normalize, paths)):
        by_file.setdefault(path if path == STDIN else os.path.realpath(path), path)
    return list(by_file.values())


def _normalize(path: str) -> str:
    """The shortest equivalent path. The parent of a link is not the parent of its target."""
    normal = os.path.normpath(path)
    if normal == STDIN:
        return STDIN if path == STDIN else f"./{STDIN}"
    if ".." in path and os.path.realpath(normal) != os.path.realpath(path):
        normal = path
    return Path(normal).as_posix()
