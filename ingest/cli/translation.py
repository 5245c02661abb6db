"""Machine translation: `translate`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ingest.cli.options import (
    OK,
    PAGES_IN_ERROR,
    add_detection,
    add_sources,
    interruptible,
    settings,
)
from ingest.errors import ConfigError

if TYPE_CHECKING:
    from ingest.cli.options import Commands


def add(commands: Commands) -> None:
    """Add these commands to those that are there."""
    translate = commands.add_parser(
        "translate",
        help="segments with their translations by a machine",
        description="Translate the kept segments of pages, or of the OUT of a run, with an "
        "installed argos package, and write them to PAIRS. One translation for one segment. What "
        "was translated before is taken from a cache, so that a stopped translation goes on.",
    )
    add_sources(translate)
    translate.add_argument("-o", "--out", required=True, metavar="PAIRS",
                           help="Parquet file to write; with --lines text, or -")  # fmt: skip
    translate.add_argument("--to", default="en", metavar="CODE",
                           help="language of the translations (default en)")  # fmt: skip
    translate.add_argument("--from", dest="from_", metavar="CODE",
                           help="the one language to translate from (default: any)")  # fmt: skip
    translate.add_argument("--lines", action="store_true",
                           help="a text file in, each line by itself; text out")  # fmt: skip
    translate.add_argument("--cache", metavar="FOLDER",
                           help="where translations are kept for the next time")  # fmt: skip
    translate.add_argument("--overwrite", action="store_true", help="replace PAIRS")
    add_detection(translate)
    translate.set_defaults(command=_translate)


def _translate(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.cli import render
    from ingest.jobs.translate import translate_files
    from ingest.jobs.translate_lines import STDOUT, translate_lines
    from ingest.jobs.translate_run import Order
    from ingest.text import safe

    config = settings(args)
    if args.lines:
        _refuse_of_pages(args)
    elif args.out == STDOUT:
        raise ConfigError("translate: -o - is for text, so for --lines; name a Parquet file")
    with render.translating() as (reading, progress):
        order = Order(
            to=args.to, source=args.from_, config=config, cache=args.cache,
            overwrite=args.overwrite, progress=progress,
        )  # fmt: skip
        if args.lines:
            report = translate_lines(args.sources[0], args.out, order)
        else:
            report = translate_files(args.sources, args.out, order, reading)
    for line in report.said:
        print(f"ingest: {safe(line)}", file=sys.stderr)
    print(report, file=sys.stderr if args.out == STDOUT else sys.stdout)
    if args.out != STDOUT:
        print(f"written to {safe(args.out)}")
    return PAGES_IN_ERROR if report.in_error else OK


def _refuse_of_pages(args: argparse.Namespace) -> None:
    """Raise where a call with --lines says what is said of pages."""
    if len(args.sources) > 1:
        raise ConfigError("translate --lines: name one file, whose lines become those of PAIRS")
    of_pages = ("text_column", "html_column", "url_column", "id_column", "langs", "detector")
    if given := [name for name in of_pages if getattr(args, name)]:
        option = given[0].replace("_", "-")
        raise ConfigError(f"translate --lines: a file of lines has no use for --{option}")
