"""Pairs to a data set: `take`, `score`, `filter`, `split`."""

from __future__ import annotations

import argparse
import sys
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

if TYPE_CHECKING:
    from ingest.cli.options import Commands


def add(commands: Commands) -> None:
    """Add these commands to those that are there."""
    _add_take(commands)
    score = commands.add_parser(
        "score",
        help="pairs with how good each is, and in what",
        description="Add columns of scores to the pairs, and a quality made of them. Nothing is "
        "decided, and no pair is left out.",
    )
    _add_files(score)
    score.set_defaults(command=_score)

    filter_ = commands.add_parser(
        "filter",
        usage="%(prog)s PAIRS -o OUT [--overwrite] [--config FILE] [--mask-pii] "
        "[--exclude FILE ...]\n       PAIRS before --exclude, which takes every name after it",
        help="pairs with keep, and why others are not kept",
        description="Mark which pairs are kept, and the first rule that others do not pass; what "
        "each rule took goes to run.json of their run, or beside OUT. Thresholds stand in [filter] "
        "of --config. No pair is left out of OUT: export takes those that are kept.",
    )
    _add_files(filter_)
    filter_.add_argument("--exclude", nargs="+", action="extend", default=[], metavar="FILE",
                         help="text files, such as test sets, none of whose lines is to be in a "
                         "pair; put PAIRS first")  # fmt: skip
    filter_.add_argument("--mask-pii", action="store_true",
                         help="add texts in which personal data is masked, for export")  # fmt: skip
    filter_.set_defaults(command=_filter)

    split = commands.add_parser(
        "split",
        help="pairs with train, dev or test",
        description="Give each kept pair to train, dev or test, so that no page and no text that "
        "is nearly the same stands in two of them. Sizes and seed stand in [split] of --config.",
    )
    _add_files(split)
    split.set_defaults(command=_split)


def _add_take(commands: Commands) -> None:
    take = commands.add_parser(
        "import",
        help="pairs that you have already, for score, filter, split and export",
        description="Make a file of pairs of TSV, CSV, JSONL, Parquet or TMX, or of two text files "
        "of which line N of one translates line N of the other. The texts stand in columns "
        "source_text and target_text, or in two named by their languages, such as ar and en; TSV "
        "and CSV without a header have two columns. The pairs are marked as imported, except those "
        "that the file says a machine translated. Lines that are no pair are counted and left out.",
    )
    take.add_argument("files", nargs="+", metavar="FILE",
                      help="tables or TMX, plain, .gz or .zst; a folder of Parquet; or two text "
                      "files, source first")  # fmt: skip
    take.add_argument("-o", "--out", required=True, metavar="PAIRS", help="Parquet file to write")
    take.add_argument("--langs", metavar="CODES",
                      help="source and target, such as ar,en (default: as columns or files are "
                      "named, else found out)")  # fmt: skip
    take.add_argument("--overwrite", action="store_true", help="replace PAIRS")
    take.set_defaults(command=_take)


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pairs", metavar="PAIRS",
                        help="Parquet file of pairs, or folder with pairs.parquet")  # fmt: skip
    parser.add_argument("-o", "--out", required=True, metavar="OUT", help="Parquet file to write")
    parser.add_argument("--overwrite", action="store_true", help="replace OUT")
    add_config(parser)


def _take(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.jobs.import_pairs import import_files
    from ingest.text import safe

    report = import_files(
        args.files, args.out, langs=language_pair(args), overwrite=args.overwrite
    )
    for line in report.said:
        print(f"ingest: {safe(line)}", file=sys.stderr)
    _say(*report.lines(), f"written to {args.out}")
    return PAGES_IN_ERROR if report.bad else OK


def _score(args: argparse.Namespace) -> int:
    small_products()
    interruptible()
    from ingest.jobs.score import score_file

    report = score_file(args.pairs, args.out, overwrite=args.overwrite, config=from_file(args))
    _say(*report.lines(), f"written to {args.out}")
    return OK


def _filter(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.filter import filter_file

    report = filter_file(
        args.pairs,
        args.out,
        exclude=args.exclude,
        mask=args.mask_pii,
        overwrite=args.overwrite,
        config=from_file(args),
    )
    _say(
        *describe_later_files(args.pairs, "filter"),
        *report.lines(),
        f"written to {args.out}, the table to {report.told}",
    )
    return OK


def _split(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.split import split_file

    report = split_file(args.pairs, args.out, overwrite=args.overwrite, config=from_file(args))
    _say(*describe_later_files(args.pairs, "split"), *report.lines(), f"written to {args.out}")
    return OK


def _say(*lines: str) -> None:
    from ingest.text import safe

    print(*map(safe, lines), sep="\n")
