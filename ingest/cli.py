"""The command line: one subcommand a verb, and `run`.

Heavy imports stand inside the functions, so that `ingest --help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from ingest import __version__
from ingest.config import DETECTORS, Config
from ingest.errors import IngestError, WriteError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

OK, NOT_WRITTEN, WRONG_CALL, PAGES_IN_ERROR = range(4)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, one of the constants above."""
    args = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        status: int = args.command(args)
        sys.stdout.flush()
    except IngestError as error:
        print(f"ingest: {error}", file=sys.stderr)
        return NOT_WRITTEN if isinstance(error, WriteError) else WRONG_CALL
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        print("ingest: stopped; nothing was written", file=sys.stderr)
        return 128 + signal.SIGINT
    return status


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)  # so that unfinished outputs are removed


def _interruptible() -> None:
    """Let Ctrl-C end a blocked read: Polars' own handler makes the system restart it."""
    import polars as pl  # noqa: F401

    signal.siginterrupt(signal.SIGINT, True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ingest",
        description="Mixed Arabic-English scrapes in, labelled segments and articles out.",
        epilog="Exit status: 0 all well, 1 OUT could not be written, 2 wrong call, "
        "3 some pages are in error.",
    )
    parser.add_argument("--version", action="version", version=f"ingest {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    run = commands.add_parser(
        "run",
        help="pages in; documents, segments and articles out",
        description="Label every segment of every page, and write documents.parquet, "
        "segments.parquet, articles.jsonl and run.json to OUT.",
    )
    _sources(run)
    run.add_argument("-o", "--out", required=True, metavar="OUT", help="folder to make")
    run.add_argument("--overwrite", action="store_true", help="replace OUT of an earlier run")
    _settings(run)
    run.set_defaults(command=_run)

    show = commands.add_parser(
        "show",
        help="a page on the terminal, a line a segment",
        description="Show what was decided for each segment, and why: line, language, role, "
        "article, keep.",
    )
    _sources(show)
    _settings(show)
    show.set_defaults(command=_show)

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
    _settings(detect)
    detect.set_defaults(command=_detect)

    samples = commands.add_parser(
        "samples",
        help="where the sample pages are",
        description="Print the folder of the sample pages that come with ingest.",
    )
    samples.set_defaults(command=_samples)
    return parser  # fmt: skip


def _sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs="+", metavar="SOURCE",
                        help="text file (.txt, .gz, .zst), folder, glob, or - for standard input"
                        )  # fmt: skip


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="settings in TOML")
    parser.add_argument("--langs", metavar="CODES", help="candidate languages, such as ar,en")
    parser.add_argument("--detector", choices=DETECTORS, help="what names languages")


def _config(args: argparse.Namespace) -> Config:
    from dataclasses import replace

    config = Config.from_toml(args.config) if args.config else Config()
    detect = config.detect
    if args.langs is not None:
        codes = tuple(filter(None, (c.strip() for c in args.langs.split(","))))
        detect = replace(detect, langs=codes)
    if args.detector:
        detect = replace(detect, detector=args.detector)
    return replace(config, detect=detect)


def _run(args: argparse.Namespace) -> int:
    _interruptible()
    from ingest import pipeline, terminal

    with terminal.progress() as progress:
        report = pipeline.run(
            args.sources,
            args.out,
            config=_config(args),
            overwrite=args.overwrite,
            progress=progress,
        )
    terminal.summary(report, args.out)
    return PAGES_IN_ERROR if report["counts"]["errors"] else OK


def _show(args: argparse.Namespace) -> int:
    _interruptible()
    from ingest import terminal
    from ingest.dedupe import dedupe
    from ingest.detect import detect
    from ingest.label import label
    from ingest.read import read
    from ingest.segment import segment

    config = _config(args)
    documents = read(args.sources)
    segments = detect(segment(documents, config=config.segment), config=config.detect)
    terminal.show(documents, dedupe(label(segments), documents, config=config.dedupe))
    return PAGES_IN_ERROR if documents["error"].count() else OK


def _detect(args: argparse.Namespace) -> int:
    _interruptible()
    from ingest import terminal
    from ingest.detect import identify

    config = _config(args).detect
    found = identify(_lines(args.text), langs=config.langs, detector=config.detector)
    if args.json:
        terminal.json_lines(found)
    else:
        terminal.languages(found)
    return OK


def _lines(text: str) -> list[str]:
    """The lines of standard input, of a file, or of the text itself."""
    from ingest.errors import SourceError
    from ingest.read.plain import page
    from ingest.text import scrub

    if text != "-" and not os.path.isfile(text):
        return scrub(text).split("\n")
    row = page(text)
    if "error" in row:
        raise SourceError(f"{text}: {row['error']}")
    content: str = row["text"]
    return content.replace("\r\n", "\n").removesuffix("\n").split("\n") if content else []


def _samples(_args: argparse.Namespace) -> int:
    from ingest.models import samples

    print(samples())
    return OK
