"""What a command says when it is done: a summary on standard output, notes on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from ingest.cli.options import OK, PAGES_IN_ERROR
from ingest.cli.standard_streams import after_the_work

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from ingest._typing import Result


def print_result(
    args: argparse.Namespace, result: Result, *lines: str, file: TextIO | None = None
) -> int:
    """Print what a job did and return the exit status.

    Args:
        args: the call. With --quiet, only messages about errors are printed.
        result: what the job returned.
        *lines: more lines for the end of the summary.
        file: where the summary goes; None for standard output.
    """
    if result.in_error or not args.quiet:
        print_notes(result.messages)
    print_summary(args, str(result), *lines, file=file)
    return PAGES_IN_ERROR if result.in_error else OK


def print_summary(args: argparse.Namespace, *lines: str, file: TextIO | None = None) -> None:
    """Print lines without control characters, unless the call has --quiet."""
    from ingest.text import safe

    if not args.quiet:
        with after_the_work():
            for line in "\n".join(lines).splitlines():
                print(safe(line), file=file)


def print_notes(lines: Iterable[str]) -> None:
    """Print lines to standard error, each with the name of the program."""
    from ingest.text import safe

    for line in lines:
        print(f"ingest: {safe(line)}", file=sys.stderr)
