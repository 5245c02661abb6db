"""Run tasks on shards, in this process or in several worker processes.

A worker is a Python process that reads tasks from its standard input, one JSON object per line,
and writes its answers the same way. It exits when its input ends, so no worker outlives the run,
however the run ends. (The pools of the standard library import the caller's script again, and do
not report which task was lost when a worker dies.)
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ingest import errors
from ingest.config import Config
from ingest.errors import IngestError, WriteError

# Each worker has one core, and Polars and NumPy must not use more.
ONE_THREAD = dict.fromkeys(
    ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
# Ctrl-C reaches all processes of the group; only the main process handles it.
_WORKER_CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from ingest.pipeline.workers import serve; serve()"
)


class Task(NamedTuple):
    """One step on one shard, or a function on some rows of a file of pairs.

    Attributes:
        step: "label" or "finish"; "join STEP ROUND", see `ingest.pipeline.join`; or
            MODULE:FUNCTION, see `ingest.pipeline.row_groups`.
        target: OUT of the run; or the folder of the parts.
        number: number of the shard or part, or of what a step of the join looks at.
        shard: its slices, for "label"; or the file and its rows.
        stamps: the stamp of each of its files, except for "finish".
        config: the settings.
        storage: options of object stores, for `ingest.io.storage.access`. They may be secret.
    """

    step: str
    target: str
    number: int
    shard: list[Any]
    stamps: dict[str, Any]
    config: dict[str, Any]
    storage: dict[str, str]


ShardProgress = Callable[[int, int], None]
"""Called with the number of a shard and the stored bytes of it that have been read."""

RunTasks = Callable[[Iterable[Task], ShardProgress], Iterator[int]]
"""Runs tasks and yields the shard number of each when it is done."""


def run_task(task: Task, progress: ShardProgress) -> None:
    """Run a task in this process.

    Raises:
        SourceError: a file has changed since the run started.
        WriteError: the folder of the unfinished work cannot be written.
    """
    # a worker starts to read its input before Polars is loaded
    from ingest.io.memory import release_memory
    from ingest.io.storage import access
    from ingest.pipeline.join_steps import run_join_task
    from ingest.pipeline.open_state import open_state
    from ingest.pipeline.row_part import part_path, write_part
    from ingest.pipeline.shard import finish_shard, label_shard
    from ingest.readers.records import Slice

    config = Config.from_dict(task.config)
    stamps = {name: stamp and (stamp[0], stamp[1]) for name, stamp in task.stamps.items()}
    if ":" in task.step:
        [(source, start, count)] = task.shard
        write_part(
            part_path(Path(task.target), task.number),
            task.step,
            source,
            (start, count),
            stamps=stamps,
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
        label_shard(
            state,
            task.number,
            [Slice(*values) for values in task.shard],
            lambda size: progress(task.number, size),
            stamps=stamps,
            config=config,
        )
        release_memory()


def answer_task(task: Task, progress: ShardProgress) -> dict[str, Any]:
    """Run a task; return `done`, the number of its shard, or what `rebuild_error` needs."""
    try:
        run_task(task, progress)
    except IngestError as error:
        return {"error": type(error).__name__, "message": str(error)}
    except Exception:
        return {"error": "", "message": traceback.format_exc()}
    return {"done": task.number}


def run_in_process(tasks: Iterable[Task], progress: ShardProgress) -> Iterator[int]:
    """Run tasks in this process, in order."""
    for task in tasks:
        run_task(task, progress)
        yield task.number


_Worker: TypeAlias = "subprocess.Popen[str]"
_early_workers: list[_Worker] = []  # started, and not yet part of a pool


@contextmanager
def early_workers(count: int) -> Iterator[None]:
    """Start the workers of the next pool, so that they load Polars while this process does."""
    _early_workers.extend(_start_worker() for _ in range(count if count > 1 else 0))
    try:
        yield
    finally:
        for worker in _early_workers:  # the run needed fewer, or failed before it had a pool
            worker.kill()
            worker.communicate()
        _early_workers.clear()


def _start_worker() -> _Worker:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _WORKER_CODE, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="ascii",
        env=os.environ | ONE_THREAD,
    )


@contextmanager
def worker_pool(count: int) -> Iterator[RunTasks]:
    """Start worker processes, each of which runs one task at a time."""
    if count == 1:
        yield run_in_process
        return
    pool = _WorkerPool(count)
    try:
        yield pool.run
    finally:
        pool.close()


class _WorkerPool:
    def __init__(self, count: int) -> None:
        self._answers: queue.Queue[tuple[int, str]] = queue.Queue()
        self._workers = [
            _early_workers.pop() if _early_workers else _start_worker() for _ in range(count)
        ]
        self._readers = [
            threading.Thread(target=self._read_answers, args=(n,)) for n in range(count)
        ]
        for reader in self._readers:
            reader.start()

    def run(self, tasks: Iterable[Task], progress: ShardProgress) -> Iterator[int]:
        """Run tasks; yield the shard number of each when it is done, in any order.

        Raises:
            WriteError: a worker died.
        """
        waiting = iter(tasks)
        running: dict[int, Task] = {}
        for worker in range(len(self._workers)):
            self._assign(worker, waiting, running)
        while running:
            worker, line = self._answers.get()
            if not line.endswith("\n"):
                self._workers[worker].wait()
                raise WriteError(
                    _describe_death(self._workers[worker].returncode, running.get(worker))
                )
            match json.loads(line):
                case {"read": size}:
                    progress(running[worker].number, size)
                case {"error": kind, "message": message}:
                    raise rebuild_error(kind, message)
                case _:
                    done = running.pop(worker).number
                    self._assign(worker, waiting, running)
                    yield done

    def _assign(self, worker: int, waiting: Iterator[Task], running: dict[int, Task]) -> None:
        task = next(waiting, None)
        if task is None:
            return
        running[worker] = task
        stdin = self._workers[worker].stdin
        if stdin is not None:
            with suppress(BrokenPipeError):  # it died; its last answer says so
                stdin.write(json.dumps(task) + "\n")
                stdin.flush()

    def _read_answers(self, worker: int) -> None:
        for line in self._workers[worker].stdout or ():
            self._answers.put((worker, line))
        self._answers.put((worker, ""))

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        for worker, reader in zip(self._workers, self._readers, strict=True):
            reader.join()
            with suppress(BrokenPipeError), worker:
                pass  # leaving the context closes its pipes and waits for it


def _describe_death(code: int, task: Task | None) -> str:
    how = signal.Signals(-code).name if code < 0 else f"status {code}"
    where = describe_place(task) if task else ""
    hint = "; it may have run out of memory" if code == -signal.SIGKILL else ""
    return f"a worker ended with {how}{where}{hint}"


def describe_place(task: Task) -> str:
    """Return " at FIRST … LAST", the sources of a task; nothing for a task that reads none.

    >>> describe_place(Task("finish", "out", 3, [], {}, {}, {}))
    ''
    """
    if not task.shard:
        return ""
    names = sorted({task.shard[0][0], task.shard[-1][0]})
    return f" at {' … '.join(names)}"


def rebuild_error(kind: str, message: str) -> Exception:
    """Return the exception that `answer_task` described.

    >>> rebuild_error("SourceError", "a.txt: changed")
    SourceError('a.txt: changed')
    """
    error_class = getattr(errors, kind, None)
    if error_class is None:
        return RuntimeError(message)
    # MissingExtraError builds its own message
    if error_class is errors.MissingExtraError:
        error_class = IngestError
    error: Exception = error_class(message)
    return error


def serve() -> None:
    """Work as a worker: read tasks from standard input, write answers to standard output."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # other output must not mix with the answers
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_read_tasks, args=(tasks,), daemon=True).start()
    import_module("ingest.pipeline.shard")  # while the main process makes its plan

    def answer(**fields: Any) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    while True:
        answer(**answer_task(tasks.get(), lambda _number, size: answer(read=size)))


def _read_tasks(tasks: queue.SimpleQueue[Task]) -> None:
    for line in sys.stdin:
        tasks.put(Task(*json.loads(line)))
    os._exit(0)
