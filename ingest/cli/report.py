"""A run to look at: `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.cli.options import OK, interruptible

if TYPE_CHECKING:
    import argparse

    from ingest.cli.options import Commands


def add(commands: Commands) -> None:
    """Add this command to those that are there."""
    report = commands.add_parser(
        "report",
        help="a run as one HTML file to look at",
        description="Write one HTML file that shows what a run did: what came in, what was kept, "
        "what was dropped and why, each page segment by segment, and pairs side by side. It needs "
        "no network. Of a large run it shows a part, chosen at random, and says so.",
    )
    report.add_argument("run", metavar="OUT", help="folder that ingest run made")
    report.add_argument("-o", "--out", metavar="FILE",
                        help="HTML file to write (default OUT/report.html)")  # fmt: skip
    report.add_argument("--pairs", metavar="PAIRS",
                        help="file of pairs to show instead, such as filter makes")  # fmt: skip
    report.add_argument("--overwrite", action="store_true", help="replace FILE")
    report.set_defaults(command=_report)


def _report(args: argparse.Namespace) -> int:
    interruptible()
    from ingest.jobs.report import write_report
    from ingest.text import safe

    made = write_report(args.run, args.out, pairs=args.pairs, overwrite=args.overwrite)
    print(safe(str(made)))
    return OK
