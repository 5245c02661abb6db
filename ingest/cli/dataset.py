"""Commands that turn pairs into a data set: `import`, `score`, `filter`, `split`, `export`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ingest.cli.options import (
    OK,
    add_config,
    add_output,
    add_overwrite,
    add_workers,
    allow_interrupts,
    candidate_languages,
    codes,
    language_pair,
    load_config,
    open_executor,
    use_one_blas_thread,
)
from ingest.config_file import given_settings
from ingest.errors import ConfigError
from ingest.jobs.export import FORMATS, WHATS
from ingest.jobs.export_texts import ENDINGS, TEXT_FORMATS

if TYPE_CHECKING:
    from ingest.cli.parser import Commands

ALL_FORMATS = tuple(dict.fromkeys((*FORMATS, *TEXT_FORMATS)))


class _Exclude(argparse.Action):
    """Collects the names after every --exclude; the last of several may be PAIRS."""

    def __call__(self, _parser: Any, args: Any, values: Any, _option: str | None = None) -> None:
        args.exclude = [*args.exclude, *values]
        if len(values) > 1:
            args.last_excluded = [*args.last_excluded, values[-1]]


def add_commands(commands: Commands) -> None:
    """Add `import`, `score`, `filter`, `split` and `export`."""
    _add_import(commands)
    score = commands.add(
        "score",
        _score,
        help="score pairs",
        description="Add columns of scores to the pairs, and one quality that is computed from "
        "them. Nothing is decided, and no pair is dropped.",
        examples=["ingest score out -o out/scored.parquet",
                  "ingest score out -o out/scored.parquet --workers 4"],
    )  # fmt: skip
    _add_files(score)
    add_workers(score)
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
        description="Import pairs from TSV, CSV, JSON, Parquet, Arrow or TMX, or from two text "
        "files in which line N of one translates line N of the other. In tables, the texts are in "
        "columns such as source_text and target_text, original and translation, or text_ar and "
        "text_en; tables without a header are recognized. The pairs have the method "
        "imported and no score, unless the file has columns method and score, as the exports of "
        "ingest do, and keep the split that a column or the name of the file gives. Invalid lines "
        "are counted and left out.",
        examples=[
            "ingest import pairs.tsv -o pairs.parquet",
            "ingest import corpus.ar corpus.en -o pairs.parquet --langs ar,en",
            "ingest import table.csv -o pairs.parquet --source-column question --target-column 3",
        ],
    )
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="tables or TMX, plain, .gz or .zst; folders and ZIP archives of them; "
                        "or two text files, source first")  # fmt: skip
    add_output(parser, "PAIRS", "Parquet file to write")
    parser.add_argument("--langs", metavar="CODES",
                        help="source and target, such as ar,en (default: from the names of columns "
                        "or files, or else detected)")  # fmt: skip
    for side in ("source", "target"):
        parser.add_argument(f"--{side}-column", metavar="NAME",
                            help=f"column of a table with the {side} text, by name or by number "
                            "from 1 (default: guessed)")  # fmt: skip


def _add_filter(commands: Commands) -> None:
    parser = commands.add(
        "filter",
        _filter,
        usage="%(prog)s PAIRS -o OUT [OPTIONS] [--exclude FILE ...]",
        help="mark which pairs to keep, and why not the others",
        description="Mark which pairs are kept, and for each other pair the first rule that it "
        "fails. The counts per rule go to run.json if the pairs belong to a run, or else to a file "
        "next to OUT. Thresholds are in [filter] of --config; --like sets the others. OUT has all "
        "pairs; ingest export selects the kept ones.",
        examples=[
            "ingest filter out/scored.parquet -o out/filtered.parquet",
            "ingest filter pairs.parquet -o filtered.parquet --mask-pii --exclude test.ar test.en",
            "ingest filter scored.parquet -o filtered.parquet --like clean.tsv",
        ],
    )
    _add_files(parser, required=False)  # --exclude may have taken PAIRS
    add_workers(parser)
    parser.add_argument("--exclude", nargs="+", action=_Exclude, default=[], metavar="FILE",
                        help="test sets, in any format that import reads, or as SGM or plain "
                        "lines: no kept pair has one of their sentences, whole or within a longer "
                        "text")  # fmt: skip
    parser.set_defaults(last_excluded=[])
    parser.add_argument("--like", action="append", default=[], metavar="FILE",
                        help="clean pairs, in any format that import reads: set each threshold so "
                        "that about 98 of 100 such pairs pass all rules, and print the settings; "
                        "twice for two text files")  # fmt: skip
    parser.add_argument("--mask-pii", action="store_true",
                        help="add texts in which personal data is masked; ingest export then uses "
                        "them")  # fmt: skip


def _add_export(commands: Commands) -> None:
    parser = commands.add(
        "export",
        _export,
        help="export kept pairs, articles or segments",
        description="Write the kept pairs as Moses, TSV, TMX, JSONL, Parquet or a Hugging Face "
        "folder; or the articles or segments of a run as Parquet, JSONL, plain text, Markdown or a "
        "Hugging Face folder, with URL, site, title, author, date and language. What is left out "
        "is counted.",
        examples=[
            "ingest export out/split.parquet --format huggingface -o dataset --license cc-by-4.0",
            "ingest export pairs.parquet --format moses --langs en,ar",
            "ingest export out --what articles --langs en --dedupe -o articles.jsonl",
        ],
    )
    parser.add_argument("pairs", metavar="SOURCE",
                        help="folder of a run, or Parquet file of pairs")  # fmt: skip
    parser.add_argument("--what", choices=WHATS, metavar="NAME",
                        help=f"what to write: {', '.join(WHATS)} (default: pairs if SOURCE has "
                        "any, else articles)")  # fmt: skip
    parser.add_argument("--format", choices=ALL_FORMATS, metavar="NAME",
                        help=f"format to write: for pairs, {', '.join(FORMATS)}; for texts, "
                        f"{', '.join(TEXT_FORMATS)} (default: what the ending of DEST says: "
                        f"for texts, {', '.join(ENDINGS)})")  # fmt: skip
    parser.add_argument("-o", "--out", metavar="DEST",
                        help="file to write; for moses and huggingface, folder (default: next to "
                        "SOURCE, with the same name)")  # fmt: skip
    parser.add_argument("--langs", metavar="CODES",
                        help="for pairs, source and target, such as ar,en; swaps the sides where "
                        "necessary. For texts, the languages to write (default: as they "
                        "are)")  # fmt: skip
    parser.add_argument("--license", default="", metavar="TEXT",
                        help="license that the card of huggingface states, such as cc-by-4.0 "
                        "(default: unknown)")  # fmt: skip
    add_overwrite(parser, "DEST")
    texts = parser.add_argument_group("articles and segments")
    texts.add_argument("--roles", metavar="ROLES",
                       help="roles of the segments to write, such as headline,body,caption "
                       "(default: those that the run keeps)")  # fmt: skip
    texts.add_argument("--dedupe", action="store_true",
                       help="write one of the copies of an article: the longest, then the "
                       "earliest")  # fmt: skip
    pairs = parser.add_argument_group("pairs")
    pairs.add_argument("--min-score", type=float, default=0.0, metavar="X",
                       help="leave out pairs with a score below X")  # fmt: skip
    pairs.add_argument("--flagged", action="store_true",
                       help="also export machine translations that have flags")  # fmt: skip
    pairs.add_argument("--word-alignments", action="store_true",
                       help="add which words translate each other, as links such as 0-0 1-2; in "
                       "moses a file such as pairs.ar-en.align")  # fmt: skip


def _add_files(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("pairs", metavar="PAIRS", nargs=None if required else "?",
                        help="Parquet file of pairs, or folder with pairs.parquet")  # fmt: skip
    add_output(parser, "OUT", "Parquet file to write")
    add_config(parser)


def _import(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.cli.progress import job_progress
    from ingest.errors import ConfigError
    from ingest.jobs.import_pairs import import_files

    columns = None
    if args.source_column is not None or args.target_column is not None:
        if args.source_column in (None, args.target_column) or args.target_column is None:
            raise ConfigError("import: give --source-column and --target-column, of two columns")
        columns = (args.source_column, args.target_column)
    with job_progress("import, bytes", quiet=args.quiet) as progress:
        result = import_files(
            args.files,
            args.out,
            langs=language_pair(args),
            columns=columns,
            overwrite=args.overwrite,
            progress=progress,
        )
    return print_result(args, result, f"written to {args.out}")


def _score(args: argparse.Namespace) -> int:
    use_one_blas_thread()
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.cli.progress import job_progress
    from ingest.jobs.score import score_file

    config = load_config(args)
    with open_executor(args) as executor, job_progress("score", quiet=args.quiet) as progress:
        result = score_file(
            args.pairs,
            args.out,
            overwrite=args.overwrite,
            config=config,
            executor=executor,
            progress=progress,
        )
    return print_result(args, result, f"written to {args.out}")


def _find_pairs(args: argparse.Namespace) -> None:
    """Set `pairs` if it stands behind --exclude, which has then taken it as its last name.

    Raises:
        ConfigError: PAIRS is missing.
    """
    from pathlib import Path

    if args.pairs is not None:
        return
    candidates = args.last_excluded
    if len(candidates) > 1:  # a test set can be Parquet too, but seldom all of them are
        candidates = [name for name in candidates if Path(name).suffix in (".parquet", "")]
    if len(candidates) != 1:
        raise ConfigError("filter: PAIRS is missing or unclear; give PAIRS before --exclude")
    args.pairs = candidates[0]
    at = len(args.exclude) - 1 - args.exclude[::-1].index(args.pairs)
    args.exclude = [*args.exclude[:at], *args.exclude[at + 1 :]]


def _filter(args: argparse.Namespace) -> int:
    use_one_blas_thread()  # --like scores pairs
    allow_interrupts()
    from ingest.cli.messages import print_result, print_summary
    from ingest.cli.progress import job_progress
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.filter import filter_file

    _find_pairs(args)
    config = load_config(args)
    with open_executor(args) as executor, job_progress("filter", quiet=args.quiet) as progress:
        result = filter_file(
            args.pairs,
            args.out,
            exclude=args.exclude,
            like=args.like,
            given=given_settings(args.config, args.set, "filter"),
            mask=args.mask_pii,
            overwrite=args.overwrite,
            config=config,
            executor=executor,
            progress=progress,
        )
    print_summary(args, *describe_later_files(args.pairs, "filter"))
    return print_result(args, result, f"written to {args.out}, the table to {result.report_path}")


def _split(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_result, print_summary
    from ingest.cli.progress import job_progress
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.split import split_file

    config = load_config(args)
    with job_progress("split", quiet=args.quiet) as progress:
        result = split_file(
            args.pairs, args.out, overwrite=args.overwrite, config=config, progress=progress
        )
    print_summary(args, *describe_later_files(args.pairs, "split"))
    return print_result(args, result, f"written to {args.out}")


def _export(args: argparse.Namespace) -> int:
    use_one_blas_thread()
    allow_interrupts()
    from ingest.cli.messages import print_summary
    from ingest.jobs.export import choose_what

    what = args.what or choose_what(args.pairs)
    if what != "pairs":
        if not args.what:
            print_summary(args, f"{args.pairs} has no pairs, so its articles are exported")
        return _export_texts(args, what)
    from ingest.cli.progress import job_progress
    from ingest.io.run_files import describe_later_files
    from ingest.jobs.export import default_destination, export, format_of, summary_lines

    _refuse(args, "pairs", "roles", "dedupe")
    langs = _pair_of_run(args)
    format = args.format or format_of(args.out)
    with job_progress("export", quiet=args.quiet) as progress:
        report = export(
            args.pairs,
            args.out or default_destination(args.pairs, format),
            format=format,
            min_score=args.min_score,
            langs=langs,
            flagged=args.flagged,
            license=args.license,
            word_alignments=args.word_alignments,
            overwrite=args.overwrite,
            progress=progress,
        )
    print_summary(args, *describe_later_files(args.pairs, "export"), *summary_lines(report))
    return OK


def _export_texts(args: argparse.Namespace, what: str) -> int:
    from ingest.cli.messages import print_summary
    from ingest.cli.progress import job_progress
    from ingest.jobs.export_texts import default_destination, export_texts, summary_lines

    _refuse(args, what, "min_score", "flagged", "word_alignments")
    with job_progress("export, segments", quiet=args.quiet) as progress:
        report = export_texts(
            args.pairs,
            args.out or default_destination(args.pairs, args.format, what),
            what=what,
            format=args.format,
            langs=candidate_languages(args) or (),
            roles=codes(args.roles, "--roles", "role"),
            dedupe=args.dedupe,
            license=args.license,
            overwrite=args.overwrite,
            progress=progress,
        )
    print_summary(args, *summary_lines(report))
    return OK


def _pair_of_run(args: argparse.Namespace) -> tuple[str, str] | None:
    """Return the languages of pairs.

    Raises:
        ConfigError: they are no pair. If SOURCE may also have articles, a note says so.
    """
    try:
        return language_pair(args)
    except ConfigError as error:
        if not args.what:
            error.add_note(f"to export texts of {args.pairs} in these languages: --what articles")
        raise


def _refuse(args: argparse.Namespace, what: str, *names: str) -> None:
    """Raise if an option was given that is not for `what`.

    Raises:
        ConfigError: it was.
    """
    for name in names:
        if getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            advice = "leave it out"
            if what == "pairs" and not args.what:
                advice = "to export articles, add --what articles"
            raise ConfigError(f"export: {option} is not for {what}; {advice}")
