"""What the user names — files, folders, globs, '-' — as a sorted list of files."""

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
_RUN = {"run.json", "documents.parquet", "segments.parquet"}  # what OUT of a finished run holds
_UNFINISHED = {"plan.json", "locks"}  # and of one that is not, in OUT.unfinished
_NAMED = 3  # earlier runs that are passed over


class FoundSources(NamedTuple):
    """The files to read, by name, and those below folders that are passed over."""

    files: list[str]
    skipped: list[str]


def find_sources(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> FoundSources:
    """Expand sources; each file is listed once, in the order of its name.

    A folder stands for the files below it that some reader takes, hidden ones left out and links
    followed; what an earlier run wrote below it is no page. A file named by the user is always
    listed, whatever its suffix; so is a name that does not exist, or a folder that cannot be
    looked into, since its page will say so, unless nothing at all was found.

    Raises:
        SourceError: no file was found.

    >>> find_sources(["-", "-"])
    FoundSources(files=['-'], skipped=[])
    """
    if isinstance(sources, (str, os.PathLike)):
        sources = [sources]
    given = [os.fspath(s) for s in sources]
    named: list[str] = []
    lost: dict[str, str] = {}  # what cannot be had, and why
    skipped: list[str] = []
    for source in given:
        if source == STDIN or (os.path.exists(source) and not os.path.isdir(source)):
            named.append(source)  # a pipe too, such as /dev/stdin or <(command)
            continue
        matches = [source] if os.path.isdir(source) else glob.glob(source, recursive=True)
        if not matches:
            lost[source] = "not found"
        for match in matches:
            if os.path.isdir(match):
                files, others = _below(match, lost, named=match == source)
                named += files
                skipped += others
            else:
                (named if _regular(match) else skipped).append(match)
    if not named:
        what = ", ".join(f"{name} ({why})" for name, why in lost.items()) or ", ".join(given)
        hint = f", {describe_skipped(skipped)}" if skipped else ""
        raise SourceError(
            f"{what or 'nothing given'}: no page to read{hint}; name a file or folder of text, "
            "HTML, WARC, JSONL, CSV or TSV, plain, .gz or .zst, or of Parquet, a glob, or - for "
            "standard input"
        )
    paths = _once([*named, *lost])
    return FoundSources(paths, sorted({_tidy(path) for path in skipped}.difference(paths)))


def is_run(path: str) -> bool:
    """Whether a path is the OUT of a finished run.

    >>> is_run("no-such-folder")
    False
    """
    return all(os.path.isfile(os.path.join(path, name)) for name in _RUN)


def describe_skipped(skipped: Iterable[str]) -> str:
    """What was skipped below folders, in words: files by their suffixes, and earlier runs.

    >>> describe_skipped(["a.docx", "b.PDF", "c", "out/documents.parquet", "out/run.json"])
    '3 files skipped (.docx, .pdf, no suffix), and 1 earlier run (out)'
    """
    files = list(skipped)
    # tables are taken, but those of a run; a plan stands in none but a run's folder
    marks = ("documents.parquet", ".unfinished/plan.json")
    runs = sorted({os.path.dirname(path) for path in files if path.endswith(marks)})
    endings = [os.path.splitext(p)[1].lower() for p in files if os.path.dirname(p) not in runs]
    said = []
    if endings:
        kinds = {ending if ending[1:].isalnum() else "no suffix" for ending in endings}
        listed = ", ".join(sorted(kinds, key=lambda one: (one == "no suffix", one)))
        said.append(f"{count_noun(len(endings), 'file')} skipped ({listed})")
    if runs:
        what = count_noun(len(runs), "earlier run")
        some = ", ".join(runs[:_NAMED]) + ", …" * (len(runs) > _NAMED)
        said.append(f"{what}{'' if said else ' skipped'} ({some})")
    return ", and ".join(said)


def is_readable(path: str) -> bool:
    """Whether a folder's file is taken, by its suffix.

    >>> is_readable("a/b.txt.gz"), is_readable("a/b.warc"), is_readable("a/b.png")
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


def reader_kind(path: str) -> str:
    """Which reader takes a file: its suffix tells, else its first bytes, decompressed.

    What can be read but once is not looked into; its reader will see.
    """
    if known := _KINDS.get(suffix(path)):
        return known
    if is_stream(path):
        return "pipe"
    try:
        start = open_source(path).read(8)
    except SourceError:
        return "file"  # whose reader says what is wrong
    return kind_from_magic(start) or "file"


def kind_from_magic(start: bytes) -> str | None:
    """Which reader takes what begins with these bytes; None where they do not tell."""
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


def is_stream(path: str) -> bool:
    """Whether a source can be read but once: standard input, or a pipe."""
    return path == STDIN or not (_regular(path) or os.path.isdir(path))


def media_type(path: str) -> str | None:
    """What the suffix of a file says of its content; None where the content must tell."""
    return _MEDIA_TYPES.get(suffix(path))


def _regular(path: str) -> bool:
    """Whether a path is a file, or could be: one that is gone, or that may not be looked at."""
    return os.path.isfile(path) or not os.path.exists(path)


def _below(folder: str, lost: dict[str, str], *, named: bool) -> tuple[list[str], list[str]]:
    """The files below a folder that some reader takes, and the others.

    Linked folders come last, and none is looked into twice, so that links change no file's name.
    Of what a run wrote, but for a folder that is `named`, no file is taken.
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
            lost[at] = describe_os_error(error)
            continue
        ours = _of_a_run(at, names) and not (named and at == folder)
        for path in (os.path.join(at, name) for name in names if not name.startswith(".")):
            if os.path.isdir(path):
                if not ours:
                    (linked if os.path.islink(path) else folders).append(path)
            else:
                taken = is_readable(path) and _regular(path) and not ours
                (files if taken else others).append(path)
    return files, others


def _of_a_run(folder: str, names: Iterable[str]) -> bool:
    """Whether a folder, by the names in it, is OUT of a run, or what one keeps beside OUT."""
    if folder.endswith(".unfinished"):
        return not _UNFINISHED.isdisjoint(names)
    return _RUN.issubset(names)


def _once(paths: list[str]) -> list[str]:
    """One path a file, the first in order: the same file under two names is one page."""
    by_file: dict[str, str] = {}
    for path in sorted(map(_tidy, paths)):
        by_file.setdefault(path if path == STDIN else os.path.realpath(path), path)
    return list(by_file.values())


def _tidy(path: str) -> str:
    """The shortest name of the same file: what is above a link is not where the link stands."""
    tidy = os.path.normpath(path)
    if tidy == STDIN:
        return STDIN if path == STDIN else f"./{STDIN}"
    if ".." in path and os.path.realpath(tidy) != os.path.realpath(path):
        tidy = path
    return Path(tidy).as_posix()
