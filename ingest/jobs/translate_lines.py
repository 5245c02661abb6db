"""A file of lines to a file of as many lines: what `ingest translate --lines` does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from ingest.detection.language_shares import shares
from ingest.errors import ConfigError, SourceError
from ingest.io.atomic import atomic_write, check_output
from ingest.io.streams import open_source
from ingest.jobs.translate_run import Order, Report, teller, working
from ingest.readers.sources import STDIN
from ingest.translation.packages.package import DETECTED_AS
from ingest.translation.pool import TranslatorPool, routes

STDOUT = "-"
_TOGETHER = 1 << 13  # lines that are held at once
_CHARACTERS = 1 << 22  # and no more than about so many characters
_NAMED = 10  # flagged lines that are named
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line, and what ended it: a line break, or nothing at the end of the file."""

    text: str
    end: str


def translate_lines(source_file: str, out: str, order: Order) -> Report:
    """Translate each line of a text file by itself, into a file of exactly as many lines.

    Args:
        source_file: UTF-8, plain or compressed; '-' for standard input.
        out: file to write; '-' for standard output.
        order: what into what; where it names no source, that is the language of most of the first
            lines.

    Raises:
        SourceError: the file cannot be read or is no UTF-8; or the cache is damaged.
        ConfigError: its language cannot be told, or is that of the translations.
        ModelError: no package is installed for the languages, or it is damaged.
        MissingExtraError: the extra `translate` is not installed.
        OutputError: `out` exists.
        WriteError: it could not be written.
    """
    if out != STDOUT:
        check_output(out, overwrite=order.overwrite, inputs=[source_file])
    report = Report(what="line")
    pool: TranslatorPool | None = None
    lang = order.source or ""
    flagged, named = 0, list[int]()
    with working(report, order.cache) as held, _place(out) as file:
        for lines in _batches(source_file):
            lang = lang or _language(lines, source_file, order.to)
            if not lang:  # nothing but white lines so far
                file.writelines((line.text + line.end).encode() for line in lines)
                report.texts += len(lines)
                continue
            if pool is None:
                ways, _ = routes({lang: len(lines)}, order.to, lang)
                pool = TranslatorPool(ways, order.to, order.config.translate, held)
            tell = teller(order.progress, report.texts, len(lines), None, pool)
            made = pool.translator(lang).translate([line.text for line in lines], progress=tell)
            for number, (line, translation) in enumerate(zip(lines, made, strict=True), 1):
                file.write((translation.text + line.end).encode())
                report.flags.update(translation.flags)
                if translation.flags:
                    flagged += 1
                    named += [report.texts + number] if flagged <= _NAMED else []
            report.texts += len(lines)
            report.tokens = pool.tokens
    if flagged:
        more = f" and {flagged - _NAMED:,} more" if flagged > _NAMED else ""
        report.said.append(f"flagged lines: {', '.join(map(str, named))}{more}")
    return report


@contextmanager
def _place(out: str) -> Iterator[BinaryIO]:
    if out == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with atomic_write(out) as work, work.open("wb") as file:
            yield file


def _batches(source: str) -> Iterator[list[Line]]:
    """The lines of a file, some thousands at a time."""
    held: list[Line] = []
    size = 0
    for line in _lines(source):
        held.append(line)
        size += len(line.text)
        if len(held) >= _TOGETHER or size >= _CHARACTERS:
            yield held
            held, size = [], 0
    if held:
        yield held


def _lines(source: str) -> Iterator[Line]:
    r"""A line ends with \n or \r\n, and nowhere else."""
    file = sys.stdin.buffer if source == STDIN else open_source(source)
    try:
        for number, stored in enumerate(file, 1):
            whole = stored.removeprefix(_BOM) if number == 1 else stored
            body = whole.removesuffix(b"\n")
            end = "\n" if len(body) < len(whole) else ""
            yield Line((body.removesuffix(b"\r") if end else body).decode(), end)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{source}: line {number} is no UTF-8 ({error.reason}); convert the file first, such "
            "as with iconv"
        ) from error
    except SourceError as error:
        raise SourceError(f"{source}: {error}") from error


def _language(lines: list[Line], source: str, to: str) -> str:
    """The language of most of the lines; empty where there is nothing to translate."""
    if not any(line.text.strip() for line in lines):
        return ""
    found = shares(line.text for line in lines)
    if found.is_empty():
        raise ConfigError(f"{source}: its language cannot be told; name it with --from")
    lang = str(found["lang"][0])
    if lang in (to, DETECTED_AS.get(to)):
        raise ConfigError(
            f"{source}: is in {to} already; if it is not, name its language with --from"
        )
    return lang
