"""Who does the work on shards: this process, or several beside it.

A worker is a Python that reads tasks from its standard input, one JSON object a line, and answers
in kind. It ends when that input does, so none outlives the run, however that dies. (The pools of
the standard library would import the caller's script again, and do not say whose task was lost.)
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
from pathlib import Path
from typing import Any, NamedTuple

from ingest import errors
from ingest.config import Config
from ingest.errors import IngestError, WriteError

# Each worker has a core, and Polars and NumPy are to use no more than that.
_ONE_THREAD = dict.fromkeys(
    ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
# Ctrl-C reaches the whole group of processes; it is for the run to answer.
_START = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from ingest.pipeline.workers import serve; serve()"
)


class Task(NamedTuple):
    """One half of the work on one shard. `half` is label or finish; the rest is for the former."""

    half: str
    target: str
    number: int
    shard: list[Any]
    stamps: dict[str, Any]
    config: dict[str, Any]


# Called with the number of a shard and of its stored bytes that have been read.
Tell = Callable[[int, int], None]
# Does tasks and gives the number of each as it is done.
Each = Callable[[Iterable[Task], Tell], Iterator[int]]


def do(task: Task, tell: Tell) -> None:
    """Do a task in this process.

    Raises:
        SourceError: a file is no longer what it was.
        WriteError: the state folder cannot be written.
    """
    # a worker answers before Polars is loaded
    from ingest.io.atomic import wrap_os_errors
    from ingest.pipeline.shard import finish_shard, label_shard
    from ingest.pipeline.state import State
    from ingest.readers.records import Slice

    state = State(Path(task.target))
    with wrap_os_errors(state.target):
        if task.half == "finish":
            finish_shard(state, task.number)
            return
        stamps = {source: seen and (seen[0], seen[1]) for source, seen in task.stamps.items()}
        label_shard(
            state,
            task.number,
            [Slice(*part) for part in task.shard],
            lambda size: tell(task.number, size),
            stamps=stamps,
            config=Config.from_dict(task.config),
        )


def one_by_one(tasks: Iterable[Task], tell: Tell) -> Iterator[int]:
    """Do tasks in this process, in their order."""
    for task in tasks:
        do(task, tell)
        yield task.number


@contextmanager
def pool(count: int) -> Iterator[Each]:
    """Processes that do tasks side by side; each is given one at a time."""
    if count == 1:
        yield one_by_one
        return
    made = _Pool(count)
    try:
        yield made.each
    finally:
        made.end()


class _Pool:
    def __init__(self, count: int) -> None:
        self._answers: queue.Queue[tuple[int, str]] = queue.Queue()
        self._workers = [
            subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", _START, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="ascii",
                env=os.environ | _ONE_THREAD,
            )
            for _ in range(count)
        ]
        self._listeners = [threading.Thread(target=self._listen, args=(n,)) for n in range(count)]
        for listener in self._listeners:
            listener.start()

    def each(self, tasks: Iterable[Task], tell: Tell) -> Iterator[int]:
        """Do tasks; gives the number of each when it is done, in no order.

        Raises:
            WriteError: a worker died.
        """
        waiting = iter(tasks)
        busy: dict[int, Task] = {}
        for number in range(len(self._workers)):
            self._give(number, waiting, busy)
        while busy:
            number, line = self._answers.get()
            if not line.endswith("\n"):
                self._workers[number].wait()
                raise WriteError(_died(self._workers[number].returncode, busy.get(number)))
            match json.loads(line):
                case {"read": size}:
                    tell(busy[number].number, size)
                case {"error": kind, "message": message}:
                    raise _error(kind, message)
                case _:
                    done = busy.pop(number).number
                    self._give(number, waiting, busy)
                    yield done

    def _give(self, number: int, waiting: Iterator[Task], busy: dict[int, Task]) -> None:
        task = next(waiting, None)
        if task is None:
            return
        busy[number] = task
        to = self._workers[number].stdin
        if to is not None:
            with suppress(BrokenPipeError):  # it died; its last answer says so
                to.write(json.dumps(task) + "\n")
                to.flush()

    def _listen(self, number: int) -> None:
        for line in self._workers[number].stdout or ():
            self._answers.put((number, line))
        self._answers.put((number, ""))

    def end(self) -> None:
        for worker in self._workers:
            worker.kill()
        for worker, listener in zip(self._workers, self._listeners, strict=True):
            listener.join()
            with suppress(BrokenPipeError), worker:
                pass  # leaving it closes its pipes and waits for it


def _died(code: int, task: Task | None) -> str:
    how = signal.Signals(-code).name if code < 0 else f"status {code}"
    at = ""
    if task and task.shard:
        names = sorted({task.shard[0][0], task.shard[-1][0]})
        at = f" at {' … '.join(names)}"
    why = "; was it out of memory?" if code == -signal.SIGKILL else ""
    return f"a worker ended by {how}{at}{why}"


def _error(kind: str, message: str) -> Exception:
    made = getattr(errors, kind, None)
    if made is None:
        return RuntimeError(message)
    # MissingExtraError makes its message itself
    return IngestError(message) if made is errors.MissingExtraError else made(message)


def serve() -> None:
    """Be a worker: tasks in on standard input, answers out on standard output."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # whatever else prints must not speak between the lines
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_hear, args=(tasks,), daemon=True).start()

    def answer(**fields: Any) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    while True:
        task = tasks.get()
        try:
            do(task, lambda _number, size: answer(read=size))
            answer(done=task.number)
        except IngestError as error:
            answer(error=type(error).__name__, message=str(error))
        except Exception:
            answer(error="", message=traceback.format_exc())


def _hear(tasks: queue.SimpleQueue[Task]) -> None:
    for line in sys.stdin:
        tasks.put(Task(*json.loads(line)))
    os._exit(0)
