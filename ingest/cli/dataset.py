"""Commands that turn pairs into a data set: `import`, `score`, `filter`, `split`, `export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.cli.options import (
    OK,
    add_config,
    add_output,
    add_overwrite,
    allow_interrupts,
    language_pair,
    load_config,
    use_one_blas_thread,
)
from ingest.jobs.export import FORMATS

if TYPE_CHECKING:
    import argparse

    from ingest.cli.parser import Commands


def add_commands(commands: Commands) -> None:
    """Add `import`, `score`, `filter`, `split` and `export`."""
    _add_import(commands)
    score = commands.add(
        "score",
        _score,
        help="score pairs",
        description="Add columns of scores to the pairs, and one quality that is computed from "
        "them. Nothing is decided, and no pair is dropped.",
        examples=["ingest score out -o out/scored.parquet"],
    )
    _add_files(score)
    _add_filter(commands)
    split = commands.add(
        "split",
        _split,
        help="split pairs into train, dev and test",
        description="Assign each kept pair to train, dev or test, so that no page and no two "
        "nearly identical texts are in different ones. Sizes and seed are in [split] of --config.",
        examples=["ingest split out/filtered.parquet -o out/split.parquet",
                  "ingest split out/filtered.parquet -o out/split.parquet --config ingest.toml"],
    )  # fmt: skip
    _add_files(split)
    _add_export(commands)


def _add_import(commands: Commands) -> None:
    parser = commands.add(
        "import",
        _import,
        help="import pairs from other formats",
        description="Import pairs from TSV, CSV, JSONL, Parquet or TMX, or from two text files in "
        "which line N of one translates line N of the other. In tables, the texts are in columns "
        "source_text and target_text, or in two columns named by their languages, such as ar and "
        "en; TSV and CSV without a header have two columns. The pairs have the method "
        "imported and no score, unless the file has columns method and score, as the exports of "
        "ingest do. Invalid lines are counted and left out.",
        examples=[
            "ingest import pairs.tsv -o pairs.parquet",
            "ingest import corpus.ar corpus.en -o pairs.parquet --langs ar,en",
        ],
    )
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="tables or TMX, plain, .gz or .zst; a folder of Parquet files; or two "
                        "text files, source first")  # fmt: skip
    add_output(parser, "PAIRS", "Parquet file to write")
    parser.add_argument("--langs", metavar="CODES",
                        help="source and target, such as ar,en (default: from the names of columns "
                        "or files, or else detected)")  # fmt: skip


def _add_filter(commands: Commands) -> None:
    parser = commands.add(
        "filter",
        _filter,
        usage="%(prog)s PAIRS -o OUT [OPTIONS] [--exclude FILE ...]\n"
        "       (PAIRS before --exclude, which takes every name after it)",
        help="mark which pairs to keep, and why not the others",
        description="Mark which pairs are kept, and for each other pair the first rule that it "
        "fails. The counts per rule go to run.json if the pairs belong to a run, or else to a file "
        "next to OUT. Thresholds are in [filter] of --config. OUT has every pair; ingest export "
        "selects the kept ones.",
        examples=[
            "ingest filter out/scored.parquet -o out/filtered.parquet",
            "ingest filter pairs.parquet -o filtered.parquet --mask-pii --exclude test.ar test.en",
        ],
    )
    _add_files(parser)
    parser.add_argument("--exclude", nargs="+", action="extend", default=[], metavar="FILE",
                        help="text files, such as test sets, whose lines must not be in a kept "
                        "pair; put PAIRS first")  # fmt: skip
    parser.add_argument("--mask-pii", action="store_true",
                        help="add texts in which personal data is masked; ingest export then uses "
                        "them")  # fmt: skip


def _add_export(commands: Commands) -> None:
    parser = commands.add(
        "export",
        _export,
        help="export kept pairs to training formats",
        description="Write the kept pairs as Moses, TSV, TMX, JSONL, Parquet or a Hugging Face "
        "folder, and report what was left out.",
        examples=[
            "ingest export out/split.parquet --format huggingface -o dataset --license cc-by-4.0",
            "ingest export pairs.parquet --format moses --langs en,ar",
        ],
    )
    parser.add_argument("pairs", metavar="PAIRS",
                        help="Parquet file of pairs, or folder with pairs.parquet")  # fmt: skip
    parser.add_argument("--format", required=True, choices=FORMATS, metavar="NAME",
                        help=f"format to write: {', '.join(FORMATS)}")  # fmt: skip
    parser.add_argument("-o", "--out", metavar="DEST",
                        help="file or folder to write (default: next to PAIRS, with the same "
                        "name)")  # fmt: skip
    parser.add_argument("--min-score", type=float, default=0.0, metavar="X",
                        help="leave out pairs with a score below X")  # fmt: skip
    parser.add_argument("--flagged", action="store_true",
                        help="also export machine translations that have flags")  # fmt: skip
    parser.add_argument("--langs", metavar="CODES",
                        help="source and target, such as ar,en; swaps the sides of pairs where "
                        "necessary (default: as they are)")  # fmt: skip
    parser.add_argument("--license", default="", metavar="TEXT",
                        help="license that the card of huggingface states, such as cc-by-4.0 "
                        "(default: unknown)")  # fmt: skip
    add_overwrite(parser, "DEST")


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pairs", metavar="PAIRS",
                        help="Parquet file of pairs, or folder with pairs.parquet")  # fmt: skip
    add_output(parser, "OUT", "Parquet file to write")
    add_config(parser)


def _import(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.jobs.import_pairs import import_files

    result = import_files(args.files, args.out, langs=language_pair(args), overwrite=args.overwrite)
    return print_result(args, result, f"written to {args.out}")


def _score(args: argparse.Namespace) -> int:
    use_one_blas_thread()
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.jobs.score import score_file

    result = score_file(args.pairs, args.out, overwrite=args.overwrite, config=load_config(args))
    return print_result(args, result, f"written to {args.out}")


def _filter(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_result, print_summary
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.filter import filter_file

    result = filter_file(
        args.pairs,
        args.out,
        exclude=args.exclude,
        mask=args.mask_pii,
        overwrite=args.overwrite,
        config=load_config(args),
    )
    print_summary(args, *describe_later_files(args.pairs, "filter"))
    return print_result(args, result, f"written to {args.out}, the table to {result.report_path}")


def _split(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_result, print_summary
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.split import split_file

    result = split_file(args.pairs, args.out, overwrite=args.overwrite, config=load_config(args))
    print_summary(args, *describe_later_files(args.pairs, "split"))
    return print_result(args, result, f"written to {args.out}")


def _export(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_summary
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.export import default_destination, export, summary_lines

    report = export(
        args.pairs,
        args.out or default_destination(args.pairs, args.format),
        format=args.format,
        min_score=args.min_score,
        langs=language_pair(args),
        flagged=args.flagged,
        license=args.license,
        overwrite=args.overwrite,
    )
    print_summary(args, *describe_later_files(args.pairs, "export"), *summary_lines(report))
    return OK
