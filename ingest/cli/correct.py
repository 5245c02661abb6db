"""The command `correct`: what people said in the report goes into the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.cli.options import allow_interrupts
from ingest.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from ingest.cli.parser import Commands


def add_commands(commands: Commands) -> None:
    """Add `correct`."""
    parser = commands.add(
        "correct",
        _correct,
        help="apply the corrections that were made in the report",
        description="Apply corrections, as the report saves them, to the segments, articles and "
        "pairs of a run, and store them in OUT/corrections.jsonl. Later runs with the same OUT "
        "apply them again. If segments or pairs were judged in an audit, print how many labels "
        "are right.",
        examples=[
            "ingest correct out corrections.jsonl",
            "ingest correct out --learn",
            "ingest correct out --learn --yes",
        ],
    )
    parser.add_argument("run", metavar="OUT", help="folder that ingest run wrote")
    parser.add_argument("files", nargs="*", metavar="FILE",
                        help="corrections in JSON Lines; a later one replaces an earlier one about "
                        "the same thing (default: those in OUT)")  # fmt: skip
    parser.add_argument("--learn", action="store_true",
                        help="derive rules for sites from all corrections, and show what they "
                        "would change")  # fmt: skip
    parser.add_argument("--yes", action="store_true",
                        help="with --learn, add these rules to the corrections and apply "
                        "them")  # fmt: skip


def _correct(args: argparse.Namespace) -> int:
    if args.yes and not args.learn:
        raise ConfigError("correct --yes: applies what --learn finds; give --learn too")
    allow_interrupts()
    from ingest.cli.messages import print_result
    from ingest.cli.progress import job_progress
    from ingest.jobs.audit import format_estimates
    from ingest.jobs.correct import correct_run

    with job_progress("correct", quiet=args.quiet) as progress:
        result = correct_run(
            args.run, args.files, learn=args.learn, yes=args.yes, progress=progress
        )
    lines = []
    if result.rules is not None:
        count = len(result.rules.rules)
        lines += ["rules learned:" if result.learned else "rules that could be learned:"]
        lines += str(result.rules).splitlines()
        if count and not result.learned:
            lines.append("to apply them, add --yes")
    if len(result.audit):
        lines += format_estimates(result.audit)
    return print_result(args, result, *lines)
