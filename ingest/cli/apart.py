"""Do the work of a command in a copy of this process, which a page may end.

The copy is made (`fork`) before Polars and the models are loaded, so they are loaded once, and
nothing is slower. This process waits. If the copy ends early, it says where, and makes another one.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from ingest.cli.standard_streams import StdoutError
from ingest.errors import IngestError
from ingest.pipeline.tasks import describe_end, rebuild_error

_TICK = 0.5  # seconds; time in which both processes are stopped, as by Ctrl-Z, has no ticks
_PART, _NUMBER, _PHASE, _EVENTS, _NEXT_PART, _NEXT_NUMBER, _IN_ERROR, _ONCE = range(8)
_NO_PAGE, _READING, _PROCESSING = range(3)
_PATIENCE = 2.0  # seconds for a copy to end by itself
_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


class Marks:
    """What the copy says of its work, in memory that both processes have."""

    def __init__(self) -> None:
        self._values = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")

    def announce(self, **event: Any) -> None:
        """Note which page is read or processed; see `ingest.pipeline.shard_records.Announce`."""
        values = self._values
        if "page" in event:
            values[_PART], values[_NUMBER] = event["page"]
            values[_PHASE] = _READING
        else:
            values[_PHASE] = _PROCESSING if "got" in event else _NO_PAGE
        values[_EVENTS] += 1

    def reads_once(self, is_stream: bool) -> None:
        """Note whether the next pages are of a source that cannot be read again."""
        self._values[_ONCE] = is_stream

    def begin(self) -> None:
        """Note that work on pages begins which is not announced."""
        self._values[_PHASE] = _PROCESSING
        self._values[_EVENTS] += 1

    def rest(self) -> None:
        """Note that no page is being worked on, so that no time is counted."""
        self._values[_PHASE] = _NO_PAGE

    def printed(self, following: tuple[int, int], in_error: int) -> None:
        """Note that all pages before one are printed, and how many of these are in error."""
        self._values[_NEXT_PART], self._values[_NEXT_NUMBER] = following
        self._values[_IN_ERROR] = in_error

    @property
    def page(self) -> tuple[int, int] | None:
        """The page that is read or processed; None if there is none."""
        values = self._values
        return None if values[_PHASE] == _NO_PAGE else (values[_PART], values[_NUMBER])

    @property
    def in_reading(self) -> bool:
        """Whether that page is being read."""
        return self._values[_PHASE] == _READING

    @property
    def is_once(self) -> bool:
        """Whether it is of a source that cannot be read again."""
        return bool(self._values[_ONCE])

    @property
    def events(self) -> int:
        """How often something was announced."""
        return self._values[_EVENTS]

    @property
    def following(self) -> tuple[int, int]:
        """The first page that is not printed."""
        return self._values[_NEXT_PART], self._values[_NEXT_NUMBER]

    @property
    def in_error(self) -> int:
        """How many of the printed pages are in error."""
        return self._values[_IN_ERROR]


class Ending(NamedTuple):
    """How the work ended.

    Attributes:
        status: what it returned; None if it ended early.
        reason: why it ended early.
        is_certain: whether it would end in the same way again.
    """

    status: int | None = None
    reason: str = ""
    is_certain: bool = True


def run_apart(work: Callable[[], int], marks: Marks, seconds: int) -> Ending:
    """Call a function in a copy of this process.

    A process that has loaded Polars, or has threads, cannot be copied safely: such is a program
    that calls `ingest.cli.main`. The function is called there itself, without a limit.

    Args:
        work: the function, which prints its result and returns an exit status.
        marks: what it says of its work.
        seconds: how long it may take from one mark to the next.

    Raises:
        IngestError: what the function raised.
    """
    if "polars" in sys.modules or threading.active_count() > 1 or not hasattr(os, "fork"):
        return _call(work)
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _answer(work, writing)
    os.close(writing)
    try:
        answer, is_slow = _receive(reading, child, marks, seconds)
    except BaseException:  # such as Ctrl-C
        _end(child, reading)
        raise
    finally:
        os.close(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if is_slow:
        return Ending(None, f"took longer than run.page_seconds ({seconds} s)")
    if not answer:
        return Ending(None, f"killed the worker twice: {describe_end(status)}", is_certain=False)
    return _interpret(json.loads(answer))


def _call(work: Callable[[], int]) -> Ending:
    from ingest.pipeline.page_failures import PAGE_FAILURES, describe_failure, is_of_page

    try:
        return Ending(work())
    except PAGE_FAILURES as error:
        if not is_of_page(error):
            raise
        return Ending(None, f"cannot be processed: {describe_failure(error)}")


def _answer(work: Callable[[], int], writing: int) -> NoReturn:
    """In the copy: call the function, say what came of it, and end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process ends this one
    _end_with_parent()
    answer: dict[str, Any]
    try:
        ending = _call(work)
        sys.stdout.flush()
        answer = ending._asdict()
    except StdoutError as error:
        cause = error.__cause__
        answer = {"errno": cause.errno if isinstance(cause, OSError) else None}
    except IngestError as error:
        notes = getattr(error, "__notes__", [])
        answer = {"error": type(error).__name__, "message": str(error), "notes": notes}
    except BaseException:
        answer = {"error": "", "message": traceback.format_exc(), "notes": []}
    sys.stderr.flush()
    with open(writing, "w", encoding="ascii") as pipe:
        json.dump(answer, pipe)
    os._exit(0)


def _end(child: int, reading: int) -> None:
    """End the copy; it may remove its temporary files first."""
    os.kill(child, signal.SIGTERM)
    select.select([reading], [], [], _PATIENCE)  # until it says something, or ends
    os.kill(child, signal.SIGKILL)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)


def _receive(reading: int, child: int, marks: Marks, seconds: int) -> tuple[bytes, bool]:
    """Wait for the answer. Return it, and whether the copy was ended because it took too long."""
    answer = b""
    events = ticks = 0
    while True:
        if select.select([reading], [], [], _TICK)[0]:
            if not (piece := os.read(reading, 1 << 16)):
                return answer, False
            answer += piece
            continue
        ticks = ticks + 1 if marks.page and marks.events == events else 0
        events = marks.events
        if ticks * _TICK > seconds:
            os.kill(child, signal.SIGKILL)
            return b"", True


def _interpret(answer: dict[str, Any]) -> Ending:
    match answer:
        case {"errno": number}:
            raise StdoutError(OSError(number, os.strerror(number or 0)))
        case {"error": kind, "message": message, "notes": notes}:
            error = rebuild_error(kind, message)
            for note in notes:
                error.add_note(note)
            raise error
    return Ending(**answer)
