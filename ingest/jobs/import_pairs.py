"""`ingest import`: convert files of pairs to Parquet, holding one batch in memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import polars as pl

from ingest._typing import Progress
from ingest.errors import SourceError
from ingest.frames import SPLIT, schema
from ingest.io.atomic import atomic_write, check_output
from ingest.io.pairs_file import TOO_LARGE, find_large_texts
from ingest.io.parquet import sink
from ingest.io.streams import reporting_reads
from ingest.pairs.columns import extra_columns
from ingest.pairs.dictionaries import unnest_translation
from ingest.pairs.ids import IdGenerator
from ingest.pairs.languages import parse_languages
from ingest.pairs.rows import PairReader, cast_column, wrong_languages_error
from ingest.pairs.sources import PairSource, files_of, find_sources
from ingest.pairs.splits import parse_splits
from ingest.pairs.tables import InvalidRow, Notice, Rows

_MAX_MESSAGES = 5
_SPLIT = "split"


@dataclass
class ImportResult:
    """Number of pairs that were imported, and what was left out.

    Attributes:
        pairs: all imported pairs.
        by: pairs by languages and method.
        invalid: rows left out, by reason.
        first_invalid: the first of these rows: number of the file, of the row, and the message.
        ignored_columns: columns that were not imported.
        splits: pairs by the split that they come from, if the files tell.
        notices: what the user should know, although no row is invalid.
        invalid_files: files, or pairs of text files, that were left out.

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
    splits: Counter[str] = field(default_factory=Counter)
    notices: list[str] = field(default_factory=list)
    invalid_files: int = 0

    def __str__(self) -> str:
        by = ", ".join(f"{n:,} {group}" for group, n in sorted(self.by.items()))
        lines = [f"{self.pairs:,} pair{'s' * (self.pairs != 1)}: {by}"]
        if self.splits:
            sizes = ", ".join(f"{n:,} {split}" for split, n in sorted(self.splits.items()))
            lines.append(f"in the splits that they come from: {sizes}")
        for reason, n in self.invalid.most_common():
            lines.append(f"left out: {n:,} row{'s' * (n != 1)}: {reason}")
        if n := self.invalid_files:
            lines.append(f"left out: {n:,} of the files or pairs of text files")
        if self.ignored_columns:
            lines.append(f"columns not imported: {', '.join(self.ignored_columns)}")
        return "\n".join(lines)

    @property
    def messages(self) -> list[str]:
        """The notices and the first invalid rows, one line each."""
        return [*self.notices, *(message for *_, message in self.first_invalid)]

    @property
    def in_error(self) -> int:
        """Number of invalid rows and files."""
        return self.invalid.total() + self.invalid_files


