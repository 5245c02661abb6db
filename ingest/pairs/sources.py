"""Find out how files, folders and archives of pairs are read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ingest.errors import ConfigError, SourceError
from ingest.frames import METHOD_IMPORTED
from ingest.io.run_files import EXPORT_FILE, RUN_FILE
from ingest.pairs import moses
from ingest.pairs.archives import is_archive, list_members
from ingest.pairs.columnar import read_arrow, read_parquet
from ingest.pairs.delimited import read_delimited
from ingest.pairs.json_rows import read_json
from ingest.pairs.languages import language_of_file, split_file_name
from ingest.pairs.splits import parse_split, split_of_path
from ingest.pairs.tables import InvalidRow, Notice, Rows
from ingest.pairs.tmx import read_tmx
from ingest.readers.formats import suffix

_DELIMITED = (".tsv", ".tab", ".csv")
_JSON = (".jsonl", ".ndjson", ".jl", ".json")
_ARROW = (".arrow", ".ipc", ".feather")
_COLUMNAR = (".parquet", *_ARROW)
_STATE_FILE = "state.json"  # beside the files of a data set that `save_to_disk` wrote
# Files that describe a data set, and have no pairs
_METADATA = (
    _STATE_FILE, "dataset_info.json", "dataset_infos.json", "dataset_dict.json", EXPORT_FILE,
    RUN_FILE,
)  # fmt: skip
_NOT_TEXT = (".ids", ".xml", ".md", ".pdf", ".html", ".yaml", ".yml", ".py", ".json", ".zip")

# What is often taken for a file of pairs, and what to do with it
_OTHER_FORMATS = {
    **dict.fromkeys((".xlf", ".xliff", ".sdlxliff"), "XLIFF is not read; convert it to TMX"),
    **dict.fromkeys((".po", ".pot"), "PO is not read; convert it to TMX, such as with po2tmx"),
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "Excel is not read; save the file as CSV"),
}  # fmt: skip

Content: TypeAlias = Iterator[Rows | InvalidRow | Notice]


class PairSource(NamedTuple):
    """One table of pairs: its name, how to read it, and what its name reveals.

    Attributes:
        name: the file, for messages.
        read: reads it.
        langs: source and target, if the names of the files say so.
        method: method of pairs that do not name one.
        split: train, dev or test, if the name of the file says so.
    """

    name: str
    read: Callable[[], Content]
    langs: tuple[str, str] | None = None
    method: str = METHOD_IMPORTED
    split: str | None = None


def find_sources(
    files: Sequence[str],
    langs: tuple[str, str] | None,
    chosen: tuple[str, str] | None = None,
) -> list[PairSource]:
    """Decide how to read each file, and the files in each folder and ZIP archive.

    Args:
        files: files, folders and archives. Two text files are in parallel, source first.
        langs: source and target language, or None.
        chosen: names of the columns of texts, or None.

    Raises:
        SourceError: a file does not exist, or a folder or archive has no pairs.
        ConfigError: the files do not fit together.
    """
    for file in files:
        if not os.path.exists(file):
            raise SourceError(f"{file}: no such file")
        if reason := _OTHER_FORMATS.get(suffix(file)):
            raise SourceError(f"{file}: {reason}")
    single = [f for f in files if not os.path.isdir(f) and not is_archive(f)]
    texts = [f for f in single if _table_reader(f, langs, chosen) is None]
    if len(files) == len(texts) == 2:
        return [_parallel_files(files[0], files[1], langs, split_of_path(_name(files[0])))]
    if len(texts) > 2 or len(files) > len(texts) > 1:
        groups = _group(texts, langs, "")
        tables = [f for f in files if f not in texts]
        return [*groups, *find_sources(tables, langs, chosen)] if tables else groups
    sources: list[PairSource] = []
    for file in files:
        if file not in single:
            sources += _sources_inside(file, langs, chosen)
            continue
        read = _table_reader(file, langs, chosen)
        if read is None and len(files) > 1:
            raise ConfigError(
                f"{file}: is plain text; give two text files, source first, or files of TSV, CSV, "
                "JSON, Parquet, Arrow or TMX"
            )
        # a single text file can only be a table
        read = read or partial(read_delimited, file, langs, chosen)
        sources.append(PairSource(file, read, split=split_of_path(_name(file))))
    return sources


def files_of(file: str) -> list[str]:
    """Return the files with pairs in a folder, or the file itself.

    Raises:
        SourceError: the folder has none.
    """
    if not os.path.isdir(file):
        return [file]
    below = [path for path in Path(file).rglob("*") if path.is_file()]
    paths = sorted(str(path) for path in below if _may_have_pairs(path.relative_to(file)))
    states = {str(path.parent): _stored_files(path) for path in below if path.name == _STATE_FILE}
    listed = [
        path
        for path in paths
        if suffix(path) not in _ARROW
        or _name(path) in (states.get(os.path.dirname(path)) or [_name(path)])
    ]
    if not listed:
        raise SourceError(
            f"{file}: is a folder without files of pairs, such as Parquet, Arrow, TSV or two text "
            "files that are named by their languages; give the files of pairs instead"
        )
    return listed


def _may_have_pairs(path: Path) -> bool:
    if any(part.startswith((".", "__")) for part in path.parts) or path.name in _METADATA:
        return False
    if suffix(path.name) in _ARROW:
        return not path.name.startswith("cache-")
    return _is_table(path.name) or _is_text(path.name)


def _is_table(path: str) -> bool:
    return suffix(path) in (*_DELIMITED, *_JSON, *_COLUMNAR, ".tmx")


def _is_text(path: str) -> bool:
    return suffix(path) not in _NOT_TEXT and language_of_file(path) is not None


def _stored_files(state: Path) -> list[str]:
    """Return the files that a data set consists of; other files beside them are a cache."""
    files = _read_state(state).get("_data_files")
    if not isinstance(files, list):
        return []
    return [str(file.get("filename")) for file in files if isinstance(file, dict)]


def _read_state(state: Path) -> dict[str, object]:
    try:
        content = json.loads(state.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _sources_inside(
    file: str, langs: tuple[str, str] | None, chosen: tuple[str, str] | None
) -> list[PairSource]:
    """Return the sources in a folder or an archive."""
    if os.path.isdir(file):
        paths = files_of(file)
    else:
        members = [m for m in list_members(file) if _may_have_pairs(Path(m.partition("!")[2]))]
        paths = [member for member in members if suffix(member) not in _COLUMNAR]
        if not paths:
            unpack = "; unpack it first" if members else ""
            raise SourceError(f"{file}: is a ZIP archive without files of pairs{unpack}")
    tables = [path for path in paths if _is_table(path)]
    texts = [path for path in paths if path not in tables]
    sources = [
        PairSource(path, read, split=_split_inside(file, path))
        for path in tables
        if (read := _table_reader(path, langs, chosen))
    ]
    return sources + _group(texts, langs, file)


def _split_inside(folder: str, path: str) -> str | None:
    """Return the split that a file in a folder is named by; ingest's own exports have a column."""
    if os.path.isfile(os.path.join(folder, EXPORT_FILE)):
        return None
    state = _read_state(Path(path).parent / _STATE_FILE) if suffix(path) in _ARROW else {}
    return split_of_path(path[len(folder) :]) or parse_split(str(state.get("_split", "")))


