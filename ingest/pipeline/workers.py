"""Run tasks on shards, in this process or in several worker processes."""

from __future__ import annotations

import json
import os
import queue
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from ingest.config import Config
from ingest.errors import IngestError, WriteError
from ingest.pipeline.activity import report_activity, reporting_activity
from ingest.pipeline.processes import Worker, open_channel, start_worker
from ingest.pipeline.tasks import Losses, RunTasks, ShardProgress, Task, describe_end, rebuild_error

_MODULE = "ingest.pipeline.workers"
_FAILED_STARTS = 3  # more than there are workers, one after the other


def run_task(
    task: Task,
    progress: ShardProgress,
    *,
    limit: Callable[[float], Any] | None = None,
    keep_mark: bool = False,
) -> None:
    """Run a task in this process.

    Args:
        task: the task.
        progress: called after each batch.
        limit: makes a limit on the time of a batch of pages, of so many seconds.
        keep_mark: whether to leave a mark in the state if this process dies.

    Raises:
        SourceError: an object could not be read to its end, or a file of pairs has changed.
        WriteError: the folder of the unfinished work cannot be written.
    """
    # a worker starts to read its input before Polars is loaded
    from ingest.io.access import access
    from ingest.io.memory import release_memory
    from ingest.pipeline.careful import label_carefully
    from ingest.pipeline.join_steps import run_join_task
    from ingest.pipeline.label_task import label_task
    from ingest.pipeline.open_state import open_state
    from ingest.pipeline.row_part import part_path, write_part
    from ingest.pipeline.shard import finish_shard

    def report(size: int) -> None:
        progress(task.number, size)

    config = Config.from_dict(task.config)
    if ":" in task.step:
        [(source, start, count)] = task.shard
        write_part(
            part_path(Path(task.target), task.number),
            task.step,
            source,
            (start, count),
            stamps={name: stamp and (stamp[0], stamp[1]) for name, stamp in task.stamps.items()},
            config=config,
            before_write=lambda: progress(task.number, count),
        )
        release_memory()
        return
    with access(task.storage), open_state(task.target) as state, state.wrap_errors():
        if task.step == "finish":
            finish_shard(state, task.number, config.label.keep)
            return
        if task.step.startswith("join "):
            run_join_task(state, task.step.removeprefix("join "), task.number, config)
            release_memory()
            return
        if task.careful:
            label_carefully(state, task, report)
        elif keep_mark:
            state.mark_tried(task.number)
            try:
                label_task(state, task, report, limit=limit)
            finally:
                state.unmark_tried(task.number)
        else:
            label_task(state, task, report, limit=limit)
        release_memory()


def answer_task(task: Task, progress: ShardProgress) -> dict[str, Any]:
    """Run a task; return `done`, the number of its shard, or what `rebuild_error` needs.

    If a page of its shard is to blame, `lost` is the reason instead.
    """
    from ingest.pipeline.page_failures import PAGE_FAILURES, describe_failure, is_of_page
    from ingest.pipeline.time_limit import limit_worker

    try:
        run_task(task, progress, limit=limit_worker)
    except IngestError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except PAGE_FAILURES as error:
        if is_of_page(error) and task.step == "label" and not task.careful:
            return {"lost": describe_failure(error)}
        return {"error": "", "message": traceback.format_exc()}
    return {"done": task.number}


def run_in_process(tasks: Iterable[Task], progress: ShardProgress) -> Iterator[int]:
    """Run tasks in this process, in order; only a shard with a page that fails in another one."""
    from ingest.pipeline.page_failures import PAGE_FAILURES, describe_failure, is_of_page
    from ingest.pipeline.time_limit import limit_main

    losses = Losses()
    for task in tasks:
        reason = ""
        try:
            run_task(task, progress, limit=limit_main, keep_mark=True)
        except PAGE_FAILURES as error:
            if not is_of_page(error) or task.step != "label" or task.careful:
                raise
            reason = describe_failure(error)
        if reason:  # when the pages are out of memory
            run_task(losses.repeat(task, reason, by_page=True), progress)
        yield task.number


_early_workers: list[Worker] = []  # started, and not yet part of a pool


@contextmanager
def early_workers(count: int) -> Iterator[None]:
    """Start the workers of the next pool, so that they load Polars while this process does.

    More than there are cores would only delay it, and there may be fewer tasks.
    """
    early = min(count, os.cpu_count() or 1) if count > 1 else 0
    _early_workers.extend(start_worker(_MODULE) for _ in range(early))
    try:
        yield
    finally:
        for worker in _early_workers:  # the run needed fewer, or failed before it had a pool
            worker.kill()
            worker.communicate()
        _early_workers.clear()


