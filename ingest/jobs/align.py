"""Align two files or two folders into a file of sentence pairs (`ingest align SOURCE TARGET`)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from ingest._typing import Progress
from ingest.alignment import align_lines, align_named
from ingest.alignment.machine_translation import translation_messages
from ingest.alignment.unmatched import UNMATCHED, find_unmatched, sentences_of
from ingest.config import Config
from ingest.dedup import dedupe
from ingest.detection import detect
from ingest.errors import AlignError, SourceError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.io.atomic import atomic_write, check_output
from ingest.io.parquet import write_parquet
from ingest.jobs.unmatched import check_unmatched, langs_of, write_unmatched
from ingest.labelling import label
from ingest.labelling.plain_text import describe_left_out, keep_sentences
from ingest.pipeline.page_failures import PAGE_FAILURES, describe_failure, is_of_page
from ingest.pipeline.time_limit import limit_main
from ingest.readers import formats, read, sources
from ingest.readers.lines import read_lines
from ingest.segmentation import segment
from ingest.text import count_noun, safe

# Matches everything after "news" in news.ar.txt.gz: an optional language, a format suffix and an
# optional compression suffix.
_SUFFIXES = re.compile(
    r"([.](ar|ara|arabic|en|eng|english)([-_][a-z]{2,4})?)?[.][^./]+"
    rf"({'|'.join(map(re.escape, formats.COMPRESSED))})?$",
    re.IGNORECASE,
)
_GOOD_SCORE = 0.5  # most pairs score higher when the texts are translations of each other
# Attributes that have another name in what `ingest.run` returns.
_KEYS = {"unit": "what", "messages": "said", "in_error": "failed"}


@dataclass
class AlignResult:
    """Counts of what was aligned.

    Attributes:
        aligned: pairs of files or articles that were aligned.
        pairs: sentence pairs.
        good: sentence pairs with a score of 0.5 or more.
        in_error: pairs of files or articles that could not be aligned.
        messages: what the user should know, one line each.
        unit: what `aligned` and `in_error` count: "file" or "article".
        left_out: lines that were not aligned because they are no content of their page.

    >>> str(AlignResult(aligned=1, pairs=12, good=12))
    '12 pairs of sentences from 1 pair of files'
    >>> str(AlignResult(aligned=1, pairs=12, good=3))
    '12 pairs of sentences from 1 pair of files, 3 of them with a score of 0.5 or more. Are these \
texts translations of each other?'
    """

    aligned: int = 0
    pairs: int = 0
    good: int = 0
    in_error: int = 0
    messages: list[str] = field(default_factory=list)
    unit: str = "file"
    left_out: int = 0

    def __str__(self) -> str:
        units = f"{self.aligned:,} pair{'s' * (self.aligned != 1)} of {self.unit}s"
        summary = f"{self.pairs:,} pairs of sentences from {units}"
        if self.good < self.pairs:
            summary += f", {self.good:,} of them with a score of {_GOOD_SCORE} or more"
        if 2 * self.good < self.pairs:
            summary += ". Are these texts translations of each other?"
        if self.left_out:
            summary += f"\n{describe_left_out(self.left_out, verb='aligns')}"
        return summary

    def count(self, pairs: pl.DataFrame) -> None:
        """Add sentence pairs to the totals."""
        self.pairs += len(pairs)
        self.good += int((pairs["score"] >= _GOOD_SCORE).sum())

    def to_dict(self) -> dict[str, Any]:
        """Return the entry `pairs` of what `ingest.run` returns, which knows nothing left out."""
        return {_KEYS.get(k, k): value for k, value in vars(self).items() if k != "left_out"}

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> AlignResult:
        """Build from what `to_dict` returns."""
        names = vars(cls()).keys() - {"left_out"}
        return cls(**{name: entry[_KEYS.get(name, name)] for name in names})


def align_files(
    source: str,
    target: str,
    out: str,
    *,
    lines: bool = False,
    unmatched: str | None = None,
    overwrite: bool = False,
    config: Config | None = None,
    progress: Progress | None = None,
) -> AlignResult:
    """Align two files, or the files of two folders, and write the sentence pairs.

    Files in folders are matched by name, ignoring the suffixes and the language before them:
    a/news.ar.txt goes with b/news.en.html.gz.

    Args:
        source: file or folder.
        target: file or folder on the target side. It may be the same folder as `source`; then the
            language in each file name tells which side the file is on.
        out: Parquet file to write.
        lines: treat each line as one unit.
        unmatched: file to write the sentences to that are in no pair: .parquet, .tsv or .jsonl.
        overwrite: replace `out` and `unmatched`.
        config: settings; the defaults if None.
        progress: called with the number of pairs of files done, and of all pairs.

    Raises:
        SourceError: a file is missing or unreadable, or no file names match.
        AlignError: one of the two files is empty or in another language.
        OutputError: `out` exists already, or is an input.
        WriteError: `out` could not be written, or its parent folder does not exist.
    """
    config = config or Config()
    result = AlignResult()
    is_folder = [os.path.isdir(path) for path in (source, target)]
    if is_folder[0] != is_folder[1]:
        raise SourceError(f"{source} and {target}: give two files or two folders")
    files = [sources.find_sources([x]).files if is_folder[0] else [x] for x in (source, target)]
    check_output(out, overwrite=overwrite, inputs=chain(*files), parquet=True)
    if unmatched is not None:
        check_unmatched(unmatched, overwrite=overwrite, inputs=(*chain(*files), out))
    if is_folder[0] and os.path.samefile(source, target):
        files = _split_by_language(source, files[0], config.align.langs or ("ar", "en"), result)
    file_pairs = _match_names(source, target, files, result) if is_folder[0] else [(source, target)]
    frames, alone = [], []
    for number, (source_file, target_file) in enumerate(file_pairs):
        if progress:
            progress(number, len(file_pairs))
        try:
            align = _align_lines if lines else _align_pages
            frame, sides = align(source_file, target_file, config)
        except (AlignError, SourceError) as error:
            if not is_folder[0]:
                raise
            result.in_error += 1
            result.messages.append(safe(f"{source_file}, {target_file}: {error}"))
            continue
        result.aligned += 1
        frames.append(frame)
        result.left_out += sum(int((~side["kept"]).sum()) for side in sides)
        if unmatched is not None:
            alone += [
                find_unmatched(side, frame, name)
                for side, name in zip(sides, ("source", "target"), strict=True)
            ]
    pairs = pl.concat([pl.DataFrame(schema=schema(PAIRS, ALIGNED)), *frames])
    result.count(pairs)
    if result.aligned:
        result.messages += translation_messages(config.align)
    with atomic_write(out) as work:  # both files or none
        write_parquet(pairs, work)
        if unmatched is not None:
            write_unmatched(pl.concat([pl.DataFrame(schema=schema(UNMATCHED)), *alone]), unmatched)
    return result


def _split_by_language(
    folder: str, files: list[str], langs: Sequence[str], result: AlignResult
) -> list[list[str]]:
    """Split the files of one folder into source and target by the language in their names."""
    sides = [[path for path in files if _language(path) == lang] for lang in langs]
    names = " and ".join(f"NAME.{lang}.txt" for lang in langs)
    if not all(sides):
        raise SourceError(
            f"{folder}: is not the folder of a run and has no files named {names}; give a run, "
            "two folders or two files"
        )
    if ignored := len(files) - sum(map(len, sides)):
        result.messages.append(
            safe(f"{folder}: ignored {count_noun(ignored, 'file')} not named like {names}")
        )
    return sides


def _language(path: str) -> str:
    """Return the language in a file's name; empty if it has none.

    >>> _language("in/news.ara.txt.gz"), _language("in/news.txt")
    ('ar', '')
    """
    match = _SUFFIXES.search(os.path.basename(path))
    return (match[2] or "")[:2].lower() if match else ""


def _match_names(
    source: str, target: str, files: list[list[str]], result: AlignResult
) -> list[tuple[str, str]]:
    """Pair the files of two folders by name, and note those without a partner."""
    sides: list[dict[str, list[str]]] = []
    for folder, paths in zip((source, target), files, strict=True):
        sides.append({})
        for path in paths:
            sides[-1].setdefault(_base_name(path, folder), []).append(path)
    shared = [name for name in sides[0] if name in sides[1]]
    for side, other_side, other_folder in (
        (sides[0], sides[1], target),
        (sides[1], sides[0], source),
    ):
        alone = [path for name, paths in side.items() if name not in other_side for path in paths]
        if alone:
            more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
            result.messages.append(
                safe(f"{alone[0]}{more}: no file of that name in {other_folder}")
            )
    if not shared:
        raise SourceError(
            f"{source} and {target}: no file names match; files are paired by name, "
            "such as a.ar.txt with a.en.txt"
        )
    file_pairs = []
    for name in shared:
        paths = [*sides[0][name], *sides[1][name]]
        if len(paths) == 2:
            file_pairs.append((paths[0], paths[1]))
        else:
            result.in_error += 1
            result.messages.append(
                safe(
                    f"{', '.join(paths)}: all are named {name!r}; keep one file of that name on "
                    "each side and rename the others"
                )
            )
    return file_pairs


def _base_name(path: str, folder: str) -> str:
    """Return a file's path inside its folder, without suffixes and language.

    >>> _base_name("in/news/a.ar.txt.gz", "in"), _base_name("in/2024.01.05.html", "in")
    ('news/a', '2024.01.05')
    """
    return _SUFFIXES.sub("", Path(os.path.relpath(path, folder)).as_posix())


def _align_lines(
    source: str, target: str, config: Config
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the pairs of two files, and the lines of both, as `find_unmatched` needs them."""
    texts = [read_lines(path) for path in (source, target)]
    pairs = align_lines(
        texts[0],
        texts[1],
        docs=(source, target),
        config=config.align,
        translation=config.translate,
    )
    langs = langs_of(pairs)
    sides = [
        pl.DataFrame({"text": lines}, {"text": pl.String})
        .with_row_index("segment")
        .with_columns(
            lang=pl.lit(lang), doc=pl.lit(path), kept=pl.lit(value=True),
            segment=pl.col("segment").cast(pl.Int64),
            start=pl.lit(None, pl.Int64), end=pl.lit(None, pl.Int64),
        )
        .filter(pl.col("text").str.contains(r"\S"))
        for path, lines, lang in zip((source, target), texts, langs, strict=True)
    ]  # fmt: skip
    return pairs, sides


def _sentences_of_page(path: str, config: Config) -> pl.DataFrame:
    documents = read([path], config=config)
    if len(documents) != 1:
        raise AlignError(f"{path}: has {len(documents)} pages; give a file with one page")
    error = documents["error"][0]
    if error:
        raise SourceError(f"{path}: {error}")
    segments = detect(segment(documents, config=config.segment), config=config.detect)
    return keep_sentences(
        dedupe(label(segments, config=config.label), documents, config=config.dedupe)
    )


def _align_pages(
    source: str, target: str, config: Config
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the pairs of two pages, and the sentences of both, as `find_unmatched` needs them."""
    frames = []
    for path in (source, target):
        try:
            with limit_main(config.run.page_seconds):
                frames.append(_sentences_of_page(path, config))
        except PAGE_FAILURES as error:
            if not is_of_page(error):
                raise
            raise SourceError(f"{path}: cannot be processed: {describe_failure(error)}") from error
    pairs = align_named(
        frames[0],
        frames[1],
        names=(source, target),
        config=config.align,
        translation=config.translate,
    )
    sides = [sentences_of(x, y) for x, y in zip(frames, langs_of(pairs), strict=True)]
    return pairs, sides
