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
from ingest.export import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
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
    run.add_argument("--align", action="store_true",
                     help="write pairs.parquet too: sentences and translations")  # fmt: skip
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

    export = commands.add_parser(
        "export",
        help="pairs in; Moses, TSV, TMX, JSONL, Parquet or a Hugging Face folder out",
        description="Write the pairs of a run for others to use, and say what was left out.",
    )
    export.add_argument("pairs", metavar="OUT",
                        help="folder that holds pairs.parquet, or a file of pairs")  # fmt: skip
    export.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    export.add_argument("-o", "--out", metavar="DEST",
                        help="what to make (default: beside OUT, named after it)")  # fmt: skip
    export.add_argument("--min-score", type=float, default=0.0, metavar="X",
                        help="leave out pairs that score less (default 0: take all)")  # fmt: skip
    export.add_argument("--langs", metavar="CODES",
                        help="source and target, such as ar,en; turns pairs round")  # fmt: skip
    export.add_argument("--overwrite", action="store_true", help="replace an earlier export")
    export.set_defaults(command=_export)

    align = commands.add_parser(
        "align",
        help="sentences of two texts that translate one another",
        description="Pair the sentences of two pages, of two folders whose files have the same "
        "names, or of the articles of a run that translate one another, and write them to PAIRS. "
        "The first is the source; what no pair names has no counterpart.",
    )
    align.add_argument("pages", nargs="+", metavar="PAGE",
                       help="file or folder: source, then target; or the OUT of a run")  # fmt: skip
    align.add_argument("-o", "--out", required=True, metavar="PAIRS", help="Parquet file to write")
    align.add_argument("--lines", action="store_true",
                       help="each line is one unit; segments are 0-based line numbers")  # fmt: skip
    align.add_argument("--overwrite", action="store_true", help="replace PAIRS")
    align.add_argument("--config", metavar="FILE", help="settings in TOML")
    align.add_argument("--langs", metavar="CODES", help="languages of both, such as ar,en")
    align.set_defaults(command=_align)

    _pair_parser(commands.add_parser)
    _encode_parser(commands.add_parser)

    samples = commands.add_parser(
        "samples",
        help="where the sample pages are",
        description="Print the folder of the sample pages that come with ingest.",
    )
    samples.set_defaults(command=_samples)
    return parser  # fmt: skip


def _encode_parser(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    encode = add_parser(
        "encode",
        help="vectors of lines, alike for translations",
        description="Write a unit vector for each line of FILE, as a float32 NumPy array. "
        "Translations lie near each other.",
    )
    encode.add_argument("file", metavar="FILE", help="text file, or - for standard input")
    encode.add_argument("-o", "--out", required=True, metavar="VECTORS",
                        help=".npy file to write")  # fmt: skip
    encode.add_argument("--encoder", metavar="FOLDER",
                        help="another encoder's folder (default the shipped one)")  # fmt: skip
    encode.add_argument("--overwrite", action="store_true", help="replace VECTORS")
    encode.set_defaults(command=_encode)


def _pair_parser(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    pair = add_parser(
        "pair",
        help="pages of a run that translate one another",
        description="Find which page, or article of a page, is the translation of which, and which "
        "of none, and write that to PAGES.",
    )
    pair.add_argument("run", metavar="OUT", help="folder that ingest run made")
    pair.add_argument("-o", "--out", metavar="PAGES",
                      help="Parquet file to write (default OUT/pages.parquet)")  # fmt: skip
    pair.add_argument("--min-score", type=float, default=0.5, metavar="X",
                      help="what scores less has no partner (default 0.5)")  # fmt: skip
    pair.add_argument("--overwrite", action="store_true", help="replace PAGES")
    pair.add_argument("--config", metavar="FILE", help="settings in TOML")
    pair.add_argument("--langs", metavar="CODES", help="source and target (default ar,en)")
    pair.set_defaults(command=_pair)


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
    if args.shard:  # what it leaves is to be finished first
        terminal.part(report, args.out)
        return OK
    terminal.summary(report, args.out)
    if args.align:
        from ingest.align.runs import align_run

        print(align_run(args.out, os.path.join(args.out, "pairs.parquet"), config=_config(args)))
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


def _export(args: argparse.Namespace) -> int:
    _interruptible()
    from ingest.export import beside, export, said
    from ingest.text import safe

    dest = args.out or beside(args.pairs, args.format)
    report = export(
        args.pairs,
        dest,
        format=args.format,
        min_score=args.min_score,
        langs=args.langs.split(",") if args.langs is not None else None,
        overwrite=args.overwrite,
    )
    print(*map(safe, said(report)), sep="\n")
    return OK


def _align(args: argparse.Namespace) -> int:
    _interruptible()
    from dataclasses import replace

    from ingest.align.files import align_files
    from ingest.align.runs import align_run
    from ingest.errors import ConfigError

    config = Config.from_toml(args.config) if args.config else Config()
    if args.langs:
        codes = [code.strip() for code in args.langs.split(",")]
        config = replace(config, align=replace(config.align, langs=tuple(codes)))
    how = {"overwrite": args.overwrite, "config": config}
    if len(args.pages) == 1 and not args.lines:
        report = align_run(args.pages[0], args.out, **how)
    elif len(args.pages) == 2:
        report = align_files(args.pages[0], args.pages[1], args.out, lines=args.lines, **how)
    else:
        raise ConfigError("align: name a source and a target, or the folder of a run")
    for line in report.said:
        print(f"ingest: {line}", file=sys.stderr)
    print(report)
    return PAGES_IN_ERROR if report.failed else OK


def _pair(args: argparse.Namespace) -> int:
    _interruptible()
    from dataclasses import replace

    from ingest.align.documents import pair_run

    config = (Config.from_toml(args.config) if args.config else Config()).align
    if args.langs:
        codes = tuple(filter(None, (code.strip() for code in args.langs.split(","))))
        config = replace(config, langs=codes)
    report = pair_run(
        args.run, args.out, config=config, min_score=args.min_score, overwrite=args.overwrite
    )
    print(report)
    return OK


def _encode(args: argparse.Namespace) -> int:
    _interruptible()
    from pathlib import Path

    import numpy as np

    from ingest.align.encoder import load
    from ingest.errors import SourceError
    from ingest.export.places import placed, refuse

    refuse(Path(args.out), folder=False, overwrite=args.overwrite)
    if args.file != "-" and not os.path.isfile(args.file):
        raise SourceError(f"{args.file}: no such file")
    encoder = load(args.encoder)
    vectors = encoder.encode(_lines(args.file))
    with placed(Path(args.out), folder=False) as work, work.open("wb") as file:
        np.save(file, vectors)
    print(f"{len(vectors):,} vectors of {encoder.dim} numbers by {encoder.name}")
    return OK


def _samples(_args: argparse.Namespace) -> int:
    from ingest.models import samples

    print(samples())
    return OK
