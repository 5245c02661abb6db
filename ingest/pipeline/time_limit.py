"""Limits on the time of a batch of pages, which hold even where Python cannot be interrupted.

Time in which the whole process is stopped, as by Ctrl-Z, does not count.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_TICK = 0.5  # seconds; a process that was stopped misses ticks
_SLOW_STATUS = 124  # as of timeout(1)


class SlowPagesError(BaseException):
    """A batch of pages takes too long. Not an `Exception`, so that no reader handles it."""


class _Clock(threading.Thread):
    """Ends this process when its time is over."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ticks = 0
        self.end: float | None = None
        self.start()

    def run(self) -> None:
        while True:
            time.sleep(_TICK)
            self.ticks += 1
            end = self.end
            if end is not None and self.ticks > end:
                os._exit(_SLOW_STATUS)


_clocks: list[_Clock] = []  # of this process: none or one


@contextmanager
def limit_worker(seconds: float) -> Iterator[None]:
    """End this process if the block takes longer. `is_slow` tells this from other ends.

    A thread looks at the clock. It cannot run while code in C keeps the interpreter to itself. So
    the system ends the process, too, once it has used this much time of the processor.
    """
    if not _clocks:
        _clocks.append(_Clock())
    [clock] = _clocks
    clock.end = clock.ticks + seconds / _TICK
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        clock.end = None


def is_slow(status: int) -> bool:
    """Whether a process that ended with this status took longer than its limit.

    >>> is_slow(-signal.SIGVTALRM), is_slow(-signal.SIGKILL)
    (True, False)
    """
    return status in (_SLOW_STATUS, -signal.SIGVTALRM)


@contextmanager
def limit_main(seconds: float) -> Iterator[None]:
    """Raise in this process, which is not a worker, if the block takes longer.

    This needs the main thread; in others, there is no limit. Code in C that ignores signals cannot
    be interrupted. If it has used twice the time on all threads, the system ends the process.

    Raises:
        SlowPagesError: the block takes longer.
    """
    import polars as pl  # which takes long in a worker that has just started

    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
        yield
        return
    ticks = 0

    def tick(_number: int, _frame: FrameType | None) -> None:
        nonlocal ticks
        ticks += 1
        if ticks > seconds / _TICK:
            stop()  # this may be the end of the block already
            raise SlowPagesError

    def stop() -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)

    signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * seconds * pl.thread_pool_size())
    try:
        yield
    finally:
        stop()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
