"""The argument parser: grouped commands, shown defaults, examples and suggestions."""

from __future__ import annotations

import argparse
import sys
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NoReturn

from rich_argparse import RichHelpFormatter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Subparsers = argparse._SubParsersAction["Parser"]

_VOLUME = {"-q", "--quiet", "-v", "--verbose"}
_STEPS_OF_RUN = {"segment", "label", "dedupe"}  # functions in Python, but not commands


class HelpFormatter(RichHelpFormatter):
    """Rich's help, with the default of every option that has one."""

    group_name_formatter = staticmethod(str)
    # Text such as "[filter]" names a table of the settings, not a style.
    help_markup = False
    text_markup = False

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help or ""
        if "(default" in text or not action.option_strings:
            return text
        if action.default in (None, False, "", (), [], argparse.SUPPRESS):
            return text
        return f"{text} (default: %(default)s)"

    def add_examples(self, lines: Iterable[str]) -> None:
        """Add lines that are never wrapped or cut, so that they can be copied."""
        from rich.text import Text

        text = "".join(f"  {line}\n" for line in lines)
        self._current_section.rich_items.append(Text(f"{text}\n"))


class Parser(argparse.ArgumentParser):
    """A parser that shows its commands in groups, ends with examples, and suggests names.

    Args:
        examples: commands that are shown at the end of the help.
        **options: those of `argparse.ArgumentParser`.
    """

    def __init__(self, *, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(formatter_class=HelpFormatter, add_help=False, **options)
        self._positionals.title = "Arguments"
        self._optionals.title = "Options"
        self.examples = tuple(examples)
        self.headings: dict[str, list[argparse.Action]] = {}
        self.general = self.add_argument_group("General options")
        self.general.add_argument("-h", "--help", action="help", help="show this help and exit")

    def format_usage(self) -> str:
        """Return one line: what must be given, and that there are options."""
        return f"Usage: {self._usage_line() % {'prog': self.prog}}\n"

    def format_help(self) -> str:
        """Return the help: usage, description, arguments, options, commands, examples."""
        formatter = HelpFormatter(self.prog)
        formatter.add_usage(self._usage_line(), [], [], "Usage: ")
        formatter.add_text(self.description)
        groups = [group for group in self._action_groups if group is not self.general]
        sections = [(group.title, group._group_actions) for group in groups]
        for heading, actions in [*sections, *self.headings.items(), *self._general_section()]:
            formatter.start_section(heading)
            formatter.add_arguments(
                action for action in actions if not isinstance(action, argparse._SubParsersAction)
            )
            formatter.end_section()
        if self.examples:
            formatter.start_section("Examples")
            formatter.add_examples(self.examples)
            formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()

    def _general_section(self) -> list[tuple[str | None, list[argparse.Action]]]:
        return [(self.general.title, self.general._group_actions)]

    def _usage_line(self) -> str:
        """Return `usage`, or else one that has positional arguments and required options."""
        if self.usage:
            return self.usage
        formatter = argparse.HelpFormatter(self.prog)
        words = ["%(prog)s"]
        for action in sorted(self._actions, key=lambda action: bool(action.option_strings)):
            if not action.option_strings or action.required:
                name = str(action.metavar or action.dest).replace("%", "%%")
                words += [*action.option_strings[:1], formatter._format_args(action, name)]
        return " ".join([*words, "[OPTIONS]"])

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse arguments, and report an unknown option before anything else."""
        words = sys.argv[1:] if args is None else list(args)
        if self._subparsers:  # an option such as -q may come before the command it belongs to
            volume = list(takewhile(_VOLUME.__contains__, words))
            rest = words[len(volume) :]
            words = [*rest[:1], *volume, *rest[1:]]
        self._refuse_unknown_options(words)
        namespace, rest = super().parse_known_args(words, namespace)
        if rest and rest[0].startswith("-"):
            self.error(f"unknown option {_shown(rest[0])}")
        if rest:
            self.error(f"unexpected argument {_shown(rest[0])}; write all arguments side by side")
        return namespace, rest

    def _refuse_unknown_options(self, words: Sequence[str]) -> None:
        """Report the first unknown long option, with the name that is most like it.

        Argparse alone would first say that an option is missing where its name is mistyped.
        """
        for word in words:
            if word == "--" or (self._subparsers and not word.startswith("-")):
                return  # values follow, or a command with options of its own
            name = word.partition("=")[0]
            if not name.startswith("--") or " " in word:
                continue
            if not any(known.startswith(name) for known in self._option_string_actions):
                self.error(
                    f"unknown option {_shown(name)}{_suggest(name, self._option_string_actions)}"
                )

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        names = list(map(str, action.choices))
        listed = f"choose from {', '.join(names)}"
        known = "run" if value in _STEPS_OF_RUN and "run" in names else str(value)
        hint = _suggest(known, names) or f"; {listed}"
        if isinstance(action, argparse._SubParsersAction):
            raise argparse.ArgumentError(None, f"unknown command {_shown(str(value))}{hint}")
        raise argparse.ArgumentError(action, f"invalid value {_shown(str(value))}{hint}")

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong to standard error, and exit with status 2."""
        self.exit(2, f"{self.format_usage()}{self.prog}: {message}\nFor help: {self.prog} --help\n")


class Commands:
    """Adds commands to a parser, under one heading of its help."""

    def __init__(self, parser: Parser, subparsers: Subparsers, heading: str) -> None:
        self._subparsers = subparsers
        self._entries = parser.headings.setdefault(heading, [])

    def add(
        self,
        name: str,
        run: Callable[[argparse.Namespace], int] | None,
        *,
        help: str,
        description: str,
        examples: Sequence[str],
        usage: str | None = None,
    ) -> Parser:
        """Add a command and return its parser.

        Args:
            name: what the user types.
            run: function that runs the command and returns its exit status; None where commands
                below this one have functions of their own.
            help: one line for the list of commands.
            description: what the command does, in a few sentences.
            examples: whole commands, for the end of the help.
            usage: the usage line; None for one that is made from the arguments.
        """
        parser = self._subparsers.add_parser(
            name, help=help, description=description, examples=examples, usage=usage
        )
        self._entries.append(self._subparsers._get_subactions()[-1])
        if run:
            parser.set_defaults(command=run)
            volume = parser.general.add_mutually_exclusive_group()
            volume.add_argument("-q", "--quiet", action="store_true",
                                help="no progress, no summary: only errors")  # fmt: skip
            volume.add_argument("-v", "--verbose", action="store_true",
                                help="show tracebacks and timings")  # fmt: skip
        return parser


def _suggest(name: str, names: Iterable[str]) -> str:
    """Return a hint with the name that is most like `name`; empty if none is.

    >>> _suggest("--overwite", ["--out", "--overwrite"])
    '; did you mean --overwrite?'
    """
    import difflib

    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _shown(word: str) -> str:
    r"""Return a word of the call as it can be printed.

    >>> _shown("rnu"), _shown("\x1b[31m")
    ('rnu', "'\\x1b[31m'")
    """
    return word if word.isprintable() else repr(word)
