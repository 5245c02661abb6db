"""Files and folders to a file of pairs: what `ingest align` does."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ingest.align.verbs import align, align_lines
from ingest.config import Config
from ingest.dedupe import dedupe
from ingest.detect import detect
from ingest.errors import AlignError, SourceError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.label import label
from ingest.places import placed, refuse
from ingest.read import read, sources
from ingest.read.lines import lines as lines_of
from ingest.segment import segment
from ingest.text import safe


@dataclass
class Report:
    """What was paired, and what was not.

    `aligned`, `failed`: pairs of files or articles, as `what` says; `pairs`: pairs of sentences;
    `said`: what a person should know, a line each.

    >>> str(Report(aligned=1, pairs=12))
    '12 pairs of sentences from 1 pair of files'
    """

    aligned: int = 0
    pairs: int = 0
    failed: int = 0
    said: list[str] = field(default_factory=list)
    what: str = "file"

    def __str__(self) -> str:
        texts = f"{self.aligned:,} pair{'s' * (self.aligned != 1)} of {self.what}s"
        return f"{self.pairs:,} pairs of sentences from {texts}"


def align_files(
    source: str,
    target: str,
    out: str,
    *,
    lines: bool = False,
    overwrite: bool = False,
    config: Config | None = None,
) -> Report:
    """Align two files, or two folders whose files have the same names, and write the pairs.

    Args:
        source: file or folder.
        target: the same of the other side; of folders the names of files up to the first full
            stop must be the same, such as a/news.ar.txt and b/news.en.txt.
        out: Parquet file to write.
        lines: each line is one unit.
        overwrite: replace `out`.
        config: the settings.

    Raises:
        SourceError: a file is missing or cannot be read, or no names are the same.
        AlignError: of two files, one is empty or in another language.
        OutputError: `out` exists already, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    config = config or Config()
    refuse(out, overwrite=overwrite, inputs=(source, target))
    report = Report()
    folders = [os.path.isdir(x) for x in (source, target)]
    if folders[0] != folders[1]:
        raise SourceError(f"{source} and {target}: name two files or two folders")
    named = _named(source, target, report) if folders[0] else [(source, target)]
    found = []
    for one, other in named:
        try:
            frame = (_lines if lines else _pages)(one, other, config)
        except (AlignError, SourceError) as error:
            if not folders[0]:
                raise
            report.failed += 1
            report.said.append(safe(f"{one}, {other}: {error}"))
            continue
        report.aligned += 1
        found.append(frame)
    pairs = pl.concat([pl.DataFrame(schema=schema(PAIRS, ALIGNED)), *found])
    report.pairs = len(pairs)
    with placed(out) as work:
        pairs.write_parquet(work)
    return report


def _named(source: str, target: str, report: Report) -> list[tuple[str, str]]:
    """Files of two folders whose names say that they belong together."""
    sides = []
    for folder in (source, target):
        names: dict[str, str] = {}
        for path in sources.find([folder]).files:
            names.setdefault(_key(path, folder), path)
        sides.append(names)
    both = [name for name in sides[0] if name in sides[1]]
    for mine, other, where in ((sides[0], sides[1], target), (sides[1], sides[0], source)):
        alone = [path for name, path in mine.items() if name not in other]
        if alone:
            more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
            report.said.append(safe(f"{alone[0]}{more}: no file of that name in {where}"))
    if not both:
        raise SourceError(
            f"{source} and {target}: no files of the same name; they are paired by name"
        )
    return [(sides[0][name], sides[1][name]) for name in both]


def _key(path: str, folder: str) -> str:
    """A file's path in its folder without suffixes: news/a.ar.txt.gz is news/a."""
    below = Path(path).relative_to(folder)
    return str(below.with_name(below.name.partition(".")[0] or below.name))


def _lines(source: str, target: str, config: Config) -> pl.DataFrame:
    return align_lines(
        lines_of(source), lines_of(target), docs=(source, target), config=config.align
    )


def _pages(source: str, target: str, config: Config) -> pl.DataFrame:
    frames = []
    for path in (source, target):
        documents = read([path], config=config)
        if len(documents) != 1:
            raise AlignError(f"{path}: {len(documents)} pages; name a file of one page")
        error = documents["error"][0]
        if error:
            raise SourceError(f"{path}: {error}")
        cut = detect(segment(documents, config=config.segment), config=config.detect)
        frames.append(dedupe(label(cut), documents, config=config.dedupe))
    return align(frames[0], frames[1], config=config.align)
