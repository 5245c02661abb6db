"""Translate a text file line by line: `ingest translate --lines`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from ingest.detection.language_shares import majority_language
from ingest.errors import ConfigError, SourceError
from ingest.io.atomic import atomic_write, check_output
from ingest.io.streams import open_source
from ingest.jobs.translate_run import (
    TranslateOptions,
    TranslationResult,
    batch_progress,
    open_cache,
)
from ingest.translation.packages.package import DETECTED_AS
from ingest.translation.pool import TranslatorPool, describe_shipped, find_routes

STDOUT = "-"
_BATCH_LINES = 1 << 13  # bounds memory, together with _BATCH_CHARS
_BATCH_CHARS = 1 << 22
_MAX_LISTED = 10  # flagged lines that the message lists
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line and its end: a line break, or nothing at the end of the file."""

    text: str
    end: str


def translate_lines(source_file: str, out: str, options: TranslateOptions) -> TranslationResult:
    """Translate each line of a text file on its own, into a file of as many lines.

    Args:
        source_file: UTF-8 text, plain or compressed; '-' for standard input.
        out: file to write; '-' for standard output.
        options: languages and settings; without a source language, the most frequent language of
            the first lines is used.

    Raises:
        SourceError: the file cannot be read or is not UTF-8, or the cache is of another version.
        ConfigError: the language of the file cannot be detected, or is the target language.
        ModelError: no package is installed for the languages, or it is damaged.
        MissingExtraError: the extra `translate` is not installed.
        OutputError: `out` exists.
        WriteError: `out` or the cache cannot be written.
    """
    if out != STDOUT:
        check_output(out, overwrite=options.overwrite, inputs=[source_file])
    result = TranslationResult(unit="line")
    pool: TranslatorPool | None = None
    lang = options.source or ""
    flagged, listed = 0, list[str]()
    with open_cache(result, options.cache) as cache, _open_output(out) as file:
        for lines in _read_batches(source_file):
            lang = lang or _detect_language(lines, source_file, options.to)
            if not lang:  # no letters so far
                file.writelines((line.text + line.end).encode() for line in lines)
                result.texts += len(lines)
                continue
            if pool is None:
                routes, _ = find_routes({lang: len(lines)}, options.to, lang)
                result.messages += describe_shipped(routes[lang])
                pool = TranslatorPool(routes, options.to, options.config.translate, cache)
            progress = batch_progress(options.progress, result.texts, len(lines), None, pool)
            texts = [line.text for line in lines]
            translations = pool.translator(lang).translate(texts, progress=progress)
            for number, (line, translation) in enumerate(zip(lines, translations, strict=True), 1):
                file.write((translation.text + line.end).encode())
                result.flags.update(translation.flags)
                if translation.flags:
                    flagged += 1
                    if flagged <= _MAX_LISTED:
                        flags = ", ".join(translation.flags)
                        listed.append(f"{result.texts + number} ({flags})")
            result.texts += len(lines)
            result.tokens = pool.tokens
    if flagged:
        more = f" and {flagged - _MAX_LISTED:,} more" if flagged > _MAX_LISTED else ""
        result.messages.append(f"flagged lines: {', '.join(listed)}{more}")
    return result


@contextmanager
def _open_output(out: str) -> Iterator[BinaryIO]:
    if out == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with atomic_write(out) as work, work.open("wb") as file:
            yield file


def _read_batches(source: str) -> Iterator[list[Line]]:
    batch: list[Line] = []
    chars = 0
    for line in _read_lines(source):
        batch.append(line)
        chars += len(line.text)
        if len(batch) >= _BATCH_LINES or chars >= _BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _read_lines(source: str) -> Iterator[Line]:
    r"""Yield lines. Only \n and \r\n end a line."""
    try:
        for number, raw in enumerate(open_source(source), 1):
            line = raw.removeprefix(_BOM) if number == 1 else raw
            body = line.removesuffix(b"\n")
            end = "\n" if len(body) < len(line) else ""
            yield Line((body.removesuffix(b"\r") if end else body).decode(), end)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{source}, line {number}: is not UTF-8 ({error.reason}); convert the file first, for "
            "example with iconv"
        ) from error
    except SourceError as error:
        raise SourceError(f"{source}: {error}") from error


def _detect_language(lines: list[Line], source: str, to: str) -> str:
    """Return the language of most lines, or an empty string if no line has a letter."""
    if not any(char.isalpha() for line in lines for char in line.text):
        return ""
    majority = majority_language(line.text for line in lines)
    if majority is None:
        raise ConfigError(f"{source}: its language cannot be detected; set it with --from")
    lang = majority.lang
    if lang in (to, DETECTED_AS.get(to)):
        raise ConfigError(
            f"{source}: is already in {to}; if it is not, name its language with --from"
        )
    return lang
