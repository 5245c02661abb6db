"""Label the shard of a task."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeAlias

from ingest.config import Config
from ingest.io.opening import Stamp
from ingest.pipeline.label import BatchLimit, label_shard, rehearse_shard
from ingest.pipeline.pieces import label_in_pieces
from ingest.pipeline.shard_records import Announce, Selection
from ingest.pipeline.state import State
from ingest.pipeline.tasks import Task
from ingest.readers.records import Slice

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
