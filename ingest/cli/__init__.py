"""The command line: one subcommand a verb, and `run`; a module a family of them.

Heavy imports stand inside the functions, so that `ingest --help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from ingest._version import __version__
from ingest.cli import bitext, dataset, language, packages, pages, report, translation
from ingest.cli.options import NOT_WRITTEN, OK, WRONG_CALL
from ingest.errors import IngestError, WriteError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

# In the order of --help.
_FAMILIES = (pages, language, bitext, translation, packages, dataset, report)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, one of those in `ingest.cli.options`."""
    args = parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        status: int = args.command(args)
        sys.stdout.flush()
    except IngestError as error:
        from ingest.text import safe

        said = map(safe, (str(error), *_notes(error)))  # file names may hold anything
        print(*(f"ingest: {line}" for line in said), sep="\n", file=sys.stderr)
        return NOT_WRITTEN if isinstance(error, WriteError) else WRONG_CALL
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt as stop:
        left = _notes(stop) or ["nothing was written"]
        print(f"ingest: stopped; {'; '.join(left)}", file=sys.stderr)
        return 128 + (signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT)
    return status


class _Terminated(KeyboardInterrupt):
    """SIGTERM: what Ctrl-C cleans up is cleaned up."""


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _Terminated


def _notes(error: BaseException) -> list[str]:
    """What was added to an error on its way."""
    return getattr(error, "__notes__", [])


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets `command`, the function that does it."""
    made = argparse.ArgumentParser(
        prog="ingest",
        description="Mixed Arabic-English scrapes in, labelled segments and articles out.",
        epilog="Exit status: 0 all well, 1 OUT could not be written, 2 wrong call, "
        "3 some pages or lines are in error.",
    )
    made.add_argument("--version", action="version", version=f"ingest {__version__}")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    for family in _FAMILIES:
        family.add(commands)
    return made
