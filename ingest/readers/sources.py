"""Expand files, folders, globs and '-' to a sorted list of files."""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ingest.errors import SourceError
from ingest.io.access import in_parallel, notes
from ingest.io.opening import is_pipe
from ingest.io.run_files import describe_unfinished_run, is_run_file
from ingest.io.storage_files import raise_outage
from ingest.io.streams import STDIN, describe_os_error, read_pieces
from ingest.io.urls import (
    check_source_is_readable,
    is_remote,
    is_url,
    public_name,
    with_two_slashes,
)
from ingest.readers.decoded import take_sample
from ingest.readers.formats import (
    SNIFF_BYTES,
    Format,
    detect_format,
    has_known_suffix,
    kind_by_name,
)
from ingest.readers.remote_sources import Found, find_remote
from ingest.readers.wacz import is_wacz
from ingest.text import count_noun

__all__ = [
    "STDIN",
    "FoundSources",
    "Skipped",
    "describe_left_out",
    "describe_skipped",
    "find_sources",
    "is_run",
    "is_stream",
    "reader_kind",
]

_RUN_FILES = {"run.json", "documents.parquet", "segments.parquet"}  # in OUT of a finished run
_RUN_TABLES = {"documents.parquet", "segments.parquet"}
_UNFINISHED_FILES = {"plan.json", "locks"}  # in OUT.unfinished of an unfinished run
EARLIER_RUN = "part of an earlier run"
_NO_FILE = "neither a file nor a folder"
_SNIFF_REQUEST = SNIFF_BYTES + (1 << 14)  # bytes; a buffer reads a little more than is asked for
_MAX_LISTED = 3  # earlier runs, or files with the same reason, in a message
_MAX_REASONS = 8  # in a message


class Skipped(NamedTuple):
    """A file in a folder that is not read, and why."""

    source: str
    reason: str


class FoundSources(NamedTuple):
    """The files to read, sorted, and the files in folders that are skipped."""

    files: list[str]
    skipped: list[Skipped]


