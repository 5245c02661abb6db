"""Label the shard of a task, and say what went wrong in a way that another process understands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeAlias

import polars as pl

from ingest.config import Config
from ingest.errors import IngestError
from ingest.io.opening import Stamp
from ingest.pipeline.label import BatchLimit, label_shard, rehearse_shard
from ingest.pipeline.pieces import label_in_pieces
from ingest.pipeline.shard_records import Announce, Selection
from ingest.pipeline.state import State
from ingest.pipeline.tasks import Task
from ingest.pipeline.time_limit import SlowPagesError
from ingest.readers.records import Slice

_LONGEST = 200  # characters of the message of an exception in the `error` of a page

PAGE_FAILURES = (Exception, pl.exceptions.PanicException, SlowPagesError)
"""What a page may make Python or Polars raise; `IngestError` and `OSError` are not the page's."""

Limit: TypeAlias = Callable[[float], Any]


def label_task(
    state: State,
    task: Task,
    progress: Callable[[int], None],
    *,
    limit: Limit | None = None,
) -> None:
    """Label the shard of a task.

    Args:
        state: where to store the result.
        task: the task.
        progress: see `ingest.pipeline.label.label_shard`.
        limit: makes a limit on the time of a batch, of so many seconds.
    """
    config = Config.from_dict(task.config)
    label_shard(
        state,
        task.number,
        _slices_of(task),
        progress,
        stamps=_stamps_of(task),
        config=config,
        batch_limit=_batch_limit(config, limit),
    )


def label_task_in_pieces(
    state: State,
    task: Task,
    progress: Callable[[int], None],
    *,
    selection: Selection,
    announce: Announce,
    limit: Limit,
) -> None:
    """Label the shard of a task in pieces, see `ingest.pipeline.pieces.label_in_pieces`."""
    config = Config.from_dict(task.config)
    label_in_pieces(
        state,
        task.number,
        _slices_of(task),
        progress,
        stamps=_stamps_of(task),
        config=config,
        selection=selection,
        announce=announce,
        batch_limit=_batch_limit(config, limit),
    )


def rehearse_task(task: Task, selection: Selection, announce: Announce, limit: Limit) -> None:
    """Process the selected records of a task, and store nothing."""
    config = Config.from_dict(task.config)
    rehearse_shard(
        _slices_of(task),
        config=config,
        selection=selection,
        announce=announce,
        batch_limit=_batch_limit(config, limit),
    )


def _slices_of(task: Task) -> list[Slice]:
    return [Slice(*values) for values in task.shard]


def _stamps_of(task: Task) -> dict[str, Stamp]:
    return {name: stamp and (stamp[0], stamp[1]) for name, stamp in task.stamps.items()}


def _batch_limit(config: Config, limit: Limit | None) -> BatchLimit:
    return (lambda: limit(config.run.page_seconds)) if limit else nullcontext


def is_of_page(error: BaseException) -> bool:
    """Whether a page may be the reason of an exception.

    >>> is_of_page(MemoryError()), is_of_page(OSError()), is_of_page(KeyboardInterrupt())
    (True, False, False)
    """
    return isinstance(error, PAGE_FAILURES) and not isinstance(error, (IngestError, OSError))


def describe_failure(error: BaseException) -> str:
    r"""Describe an exception in one line.

    >>> describe_failure(MemoryError()), describe_failure(ValueError("no\nnumber"))
    ('MemoryError', 'ValueError: no')
    """
    message = str(error).strip().partition("\n")[0][:_LONGEST]
    return type(error).__name__ + (f": {message}" if message else "")
