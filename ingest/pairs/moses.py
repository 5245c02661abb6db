"""Two text files in parallel: line N of one is the translation of line N of the other."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ingest.errors import SourceError
from ingest.frames import METHOD_IMPORTED, METHOD_TRANSLATED
from ingest.io.run_files import EXPORT_FILE
from ingest.io.streams import reporting_reads
from ingest.pairs.languages import language_of_file
from ingest.pairs.tables import InvalidRow, Notice, NumberedRow, Row, Rows, batch_rows
from ingest.pairs.text_lines import is_damaged, read_lines
from ingest.readers.subtitles import is_subtitles

_TRANSLATED_MARK = f".{METHOD_TRANSLATED}."  # in the names of files that `ingest export` writes


def read_moses(source: str, target: str) -> Iterator[Rows | InvalidRow | Notice]:
    """Read the lines of both files, and the .ids file that `ingest export` puts next to them.

    Raises:
        SourceError: a file cannot be read, or one has more lines than another, so that it is
            unclear which lines belong together.
    """
    names = _ids_columns(source, target)
    files = [source, target, *([_ids_path(source)] if names else [])]
    langs = languages_of_files(source, target)
    for file in files[:2]:
        if is_subtitles("\n".join(str(line) for _, line in islice(read_lines(file), 3))):
            raise SourceError(
                f"{file}: is a file of subtitles, which are not in parallel; align them with "
                + shlex.join(["ingest", "align", str(source), str(target), "-o", "pairs.parquet"])
            )

    _check_lengths(files)
    for order in (langs, langs[::-1]) if names and langs else ():
        align = _beside(source, f"{'-'.join(order)}.align")
        if os.path.isfile(align):
            yield Notice(f"columns not imported: word_alignment ({align})")

    def rows() -> Iterator[NumberedRow]:
        for lines in zip(*(read_lines(file, has_mark=not names) for file in files), strict=False):
            present = list(lines)
            number = present[0][0]
            texts = [line for _, line in present if isinstance(line, str)]
            if len(texts) < len(present):
                errors = [line for _, line in present if isinstance(line, SourceError)]
                yield number, str(errors[0])
            elif any(map(is_damaged, texts)):
                yield number, "contains bytes that are not valid text"
            else:
                yield number, _row(texts, names, langs)

    yield from batch_rows(rows())


def _row(texts: list[str], names: list[str], langs: tuple[str, str] | None) -> Row | str:
    """Combine both lines and that of the .ids file into a row, or return what is wrong."""
    fields = texts[2].split("\t") if names else []
    if len(fields) != len(names):
        return f"has {len(fields)} of {len(names)} fields in .ids"
    row: dict[str, str | None] = {
        name: text or None for name, text in zip(names, fields, strict=True)
    }
    turned = langs and (row.get("source_lang"), row.get("target_lang")) == langs[::-1]
    row["source_text"], row["target_text"] = texts[1::-1] if turned else texts[:2]
    return row


def _check_lengths(files: list[str]) -> None:
    """Compare the numbers of lines, before any pair is used."""
    with reporting_reads(None):  # they are read again for their texts
        counts = [sum(1 for _ in read_lines(file)) for file in files]
    if len(set(counts)) > 1:
        shorter, longer = files[counts.index(min(counts))], files[counts.index(max(counts))]
        lines = f"{min(counts):,} line{'s' * (min(counts) != 1)}"
        raise SourceError(
            f"{shorter}: ends after {lines}, but {longer} has {max(counts):,}; both need the same "
            "number of lines"
        )


def _beside(path: str, end: str) -> str:
    return f"{os.path.splitext(path)[0]}.{end}"


def _ids_path(path: str) -> str:
    return _beside(path, "ids")


def _ids_columns(source: str, target: str) -> list[str]:
    """Return the columns of the .ids file; empty if `ingest export` did not write these files."""
    if _ids_path(source) != _ids_path(target) or not os.path.isfile(_ids_path(source)):
        return []
    try:
        report = json.loads(Path(source).with_name(EXPORT_FILE).read_bytes())
        names = report["ids_columns"]
    except (OSError, ValueError, LookupError, TypeError):
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def languages_of_files(source: str, target: str) -> tuple[str, str] | None:
    """Return the languages that both files are named by, or None if they are unknown or the same.

    >>> languages_of_files("dev.en", "dev.ar.txt"), languages_of_files("a.txt", "b.ar")
    (('en', 'ar'), None)
    """
    source_lang, target_lang = language_of_file(source), language_of_file(target)
    if source_lang and target_lang and source_lang != target_lang:
        return source_lang, target_lang
    return None


def method_of_files(source: str, target: str) -> str:
    """Return the method of the pairs, by the file names that `ingest export` uses.

    >>> method_of_files("out/train.translated.ar", "out/train.translated.en")
    'translated'
    >>> method_of_files("a.ar", "a.en")
    'imported'
    """
    translated = all(_TRANSLATED_MARK in os.path.basename(path) for path in (source, target))
    return METHOD_TRANSLATED if translated else METHOD_IMPORTED
