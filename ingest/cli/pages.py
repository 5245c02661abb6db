"""Commands that show pages and runs: `read`, `samples` and `report`, and `show` among them."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from ingest.cli import show
from ingest.cli.apart import Marks, run_apart
from ingest.cli.options import (
    OK,
    PAGES_IN_ERROR,
    add_config,
    add_overwrite,
    add_sources,
    allow_interrupts,
    build_config,
)
from ingest.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from ingest.cli.parser import Commands


def add_commands(commands: Commands) -> None:
    """Add `read`, `show`, `samples` and `report`."""
    read = commands.add(
        "read",
        _read,
        help="preview what a run would read",
        description="Show each SOURCE as it would be read: its kind, its number of pages, the "
        "columns that are used, and errors. Nothing is written.",
        examples=["ingest read pages/", "ingest read pages.jsonl --text-column body --json"],
    )
    add_sources(read)
    read.set_defaults(takes_urls=("sources",))
    read.add_argument("--json", action="store_true", help="print one JSON object per page")
    add_config(read)

    show.add_commands(commands)
    commands.add(
        "samples",
        _samples,
        help="print the folder of the sample pages",
        description="Print the folder of the sample pages that come with ingest.",
        examples=["ingest samples", 'ingest run "$(ingest samples)" -o out'],
    )

    report = commands.add(
        "report",
        _report,
        help="write a run as one HTML file to look at",
        description="Write one HTML file that shows what a run read, what it kept, what it dropped "
        "and why, each page segment by segment, and pairs side by side. In it, a person can "
        "correct segments and pairs with the keyboard, and save the corrections for ingest "
        "correct. The file needs no network. Of a large run it shows a random sample, and says so.",
        examples=["ingest report out",
                  "ingest report out --pairs out/filtered.parquet -o review.html",
                  "ingest report out --audit 200 -o audit.html",
                  "ingest report out --against out.old"],
    )  # fmt: skip
    report.add_argument("run", metavar="OUT", help="folder that ingest run wrote")
    report.add_argument("-o", "--out", metavar="FILE",
                        help="HTML file to write (default: OUT/report.html)")  # fmt: skip
    report.add_argument("--pairs", metavar="PAIRS",
                        help="file of pairs to show, such as the output of ingest filter "
                        "(default: the pairs of the run)")  # fmt: skip
    report.add_argument("--audit", type=_parse_sample, metavar="N",
                        help="let a person judge N random segments and pairs, and estimate from "
                        "that how much of what is kept is right")  # fmt: skip
    report.add_argument(
        "--seed",
        type=_parse_seed,
        metavar="N",
        help="seed of --audit; another one gives another sample (default: 1)",
    )
    report.add_argument("--against", metavar="OUT",
                        help="write nothing; print what changed since this earlier run of the "
                        "same sources: kept lines, reasons, pairs")  # fmt: skip
    add_overwrite(report, "FILE")


def _read(args: argparse.Namespace) -> int:
    config = build_config(args)
    marks = Marks()
    failed: dict[tuple[int, int], str] = {}
    unreadable: dict[tuple[int, int], str] = {}
    deaths: Counter[tuple[int, int]] = Counter()

    def work() -> int:
        allow_interrupts()
        from ingest.cli import preview

        pages = preview.Pages(args.sources, config.read, failed, unreadable, marks)
        print_preview = preview.print_json_lines if args.json else preview.print_table
        return PAGES_IN_ERROR if print_preview(pages) else OK

    while (ending := run_apart(work, marks, config.run.page_seconds)).status is None:
        page = marks.page
        if page is None or page in failed or page in unreadable:
            raise SourceError(f"{', '.join(args.sources)}: cannot be read: {ending.reason}")
        deaths[page] += 1
        if ending.is_certain or marks.is_once or deaths[page] > 1:
            (unreadable if marks.in_reading else failed)[page] = ending.reason
    return ending.status


def _samples(_args: argparse.Namespace) -> int:
    from ingest.resources import samples

    print(samples())
    return OK


def _report(args: argparse.Namespace) -> int:
    allow_interrupts()
    if args.against is not None:
        return _compare(args)
    from ingest.cli.messages import print_result
    from ingest.cli.progress import job_progress
    from ingest.jobs.report import write_report

    if args.seed is not None and args.audit is None:
        raise ConfigError("report --seed: is the seed of --audit; give --audit too")
    with job_progress("report", quiet=args.quiet) as progress:
        result = write_report(
            args.run, args.out, pairs=args.pairs, audit=args.audit,
            seed=1 if args.seed is None else args.seed,
            overwrite=args.overwrite, progress=progress,
        )  # fmt: skip
    return print_result(args, result)


def _parse_sample(text: str) -> int:
    return _parse_whole(text, least=1)


def _parse_seed(text: str) -> int:
    return _parse_whole(text, least=0)


def _parse_whole(text: str, *, least: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")


def _compare(args: argparse.Namespace) -> int:
    from ingest.cli.comparison_view import print_comparison
    from ingest.cli.progress import job_progress
    from ingest.jobs.compare import compare_runs

    others = (args.out, args.pairs, args.audit, args.seed)
    if any(value is not None for value in others) or args.overwrite:
        raise ConfigError(
            "report --against: writes nothing; leave out -o, --pairs, --audit, --seed and "
            "--overwrite"
        )
    with job_progress("report", quiet=args.quiet):
        comparison = compare_runs(args.against, args.run)
    print_comparison(comparison)
    return OK