@contextmanager
def worker_pool(count: int) -> Iterator[RunTasks]:
    """Start worker processes, each of which runs one task at a time."""
    pool = _WorkerPool(count)
    try:
        yield pool.run
    finally:
        pool.close()


class _WorkerPool:
    def __init__(self, count: int) -> None:
        self._answers: queue.Queue[tuple[int, str]] = queue.Queue()
        self._workers: list[Worker] = []
        self._readers: list[threading.Thread] = []
        self._starting: set[int] = set()
        self._failed_starts = 0  # since a worker last had news
        self._activities: dict[int, str] = {}  # of workers that do something unusual
        for _ in range(count):
            self._add(_early_workers.pop() if _early_workers else start_worker(_MODULE))

    def _add(self, worker: Worker, number: int | None = None) -> None:
        number = len(self._workers) if number is None else number
        reader = threading.Thread(target=self._read_answers, args=(number, worker))
        self._workers[number : number + 1] = [worker]
        self._readers[number : number + 1] = [reader]
        self._starting.add(number)
        reader.start()

    def run(self, tasks: Iterable[Task], progress: ShardProgress) -> Iterator[int]:
        """Run tasks; yield the shard number of each when it is done, in any order.

        A worker that ends is replaced, and its task is done again.

        Raises:
            WriteError: workers cannot start, or end again and again with the same task.
        """
        waiting = iter(tasks)
        losses = Losses()
        running: dict[int, Task] = {}
        for worker in range(len(self._workers)):
            self._assign(worker, next(waiting, None), running)
        while running:
            worker, line = self._answers.get()
            if not line.endswith("\n"):
                lost = running.pop(worker, None)
                self._report_activity(worker, "")
                self._assign(worker, self._replace(worker, lost, losses), running)
                continue
            match json.loads(line):
                case {"ready": _}:
                    self._starting.discard(worker)
                case {"read": size}:
                    self._failed_starts = 0
                    progress(running[worker].number, size)
                case {"activity": text}:
                    self._report_activity(worker, text)
                case {"error": kind, "message": message}:
                    raise rebuild_error(kind, message)
                case {"lost": reason}:
                    again = losses.repeat(running.pop(worker), reason, by_page=True)
                    self._assign(worker, again, running)
                case _:
                    self._failed_starts = 0
                    done = running.pop(worker).number
                    self._assign(worker, next(waiting, None), running)
                    yield done

    def _assign(self, worker: int, task: Task | None, running: dict[int, Task]) -> None:
        if task is None:
            return
        running[worker] = task
        stdin = self._workers[worker].stdin
        if stdin is not None:
            with suppress(BrokenPipeError):  # it died; its last answer says so
                stdin.write(json.dumps(task) + "\n")
                stdin.flush()

    def _report_activity(self, worker: int, text: str) -> None:
        self._activities.pop(worker, None)
        if text:
            self._activities[worker] = text
        report_activity([*self._activities.values(), ""][0])

    def _replace(self, number: int, task: Task | None, losses: Losses) -> Task | None:
        """Replace a worker that has ended; return what to do instead of its task."""
        from ingest.pipeline.time_limit import is_slow

        status = self._workers[number].wait()
        if task is None or number in self._starting:
            self._failed_starts += 1
            if self._failed_starts > len(self._workers) + _FAILED_STARTS:
                end = describe_end(status)
                raise WriteError(f"workers cannot be started: the last one ended with {end}")
        else:
            reason = f"a worker ended with {describe_end(status)}"
            task = losses.repeat(task, reason, by_page=is_slow(status))
        self._close(number)
        self._add(start_worker(_MODULE), number)
        return task

    def _read_answers(self, number: int, worker: Worker) -> None:
        for line in worker.stdout or ():
            self._answers.put((number, line))
        self._answers.put((number, ""))

    def _close(self, number: int) -> None:
        self._readers[number].join()
        with suppress(BrokenPipeError), self._workers[number]:
            pass  # leaving the context closes its pipes and waits for it

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.kill()
        for number in range(len(self._workers)):
            self._close(number)


def serve() -> None:
    """Work as a worker: read tasks from standard input, write answers to standard output."""
    received, answer = open_channel()
    import_module("ingest.pipeline.label_task")  # while the main process makes its plan
    answer(ready=True)
    with reporting_activity(lambda text: answer(activity=text)):
        while True:
            task = Task(*received.get())
            answer(**answer_task(task, lambda _number, size: answer(read=size)))
