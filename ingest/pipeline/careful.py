"""Label a shard of which a page kills the process, takes too long, or cannot be processed.

The work is done in a process of its own. If that ends early, the pages it was at are processed
again without storing anything, in smaller and smaller batches, until one page fails alone. Then the
shard is labelled on, with an error in place of this page. So the other rows are those of any other
run. What is known of such pages is stored, so that a search that is interrupted goes on.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from ingest.config import Config
from ingest.errors import SourceError, WriteError
from ingest.io.urls import is_remote
from ingest.pipeline.activity import report_activity
from ingest.pipeline.known_pages import KnownPages
from ingest.pipeline.processes import Worker, start_worker
from ingest.pipeline.shard_records import ALL, PageKey, Selection
from ingest.pipeline.state import State
from ingest.pipeline.tasks import Task, describe_end, describe_place, rebuild_error
from ingest.pipeline.time_limit import is_slow
from ingest.text import count_noun

_MODULE = "ingest.pipeline.page_worker"
_CUTS = 16  # into how many batches suspected pages are cut
_STARTS = 3  # of a process that ends before it has read a page
_MEMORY_ERROR = "MemoryError"  # a new process may have more


class Trial(NamedTuple):
    """What came of processing some pages.

    Attributes:
        reason: why it ended early; None if all pages are done.
        error: what to raise if no page is to blame.
        suspects: the pages that were being processed, in order.
        in_reading: whether the last of them was being read.
        is_slow: whether it took too long.
        is_certain: whether another trial would end in the same way.
    """

    reason: str | None = None
    error: Exception | None = None
    suspects: list[PageKey] = []  # noqa: RUF012 - never changed
    in_reading: bool = False
    is_slow: bool = False
    is_certain: bool = False


def label_carefully(state: State, task: Task, progress: Callable[[int], None]) -> None:
    """Label the shard of a task; pages that fail become rows with an `error`.

    What is known already, of an earlier call that was interrupted, is used.

    Args:
        state: where the result goes, and what is known on the way.
        task: the task.
        progress: called with the number of stored bytes read so far.

    Raises:
        WriteError: the process ends early although no page ends it alone, or cannot start.
        SourceError: an object could not be read in time.
        RuntimeError: the process fails although no page fails alone.
    """
    seconds = Config.from_dict(task.config).run.page_seconds
    known = KnownPages.from_json(state.read_tried(task.number), seconds)
    state.remove_partial(task.number)
    search = Search(task, progress, known, lambda data: state.mark_tried(task.number, data))
    try:
        search.run()
    finally:
        search.close()
        report_activity("")
    state.unmark_tried(task.number)


class Search:
    """Labels a shard, and looks for the pages of it that fail.

    Args:
        task: the task.
        progress: called with the number of stored bytes read so far.
        known: what is known of its pages; changed on the way.
        save: called with that whenever it has changed.
    """

    def __init__(
        self,
        task: Task,
        progress: Callable[[int], None],
        known: KnownPages,
        save: Callable[[bytes], None],
    ) -> None:
        self.known = known
        self._task = task
        self._progress = progress
        self._save = save
        self._worker: Worker | None = None

    def run(self) -> None:
        """Label the shard again and again, until no page fails."""
        known = self.known
        batch_pages = None
        self._store_known()
        self._find(known.suspects)
        if not self._task.copies:  # which is labelled so at once
            self._report("labelling in a separate process, because it failed before")
        while (trial := self._try(ALL._replace(batch_pages=batch_pages), store=True)).reason:
            before = known.count()
            self._find(trial.suspects)
            if known.count() > before:
                continue
            if batch_pages and trial.error:
                raise trial.error
            batch_pages = 1  # perhaps the pages take too much memory together

    def _find(self, pages: list[PageKey]) -> None:
        """Find those that fail alone among consecutive pages."""
        self._find_among(pages)
        self.known.suspects = []
        self._store_known()

    def _find_among(self, pages: list[PageKey]) -> None:
        at = 0
        while at < len(pages):
            self.known.suspects = pages[at:]
            self._store_known()
            suspected = count_noun(len(pages) - at, "page")
            self._report(f"looking for a page that cannot be processed, among {suspected}")
            selection = ALL._replace(
                first=pages[at], last=pages[-1], batch_pages=-(-len(pages) // _CUTS)
            )
            trial = self._try(selection)
            suspects = trial.suspects[-1:] if trial.in_reading else trial.suspects
            if not suspects:
                return
            if len(suspects) == 1:
                self._judge(suspects[0], trial)
            else:
                self._find_among(suspects)
            at = bisect_right(pages, suspects[-1])

    def _judge(self, page: PageKey, trial: Trial) -> None:
        """Decide about a page that has failed alone."""
        if not trial.is_certain:
            trial = self._try(ALL._replace(first=page, last=page, batch_pages=1))
            if page not in trial.suspects:
                return
        source = self._task.shard[page[0]][0]
        if trial.is_slow and trial.in_reading and is_remote(source):
            raise SourceError(
                f"{source}: could not be read within {self.known.seconds} s; try again later, or "
                "set run.page_seconds in a config file"
            )
        errors = self.known.unreadable if trial.in_reading else self.known.failed
        errors[page] = trial.reason or ""

    def _store_known(self) -> None:
        self._save(self.known.to_json())

    def _report(self, activity: str) -> None:
        report_activity(activity + describe_place(self._task))

    def _try(self, selection: Selection, *, store: bool = False) -> Trial:
        selection = selection._replace(failed=self.known.failed, unreadable=self.known.unreadable)
        worker = self._worker = self._worker or self._start()
        _send(worker, [selection.to_json(), store])
        pages: list[PageKey] = []
        done = 0
        in_reading = False
        for line in worker.stdout or ():
            if not line.endswith("\n"):
                break
            match json.loads(line):
                case {"page": [part, number]}:
                    pages.append((part, number))
                    in_reading = True
                case {"got": _}:
                    in_reading = False
                case {"end": _}:
                    pages.pop()
                    in_reading = False
                case {"rows": rows}:
                    done += rows
                    self._batch_done(is_stored=store)
                case {"read": size}:
                    self._progress(size)
                case {"done": _}:
                    return Trial()
                case {"failed": reason, "trace": trace}:
                    is_certain = reason != _MEMORY_ERROR
                    if not is_certain:
                        self.close()
                    return Trial(
                        f"cannot be processed: {reason}",
                        RuntimeError(trace),
                        pages[done:],
                        in_reading,
                        is_certain=is_certain,
                    )
                case {"error": kind, "message": message}:
                    raise rebuild_error(kind, message)
        return self._describe_death(worker, pages[done:], in_reading)

    def _batch_done(self, *, is_stored: bool) -> None:
        """Called after each batch."""

    def _describe_death(self, worker: Worker, suspects: list[PageKey], in_reading: bool) -> Trial:
        status = worker.wait()
        self.close()
        slow = is_slow(status)
        end = describe_end(status)
        reason = (
            f"took longer than run.page_seconds ({self.known.seconds} s)"
            if slow
            else f"killed the worker twice: {end}"
        )
        error = WriteError(f"a worker ended with {end}{describe_place(self._task)}")
        return Trial(reason, error, suspects, in_reading, is_slow=slow, is_certain=slow)

    def _start(self) -> Worker:
        for _ in range(_STARTS):
            worker = self._worker = start_worker(_MODULE)
            _send(worker, self._task)
            answer = json.loads((worker.stdout and worker.stdout.readline()) or "null")
            match answer:
                case {"ready": _}:
                    return worker
                case {"error": kind, "message": message}:
                    raise rebuild_error(kind, message)
                case {"failed": _, "trace": trace}:
                    raise RuntimeError(trace)
            status = worker.wait()
            self.close()
        raise WriteError(f"a worker cannot be started: it ended with {describe_end(status)}")

    def close(self) -> None:
        """End the process."""
        if worker := self._worker:
            self._worker = None
            worker.kill()
            with suppress(BrokenPipeError), worker:
                pass  # leaving the context closes its pipes and waits for it


def _send(worker: Worker, value: Any) -> None:
    if worker.stdin is not None:
        with suppress(BrokenPipeError):  # it has ended, which reading its answers shows
            worker.stdin.write(json.dumps(value) + "\n")
            worker.stdin.flush()