def _group(paths: list[str], langs: tuple[str, str] | None, folder: str) -> list[PairSource]:
    """Put text files together that differ only in the language in their names."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    alone: list[str] = []
    for path in paths:
        lang, stem = split_file_name(path)
        if lang:
            groups.setdefault((os.path.dirname(path), stem), {}).setdefault(lang, path)
        else:
            alone.append(path)
    sources: list[PairSource] = []
    for (_, stem), files in groups.items():
        if len(files) == 1 or (langs and not set(langs) <= set(files)):
            alone += files.values()
            continue
        first, second = _choose(stem, files, langs)
        split = _split_inside(folder, first) if folder else split_of_path(_name(first))
        sources.append(_parallel_files(first, second, langs, split))
    if not sources and not folder:
        raise ConfigError(
            f"{alone[0]}: is plain text; give two text files, source first, or files whose names "
            "differ only in the language, such as corpus.ar and corpus.en"
        )
    left_out = [path for path in alone if not _is_description(path)]
    return sources + [PairSource(path, _report_alone) for path in left_out]


def _choose(stem: str, files: dict[str, str], langs: tuple[str, str] | None) -> tuple[str, str]:
    """Return the files of source and target; the name may give an order, such as ar-en."""
    if langs:
        return files[langs[0]], files[langs[1]]
    if len(files) > 2:
        listed = ", ".join(sorted(files))
        raise ConfigError(
            f"{next(iter(files.values()))}: is one of files in {listed}; choose two with --langs"
        )
    first, second = files
    turned = f"{second}-{first}" in stem.lower()
    return (files[second], files[first]) if turned else (files[first], files[second])


def _is_description(path: str) -> bool:
    """Return whether a file belongs to a corpus, but has no texts, such as its license."""
    return suffix(path) in _NOT_TEXT or _name(path).upper().startswith(("LICENSE", "README"))


def _report_alone() -> Content:
    yield Notice("left out, since no file in another language has the same name")


def _parallel_files(
    first: str, second: str, langs: tuple[str, str] | None, split: str | None
) -> PairSource:
    named = moses.languages_of_files(first, second)
    read: Callable[[], Content] = partial(moses.read_moses, first, second)
    if named and langs and named == langs[::-1]:
        first, second, named = second, first, langs
        read = partial(_read_exchanged, first, second)
    return PairSource(
        f"{first} and {second}",
        read,
        named,
        moses.method_of_files(first, second),
        split,
    )


def _read_exchanged(source: str, target: str) -> Content:
    yield Notice(f"the sides are exchanged: the source is {source}")
    yield from moses.read_moses(source, target)


def _table_reader(
    path: str, langs: tuple[str, str] | None, chosen: tuple[str, str] | None
) -> Callable[[], Content] | None:
    """Return the reader for a file by its suffix, or None for plain text."""
    end = suffix(path)
    if end in _DELIMITED:
        return partial(read_delimited, path, langs, chosen)
    if end in _JSON:
        return partial(read_json, path)
    if end == ".parquet":
        return partial(read_parquet, path)
    if end in _ARROW:
        return partial(read_arrow, path)
    return partial(read_tmx, path, langs) if end == ".tmx" else None


def _name(path: str) -> str:
    return os.path.basename(path)
