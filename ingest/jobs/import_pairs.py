"""`ingest import`: convert files of pairs to Parquet, holding one batch in memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import polars as pl

from ingest.errors import ConfigError, SourceError
from ingest.frames import METHOD_IMPORTED
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import sink
from ingest.pairs import moses, tables
from ingest.pairs.columns import extra_columns
from ingest.pairs.ids import IdGenerator
from ingest.pairs.languages import parse_languages
from ingest.pairs.rows import PairReader, cast_column
from ingest.pairs.tables import InvalidRow, Rows
from ingest.pairs.tmx import read_tmx
from ingest.readers.formats import suffix

_DELIMITED = (".tsv", ".csv")
_JSON_LINES = (".jsonl", ".ndjson", ".json")
_MAX_MESSAGES = 5


@dataclass
class ImportResult:
    """Number of pairs that were imported, and what was left out.

    Attributes:
        pairs: all imported pairs.
        by: pairs by languages and method.
        invalid: rows left out, by reason.
        first_invalid: the first of these rows: number of the file, of the row, and the message.
        ignored_columns: columns that were not imported.

    >>> result = ImportResult(3, Counter({"ar-en, imported": 3}), Counter({"has 1 of 2 fields": 1}))
    >>> print(result)
    3 pairs: 3 ar-en, imported
    left out: 1 row: has 1 of 2 fields
    >>> result.in_error
    1
    """

    pairs: int = 0
    by: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    first_invalid: list[tuple[int, int, str]] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        by = ", ".join(f"{n:,} {group}" for group, n in sorted(self.by.items()))
        lines = [f"{self.pairs:,} pair{'s' * (self.pairs != 1)}: {by}"]
        for reason, n in self.invalid.most_common():
            lines.append(f"left out: {n:,} row{'s' * (n != 1)}: {reason}")
        if self.ignored_columns:
            lines.append(f"columns not imported: {', '.join(self.ignored_columns)}")
        return "\n".join(lines)

    @property
    def messages(self) -> list[str]:
        """The first invalid rows, one line each."""
        return [message for *_, message in self.first_invalid]

    @property
    def in_error(self) -> int:
        """Number of invalid rows."""
        return self.invalid.total()


class _Source(NamedTuple):
    """One table of pairs: its name, how to read it, and what its file name reveals."""

    name: str
    read: Callable[[], Iterator[Rows | InvalidRow]]
    langs: tuple[str, str] | None = None
    method: str = METHOD_IMPORTED


def import_files(
    files: Sequence[str],
    out: str | Path,
    *,
    langs: Sequence[str] | None = None,
    overwrite: bool = False,
) -> ImportResult:
    """Convert files of pairs to one Parquet file of pairs.

    Args:
        files: one or more tables (TSV, CSV, JSON Lines, Parquet) or TMX files; folders of Parquet
            files, as on Hugging Face; or two text files with the same number of lines, source
            first.
        out: Parquet file to write.
        langs: source and target, if the files do not name them, or to choose two of several
            languages.
        overwrite: whether to replace `out`.

    Raises:
        SourceError: a file cannot be read, the columns of the texts are unclear, two text files
            differ in their number of lines, or there are no pairs.
        ConfigError: the languages cannot be detected, or the files do not fit together.
        FrameError: a column of texts contains something else.
        OutputError: `out` exists already, or is an input.
        WriteError: `out` cannot be written, or its parent folder does not exist.
    """
    pair = parse_languages(langs)
    paths = [path for file in files for path in _expand(file)]
    sources = _sources(paths, pair)
    check_output(out, overwrite=overwrite, inputs=paths, parquet=True)
    result = ImportResult()
    batches = _read_batches(sources, pair, result)
    first = next(batches, None)
    if first is None:
        reason = f": {result.messages[0]}" if result.messages else ""
        raise SourceError(f"{', '.join(files)}: contains no valid pair{reason}")
    with atomic_write(out) as work:
        sink(chain([first], batches), first.schema, work)
    return result


def _read_batches(
    sources: Sequence[_Source], langs: tuple[str, str] | None, result: ImportResult
) -> Iterator[pl.DataFrame]:
    """Yield pairs frames, which all have the columns of the first, and count into `result`."""
    ids = IdGenerator()
    extra: pl.Schema | None = None
    previous_rows = 0  # rows of earlier files
    for index, source in enumerate(sources):
        reader: PairReader | None = None
        last = 0
        for rows in source.read():
            if isinstance(rows, InvalidRow):
                _record_invalid(result, index, source.name, rows)
                continue
            if reader is None:
                reader = PairReader(rows.frame, langs or source.langs, source.name, source.method)
                extra = extra_columns(rows.frame.columns) if extra is None else extra
                known = {*extra, *result.ignored_columns}
                result.ignored_columns += [n for n in reader.other_columns if n not in known]
            pairs, problems = reader.read(rows.frame)
            if problems.count():
                for number, problem in zip(rows.numbers, problems, strict=True):
                    if problem:
                        _record_invalid(result, index, source.name, InvalidRow(number, problem))
            last = int(rows.numbers[-1])
            pairs = pairs.with_columns(
                cast_column(rows.frame, name, dtype) for name, dtype in (extra or {}).items()
            ).filter(problems.is_null())
            if pairs.is_empty():
                continue
            numbers = rows.numbers.filter(problems.is_null()) + previous_rows
            pairs = ids.fill_null(pairs, numbers)
            result.pairs += len(pairs)
            groups = pairs.group_by("source_lang", "target_lang", "method").len().rows()
            for source_lang, target_lang, method, n in groups:
                result.by[f"{source_lang}-{target_lang}, {method}"] += n
            yield pairs
        previous_rows += last


def _record_invalid(result: ImportResult, index: int, name: str, row: InvalidRow) -> None:
    unit = "row" if suffix(name) == ".parquet" else "line"
    # problems that only show in a batch are reported after those of later lines
    first = result.first_invalid
    if len(first) < _MAX_MESSAGES or (index, row.number) < first[-1][:2]:
        message = f"{name}, {unit} {row.number:,}: {row.problem}"
        result.first_invalid = sorted([*first, (index, row.number, message)])[:_MAX_MESSAGES]
    result.invalid[row.problem.partition(":")[0]] += 1


def _sources(paths: Sequence[str], langs: tuple[str, str] | None) -> list[_Source]:
    """Decide how to read each file.

    Raises:
        ConfigError: the files do not fit together.
    """
    texts = [path for path in paths if _table_reader(path, langs) is None]
    if len(texts) == 2 == len(paths):
        first, second = paths
        named = moses.languages_of_files(first, second)
        if named and langs and named == langs[::-1]:
            first, second, named = second, first, langs
        read_moses = partial(moses.read_moses, first, second)
        name, method = f"{first} and {second}", moses.method_of_files(first, second)
        return [_Source(name, read_moses, named, method)]
    sources = []
    for path in paths:
        read = _table_reader(path, langs)
        if read is None and len(paths) > 1:
            raise ConfigError(
                f"{path}: is plain text; give two text files, source first, or files of TSV, CSV, "
                "JSONL, Parquet or TMX"
            )
        # a single text file can only be a table
        sources.append(_Source(path, read or partial(tables.read_delimited, path, langs)))
    return sources


def _table_reader(
    path: str, langs: tuple[str, str] | None
) -> Callable[[], Iterator[Rows | InvalidRow]] | None:
    """Return the reader for a file by its suffix, or None for plain text."""
    end = suffix(path)
    if end in _DELIMITED:
        return partial(tables.read_delimited, path, langs)
    if end in _JSON_LINES:
        return partial(tables.read_jsonl, path)
    if end == ".parquet":
        return partial(tables.read_parquet, path)
    return partial(read_tmx, path, langs) if end == ".tmx" else None


def _expand(file: str) -> list[str]:
    """Return the Parquet files below a folder, or the file itself."""
    if os.path.isdir(file):
        paths = sorted(map(str, Path(file).rglob("*.parquet")))
        if not paths:
            raise SourceError(
                f"{file}: is a folder without Parquet files; give the files of pairs instead"
            )
        return paths
    if not os.path.exists(file):
        raise SourceError(f"{file}: no such file")
    return [file]
