"""The command `run`: pages to documents, segments and articles."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING, Any

from ingest.cli.options import (
    OK,
    PAGES_IN_ERROR,
    add_detection,
    add_keep,
    add_sources,
    add_workers,
    allow_interrupts,
    build_config,
    limit_threads,
    open_executor,
)
from ingest.errors import ConfigError
from ingest.languages import parse_language_pair

if TYPE_CHECKING:
    from ingest.cli.parser import Commands


_STARTED = time.perf_counter()  # the libraries are imported later


def add_commands(commands: Commands) -> None:
    """Add `run`."""
    parser = commands.add(
        "run",
        _run,
        help="label every segment of every page",
        description="Read pages, label each segment with its language, role and article, and write "
        "documents.parquet, segments.parquet, articles.jsonl and run.json to the folder OUT.",
        examples=[
            "ingest run pages/ -o out",
            "ingest run crawl.warc.gz -o out --workers 4 --align",
            "ingest run pages.jsonl -o out --text-column body --langs ar,en",
            "ingest run pages/ -o out --export articles.jsonl",
            "ingest run s3://bucket/crawl/ -o s3://bucket/out --workers 4",
        ],
    )
    add_sources(parser)
    parser.add_argument("-o", "--out", type=_parse_out, metavar="OUT",
                        help="folder to write, or its URL: s3://, gs:// or az://; required, except "
                        "with --plan")  # fmt: skip
    parser.set_defaults(takes_urls=("sources", "out"))
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true",
                          help="replace the OUT of an earlier run, finished or not")  # fmt: skip
    existing.add_argument("--resume", action="store_true",
                          help="continue a run that did not finish, or start one")  # fmt: skip
    add_workers(parser)
    parser.add_argument("--shard", type=_parse_shard, metavar="I/N",
                        help="do only part I of N, such as 1/4; when all parts are done, --resume "
                        "finishes the run (default: do everything)")  # fmt: skip
    parser.add_argument("--align", action="store_true",
                        help="also write pairs.parquet: sentences and their translations, from "
                        "articles that translate each other")  # fmt: skip
    parser.add_argument("--translate", type=_parse_translate, metavar="FROM:TO",
                        help="also write translated.parquet: machine translations, such as "
                        "en:ar")  # fmt: skip
    parser.add_argument("--export", metavar="FILE",
                        help="also write the articles to FILE, which ends in .parquet, .jsonl, "
                        ".txt or .md; ingest export has more choices")  # fmt: skip
    parser.add_argument("--corrections", metavar="FILE",
                        help="apply the corrections in FILE, as the report saves them, and keep "
                        "them in OUT; those that are in OUT already always apply")  # fmt: skip
    parser.add_argument("--plan", action="store_true",
                        help="write nothing: cut the sources into shards, time some of them, and "
                        "print how long a run would take on 1, 16 and 256 cores")  # fmt: skip
    parser.add_argument("--storage-option", action="append", default=[], type=_parse_option,
                        metavar="KEY=VALUE",
                        help="option for the object stores of all URLs, such as endpoint=URL; may "
                        "be given several times (default: from the environment, such as "
                        "AWS_ENDPOINT_URL)")  # fmt: skip
    add_detection(parser)
    add_keep(parser)


def _parse_option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        # the text may be a secret without its name
        raise argparse.ArgumentTypeError("is not of the form KEY=VALUE, such as region=eu-west-1")
    return key, value


def _parse_out(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("is empty; give the folder to write")
    return text


def _parse_shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form I/N, such as 1/4")
    part, parts = int(index), int(count)
    if not 1 <= part <= parts:
        all_parts = (
            f"the parts are 1/{parts} to {parts}/{parts}" if parts else "there are no 0 parts"
        )
        raise argparse.ArgumentTypeError(f"{text!r} is not a part: {all_parts}")
    return part, parts


def _parse_translate(text: str) -> tuple[str, str]:
    try:
        return parse_language_pair(text, separator=":")
    except ConfigError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not of the form FROM:TO, such as en:ar"
        ) from error


def _run(args: argparse.Namespace) -> int:
    # between the steps on a cluster, this process works alone
    workers = (args.ray_workers or os.cpu_count() or 1) if args.ray else args.workers
    limit_threads(workers, "POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    allow_interrupts()
    if args.plan:
        return _print_plan(args)
    if args.out is None:
        raise ConfigError("-o OUT: is missing; name the folder to write")
    with open_executor(args):
        report = _run_job(args)
    return _print_report(args, report)


def _print_plan(args: argparse.Namespace) -> int:
    from ingest.cli.plan_view import plan_lines
    from ingest.cli.progress import job_progress, report_slow_requests
    from ingest.io.access import access
    from ingest.pipeline.estimate import estimate_run
    from ingest.pipeline.target import describe_target
    from ingest.readers.sources import describe_skipped, find_sources
    from ingest.text import safe

    with (
        access(dict(args.storage_option)),
        report_slow_requests(quiet=args.quiet),
        job_progress("run --plan", quiet=args.quiet, unit="bytes") as progress,
    ):
        target = args.out and describe_target(
            args.out, overwrite=args.overwrite, resume=args.resume
        )
        found = find_sources(args.sources)
        startup = time.perf_counter() - _STARTED
        estimate = estimate_run(found, build_config(args), progress, startup=startup)
    print(*plan_lines(estimate), sep="\n")
    if target:
        print(f"OUT: {safe(target)}")
    if found.skipped:
        print(describe_skipped(found.skipped))
    return OK


def _run_job(args: argparse.Namespace) -> dict[str, Any]:
    from ingest.cli.progress import report_slow_requests, run_progress
    from ingest.jobs.run import run

    with (
        report_slow_requests(quiet=args.quiet),
        run_progress(quiet=args.quiet, translating=bool(args.translate)) as (reading, translating),
    ):
        return run(
            args.sources,
            args.out,
            config=build_config(args),
            overwrite=args.overwrite,
            resume=args.resume,
            workers=args.workers,
            ray=args.ray,
            ray_workers=args.ray_workers,
            shard=args.shard,
            align=args.align,
            translate=args.translate,
            export=args.export,
            corrections=args.corrections,
            progress=reading,
            translating=translating,
            storage_options=dict(args.storage_option),
        )


def _print_report(args: argparse.Namespace, report: dict[str, Any]) -> int:
    from ingest.cli import render
    from ingest.cli.messages import print_notes, print_summary
    from ingest.cli.standard_streams import after_the_work
    from ingest.jobs.correct_result import describe_corrected, describe_damaged

    print_notes(describe_damaged(report.get("damaged_corrections", [])))
    print_notes(report.get("damaged_work", []))
    if args.shard:  # only --resume makes the files of the run
        if not args.quiet:
            with after_the_work():
                render.print_shards_done(report, args.out)
        return OK
    if report.get("unchanged"):
        print_summary(args, f"{args.out} is complete already, with the same sources and settings")
    elif not args.quiet:
        with after_the_work():
            render.print_run_summary(report, args.out, verbose=args.verbose)
    render.print_pages_in_error(report, args.out)
    if "corrected" in report:
        print_summary(args, *describe_corrected(report["corrected"]))
    return _print_later_steps(args, report)


def _print_later_steps(args: argparse.Namespace, report: dict[str, Any]) -> int:
    """Print what --align, --translate and --export did; return the exit status of the whole run."""
    from ingest.cli.messages import print_result

    in_error = bool(report["counts"]["errors"] or report.get("damaged_corrections"))
    if "pairs" in report:
        from ingest.jobs.align import AlignResult

        in_error |= print_result(args, AlignResult.from_dict(report["pairs"])) != OK
    if "translated" in report:
        from ingest.jobs.translate_run import TranslationResult

        print_result(args, TranslationResult.from_dict(report["translated"]))
    if "exported" in report:
        from ingest.cli.messages import print_summary
        from ingest.jobs.export_texts import summary_lines

        print_summary(args, *summary_lines(report["exported"]))
    return PAGES_IN_ERROR if in_error else OK
