"""The command `dataset`: all steps from pages to an exported data set, with one config."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.cli.options import (
    OK,
    PAGES_IN_ERROR,
    add_config,
    allow_interrupts,
    language_pair,
    limit_threads,
    load_config,
    option_name,
    use_one_blas_thread,
)
from ingest.config import Config
from ingest.config_file import given_settings
from ingest.jobs.export import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest._typing import Progress
    from ingest.cli.parser import Commands
    from ingest.jobs.dataset_checks import DatasetPlan
    from ingest.jobs.dataset_plan import DatasetOptions, Step


def add_commands(commands: Commands) -> None:
    """Add `dataset`."""
    parser = commands.add(
        "dataset",
        _dataset,
        help="make a data set of pages: all steps, from run to export",
        usage="%(prog)s SOURCE... -o DATA [OPTIONS]",
        description="Read pages, align them, score, filter and split the pairs, and export them to "
        "DATA. The plan is printed first, and a funnel from pages to pairs at the end. The output "
        "of each step is in the folder DATA.work, in which --resume goes on with the first step "
        "that is missing or whose settings have changed. The source can also be one finished run, "
        "or pairs.",
        examples=[
            "ingest dataset pages/ -o data --license cc-by-4.0",
            "ingest dataset out -o pairs.tmx --set filter.min_quality=0.5",
            "ingest dataset corpus.ar corpus.en --pairs -o data --exclude test.ar test.en",
            "ingest dataset pages/ -o data --resume --workers 4",
        ],
    )
    parser.add_argument("sources", nargs="+", metavar="SOURCE",
                        help="pages, as for ingest run; or the folder of one run; or pairs, as for "
                        "ingest import")  # fmt: skip
    parser.add_argument("-o", "--out", required=True, metavar="DATA",
                        help="file or folder to write")  # fmt: skip
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true",
                          help="continue an earlier call, or start one; also to apply "
                          "corrections or other settings to its results. Options and settings that "
                          "are left out are those of the earlier call")  # fmt: skip
    existing.add_argument("--overwrite", action="store_true",
                          help="replace DATA, and start again")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument("--pairs", action="store_true", dest="are_pairs",
                        help="the sources are pairs (default: only TMX, and Parquet with the "
                        "columns of pairs)")  # fmt: skip
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="number of processes that read pages, pair, score and filter, one "
                        "core each")  # fmt: skip
    parser.add_argument("--format", choices=FORMATS, metavar="NAME",
                        help=f"format to write: {', '.join(FORMATS)} (default: what the ending of "
                        "DATA says, else huggingface)")  # fmt: skip
    parser.add_argument("--langs", metavar="CODES",
                        help="source and target, such as ar,en; swaps the sides where necessary "
                        "(default: as they are)")  # fmt: skip
    parser.add_argument("--license", metavar="TEXT",
                        help="license that the card of huggingface states, such as cc-by-4.0 "
                        "(default: unknown)")  # fmt: skip
    parser.add_argument("--exclude", nargs="+", action="extend", default=[], metavar="FILE",
                        help="test sets: no kept pair has one of their sentences")  # fmt: skip
    parser.add_argument("--like", action="append", default=[], metavar="FILE",
                        help="clean pairs that set the thresholds of the filter; twice for two "
                        "text files")  # fmt: skip
    parser.add_argument("--mask-pii", action=argparse.BooleanOptionalAction,
                        help="replace personal data by placeholders")  # fmt: skip
    add_config(parser)


def _dataset(args: argparse.Namespace) -> int:
    limit_threads(args.workers, "POLARS_MAX_THREADS", "OMP_NUM_THREADS")
    use_one_blas_thread()
    allow_interrupts()
    from ingest.cli.messages import print_notes, print_summary
    from ingest.jobs.dataset import do_steps, open_plan
    from ingest.jobs.dataset_checks import plan_dataset
    from ingest.pipeline.executors import Executor

    Executor(args.workers).check(option_name)
    options = _options(args)
    if args.dry_run:
        plan = plan_dataset(options, resume=args.resume, overwrite=args.overwrite)
        print_summary(args, *plan_lines(plan))
        return OK

    @contextmanager
    def watch(step: Step) -> Iterator[Progress | None]:
        from ingest.cli.progress import job_progress, run_progress

        if step.name == "run":
            with run_progress(quiet=args.quiet, translating=False) as (progress, _):
                yield progress
        else:
            name = "import, bytes" if step.name == "import" else step.name
            with job_progress(name, quiet=args.quiet) as progress:
                yield progress

    with open_plan(options, resume=args.resume, overwrite=args.overwrite) as plan:
        print_summary(args, *plan_lines(plan), "")
        for step, outcome in do_steps(plan, watch):
            if outcome["in_error"] or not args.quiet:
                print_notes(f"{step.name}: {message}" for message in outcome["messages"])
        print_summary(
            args,
            *map(str, plan.funnel()),
            f"written to {args.out}; what each step made is in {plan.work}",
        )
    return PAGES_IN_ERROR if plan.in_error() else OK


def _options(args: argparse.Namespace) -> DatasetOptions:
    from ingest.jobs.dataset_checks import default_format
    from ingest.jobs.dataset_plan import DatasetOptions

    return DatasetOptions(
        sources=tuple(args.sources),
        data=Path(args.out),
        format=args.format or default_format(args.out),
        config=load_config(args),
        pairs=args.are_pairs,
        langs=language_pair(args),
        license=args.license or "",
        exclude=tuple(args.exclude),
        like=tuple(args.like),
        given=given_settings(args.config, args.set, "filter"),
        mask=bool(args.mask_pii),
        workers=args.workers,
        asked=_asked(args),
    )


def _asked(args: argparse.Namespace) -> frozenset[str]:
    """Return the names of the options and settings that the call gives."""
    options = {
        "format": args.format, "pairs": args.are_pairs or None, "langs": args.langs,
        "license": args.license, "exclude": args.exclude or None, "like": args.like or None,
        "mask": args.mask_pii,
    }  # fmt: skip
    names = {name for name, value in options.items() if value is not None}
    for step in vars(Config()):
        names |= {f"{step}.{name}" for name in given_settings(args.config, args.set, step)}
    return frozenset(names)


def plan_lines(plan: DatasetPlan) -> list[str]:
    """Return the plan as it is printed: one line per step, and the settings that were changed."""
    from ingest.jobs.dataset_plan import AGAIN

    rows = []
    for step in plan.steps:
        state = f"{step.state}: {step.why}" if step.state == AGAIN else step.state
        rows.append((step.name, _shorten(step.reads), str(step.writes), state))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {reads:<{widths[1]}} -> {writes:<{widths[2]}}  {state}"
        for name, reads, writes, state in rows
    ]
    settings = [f"{name} = {value!r}" for name, value in plan.changed_settings.items()]
    changed = ", ".join(settings) or "none"
    recalled = ", ".join(f"{name} = {value!r}" for name, value in plan.recalled.items())
    return [
        *lines,
        f"format: {plan.options.format}; settings that differ from the default: {changed}",
        *([f"as in the earlier call: {recalled}"] if recalled else []),
    ]


def _shorten(names: tuple[str, ...]) -> str:
    """Return the first name, and how many more there are.

    >>> _shorten(("a", "b", "c"))
    'a and 2 more'
    """
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
