"""Progress as lines of text, where standard error is a file or a pipe."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

from ingest.text import safe

INTERVAL = 30.0  # seconds between two lines


class ProgressLines:
    """Prints what is done to standard error every INTERVAL seconds, while the block runs.

    A thread prints, so that a step without news gets its lines too.

    Args:
        name: what is done, such as align.
        unit: in what it is counted, where the name does not say that.
    """

    def __init__(self, name: str, unit: str = "") -> None:
        self._name, self._unit = name, unit
        self._done, self._total = 0, 0
        self._activity = ""
        self._noted = -INTERVAL  # when a line was last printed about that
        self._started = time.monotonic()
        self._step = (0, self._started)  # what was done when the step began, and when that was
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
        if total != self._total:  # loading a model before the first step says nothing of its speed
            self._step = (done, time.monotonic())
        self._done, self._total = done, total

    def note_activity(self, text: str) -> None:
        """Note what is done besides the usual, and say it now if it begins.

        Args:
            text: what is done; empty if it has ended.
        """
        now = time.monotonic()
        if text and not self._activity and now - self._noted >= INTERVAL:
            self._noted = now
            print(f"ingest: {self._name}: {safe(text)}", file=sys.stderr, flush=True)
        self._activity = text

    def _print_until_end(self) -> None:
        while not self._end.wait(INTERVAL):
            now = time.monotonic()
            left = seconds_left(*self._step, self._done, self._total, now)
            line = describe(
                self._name,
                self._done,
                self._total,
                elapsed=now - self._started,
                left=left,
                unit=self._unit,
            )
            if activity := self._activity:
                line += f"; {safe(activity)}"
            print(f"ingest: {line}", file=sys.stderr, flush=True)


def seconds_left(first: int, start: float, done: int, total: int, now: float) -> float | None:
    """Return how long the rest of a step will take; None if that is unknown.

    Args:
        first: amount of work that was done at the time `start`.
        start: time in seconds.
        done: amount of work that is done now.
        total: amount of all work; 0 if unknown.
        now: time in seconds.

    >>> seconds_left(0, 10.0, 25, 100, 30.0), seconds_left(0, 10.0, 0, 100, 30.0)
    (60.0, None)
    """
    if not first < done < total:
        return None
    return (now - start) * (total - done) / (done - first)


def describe(
    name: str, done: int, total: int, *, elapsed: float, left: float | None, unit: str = ""
) -> str:
    """Return a line about the progress of a command.

    Args:
        name: what is done.
        done: amount of work that is done.
        total: amount of all work; 0 if unknown.
        elapsed: seconds since the command started.
        left: seconds that the rest will take; None if unknown.
        unit: in what it is counted.

    >>> describe("score", 3000, 12000, elapsed=60, left=180)
    'score: 3,000 of 12,000 (25 %), 1 min so far, about 3 min left'
    >>> describe("import", 3000, 0, elapsed=90, left=None)
    'import: 3,000, 2 min so far'
    >>> describe("report", 0, 0, elapsed=30, left=None)
    'report: 30 s so far'
    >>> describe("read", 30, 90, elapsed=30, left=None, unit="bytes")
    'read: 30 of 90 bytes (33 %), 30 s so far'
    """
    unit = unit and f" {unit}"
    amount = f" {done:,}{unit}" if done else ""
    if total:
        amount = f" {done:,} of {total:,}{unit} ({100 * done // total} %)"
    separator = ", " if amount else " "
    line = f"{name}:{amount}{separator}{format_time(elapsed)} so far"
    return line if left is None else f"{line}, about {format_time(left)} left"


def format_time(seconds: float) -> str:
    """Return a time in the largest unit that fits.

    >>> format_time(42), format_time(150), format_time(9000)
    ('42 s', '2 min', '2.5 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
