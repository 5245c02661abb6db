"""Translations: `align`, `pair`, `encode`, `export`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.cli.options import (
    OK,
    PAGES_IN_ERROR,
    add_config,
    language_pair,
    from_file,
    interruptible,
    small_products,
)
from ingest.errors import ConfigError
from ingest.jobs.export import FORMATS

if TYPE_CHECKING:
    from ingest.cli.options import Commands
    from ingest.config import Config


def add(commands: Commands) -> None:
    """Add these commands to those that are there."""
    _add_align(commands)
    _add_pair(commands)
    _add_encode(commands)
    _add_export(commands)


def _add_align(commands: Commands) -> None:
    align = commands.add_parser(
        "align",
        help="sentences of two texts that translate one another",
        description="Pair the sentences of two pages, of two folders whose files have the same "
        "names, of a folder of files such as a.ar.txt and a.en.txt, or of the articles of a run "
        "that translate one another, and write them to PAIRS. The first is the source; what no "
        "pair names has no counterpart.",
    )
    align.add_argument("pages", nargs="+", metavar="PAGE",
                       help="file or folder: source, then target; or one folder of both, or the "
                       "OUT of a run")  # fmt: skip
    align.add_argument("-o", "--out", required=True, metavar="PAIRS", help="Parquet file to write")
    align.add_argument("--lines", action="store_true",
                       help="each line is one unit; segments are 0-based line numbers")  # fmt: skip
    align.add_argument("--overwrite", action="store_true", help="replace PAIRS")
    add_config(align)
    align.add_argument("--langs", metavar="CODES", help="languages of both, such as ar,en")
    align.add_argument("--translate", action="store_true",
                       help="let a machine translation of one side speak too")  # fmt: skip
    align.set_defaults(command=_align)


def _add_pair(commands: Commands) -> None:
    pair = commands.add_parser(
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
    add_config(pair)
    pair.add_argument("--langs", metavar="CODES", help="source and target (default ar,en)")
    pair.set_defaults(command=_pair)


def _add_encode(commands: Commands) -> None:
    encode = commands.add_parser(
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


def _add_export(commands: Commands) -> None:
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
    export.add_argument("--license", default="", metavar="TEXT",
                        help="license on the card of huggingface, such as cc-by-4.0")  # fmt: skip
    export.add_argument("--overwrite", action="store_true", help="replace an earlier export")
    export.set_defaults(command=_export)


def _settings(args: argparse.Namespace) -> Config:
    """The settings of --config, with the languages that the call names."""
    config, langs = from_file(args), language_pair(args)
    align = replace(config.align, langs=langs) if langs else config.align
    if getattr(args, "translate", False):
        align = replace(align, translate=True)
    return replace(config, align=align)


def _align(args: argparse.Namespace) -> int:
    small_products()
    interruptible()
    from ingest.jobs.align import align_files
    from ingest.jobs.align_run import align_run
    from ingest.text import safe

    config, pages = _settings(args), args.pages
    folder = Path(pages[0])
    if len(pages) == 1 and folder.is_dir() and not (folder / "documents.parquet").exists():
        pages *= 2  # no run: a folder that holds both sides
    if len(pages) == 1 and not args.lines:
        report = align_run(pages[0], args.out, overwrite=args.overwrite, config=config)
    elif len(pages) == 2:
        report = align_files(
            pages[0],
            pages[1],
            args.out,
            lines=args.lines,
            overwrite=args.overwrite,
            config=config,
        )
    else:
        raise ConfigError("align: name a source and a target, or the folder of a run")
    for line in report.messages:
        print(f"ingest: {line}", file=sys.stderr)
    print(report, f"written to {safe(args.out)}", sep="\n")
    return PAGES_IN_ERROR if report.in_error else OK


def _pair(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.jobs.pair import pair_run

    config = _settings(args).align
    report = pair_run(
        args.run, args.out, config=config, min_score=args.min_score, overwrite=args.overwrite
    )
    print(report)
    return OK


def _encode(args: argparse.Namespace) -> int:
    interruptible()
    import numpy as np

    from ingest.encoder.model import load
    from ingest.io.atomic import atomic_write, check_output
    from ingest.readers.lines import read_lines
    from ingest.text import safe

    check_output(args.out, overwrite=args.overwrite, inputs=[args.file])
    texts = read_lines(args.file)
    encoder = load(args.encoder)
    vectors = encoder.encode(texts)
    with atomic_write(args.out) as work, work.open("wb") as file:
        np.save(file, vectors)
    print(f"{len(vectors):,} vectors of {encoder.dim} numbers by {encoder.name}")
    print(f"written to {safe(args.out)}")
    return OK


def _export(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.export import beside, export, said
    from ingest.text import safe

    report = export(
        args.pairs,
        args.out or beside(args.pairs, args.format),
        format=args.format,
        min_score=args.min_score,
        langs=language_pair(args),
        license=args.license,
        overwrite=args.overwrite,
    )
    print(*map(safe, [*describe_later_files(args.pairs, "export"), *said(report)]), sep="\n")
    return OK
