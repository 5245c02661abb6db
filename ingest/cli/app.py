"""The program: its parser, the call of a command, and what happens when a command fails.

Argparse with rich-argparse, not Typer, because `ingest --help` has to be quick: it takes 0.16 s of
CPU. In a prototype with as many commands and options, Typer took 0.29 to 0.34 s, rich-argparse
0.12 s and argparse alone 0.03 s. For the same reason, Polars, NumPy and Rich are imported when a
command runs.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, NoReturn

from ingest._version import __version__
from ingest.cli import (
    bitext,
    correct,
    dataset,
    language,
    make_dataset,
    models,
    pages,
    run,
    settings,
    translation,
)
from ingest.cli.completion import add_completion
from ingest.cli.options import NOT_PRINTED, NOT_WRITTEN, OK, PAGES_IN_ERROR, WRONG_CALL
from ingest.cli.parser import Commands, Parser
from ingest.cli.standard_streams import StdoutError, standard_streams
from ingest.errors import IngestError, WriteError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from types import FrameType

# The arguments of all commands that are paths.
PATHS = (
    "sources", "pages", "run", "file", "files", "pairs", "what", "exclude", "like", "config",
    "encoder", "cache", "against", "export", "unmatched", "corrections", "out",
)  # fmt: skip
_TARGETS = ("export", "unmatched", "out")  # the paths among them that are written
_SIZE = re.compile("[1-9][0-9]{1,4}")  # of a terminal, in characters
# Headings of `ingest --help`, each with the modules that add commands under it.
_GROUPS = {
    "Pages": (run, pages, correct),
    "Languages": (language,),
    "Bitext": (bitext,),
    "Pairs and data sets": (make_dataset, dataset),
    "Translation": (translation, models),
    "Settings": (settings,),
}


@cache  # who calls `main` many times waits for it once
def build_parser() -> Parser:
    """Return the parser of all commands. Each sets `command`, the function that runs it."""
    parser = Parser(
        prog="ingest",
        usage="%(prog)s COMMAND [OPTIONS]",
        description="Turn scraped Arabic and English pages into labelled segments, sentence pairs "
        "and training data.",
        examples=["ingest run pages/ -o out", "ingest show out", "ingest run --help"],
        epilog="Exit status: 0 success; 1 the output could not be written; 2 invalid usage or "
        "input, no output was written; 3 finished, but some pages or lines had errors; 4 finished, "
        "but the summary could not be printed.",
    )
    parser.general.add_argument("--version", action="version", version=f"ingest {__version__}",
                                help="print the version and exit")  # fmt: skip
    add_completion(parser)
    parser.set_defaults(command=None)
    subparsers = parser.add_subparsers(metavar="COMMAND", prog="ingest")
    for heading, modules in _GROUPS.items():
        for module in modules:
            module.add_commands(Commands(parser, subparsers, heading))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, one of those in `ingest.cli.options`.

    Args:
        argv: the arguments; those of the process if None.

    Raises:
        SystemExit: the arguments are wrong (status 2), or ask for help or the version (status 0).
    """
    _forget_useless_sizes()
    with standard_streams() as output:
        try:
            status = _main(argv)
        except StdoutError as error:  # in the help
            return _report_error(error, verbose=False)
        lost = output.error
        if lost and not lost.is_closed_pipe and status in (OK, PAGES_IN_ERROR):
            print(f"ingest: {lost}; all else is done", file=sys.stderr)
            return NOT_PRINTED
        return status


def _forget_useless_sizes() -> None:
    """Forget the size of a terminal that none has, such as 0: Rich would print nothing, or fail."""
    for name in ("COLUMNS", "LINES"):
        if name in os.environ and not _SIZE.fullmatch(os.environ[name]):
            del os.environ[name]


def _main(argv: Sequence[str] | None) -> int:
    parser = build_parser()
    try:
        args = parser.parse_args(argv)
    except SystemExit:  # the help may have been printed
        sys.stdout.flush()
        raise
    if args.command is None:
        parser.print_help()
        sys.stdout.flush()
        return OK
    _check_paths(parser, args)
    start = os.times()
    with _sigterm_as_interrupt():
        status = _run_command(args)
    if args.verbose:
        _print_timing(start)
    return status


def _check_paths(parser: Parser, args: argparse.Namespace) -> None:
    """End with status 2 if a path is a URL that the command does not take, before it starts."""
    from ingest.io import urls

    checks = {
        (False, False): urls.check_source_is_local,
        (False, True): urls.check_target_is_local,
        (True, False): urls.check_source_is_readable,
        (True, True): urls.check_target_is_writable,
    }
    takes_urls = getattr(args, "takes_urls", ())
    for name in PATHS:
        check = checks[name in takes_urls, name in _TARGETS]
        values = getattr(args, name, None)
        for value in values if isinstance(values, list) else [values or ""]:
            try:
                check(value)
            except IngestError as error:
                parser.exit(WRONG_CALL, f"ingest: {error}\n")


def _run_command(args: argparse.Namespace) -> int:
    try:
        status: int = args.command(args)
        sys.stdout.flush()
    except IngestError as error:
        return _report_error(error, verbose=args.verbose)
    except KeyboardInterrupt as interrupt:
        notes = _notes(interrupt) or ["nothing was written"]
        print(f"ingest: stopped; {'; '.join(notes)}", file=sys.stderr)
        return 128 + (signal.SIGTERM if isinstance(interrupt, _Terminated) else signal.SIGINT)
    return status


def _report_error(error: IngestError, *, verbose: bool) -> int:
    """Print what is wrong and return the exit status."""
    if isinstance(error, StdoutError) and error.is_closed_pipe:
        return OK
    _print_error(error, verbose=verbose)
    return NOT_WRITTEN if isinstance(error, WriteError) else WRONG_CALL


def _print_error(error: IngestError, *, verbose: bool) -> None:
    from ingest.text import safe  # file names in messages may contain control characters

    if verbose:
        import traceback

        lines = "".join(traceback.format_exception(error)).splitlines()
        print(*map(safe, lines), sep="\n", file=sys.stderr)
    for line in (str(error), *_notes(error)):
        print(f"ingest: {safe(line)}", file=sys.stderr)


def _print_timing(start: os.times_result) -> None:
    end = os.times()
    # user and system time of this process and of the workers that it waited for
    cpu = sum(end[:4]) - sum(start[:4])
    print(f"ingest: {end.elapsed - start.elapsed:,.2f} s, {cpu:,.2f} s of CPU", file=sys.stderr)


class _Terminated(KeyboardInterrupt):
    """SIGTERM, so that it is cleaned up after in the same way as Ctrl-C."""


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    previous = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _raise_terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _notes(error: BaseException) -> list[str]:
    """Return the notes that were added to an exception as it was passed on."""
    return getattr(error, "__notes__", [])
