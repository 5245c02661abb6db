"""The command `translate`: machine translations of segments or lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ingest.cli.options import (
    add_detection,
    add_output,
    add_sources,
    add_workers,
    allow_interrupts,
    build_config,
    open_executor,
    option_name,
)
from ingest.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from ingest.cli.parser import Commands

# Options that apply to pages, not to lines.
_PAGE_OPTIONS = (
    "text_column",
    "html_column",
    "url_column",
    "id_column",
    "langs",
    "detector",
    "ray",
    "ray_workers",
)


def add_commands(commands: Commands) -> None:
    """Add `translate`."""
    parser = commands.add(
        "translate",
        _translate,
        help="translate segments by machine",
        description="Translate the kept segments of pages, or of the OUT of a run, with an "
        "installed Argos package, and write them to PAIRS: one translation for each segment. "
        "Translations are cached, so that a stopped command continues where it was.",
        examples=[
            "ingest translate out -o out/translated.parquet",
            "ingest translate pages/ -o translated.parquet --from en --to ar",
            "ingest translate out -o out/translated.parquet --workers 8",
            "ingest translate lines.txt --lines -o lines.en.txt",
        ],
    )
    add_sources(parser)
    add_output(
        parser, "PAIRS", "Parquet file to write; with --lines, a text file or - for standard output"
    )
    parser.add_argument("--to", default="en", metavar="CODE",
                        help="language of the translations")  # fmt: skip
    parser.add_argument("--from", dest="from_", metavar="CODE",
                        help="the only language to translate from (default: every language that "
                        "has a package)")  # fmt: skip
    parser.add_argument("--lines", action="store_true",
                        help="translate a text file line by line, and write text")  # fmt: skip
    parser.add_argument("--cache", metavar="FOLDER",
                        help="folder of cached translations (default: $INGEST_CACHE_DIR, or else "
                        "the cache folder of the platform)")  # fmt: skip
    add_workers(parser)
    add_detection(parser)


def _translate(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.cli.progress import translation_progress
    from ingest.jobs.translate import translate_files
    from ingest.jobs.translate_lines import STDOUT, translate_lines
    from ingest.jobs.translate_run import TranslateOptions

    config = build_config(args)
    if args.lines:
        _check_line_options(args)
    elif args.out == STDOUT:
        raise ConfigError("translate: -o - works only with --lines; give a Parquet file")
    with (
        open_executor(args) as executor,
        translation_progress(quiet=args.quiet) as (reading, progress),
    ):
        options = TranslateOptions(
            to=args.to,
            source=args.from_,
            config=config,
            cache=args.cache,
            overwrite=args.overwrite,
            executor=executor,
            progress=progress,
        )
        if args.lines:
            result = translate_lines(args.sources[0], args.out, options)
        else:
            result = translate_files(args.sources, args.out, options, reading)
    if args.out == STDOUT:
        return print_result(args, result, file=sys.stderr)
    return print_result(args, result, f"written to {args.out}")


def _check_line_options(args: argparse.Namespace) -> None:
    """Raise if a call with --lines has options for pages."""
    if len(args.sources) > 1:
        raise ConfigError("translate --lines: give one file; its lines become those of PAIRS")
    given = [name for name in _PAGE_OPTIONS if getattr(args, name)]
    if args.workers != 1:
        given.append("workers")
    for name in given:
        raise ConfigError(
            f"translate --lines: {option_name(name)} applies only to pages; leave it out"
        )
