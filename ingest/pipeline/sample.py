"""Label a sample of the shards of a run in a process of its own, in limited time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ingest.config import Config
from ingest.pipeline.careful import Search, Trial
from ingest.pipeline.known_pages import KnownPages
from ingest.pipeline.pieces import join_pieces
from ingest.pipeline.shard_records import Selection
from ingest.pipeline.state import State
from ingest.pipeline.tasks import Task

_SECONDS = 10.0  # after which no further batch is begun
_PAGE_SECONDS = 15  # for a batch of pages; to find one that takes longer takes three times that
_MOST_SECONDS = 60.0  # after which the process is ended, whatever it does


class Sample(NamedTuple):
    """What was labelled. Sizes are in bytes, times in seconds.

    Attributes:
        stored: stored size of what was read, about.
        startup: time until the process was ready.
        seconds: time of the batches.
        memory: most memory that the process has used.
        left_out: pages that failed: the source of each, and why.
        is_cut_off: whether the process was ended after the most time, whatever it did.
    """

    stored: int
    startup: float
    seconds: float
    memory: int
    left_out: tuple[tuple[str, str], ...]
    is_cut_off: bool


class _TimeIsOverError(Exception):
    pass


class _LimitedSearch(Search):
    """A search that ends when its time is over.

    Attributes:
        startup: seconds until the first process was ready.
    """

    def __init__(self, task: Task, progress: Callable[[int], None], seconds: int) -> None:
        super().__init__(task, progress, KnownPages(seconds), lambda _data: None)
        self.startup = 0.0
        self._begun = time.perf_counter()
        self._is_over = threading.Event()

    def begin(self) -> None:
        """Start the process, and then the time."""
        self._worker = self._start()
        self.startup = time.perf_counter() - self._begun
        self._begun = time.perf_counter()

    def is_cut_off(self) -> bool:
        """Return whether the process was ended whatever it did."""
        return self._is_over.is_set()

    def _try(self, selection: Selection, *, store: bool = False) -> Trial:
        worker = self._worker = self._worker or self._start()

        def end() -> None:
            self._is_over.set()
            worker.kill()

        timer = threading.Timer(self._begun + _MOST_SECONDS - time.perf_counter(), end)
        timer.start()
        try:
            trial = super()._try(selection, store=store)
        finally:
            timer.cancel()
        if self._is_over.is_set():
            raise _TimeIsOverError
        return trial

    def _batch_done(self, *, is_stored: bool) -> None:
        if is_stored and time.perf_counter() - self._begun > _SECONDS:
            raise _TimeIsOverError


def label_sample(state: State, task: Task, progress: Callable[[int], None]) -> Sample:
    """Label the shard of a task as far as that is possible in ten seconds.

    At least one batch is labelled, if that is possible in a minute. Pages that fail become rows
    with an `error`.

    Args:
        state: where the result goes; nothing is stored if no batch is done.
        task: the task.
        progress: called with the number of stored bytes read so far.
    """
    config = Config.from_dict(task.config)
    seconds = min(config.run.page_seconds, _PAGE_SECONDS)
    limited = task.config | {"run": {**task.config["run"], "page_seconds": seconds}}
    search = _LimitedSearch(task._replace(config=limited), progress, seconds)
    try:
        search.begin()
        search.run()
    except _TimeIsOverError:
        pass
    finally:
        search.close()
    known = search.known
    failed = sorted((known.failed | known.unreadable).items())
    left_out = tuple((task.shard[key[0]][0], reason) for key, reason in failed)
    if state.pieces(task.number):
        join_pieces(state, task.number)
    report: dict[str, Any] = {"stored": 0, "elapsed": 0.0, "memory": 0}
    if state.has(state.labelled(task.number)):
        [report] = state.read_reports([state.labelled(task.number)])
    return Sample(
        report["stored"],
        search.startup,
        report["elapsed"],
        report["memory"],
        left_out,
        search.is_cut_off(),
    )
