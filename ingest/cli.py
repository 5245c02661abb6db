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
from ingest.config import DETECTORS, Config, ReadConfig
from ingest.errors import IngestError, WriteError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

COLUMNS = ("text", "html", "url", "id")
OK, NOT_WRITTEN, WRONG_CALL, PAGES_IN_ERROR = range(4)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, one of the constants above."""
    args = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        status: int = args.command(args)
        sys.stdout.flush()
    except IngestError as error:
        from ingest.text import safe

        said = map(safe, (str(error), *_notes(error)))  # file names may hold anything
        print(*(f"ingest: {line}" for line in said), sep="\n", file=sys.stderr)
        return NOT_WRITTEN if isinstance(error, WriteError) else WRONG_CALL
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt as stop:
        left = _notes(stop) or ["nothing was written"]
        print(f"ingest: stopped; {'; '.join(left)}", file=sys.stderr)
        return 128 + (signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT)
    return status


class _Terminated(KeyboardInterrupt):
    """SIGTERM: what Ctrl-C cleans up is cleaned up."""


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _notes(error: BaseException) -> list[str]:
    """What was added to an error on its way."""
    return getattr(error, "__notes__", [])


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
    begin = run.add_mutually_exclusive_group()
    begin.add_argument("--overwrite", action="store_true",
                       help="replace OUT of an earlier run, finished or not")  # fmt: skip
    begin.add_argument("--resume", action="store_true",
                       help="go on with a run that did not finish, or begin")  # fmt: skip
    run.add_argument("--workers", type=int, default=1, metavar="N",
                     help="processes that do the work, a core each (default 1)")  # fmt: skip
    run.add_argument("--shard", type=_part, metavar="I/N",
                     help="do but part I of N; when all are done, --resume finishes")  # fmt: skip
    _settings(run)
    run.set_defaults(command=_run)

    read = commands.add_parser(
        "read",
        help="what would be read, and as what",
        description="Show what SOURCE holds as it is read: kind, pages, columns, errors.",
    )
    _sources(read)
    read.add_argument("--json", action="store_true", help="one JSON object a page")
    read.add_argument("--config", metavar="FILE", help="settings in TOML")
    read.set_defaults(command=_read)

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


def _part(text: str) -> tuple[int, int]:
    """The I/N of --shard."""
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N, such as 1/4")
    return int(part), int(parts)


def _sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="file of text, HTML, WARC, JSONL, Parquet, CSV or TSV (.gz, .zst), folder, glob, "
        "or - for standard input",
    )
    for what in COLUMNS:
        parser.add_argument(
            f"--{what}-column", metavar="NAME", help=f"column of a table that holds the {what}"
        )


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="settings in TOML")
    parser.add_argument("--langs", metavar="CODES", help="candidate languages, such as ar,en")
    parser.add_argument("--detector", choices=DETECTORS, help="what names languages")


def _config(args: argparse.Namespace) -> Config:
    from dataclasses import replace

    config = Config.from_toml(args.config) if args.config else Config()
    detect = config.detect
    if getattr(args, "langs", None) is not None:
        codes = tuple(filter(None, (c.strip() for c in args.langs.split(","))))
        detect = replace(detect, langs=codes)
    if getattr(args, "detector", None):
        detect = replace(detect, detector=args.detector)
    return replace(config, detect=detect, read=_columns(args, config.read))


def _columns(args: argparse.Namespace, read: ReadConfig) -> ReadConfig:
    """The settings of `read`, with the columns that the call names."""
    from dataclasses import replace

    given = {f"{what}_column": getattr(args, f"{what}_column", None) for what in COLUMNS}
    return replace(read, **{name: value for name, value in given.items() if value is not None})


def _run(args: argparse.Namespace) -> int:
    # N workers are to keep N cores busy, and no more: this is how Polars and NumPy are told
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(max(args.workers, 1)))
    _interruptible()
    from ingest import pipeline, terminal

    with terminal.progress() as progress:
        report = pipeline.run(
            args.sources,
            args.out,
            config=_config(args),
            overwrite=args.overwrite,
            resume=args.resume,
            workers=args.workers,
            shard=args.shard,
            progress=progress,
        )
    if args.shard:
        terminal.part(report, args.out)
        return OK
    terminal.summary(report, args.out)
    return PAGES_IN_ERROR if report["counts"]["errors"] else OK


def _read(args: argparse.Namespace) -> int:
    _interruptible()
    from ingest import preview

    config = _config(args)
    show = preview.json_lines if args.json else preview.table
    return PAGES_IN_ERROR if show(args.sources, config.read) else OK


def _show(args: argparse.Namespace) -> int:
    _interruptible()
    from ingest import terminal
    from ingest.dedupe import dedupe
    from ingest.detect import detect
    from ingest.label import label
    from ingest.read import read
    from ingest.segment import segment

    config = _config(args)
    documents = read(args.sources, config=config)
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
    from ingest.read import page, plain
    from ingest.read.records import Slice
    from ingest.text import scrub

    if text != "-" and not os.path.isfile(text):
        return scrub(text).split("\n")
    record = next(plain.records(Slice(text, "file"), ReadConfig()))
    row = page.row(record._replace(media_type="text/plain"))
    if row["error"]:
        raise SourceError(f"{text}: {row['error']}")
    content: str = row["text"]
    return content.replace("\r\n", "\n").removesuffix("\n").split("\n") if content else []


def _samples(_args: argparse.Namespace) -> int:
    from ingest.models import samples

    print(samples())
    return OK
