"""Progress on standard error: bars on a terminal, otherwise a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as ProgressBars
from rich.table import Column

from ingest.cli.progress_lines import ProgressLines
from ingest.io.slow_requests import reporting_slow_requests
from ingest.pipeline.activity import reporting_activity
from ingest.text import safe

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ingest._typing import Progress, TranslationProgress
    from ingest.translation.packages.index import AvailablePackage

    RunProgress = tuple[Progress | None, TranslationProgress | None]


def run_progress(*, quiet: bool, translating: bool) -> AbstractContextManager[RunProgress]:
    """Show how much `ingest run` has read and, if it translates, translated."""
    return translation_progress(quiet=quiet) if translating else _read_progress(quiet=quiet)


@contextmanager
def job_progress(name: str, *, quiet: bool, unit: str = "") -> Iterator[Progress | None]:
    """Show how much of its work a command has done, and how long the rest will take.

    On a terminal that is a bar. Otherwise it is a line every 30 seconds.

    Args:
        name: what is done, such as align.
        quiet: whether to show nothing.
        unit: in what it is counted, where the name does not say that.

    Yields:
        What the job calls; None if nothing is shown. A total of 0 is unknown.
    """
    if quiet:
        yield None
    elif not sys.stderr.isatty():
        with ProgressLines(name, unit) as lines:
            yield lines.update
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"),
                   TimeRemainingColumn(), TimeElapsedColumn())  # fmt: skip
        with ProgressBars(*columns, console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task(name, total=None, note="")
            total_before: int | None = None

            def show(done: int, total: int) -> None:
                nonlocal total_before
                if total_before not in (None, total):  # the next step, in other units
                    bars.reset(task)
                total_before = total
                note = f"{done:,}" + (f" of {total:,}" if total else "")
                bars.update(task, completed=done, total=total or None, note=note)

            yield show


@contextmanager
def _read_progress(*, quiet: bool) -> Iterator[RunProgress]:
    if quiet:
        yield None, None
        return
    if not sys.stderr.isatty():
        with ProgressLines("read", "bytes") as lines, reporting_activity(lines.note_activity):
            yield lines.update, None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TimeRemainingColumn(), _note_column())  # fmt: skip
    with ProgressBars(*columns, console=Console(stderr=True), transient=True, expand=True) as bars:
        task = bars.add_task("read", total=None, note="")
        with reporting_activity(lambda text: bars.update(task, note=safe(text))):
            yield lambda done, total: bars.update(task, completed=done, total=total or None), None


def _note_column() -> TextColumn:
    """A column that has the rest of the line, and is cut off where it is longer."""
    return TextColumn(
        "{task.fields[note]}",
        markup=False,
        table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
    )


def report_slow_requests(*, quiet: bool) -> AbstractContextManager[None]:
    """Print one line to standard error if a server does not answer for long."""
    return reporting_slow_requests(None if quiet else _print_line)


def _print_line(line: str) -> None:
    print(f"ingest: {line}", file=sys.stderr, flush=True)


@contextmanager
def translation_progress(*, quiet: bool) -> Iterator[RunProgress]:
    """Show two bars: pages read, and texts translated."""
    if quiet or not sys.stderr.isatty():
        yield None, None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
               TimeRemainingColumn(), TextColumn("{task.fields[note]}", markup=False))  # fmt: skip
    with ProgressBars(*columns, console=Console(stderr=True), transient=True) as bars:
        read_task = bars.add_task("read", total=None, visible=False, note="")
        translate_task = bars.add_task("translate", total=None, visible=False, note="")
        start = 0.0

        def show_read(done: int, total: int) -> None:
            bars.update(read_task, completed=done, total=total, visible=True)

        def show_translated(done: int, total: int | None, tokens: int) -> None:
            nonlocal start
            note = f"{tokens:,} tokens"
            if start:
                note += f", {tokens / (time.monotonic() - start):,.0f} per second"
            start = start or time.monotonic()  # the first call, after pages were read
            bars.update(translate_task, completed=done, total=total, visible=True, note=note)

        with reporting_activity(lambda text: bars.update(read_task, note=safe(text))):
            yield show_read, show_translated


@contextmanager
def download_progress(*, quiet: bool) -> Iterator[Callable[[AvailablePackage], Progress]]:
    """Show a bar per download; yields what starts the bar of one package."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(),
               TransferSpeedColumn())  # fmt: skip
    with ProgressBars(
        *columns,
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    ) as bars:

        def start(package: AvailablePackage) -> Progress:
            task = bars.add_task(f"{package.from_lang} to {package.to_lang}", total=None)
            return lambda done, total: bars.update(task, completed=done, total=total or None)

        yield start
