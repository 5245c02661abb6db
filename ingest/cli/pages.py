"""Commands that show pages and runs: `read`, `show`, `samples`, `report`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ingest.cli.options import (
    OK,
    PAGES_IN_ERROR,
    add_config,
    add_detection,
    add_keep,
    add_overwrite,
    add_sources,
    allow_interrupts,
    build_config,
)
from ingest.config import Config
from ingest.errors import ConfigError, SourceError

if TYPE_CHECKING:
    import argparse

    import polars as pl

    from ingest.cli.parser import Commands

# Columns of a run's files that `show` needs.
_SHOWN_COLUMNS = {
    "documents.parquet": ("doc_id", "uri", "chars", "encoding", "repaired", "error"),
    "segments.parquet": (
        "doc_id", "segment", "line", "text", "visible", "script", "lang", "role", "role_score",
        "role_by", "article", "duplicate_of", "keep",
    ),
}  # fmt: skip


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
    read.add_argument("--json", action="store_true", help="print one JSON object per page")
    add_config(read)

    show = commands.add(
        "show",
        _show,
        help="show pages segment by segment",
        description="Show each segment with its line, language, role and article, whether it is "
        "kept, and why. If SOURCE is the OUT of a run, show what that run decided.",
        examples=["ingest show page.html", "ingest show out"],
    )
    add_sources(show)
    add_detection(show)
    add_keep(show)

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
        "and why, each page segment by segment, and pairs side by side. The file needs no network. "
        "Of a large run it shows a random sample, and says so.",
        examples=["ingest report out",
                  "ingest report out --pairs out/filtered.parquet -o review.html"],
    )  # fmt: skip
    report.add_argument("run", metavar="OUT", help="folder that ingest run wrote")
    report.add_argument("-o", "--out", metavar="FILE",
                        help="HTML file to write (default: OUT/report.html)")  # fmt: skip
    report.add_argument("--pairs", metavar="PAIRS",
                        help="file of pairs to show, such as the output of ingest filter "
                        "(default: the pairs of the run)")  # fmt: skip
    add_overwrite(report, "FILE")


def _read(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli import preview

    config = build_config(args)
    print_preview = preview.print_json_lines if args.json else preview.print_table
    return PAGES_IN_ERROR if print_preview(args.sources, config.read) else OK


def _show(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli import render
    from ingest.dedup import dedupe
    from ingest.detection import detect
    from ingest.labelling import label
    from ingest.readers import read
    from ingest.readers.sources import is_run
    from ingest.segmentation import segment

    config = build_config(args)
    runs = [source for source in args.sources if is_run(source)]
    pages = [source for source in args.sources if source not in runs]
    in_error = 0
    for out in runs:
        if config != Config():
            raise ConfigError(
                f"{out}: is a finished run, and settings apply only to pages; leave them out"
            )
        documents, segments = _load_run(out)
        render.print_pages(documents, segments)
        in_error += documents["error"].count()
    if pages:
        documents = read(pages, config=config)
        segments = detect(segment(documents, config=config.segment), config=config.detect)
        render.print_pages(
            documents, dedupe(label(segments, config=config.label), documents, config=config.dedupe)
        )
        in_error += documents["error"].count()
    return PAGES_IN_ERROR if in_error else OK


def _load_run(out: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Load the documents and segments of a run, only the columns that are shown."""
    import polars as pl

    try:
        documents, segments = (
            pl.read_parquet(os.path.join(out, name), columns=list(columns), glob=False)
            for name, columns in _SHOWN_COLUMNS.items()
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SourceError(f"{out}: cannot be read: {error}; run it again") from error
    return documents, segments


def _samples(_args: argparse.Namespace) -> int:
    from ingest.resources import samples

    print(samples())
    return OK


def _report(args: argparse.Namespace) -> int:
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.jobs.report import write_report

    result = write_report(args.run, args.out, pairs=args.pairs, overwrite=args.overwrite)
    return print_result(args, result)
