"""Files to a file of pairs: what `ingest import` does; no more than a batch of text is held."""

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
from ingest.frames import METHOD_IMPORTED, PAIRS, schema
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import sink
from ingest.pairs import moses, tables
from ingest.pairs.columns import kept
from ingest.pairs.ids import Names
from ingest.pairs.languages import pair_of_names
from ingest.pairs.rows import Taker, carried
from ingest.pairs.tables import Bad, Rows
from ingest.pairs.tmx import tmx
from ingest.readers.sources import suffix

_PAIRS = schema(PAIRS)
_LINES = (".tsv", ".csv")
_OBJECTS = (".jsonl", ".ndjson", ".json")
_SAID = 5  # bad lines that are told one by one


@dataclass
class Report:
    """What was taken, and what was not.

    `pairs`: all; `by`: pairs by languages and method; `bad`: lines by what is wrong with them;
    `first`: the first of these, as number of the file, line, and what to say; `left`: columns that
    were not taken.

    >>> made = Report(3, Counter({"ar-en, given": 3}), Counter({"has 1 of 2 fields": 1}))
    >>> for line in made.lines():
    ...     print(line)
    3 pairs taken: 3 ar-en, given
    left out: 1 line: has 1 of 2 fields
    """

    pairs: int = 0
    by: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    first: list[tuple[int, int, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def said(self) -> list[str]:
        """The first bad lines, one by one."""
        return [text for *_, text in self.first]

    def lines(self) -> list[str]:
        """It, for a person."""
        made = ", ".join(f"{n:,} {what}" for what, n in sorted(self.by.items()))
        told = [f"{self.pairs:,} pair{'s' * (self.pairs != 1)} taken: {made}"]
        for why, n in self.bad.most_common():
            told.append(f"left out: {n:,} line{'s' * (n != 1)}: {why}")
        if self.left:
            told.append(f"columns not taken: {', '.join(self.left)}")
        return told


class _Source(NamedTuple):
    """What pairs are read from: its name, how, and what its name says of them."""

    name: str
    read: Callable[[], Iterator[Rows | Bad]]
    langs: tuple[str, str] | None = None
    method: str = METHOD_IMPORTED


def import_files(
    files: Sequence[str],
    out: str | Path,
    *,
    langs: Sequence[str] | None = None,
    overwrite: bool = False,
) -> Report:
    """Make a file of pairs of files that hold some.

    Args:
        files: tables (TSV, CSV, JSON lines, Parquet) or TMX, one or more; folders that hold
            Parquet, as Hugging Face has them; or two text files of as many lines, source first.
        out: Parquet file to write.
        langs: source and target, where the files do not say them; of several languages, these.
        overwrite: replace `out`.

    Raises:
        SourceError: a file cannot be read, which columns hold the texts is not known, two text
            files have not as many lines, or there is no pair at all.
        ConfigError: the languages cannot be told, or the files are not as above.
        FrameError: a column of texts holds something else.
        OutputError: `out` exists already, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    wanted = pair_of_names(langs)
    paths = [path for file in files for path in _below(file)]
    sources = _sources(paths, wanted)
    check_output(out, overwrite=overwrite, inputs=paths, parquet=True)
    report = Report()
    batches = _pairs(sources, wanted, report)
    first = next(batches, None)
    if first is None:
        why = f": {report.said[0]}" if report.said else ""
        raise SourceError(f"{', '.join(files)}: no pair could be taken{why}")
    with atomic_write(out) as work:
        sink(chain([first], batches), first.schema, work)
    return report


def _pairs(
    sources: Sequence[_Source], langs: tuple[str, str] | None, report: Report
) -> Iterator[pl.DataFrame]:
    """Frames of pairs, all with the columns of the first."""
    names = Names()
    columns: pl.Schema | None = None
    before = 0  # rows of earlier files
    for at, source in enumerate(sources):
        taker: Taker | None = None
        last = 0
        for some in source.read():
            if isinstance(some, Bad):
                _tell(report, at, source.name, some)
                continue
            if taker is None:
                taker = Taker(some.frame, langs or source.langs, source.name, source.method)
                mine = kept(some.frame.columns)
                columns = mine if columns is None else columns
                report.left += [
                    n for n in taker.others if n not in columns and n not in report.left
                ]
            pairs, why = taker.pairs(some.frame)
            for number, reason in zip(some.numbers, why, strict=True) if why.count() else ():
                if reason:
                    _tell(report, at, source.name, Bad(number, reason))
            last = int(some.numbers[-1])
            pairs = pairs.with_columns(
                carried(some.frame, name, dtype) for name, dtype in (columns or {}).items()
            ).filter(why.is_null())
            if pairs.is_empty():
                continue
            named = names.fill(pairs, some.numbers.filter(why.is_null()) + before)
            report.pairs += len(named)
            for *sides, method, n in (
                named.group_by("source_lang", "target_lang", "method").len().rows()
            ):
                report.by[f"{'-'.join(sides)}, {method}"] += n
            yield named
        before += last


def _tell(report: Report, at: int, name: str, bad: Bad) -> None:
    unit = "row" if suffix(name) == ".parquet" else "line"
    report.first.append((at, bad.number, f"{name}, {unit} {bad.number:,}: {bad.why}"))
    report.first = sorted(report.first)[:_SAID]  # what a batch finds out comes late
    report.bad[bad.why.partition(":")[0]] += 1


def _sources(paths: Sequence[str], langs: tuple[str, str] | None) -> list[_Source]:
    """What the files are.

    Raises:
        ConfigError: they do not go together.
    """
    texts = [path for path in paths if _reader(path, langs) is None]
    if len(texts) == 2 == len(paths):
        one, other = paths
        named = moses.languages(one, other)
        if named and langs and named == langs[::-1]:
            one, other, named = other, one, langs
        read = partial(moses.moses, one, other)
        return [_Source(f"{one} and {other}", read, named, moses.method(one, other))]
    made = []
    for path in paths:
        read_one = _reader(path, langs)
        if read_one is None and len(paths) > 1:
            raise ConfigError(
                f"{path}: is text; name two text files, source first, or files of TSV, CSV, JSONL, "
                "Parquet or TMX"
            )
        # one text alone can only be a table
        made.append(_Source(path, read_one or partial(tables.delimited, path, langs)))
    return made


def _reader(path: str, langs: tuple[str, str] | None) -> Callable[[], Iterator[Rows | Bad]] | None:
    """What reads a file; None where it is text."""
    end = suffix(path)
    if end in _LINES:
        return partial(tables.delimited, path, langs)
    if end in _OBJECTS:
        return partial(tables.jsonl, path)
    if end == ".parquet":
        return partial(tables.parquet, path)
    return partial(tmx, path, langs) if end == ".tmx" else None


def _below(file: str) -> list[str]:
    if os.path.isdir(file):
        found = sorted(map(str, Path(file).rglob("*.parquet")))
        if not found:
            raise SourceError(f"{file}: is a folder without Parquet files; name the files of pairs")
        return found
    if not os.path.exists(file):
        raise SourceError(f"{file}: no such file")
    return [file]
