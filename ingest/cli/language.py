"""The command `detect`: the language of lines of text."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ingest.cli.options import OK, add_detection, allow_interrupts, build_config
from ingest.errors import SourceError

if TYPE_CHECKING:
    import argparse

    from ingest.cli.parser import Commands


def add_commands(commands: Commands) -> None:
    """Add `detect`."""
    parser = commands.add(
        "detect",
        _detect,
        help="detect the language of each line",
        description="Detect the language of each line of TEXT or FILE, without page context.",
        examples=["ingest detect 'Where is the old station?'",
                  "ingest detect lines.txt --langs ar,en --json"],
    )  # fmt: skip
    parser.add_argument(
        "text",
        nargs="*",
        default=["-"],
        metavar="TEXT|FILE",
        help="text, a file, or - for standard input (default: -)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per input line")
    add_detection(parser)


def _detect(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli import render
    from ingest.detection import identify

    config = build_config(args).detect
    lines = identify(_read_texts(args.text), langs=config.langs, detector=config.detector)
    if args.json:
        render.print_language_json(lines)
    else:
        render.print_languages(lines)
    return OK


def _read_texts(words: list[str]) -> list[str]:
    """Return the lines of the file that the words name, or else of the words themselves."""
    from ingest.io.streams import STDIN
    from ingest.readers.formats import has_known_suffix
    from ingest.readers.lines import read_lines
    from ingest.text import scrub

    first, *more = words
    if not more and (first == STDIN or os.path.exists(first)):
        return read_lines(first)
    text = " ".join(words)
    if more and any(map(has_known_suffix, words)):
        raise SourceError(f"{text}: give one file, or put the text in quotes")
    if not more and _looks_like_path(first):
        raise SourceError(f"{first}: no such file; if it is text, pass it on standard input")
    return scrub(text).split("\n")


def _looks_like_path(word: str) -> bool:
    """Whether one word is more likely the name of a file than text.

    >>> words = ["a.txt", "pages/a", "See a.txt", "https://example.org/a"]
    >>> [_looks_like_path(word) for word in words]
    [True, True, False, False]
    """
    from ingest.readers.formats import has_known_suffix

    is_name = has_known_suffix(word) or (os.sep in word and "://" not in word)
    return is_name and not any(map(str.isspace, word))
