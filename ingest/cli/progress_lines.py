"""Progress as lines of text, where standard error is a file or a pipe."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

INTERVAL = 30.0  # seconds between two lines


class ProgressLines:
    """Prints what is done to standard error every INTERVAL seconds, while the block runs.

    A thread prints, so that a step without news gets its lines too.

    Args:
        name: what is done, such as align.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._done, self._total = 0, 0
        self._started = self._step_started = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._print_until_end, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def update(self, done: int, total: int) -> None:
        """Note how much is done. Another total begins another step.

        Args:
            done: amount of work that is done.
            total: amount of all work; 0 if unknown.
        """
        if total != self._total and self._total:
            self._step_started = time.monotonic()
        self._done, self._total = done, total

    def _print_until_end(self) -> None:
        while not self._end.wait(INTERVAL):
            now = time.monotonic()
            line = describe(
                self._name,
                self._done,
                self._total,
                elapsed=now - self._started,
                step_elapsed=now - self._step_started,
            )
            print(f"ingest: {line}", file=sys.stderr, flush=True)


def describe(name: str, done: int, total: int, *, elapsed: float, step_elapsed: float) -> str:
    """Return a line about the progress of a command.

    Args:
        name: what is done.
        done: amount of work that is done.
        total: amount of all work; 0 if unknown.
        elapsed: seconds since the command started.
        step_elapsed: seconds since the current step started.

    >>> describe("score", 3000, 12000, elapsed=60, step_elapsed=60)
    'score: 3,000 of 12,000 (25 %), 1 min so far, about 3 min left'
    >>> describe("import", 3000, 0, elapsed=90, step_elapsed=90)
    'import: 3,000, 2 min so far'
    >>> describe("report", 0, 0, elapsed=30, step_elapsed=30)
    'report: 30 s so far'
    """
    amount = f" {done:,}" if done else ""
    left = ""
    if total:
        amount = f" {done:,} of {total:,} ({100 * done // total} %)"
        if 0 < done < total:
            left = f", about {format_time(step_elapsed * (total - done) / done)} left"
    separator = ", " if amount else " "
    return f"{name}:{amount}{separator}{format_time(elapsed)} so far{left}"


def format_time(seconds: float) -> str:
    """Return a time in the largest unit that fits.

    >>> format_time(42), format_time(150), format_time(9000)
    ('42 s', '2 min', '2.5 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
