"""Shell completion: `ingest --print-completion SHELL`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingest.cli.parser import Parser

SHELLS = ("bash", "zsh", "tcsh")
# Metavars of arguments that are completed with the names of files.
_FILES = {"DEST", "FILE", "FILE|CODE", "FOLDER", "OUT", "PAGE", "PAGES", "PAIRS", "SOURCE",
          "TEXT|FILE", "VECTORS"}  # fmt: skip


def add_completion(parser: Parser) -> None:
    """Add the option that prints a completion script."""
    parser.general.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=SHELLS,
        metavar="SHELL",
        help="print a completion script for bash, zsh or tcsh, and exit",
    )


class _PrintCompletion(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        import shtab  # only here: it takes 0.04 s to import

        for action in _all_actions(parser):
            if action.metavar in _FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
        print(shtab.complete(parser, str(values)))
        parser.exit()


def _all_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                yield from _all_actions(subparser)