def find_sources(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> FoundSources:
    """Expand sources to files. Each file is listed once; the list is sorted by name.

    A folder is expanded to the files below it, except those that are clearly no pages by their
    content or name, such as images and style sheets. Links are followed; hidden files and the
    output of earlier runs are skipped. A file named by the user is always listed, whatever it is.
    So are missing files and unreadable folders, because their rows will have an error, unless
    nothing else was found.

    Raises:
        SourceError: no file was found, or a source is a table of a finished run or a URL.

    >>> find_sources(["-", "-"])
    FoundSources(files=['-'], skipped=[])
    """
    if isinstance(sources, (str, os.PathLike)):
        sources = [sources]
    given = [os.fspath(s) for s in sources]
    named: list[str] = []
    unavailable: dict[str, str] = {}  # path to reason
    skipped: list[Skipped] = []
    for source in given:
        if not source:
            raise SourceError("'': is empty; give the name of a file or folder, or . for this one")
        check_source_is_readable(source)
        if is_remote(url := with_two_slashes(source)):
            found = find_remote(url)
            if found is None:
                is_glob = any(sign in url for sign in "*[")
                unavailable[public_name(url)] = (
                    "not found; globs are not expanded in URLs: name the folder"
                    if is_glob
                    else "not found"
                )
                continue
            files, others = _leave_out(found)
            named += files
            skipped += others
        elif source == STDIN or (os.path.exists(source) and not os.path.isdir(source)):
            _check_not_in_run(source)
            named.append(source)  # also a pipe, such as /dev/stdin or <(command)
        else:
            _find_local(source, named, skipped, unavailable)
    if not named:
        for source in given:
            if problem := describe_unfinished_run(source) or _describe_run(source):
                raise SourceError(problem)
        reasons = (f"{name} ({reason})" for name, reason in unavailable.items())
        names = ", ".join(reasons) or ", ".join(given)
        hint = f", {describe_skipped(skipped)}" if skipped else ""
        advice = (
            "check the URL"
            if unavailable and all(map(is_remote, unavailable))
            else "give a file or folder of text, HTML, WARC, JSON, CSV or TSV, plain or "
            "compressed, or of Parquet, a glob, or - for standard input"
        )
        raise SourceError(f"{names or 'no source given'}: no page to read{hint}; {advice}")
    _check_outage()
    paths = _deduplicate([*named, *unavailable])
    reasons_of = {_normalize(path): reason for path, reason in skipped}
    left_out = (Skipped(*item) for item in sorted(reasons_of.items()))
    return FoundSources(paths, [item for item in left_out if item.source not in set(paths)])


def _check_outage() -> None:
    try:
        raise_outage()
    except OSError as error:
        raise SourceError(f"{error.filename}: {describe_os_error(error)}") from error


def _find_local(
    source: str, named: list[str], skipped: list[Skipped], unavailable: dict[str, str]
) -> None:
    """Add the files of a folder or glob, those that are skipped, and what is not there."""
    matches = [source] if os.path.isdir(source) else glob.glob(source, recursive=True)
    if not matches:
        unavailable[source] = f"not found{_hint_to_escape(source)}"
    for match in matches:
        if os.path.isdir(match):
            files, others = _walk_folder(match, unavailable, named=match == source)
            named += files
            skipped += others
        elif _is_of_run(match):
            skipped.append(Skipped(match, EARLIER_RUN))
        elif _may_be_file(match):
            named.append(match)
        else:
            skipped.append(Skipped(match, _NO_FILE))


def _hint_to_escape(source: str) -> str:
    """Say how to write a glob in which the name of a folder has signs of globs; else return "".

    >>> _hint_to_escape("no-such-folder[1]/*.html")
    ''
    """
    names = source.split(os.sep)
    folders = 0  # at the start, which are there under these very names
    while folders < len(names) and os.path.exists(os.sep.join(names[: folders + 1]) or os.sep):
        folders += 1
    escaped = os.sep.join([*map(glob.escape, names[:folders]), *names[folders:]])
    if escaped == source or not glob.glob(escaped, recursive=True):
        return ""
    return f"; [, * and ? in the name of a folder are signs of a glob: write {shlex.quote(escaped)}"


def _leave_out(found: Found) -> tuple[list[str], list[Skipped]]:
    """The objects that are read, and the others; those that were named are always read."""
    if found.is_named:
        return found.urls, []
    reasons: dict[str, str | None] = dict.fromkeys(found.urls)
    by_folder: dict[str, set[str]] = {}
    for url in found.urls:
        parts = url[len(found.folder) :].split("/")
        for depth, name in enumerate(parts):
            by_folder.setdefault(found.folder + "".join(f"{p}/" for p in parts[:depth]), set()).add(
                name
            )
    runs = tuple(f for f, names in by_folder.items() if _is_run_folder(f.rstrip("/"), names))
    inside = tuple(f for f in runs if f != found.folder or f.endswith(".unfinished/"))
    is_run_itself = found.folder in runs
    for url in found.urls:
        if url.startswith(inside) or (is_run_itself and is_run_file(url[len(found.folder) :])):
            reasons[url] = EARLIER_RUN
    left = [url for url, reason in reasons.items() if reason is None]
    formats = in_parallel(_format_of_file, left)
    reasons |= {url: format.refusal for url, format in zip(left, formats, strict=True)}
    skipped = [Skipped(url, reason) for url, reason in reasons.items() if reason]
    return [url for url, reason in reasons.items() if reason is None], skipped


def is_run(path: str) -> bool:
    """Whether a path is the output folder of a finished run.

    >>> is_run("no-such-folder")
    False
    """
    return all(os.path.isfile(os.path.join(path, name)) for name in _RUN_FILES)


def _is_of_run(path: str) -> bool:
    """Whether a path is a file of a finished run."""
    folder, name = os.path.split(path)
    return is_run_file(name) and is_run(folder or ".")


def _describe_run(source: str) -> str:
    """Say that a source is a run, if a folder or glob is one; else return ""."""
    folder = source if os.path.isdir(source) else os.path.dirname(source) or "."
    if not is_run(folder):
        return ""
    return (
        f"{source}: is the output of a run, which is not read again; name the pages, or to see the "
        f"run: ingest show {shlex.quote(folder)}"
    )


def _check_not_in_run(path: str) -> None:
    """Raise if a path is a table of a finished run."""
    folder, name = os.path.split(path)
    if name in _RUN_TABLES and is_run(folder or "."):
        raise SourceError(f"{path}: is part of a run; name its folder: {folder or '.'}")


def describe_skipped(skipped: Iterable[Skipped], more: int = 0) -> str:
    """Describe what was skipped in folders: files by reason, and earlier runs.

    Args:
        skipped: the files.
        more: number of further files that are not listed.

    >>> files = [("a.zip", "ZIP archive"), ("b.png", "image"), ("c.png", "image")]
    >>> describe_skipped([Skipped(*file) for file in files])
    '3 files not read: b.png, c.png (image); a.zip (ZIP archive)'
    """
    by_reason: dict[str, list[str]] = {}
    for path, reason in skipped:
        by_reason.setdefault(reason, []).append(path)
    in_runs = by_reason.pop(EARLIER_RUN, [])
    # Only runs have these files, and each run has one of them.
    markers = ("documents.parquet", ".unfinished/plan.json")
    runs = sorted({os.path.dirname(path) for path in in_runs if path.endswith(markers)})
    notes = []
    if by_reason or more:
        groups = sorted(by_reason.items(), key=lambda item: -len(item[1]))
        listed = "; ".join(f"{_name_some(paths)} ({why})" for why, paths in groups[:_MAX_REASONS])
        listed += "; …" * (len(groups) > _MAX_REASONS or more > 0)
        count = sum(map(len, by_reason.values())) + more
        notes.append(f"{count_noun(count, 'file')} not read: {listed}")
    if runs:
        count_of_runs = count_noun(len(runs), "earlier run")
        listed = ", ".join(runs[:_MAX_LISTED]) + ", …" * (len(runs) > _MAX_LISTED)
        notes.append(f"{count_of_runs}{'' if notes else ' skipped'} ({listed})")
    return ", and ".join(notes)


def describe_left_out(left_out: Mapping[str, int]) -> str:
    """Describe the crawler's own records in web archives.

    >>> describe_left_out({"description of the crawl": 2, "rules for crawlers": 1})
    '3 records left out: description of the crawl (2), rules for crawlers (1)'
    """
    listed = ", ".join(f"{what} ({count:,})" for what, count in left_out.items())
    return f"{count_noun(sum(left_out.values()), 'record')} left out: {listed}"


def _name_some(paths: list[str]) -> str:
    more = len(paths) - _MAX_LISTED
    return ", ".join(paths[:_MAX_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def reader_kind(path: str) -> str:
    """The kind of reader for a file, by its first decompressed bytes and its name.

    Streams are not inspected, because that would consume their data.
    """
    return "pipe" if is_stream(path) else _format_of_file(path).kind


def _format_of_file(path: str) -> Format:
    if not is_remote(path):
        return _sniff(path)
    formats: dict[str, Format] = notes()
    if path not in formats:
        formats[path] = _sniff(path)
    return formats[path]


def _sniff(path: str) -> Format:
    try:
        start, _ = take_sample(read_pieces(path, first=_SNIFF_REQUEST), SNIFF_BYTES)
    except SourceError as error:  # the reader of a page reports it
        return Format(kind_by_name(path), None if has_known_suffix(path) else str(error))
    found = detect_format(start, path)
    if found.kind == "zip":
        return Format("wacz") if is_wacz(path) else found._replace(kind="file")
    return found


def is_stream(path: str) -> bool:
    """Whether a source can be read only once: standard input or a pipe."""
    return path == STDIN or (is_pipe(path) and not os.path.isdir(path))


def _may_be_file(path: str) -> bool:
    """Whether a path is a file, or does not exist, or cannot be inspected."""
    return os.path.isfile(path) or not os.path.exists(path)


def _walk_folder(
    folder: str, unavailable: dict[str, str], *, named: bool
) -> tuple[list[str], list[Skipped]]:
    """The files below a folder that may be pages, and the others.

    Linked folders come last, and no folder is visited twice, so that links do not change the names
    of files. The folder of a run is skipped; of one that is `named` by the user, the files of the
    run are.
    """
    files: list[str] = []
    others: list[Skipped] = []
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
        is_run_folder = _is_run_folder(real, names)
        skip = is_run_folder and not (named and at == folder and is_run(at))
        for path in (os.path.join(at, name) for name in names if not name.startswith(".")):
            if os.path.isdir(path):
                if not skip:
                    (linked if os.path.islink(path) else folders).append(path)
            elif skip or (is_run_folder and is_run_file(os.path.basename(path))):
                others.append(Skipped(path, EARLIER_RUN))
            elif reason := _why_skipped(path):
                others.append(Skipped(path, reason))
            else:
                files.append(path)
    return files, others


def _why_skipped(path: str) -> str | None:
    """Why a file in a folder is not read; None if it is."""
    if not _may_be_file(path):
        return _NO_FILE
    return _format_of_file(path).refusal


def _is_run_folder(folder: str, names: Iterable[str]) -> bool:
    """Whether a folder is the output of a run or its state, by the names of its files."""
    if folder.endswith(".unfinished"):
        return not _UNFINISHED_FILES.isdisjoint(names)
    return _RUN_FILES.issubset(names)


def _deduplicate(paths: list[str]) -> list[str]:
    """Keep the first path of each file: a file with two names is one page."""
    by_file: dict[str, str] = {}
    for path in sorted(map(_normalize, paths)):
        is_name = path == STDIN or is_remote(path)
        by_file.setdefault(path if is_name else os.path.realpath(path), path)
    return list(by_file.values())


def _normalize(path: str) -> str:
    """The shortest equivalent path. The parent of a link is not the parent of its target."""
    if is_remote(path):
        return path
    normal = os.path.normpath(path)
    if normal == STDIN:
        return STDIN if path == STDIN else f"./{STDIN}"
    if ".." in path and os.path.realpath(normal) != os.path.realpath(path):
        normal = path
    shortest = Path(normal).as_posix()
    return f"./{shortest}" if is_url(shortest) else shortest  # a path only with the dot
