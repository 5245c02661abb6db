"""What a worker is asked to do, and what is said of it when it fails."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from ingest import errors
from ingest.errors import IngestError, WriteError

_REPEATS = 2  # of a task whose worker was lost, before the run ends


class Task(NamedTuple):
    """One step on one shard, or a function on some rows of a file of pairs.

    Attributes:
        step: "label" or "finish"; "join STEP ROUND", see `ingest.pipeline.join`; or
            MODULE:FUNCTION, see `ingest.pipeline.row_groups`.
        target: OUT of the run; or the folder of the parts.
        number: number of the shard or part, or of what a step of the join looks at.
        shard: its slices; or the file and its rows.
        stamps: the stamp of each of its files.
        config: the settings.
        storage: options of object stores, for `ingest.io.storage.access`. They may be secret.
        careful: whether to label the shard as `ingest.pipeline.careful` does.
        copies: for each source that can be read only once, path and error of its
            `ingest.io.stream_copies.StreamCopy`.
    """

    step: str
    target: str
    number: int
    shard: list[Any]
    stamps: dict[str, Any]
    config: dict[str, Any]
    storage: dict[str, str]
    careful: bool = False
    copies: dict[str, Any] = {}  # noqa: RUF012 - never changed


ShardProgress: TypeAlias = Callable[[int, int], None]
"""Called with the number of a shard and the stored bytes of it that have been read."""

RunTasks: TypeAlias = Callable[[Iterable[Task], ShardProgress], Iterator[int]]
"""Runs tasks and yields the shard number of each when it is done."""


class Losses:
    """Decides what becomes of tasks that were lost."""

    def __init__(self) -> None:
        self._count: Counter[tuple[str, int, bool]] = Counter()

    def repeat(self, task: Task, reason: str, *, by_page: bool = False) -> Task:
        """Return the task to run instead of one that was lost.

        A shard is labelled once more, then carefully, and so at once if `by_page` is set: the
        reason would be the same again.

        Raises:
            WriteError: it was lost too often.

        >>> task = Task("label", "out", 3, [("a.txt",)], {}, {}, {})
        >>> losses = Losses()
        >>> [losses.repeat(task, "a worker ended").careful for _ in range(2)]
        [False, True]
        """
        key = task.step, task.number, task.careful
        self._count[key] += 1
        if task.step == "label" and not task.careful:
            return task._replace(careful=by_page or self._count[key] > 1)
        if self._count[key] > _REPEATS:
            raise WriteError(f"{reason}{describe_place(task)}, also when the task was repeated")
        return task


def describe_end(status: int) -> str:
    """Say how a process ended.

    >>> describe_end(-11), describe_end(1)
    ('SIGSEGV', 'status 1')
    >>> describe_end(-9)
    'SIGKILL (it may have run out of memory)'
    """
    if status >= 0:
        return f"status {status}"
    hint = " (it may have run out of memory)" if status == -signal.SIGKILL else ""
    return f"{signal.Signals(-status).name}{hint}"


def describe_place(task: Task) -> str:
    """Return " at FIRST … LAST", the sources of a task, or the rows of its file.

    >>> describe_place(Task("label", "out", 3, [("a.txt", "file"), ("b.txt", "file")], {}, {}, {}))
    ' at a.txt … b.txt'
    >>> describe_place(Task("ingest.scoring:score", "out", 1, [("a.parquet", 10, 5)], {}, {}, {}))
    ' at rows 10 to 14 of a.parquet'
    """
    if ":" in task.step:
        [(source, start, count)] = task.shard
        return f" at rows {start} to {start + count - 1} of {source}"
    if not task.shard:
        return ""
    names = sorted({task.shard[0][0], task.shard[-1][0]})
    return f" at {' … '.join(names)}"


def rebuild_error(kind: str, message: str) -> Exception:
    """Return the exception that a worker described.

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
