"""The language of lines: `detect`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ingest.cli.options import OK, add_detection, interruptible, settings
from ingest.errors import SourceError

if TYPE_CHECKING:
    from ingest.cli.options import Commands


def add(commands: Commands) -> None:
    """Add this command to those that are there."""
    detect = commands.add_parser(
        "detect",
        help="the language of lines, each on its own",
        description="Name the language of each line of TEXT or FILE, without page context.",
    )
    detect.add_argument(
        "text",
        nargs="*",
        default=["-"],
        metavar="TEXT|FILE",
        help="text, or a file, or - (the default) for standard input",
    )
    detect.add_argument("--json", action="store_true", help="one JSON object an input line")
    add_detection(detect)
    detect.set_defaults(command=_detect)


def _detect(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.cli import render
    from ingest.detection import identify

    config = settings(args).detect
    found = identify(_texts(args.text), langs=config.langs, detector=config.detector)
    if args.json:
        render.json_lines(found)
    else:
        render.languages(found)
    return OK


def _texts(words: list[str]) -> list[str]:
    """The lines of the file that is named, or of the words themselves."""
    from ingest.readers.lines import read_lines
    from ingest.readers.sources import STDIN, is_readable
    from ingest.text import scrub

    first, *more = words
    if not more and (first == STDIN or os.path.exists(first)):
        return read_lines(first)
    text = " ".join(words)
    if more and any(map(is_readable, words)):
        raise SourceError(f"{text}: name one file, or put the text in quotes")
    if not more and _like_a_path(first):
        raise SourceError(f"{first}: no such file; if it is text, give it to standard input")
    return scrub(text).split("\n")


def _like_a_path(word: str) -> bool:
    """Whether one word is rather the name of a file than text.

    >>> [_like_a_path(one) for one in ("a.txt", "pages/a", "See a.txt", "https://example.org/a")]
    [True, True, False, False]
    """
    from ingest.readers.sources import is_readable

    named = is_readable(word) or (os.sep in word and "://" not in word)
    return named and not any(map(str.isspace, word))
