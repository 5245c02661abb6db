"""What commands share: exit statuses, options, and the settings that the options give."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.config import DETECTORS, Config, DetectConfig, LabelConfig, ReadConfig
from ingest.config_file import load_settings
from ingest.errors import ConfigError
from ingest.languages import parse_language_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.pipeline.executors import Executor

OK, NOT_WRITTEN, WRONG_CALL, PAGES_IN_ERROR, NOT_PRINTED = range(5)
_COLUMNS = ("text", "html", "url", "id")


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the inputs, and the options that name columns of tables."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="file of text, HTML, Markdown, MHTML, RSS, Atom, WARC, ARC, JSON, CSV or TSV, plain "
        "or compressed, or of Parquet or WACZ; folder; glob; or - for standard input. "
        "ingest run and ingest read also take URLs: s3://, gs://, az:// and https://",
    )
    for content in _COLUMNS:
        parser.add_argument(
            f"--{content}-column",
            metavar="NAME",
            help=f"column of a table that holds the {content} (default: guessed)",
        )


def add_output(parser: argparse.ArgumentParser, metavar: str, help: str) -> None:
    """Add --out, which is required, and --overwrite."""
    parser.add_argument("-o", "--out", required=True, metavar=metavar, help=help)
    add_overwrite(parser, metavar)


def add_overwrite(parser: argparse.ArgumentParser, metavar: str) -> None:
    """Add --overwrite, for the output that is called `metavar`."""
    parser.add_argument("--overwrite", action="store_true", help=f"replace {metavar} if it exists")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config, the file of settings, and --set, which changes single ones."""
    parser.add_argument(
        "--config", metavar="FILE", help="settings, in TOML; ingest config prints all of them"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SETTING=VALUE",
        help="change one setting, such as filter.min_quality=0.5; may be given several times",
    )


def add_detection(parser: argparse.ArgumentParser) -> None:
    """Add --config, --set and the options that change how languages are detected."""
    add_config(parser)
    parser.add_argument(
        "--langs",
        metavar="CODES",
        help="candidate languages, such as ar,en (default: all that the detector knows)",
    )
    parser.add_argument(
        "--detector",
        choices=DETECTORS,
        metavar="NAME",
        help=f"language detector: {', '.join(DETECTORS)} (default: {DetectConfig().detector})",
    )


def add_keep(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which roles count as content."""
    parser.add_argument(
        "--keep",
        metavar="ROLES",
        help="roles of segments to keep, such as headline,subheading,body,code "
        f"(default: {','.join(LabelConfig().keep)})",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add --workers, --ray and --ray-workers, which say where the work is done."""
    parser.add_argument("--workers", type=int, default=1, metavar="N",
                        help="number of processes, one core each")  # fmt: skip
    parser.add_argument("--ray", type=_parse_ray, metavar="ADDRESS",
                        help="work on a Ray cluster: HOST:PORT, ray://HOST:PORT, or auto for the "
                        "one on this machine; without one, auto starts it (extra ray)")  # fmt: skip
    parser.add_argument("--ray-workers", type=int, metavar="N",
                        help="the most tasks on the cluster at a time, one core each (default: as "
                        "many as it has cores)")  # fmt: skip


@contextmanager
def open_executor(args: argparse.Namespace) -> Iterator[Executor]:
    """Yield where --workers, --ray and --ray-workers say that the work is done.

    Processes are started at once, so that they load Polars while this one does. What is waited for
    is printed to standard error, unless the call has --quiet.

    Raises:
        ConfigError: the options contradict each other.
        MissingExtraError: the extra `ray` is needed and not installed.
    """
    from ingest.pipeline.executors import Executor
    from ingest.pipeline.workers import early_workers

    executor = Executor(args.workers, args.ray, args.ray_workers)
    executor.check(option_name)
    with _print_log(quiet=args.quiet), early_workers(args.workers):
        yield executor


def option_name(argument: str) -> str:
    """Return the option that gives an argument of a function of ingest.

    >>> option_name("ray_workers")
    '--ray-workers'
    """
    return f"--{argument.replace('_', '-')}"


@contextmanager
def _print_log(*, quiet: bool) -> Iterator[None]:
    """Print what the pipeline logs to standard error."""
    if quiet:
        yield
        return
    import logging

    class Printer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # looked up now: progress bars replace it
            print(f"ingest: {record.getMessage()}", file=sys.stderr, flush=True)

    log, printer = logging.getLogger("ingest.pipeline"), Printer()
    before = log.level
    log.addHandler(printer)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(printer)
        log.setLevel(before)


def _parse_ray(text: str) -> str:
    host, _, port = text.removeprefix("ray://").rpartition(":")
    if text != "auto" and not (host and port.isdecimal()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not auto, HOST:PORT or ray://HOST:PORT, such as 10.0.0.1:6379"
        )
    return text


def limit_threads(workers: int, *names: str) -> None:
    """Let this process use as many cores as there are workers, and no more threads than cores.

    Call this before Polars and NumPy are imported, which read these variables of the environment.
    """
    threads = max(1, min(workers, os.cpu_count() or 1))
    for name in names:
        os.environ.setdefault(name, str(threads))


def use_one_blas_thread() -> None:
    """Limit BLAS to one thread, for commands with many small matrix products.

    With more, the threads mostly wait for each other. Call this before NumPy is imported.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def allow_interrupts() -> None:
    """Let Ctrl-C end a blocked read: Polars' own handler makes the system restart it."""
    import polars as pl  # noqa: F401

    signal.siginterrupt(signal.SIGINT, True)


def candidate_languages(args: argparse.Namespace) -> tuple[str, ...] | None:
    """Return the codes of --langs, or None without that option.

    Raises:
        ConfigError: the option names no language.
    """
    if args.langs is None:
        return None
    return codes(args.langs, "--langs", "language")


def codes(text: str | None, option: str, noun: str) -> tuple[str, ...]:
    """Return the values of an option that are separated by commas; none without the option.

    Raises:
        ConfigError: the option has no value.

    >>> codes("ar, en", "--langs", "language"), codes(None, "--langs", "language")
    (('ar', 'en'), ())
    """
    values = tuple(filter(None, (code.strip() for code in (text or "").split(","))))
    if text is not None and not values:
        example = "ar,en" if noun == "language" else "headline,body"
        raise ConfigError(f"{option}: {text!r} names no {noun}; give some, such as {example}")
    return values


def language_pair(args: argparse.Namespace) -> tuple[str, str] | None:
    """Return the source and target language of --langs, or None without that option."""
    return None if args.langs is None else parse_language_pair(args.langs, name="--langs")


def load_config(args: argparse.Namespace) -> Config:
    """Return the settings of --config and --set alone; the defaults without these options."""
    return load_settings(args.config, args.set)


def build_config(args: argparse.Namespace) -> Config:
    """Return the settings of --config and --set, changed by options for single settings."""
    config = load_config(args)
    detect, label = config.detect, config.label
    if "keep" in args and args.keep is not None:
        keep = tuple(filter(None, (role.strip() for role in args.keep.split(","))))
        label = LabelConfig(keep=keep)
    if "langs" in args and (langs := candidate_languages(args)):
        detect = replace(detect, langs=langs)
    if "detector" in args and args.detector:
        detect = replace(detect, detector=args.detector)
    return replace(config, detect=detect, label=label, read=_set_columns(args, config.read))


def _set_columns(args: argparse.Namespace, read: ReadConfig) -> ReadConfig:
    names = [f"{content}_column" for content in _COLUMNS]
    given = {name: getattr(args, name, None) for name in names}
    return replace(read, **{name: value for name, value in given.items() if value is not None})
