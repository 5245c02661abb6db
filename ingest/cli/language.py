"""The language of lines: `detect`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ingest.cli.common import OK, add_detection, interruptible, settings

if TYPE_CHECKING:
    from ingest.cli.common import Commands


def add(commands: Commands) -> None:
    """Add this command to those that are there."""
    detect = commands.add_parser(
        "detect",
        help="the language of lines, each on its own",
        description="Name the language of each line of TEXT or FILE, without page context.",
    )
    detect.add_argument(
        "text",
        nargs="?",
        default="-",
        metavar="TEXT|FILE",
        help="text, or a file that exists, or - (the default) for standard input",
    )
    detect.add_argument("--json", action="store_true", help="one JSON object an input line")
    add_detection(detect)
    detect.set_defaults(command=_detect)


def _detect(args: argparse.Namespace) -> int:
    interruptible()
    from ingest import terminal
    from ingest.detect import identify
    from ingest.read.lines import lines
    from ingest.text import scrub

    config = settings(args).detect
    named = args.text == "-" or os.path.exists(args.text)
    texts = lines(args.text) if named else scrub(args.text).split("\n")
    found = identify(texts, langs=config.langs, detector=config.detector)
    if args.json:
        terminal.json_lines(found)
    else:
        terminal.languages(found)
    return OK
