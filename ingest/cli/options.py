"""What commands share: exit statuses, arguments, and the settings that these name."""

from __future__ import annotations

import argparse
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.config import DETECTORS, Config, ReadConfig
from ingest.errors import ConfigError

if TYPE_CHECKING:
    from typing import TypeAlias

    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]

OK, NOT_WRITTEN, WRONG_CALL, PAGES_IN_ERROR = range(4)
_COLUMNS = ("text", "html", "url", "id")


def add_sources(parser: argparse.ArgumentParser) -> None:
    """What is read, and which columns of tables hold it."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="file of text, HTML, WARC, JSONL, CSV or TSV (plain, .gz or .zst) or Parquet, folder, "
        "glob, or - for standard input: WARC, JSONL, or one page of text or HTML",
    )
    for what in _COLUMNS:
        parser.add_argument(
            f"--{what}-column", metavar="NAME", help=f"column of a table that holds the {what}"
        )


def add_config(parser: argparse.ArgumentParser) -> None:
    """The file of settings."""
    parser.add_argument("--config", metavar="FILE", help="settings in TOML")


def add_detection(parser: argparse.ArgumentParser) -> None:
    """The file of settings, and what changes those of detection."""
    add_config(parser)
    parser.add_argument("--langs", metavar="CODES", help="candidate languages, such as ar,en")
    parser.add_argument("--detector", choices=DETECTORS, help="what names languages")


def small_products() -> None:
    """For commands of many small products of matrices: BLAS threads would wait for one another.

    To be called before NumPy is imported.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def interruptible() -> None:
    """Let Ctrl-C end a blocked read: Polars' own handler makes the system restart it."""
    import polars as pl  # noqa: F401

    signal.siginterrupt(signal.SIGINT, True)


def codes(args: argparse.Namespace, *, two: bool = False) -> tuple[str, ...] | None:
    """The codes of --langs; None where the call has none.

    Args:
        args: the call.
        two: whether they are to be a source and a target.

    Raises:
        ConfigError: there is no code, or another number than two.

    >>> codes(argparse.Namespace(langs="ar, en"), two=True)
    ('ar', 'en')
    >>> codes(argparse.Namespace(langs="ar"), two=True)
    Traceback (most recent call last):
    ...
    ingest.errors.ConfigError: --langs: 'ar' must be two codes, source and target, such as ar,en
    """
    if args.langs is None:
        return None
    found = tuple(filter(None, (code.strip() for code in args.langs.split(","))))
    if two and len(found) != 2:
        raise ConfigError(
            f"--langs: {args.langs!r} must be two codes, source and target, such as ar,en"
        )
    if not found:
        raise ConfigError(f"--langs: {args.langs!r} names no language; give codes, such as ar,en")
    return found


def from_file(args: argparse.Namespace) -> Config:
    """The settings of --config alone; the defaults without it."""
    return Config.from_toml(args.config) if args.config else Config()


def settings(args: argparse.Namespace) -> Config:
    """The settings of --config, with what the call itself says of columns and detection."""
    config = from_file(args)
    detect = config.detect
    if "langs" in args and (langs := codes(args)):
        detect = replace(detect, langs=langs)
    if "detector" in args and args.detector:
        detect = replace(detect, detector=args.detector)
    return replace(config, detect=detect, read=_columns(args, config.read))


def _columns(args: argparse.Namespace, read: ReadConfig) -> ReadConfig:
    """The settings of `read`, with the columns that the call names."""
    given = {f"{what}_column": getattr(args, f"{what}_column", None) for what in _COLUMNS}
    return replace(read, **{name: value for name, value in given.items() if value is not None})