def import_files(
    files: Sequence[str],
    out: str | Path,
    *,
    langs: Sequence[str] | None = None,
    columns: tuple[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> ImportResult:
    """Convert files of pairs to one Parquet file of pairs.

    Args:
        files: one or more tables (TSV, CSV, JSON, Parquet, Arrow) or TMX files; folders and ZIP
            archives of these, as on Hugging Face and OPUS; or two text files with the same number
            of lines, source first.
        out: Parquet file to write.
        langs: source and target, if the files do not name them, or to choose two of several
            languages.
        columns: names of the columns of source and target; their numbers from 1 for tables
            without a header.
        overwrite: whether to replace `out`.
        progress: called with the number of stored bytes read, and of all files.

    Raises:
        SourceError: a file cannot be read, the columns of the texts are unclear, two text files
            differ in their number of lines, or there are no pairs.
        ConfigError: the languages cannot be detected, or the files do not fit together.
        FrameError: a column of texts contains something else.
        OutputError: `out` exists already, or is an input.
        WriteError: `out` cannot be written, or its parent folder does not exist.
    """
    pair = parse_languages(langs)
    sources = find_sources(files, pair, columns)
    inputs = [path for file in files for path in files_of(file)]
    check_output(out, overwrite=overwrite, inputs=inputs, parquet=True)
    result = ImportResult()
    batches = _read_batches(sources, pair, result, columns)
    if progress:
        batches = _report_bytes(batches, _count_bytes(inputs, progress))
    first = next(batches, None)
    if first is None:
        reason = f": {result.messages[0]}" if result.messages else ""
        raise SourceError(f"{', '.join(files)}: contains no valid pair{reason}")
    with atomic_write(out) as work:
        sink(chain([first], batches), first.schema, work)
    return result


def _report_bytes(
    batches: Iterator[pl.DataFrame], report: Callable[[int], None]
) -> Iterator[pl.DataFrame]:
    """Yield the same batches, and report the bytes that are read for each."""
    while True:
        with reporting_reads(report):  # not outside: Polars asks for batches in other threads
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


def _count_bytes(paths: Sequence[str], progress: Progress) -> Callable[[int], None]:
    """Return a function that adds up the bytes read of these files, and reports the sum."""
    total = sum(os.path.getsize(path) for path in paths if os.path.isfile(path))
    done = 0

    def report(size: int) -> None:
        nonlocal done
        done = min(done + size, total)  # a file may be looked at before it is read
        progress(done, total)

    return report


def read_pair_files(
    files: Sequence[str], *, langs: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the pairs of any files that `ingest import` reads, in frames of PAIRS.

    Invalid rows are left out.

    Args:
        files: as for `import_files`.
        langs: source and target, if the files do not name them.

    Raises:
        SourceError: a file cannot be read, or the columns of the texts are unclear.
        ConfigError: the languages cannot be detected, or the files do not fit together.
        FrameError: a column of texts contains something else.

    >>> from ingest.resources import samples
    >>> file = str(samples().parent / "pairs" / "harbour.tsv")
    >>> [len(pairs) for pairs in read_pair_files([file])]
    [5]
    """
    pair = parse_languages(langs)
    yield from _read_batches(find_sources(files, pair), pair, ImportResult())


def _read_batches(
    sources: Sequence[PairSource],
    langs: tuple[str, str] | None,
    result: ImportResult,
    columns: tuple[str, str] | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield pairs frames, which all have the columns of the first, and count into `result`."""
    ids = IdGenerator()
    extra: pl.Schema | None = None
    keeps_splits = _have_splits(sources)
    previous_rows = 0  # rows of earlier files
    for index, source in enumerate(sources):
        reader: PairReader | None = None
        last = 0
        exchange = _Exchange()
        try:
            for batch in source.read():
                if not isinstance(batch, Rows):
                    _record(result, index, source.name, batch)
                    continue
                last = int(batch.numbers[-1])
                rows = _without_large(batch, result, index, source.name)
                if rows.frame.is_empty():
                    continue
                frame = unnest_translation(rows.frame)
                if reader is None:
                    reader = _open_reader(frame, source, langs, columns, result)
                    extra = extra_columns(frame.columns) if extra is None else extra
                    known = {*extra, *result.ignored_columns, *([_SPLIT] * keeps_splits)}
                    result.ignored_columns += [n for n in reader.other_columns if n not in known]
                pairs, problems = reader.read(frame)
                exchange.add(reader.exchanged, rows)
                _record_rows(
                    result, index, source.name, rows, remarks=reader.remarks, problems=problems
                )
                pairs = pairs.with_columns(
                    cast_column(frame, name, dtype) for name, dtype in (extra or {}).items()
                )
                if keeps_splits and _SPLIT not in (extra or {}):
                    pairs = pairs.with_columns(_splits(frame, source, result))
                pairs = pairs.filter(problems.is_null())
                if pairs.is_empty():
                    continue
                numbers = rows.numbers.filter(problems.is_null()) + previous_rows
                pairs = ids.fill_null(pairs, numbers)
                _count(result, pairs)
                yield pairs
        except SourceError as error:
            if len(sources) == 1:
                raise
            result.notices.append(f"{error}; left out")
            result.invalid_files += 1
        if exchange.first:
            result.notices.append(f"{source.name}: {exchange}")
        previous_rows += last


@dataclass
class _Exchange:
    """How many rows of a file have their sides exchanged, and which is the first."""

    rows: int = 0
    exchanged: int = 0
    first: str = ""

    def add(self, exchanged: pl.Series, rows: Rows) -> None:
        self.rows += len(exchanged)
        if not self.first and exchanged.any():
            self.first = f"{rows.unit} {rows.numbers[exchanged.arg_true()[0]]:,}"
        self.exchanged += int(exchanged.sum())

    def __str__(self) -> str:
        return (
            f"{self.exchanged:,} of {self.rows:,} rows have their sides exchanged, the first in "
            f"{self.first}; each side is now in its language"
        )


def _count(result: ImportResult, pairs: pl.DataFrame) -> None:
    result.pairs += len(pairs)
    groups = pairs.group_by("source_lang", "target_lang", "method").len().rows()
    for source_lang, target_lang, method, n in groups:
        result.by[f"{source_lang}-{target_lang}, {method}"] += n
    if _SPLIT in pairs.columns:
        for split, n in pairs[_SPLIT].value_counts().iter_rows():
            result.splits[split or "in none"] += n


def _have_splits(sources: Sequence[PairSource]) -> bool:
    """Return whether a source tells the split of its pairs, by its name or in a column."""
    if any(source.split for source in sources):
        return True
    for source in sources:
        try:
            with reporting_reads(None):  # it is read again
                rows = next((rows for rows in source.read() if isinstance(rows, Rows)), None)
        except SourceError:
            continue  # reported when it is read as a whole
        if rows and _SPLIT in rows.frame.columns and parse_splits(_text(rows.frame)).count():
            return True
    return False


def _splits(frame: pl.DataFrame, source: PairSource, result: ImportResult) -> pl.Series:
    """Return the split of each row, by its column or else by the name of the file."""
    stored = _text(frame)
    splits = parse_splits(stored)
    unknown = stored.filter(splits.is_null()).drop_nulls().unique().sort()
    if len(unknown):
        notice = (
            f"{source.name}: column 'split' has {unknown[0]!r}, which is not train, dev or test; "
            "such pairs are in no split"
        )
        result.notices += [notice] if notice not in result.notices else []
    if source.split and not len(unknown):
        splits = splits.fill_null(source.split)
    return splits.alias(_SPLIT)


def _text(frame: pl.DataFrame) -> pl.Series:
    return cast_column(frame, _SPLIT, schema(SPLIT)[_SPLIT]).alias(_SPLIT)


def _open_reader(
    frame: pl.DataFrame,
    source: PairSource,
    langs: tuple[str, str] | None,
    columns: tuple[str, str] | None,
    result: ImportResult,
) -> PairReader:
    if langs and source.langs and set(langs) != set(source.langs):
        raise wrong_languages_error(source.name, langs, source.langs)
    reader = PairReader(frame, langs or source.langs, source.name, source.method, columns)
    if reader.notice:
        result.notices.append(f"{source.name}: {reader.notice}")
    return reader


def _without_large(rows: Rows, result: ImportResult, index: int, name: str) -> Rows:
    """Leave out rows with a text that is too large, before anything looks into it."""
    large = find_large_texts(unnest_translation(rows.frame))
    for number in rows.numbers.filter(large):
        _record(result, index, name, InvalidRow(number, TOO_LARGE, rows.unit))
    return rows._replace(frame=rows.frame.filter(~large), numbers=rows.numbers.filter(~large))


def _record_rows(
    result: ImportResult,
    index: int,
    name: str,
    rows: Rows,
    *,
    remarks: list[tuple[int, str]],
    problems: pl.Series,
) -> None:
    """Note what is ignored or wrong in a batch."""
    for at, remark in remarks:
        result.notices.append(f"{name}, {rows.unit} {rows.numbers[at]:,}: {remark}")
    invalid = problems.is_not_null()
    for number, problem in zip(rows.numbers.filter(invalid), problems.filter(invalid), strict=True):
        _record(result, index, name, InvalidRow(number, problem, rows.unit))


def _record(result: ImportResult, index: int, name: str, row: InvalidRow | Notice) -> None:
    if isinstance(row, Notice):
        result.notices.append(f"{name}: {row.message}")
        return
    # problems that only show in a batch are reported after those of later lines
    first = result.first_invalid
    if len(first) < _MAX_MESSAGES or (index, row.number) < first[-1][:2]:
        message = f"{name}, {row.unit} {row.number:,}: {row.problem}"
        result.first_invalid = sorted([*first, (index, row.number, message)])[:_MAX_MESSAGES]
    result.invalid[row.problem.partition(":")[0]] += 1
