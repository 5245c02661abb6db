"""Files and folders to a file of pairs: what `ingest align` does."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import polars as pl

from ingest.alignment import align, align_lines
from ingest.config import Config
from ingest.dedup import dedupe
from ingest.detection import detect
from ingest.errors import AlignError, SourceError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.io.atomic import placed, refuse
from ingest.labelling import label
from ingest.readers import read, sources
from ingest.readers.lines import read_lines
from ingest.segmentation import segment
from ingest.text import safe

# Of news.ar.txt.gz all but news; what is read in a folder ends in a suffix that says its format.
_SUFFIXES = re.compile(
    r"([.](ar|ara|arabic|en|eng|english)([-_][a-z]{2,4})?)?[.][^./]+"
    rf"({'|'.join(map(re.escape, sources.COMPRESSED))})?$",
    re.IGNORECASE,
)
_GOOD = 0.5  # of texts that translate one another most pairs score more


@dataclass
class Report:
    """What was paired, and what was not.

    `aligned`, `failed`: pairs of files or articles, as `what` says; `pairs`: pairs of sentences;
    `good`: those of them with a score of a half or more; `said`: what a person should know, a
    line each.

    >>> str(Report(aligned=1, pairs=12, good=12))
    '12 pairs of sentences from 1 pair of files'
    >>> str(Report(aligned=1, pairs=12, good=3))
    '12 pairs of sentences from 1 pair of files, 3 of them with a score of 0.5 or more: are these \
translations?'
    """

    aligned: int = 0
    pairs: int = 0
    good: int = 0
    failed: int = 0
    said: list[str] = field(default_factory=list)
    what: str = "file"

    def __str__(self) -> str:
        texts = f"{self.aligned:,} pair{'s' * (self.aligned != 1)} of {self.what}s"
        said = f"{self.pairs:,} pairs of sentences from {texts}"
        if self.good < self.pairs:
            said += f", {self.good:,} of them with a score of {_GOOD} or more"
        return said + (": are these translations?" if 2 * self.good < self.pairs else "")

    def count(self, pairs: pl.DataFrame) -> None:
        """Add pairs that were found."""
        self.pairs += len(pairs)
        self.good += int((pairs["score"] >= _GOOD).sum())


def align_files(
    source: str,
    target: str,
    out: str,
    *,
    lines: bool = False,
    overwrite: bool = False,
    config: Config | None = None,
) -> Report:
    """Align two files, or folders whose files have the same names, and write the pairs.

    Args:
        source: file or folder.
        target: the same of the other side; of folders, files go together whose names are the same
            but for the suffixes and the language before them: a/news.ar.txt and b/news.en.html.gz.
            It may be the folder that `source` is: then the names say of which side a file is.
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
    report = Report()
    folders = [os.path.isdir(x) for x in (source, target)]
    if folders[0] != folders[1]:
        raise SourceError(f"{source} and {target}: name two files or two folders")
    there = [sources.find([x]).files if folders[0] else [x] for x in (source, target)]
    refuse(out, overwrite=overwrite, inputs=chain(*there), parquet=True)
    if folders[0] and os.path.samefile(source, target):
        there = _sides(source, there[0], config.align.langs or ("ar", "en"), report)
    named = _named(source, target, there, report) if folders[0] else [(source, target)]
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
    report.count(pairs)
    with placed(out) as work:
        pairs.write_parquet(work)
    return report


def _sides(folder: str, files: list[str], langs: Sequence[str], report: Report) -> list[list[str]]:
    """The files of one folder whose names say that they are of the source, and of the target."""
    found = [[path for path in files if _lang(path) == lang] for lang in langs]
    names = " and ".join(f"NAME.{lang}.txt" for lang in langs)
    if not all(found):
        raise SourceError(
            f"{folder}: is no run, and holds no files such as {names}; name a run, or two folders "
            "or files"
        )
    if others := len(files) - sum(map(len, found)):
        report.said.append(safe(f"{folder}: {others:,} files are not named as {names} are"))
    return found


def _lang(path: str) -> str:
    """The language that a file's name says it is in; empty where it says none.

    >>> _lang("in/news.ara.txt.gz"), _lang("in/news.txt")
    ('ar', '')
    """
    found = _SUFFIXES.search(os.path.basename(path))
    return (found[2] or "")[:2].lower() if found else ""


def _named(
    source: str, target: str, there: list[list[str]], report: Report
) -> list[tuple[str, str]]:
    """Files of two folders, `there`, whose names say that they belong together."""
    sides: list[dict[str, list[str]]] = []
    for folder, paths in zip((source, target), there, strict=True):
        sides.append({})
        for path in paths:
            sides[-1].setdefault(_key(path, folder), []).append(path)
    both = [name for name in sides[0] if name in sides[1]]
    for mine, other, where in ((sides[0], sides[1], target), (sides[1], sides[0], source)):
        alone = [path for name, paths in mine.items() if name not in other for path in paths]
        if alone:
            more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
            report.said.append(safe(f"{alone[0]}{more}: no file of that name in {where}"))
    if not both:
        raise SourceError(
            f"{source} and {target}: no files of the same name; they are paired by name"
        )
    made = []
    for name in both:
        files = [*sides[0][name], *sides[1][name]]
        if len(files) == 2:
            made.append((files[0], files[1]))
        else:
            report.failed += 1
            what = f"all are {name!r}, which must be one file on each side; rename the others"
            report.said.append(safe(f"{', '.join(files)}: {what}"))
    return made


def _key(path: str, folder: str) -> str:
    """A file's path in its folder without suffixes and language.

    >>> _key("in/news/a.ar.txt.gz", "in"), _key("in/2024.01.05.html", "in")
    ('news/a', '2024.01.05')
    """
    return _SUFFIXES.sub("", Path(os.path.relpath(path, folder)).as_posix())


def _lines(source: str, target: str, config: Config) -> pl.DataFrame:
    return align_lines(
        read_lines(source),
        read_lines(target),
        docs=(source, target),
        config=config.align,
        translation=config.translate,
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
    return align(frames[0], frames[1], config=config.align, translation=config.translate)
