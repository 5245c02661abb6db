"""Where the tasks of a run are done: in this process, in a pool of processes, or on Ray.

The steps, the shards and the bytes of the outputs are the same everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import NamedTuple

from ingest.errors import ConfigError, MissingExtraError
from ingest.pipeline.tasks import RunTasks
from ingest.pipeline.workers import run_in_process, worker_pool

_MAX_WORKERS = 1024  # more than a machine has cores; each needs a process, a thread and memory


class Executor(NamedTuple):
    """Where tasks are done, and how many at a time.

    Attributes:
        workers: number of processes on this machine, without Ray.
        ray: address of a Ray cluster, or "auto"; None without Ray.
        ray_workers: the most tasks on Ray at a time; None for as many as the cluster has cores.
    """

    workers: int = 1
    ray: str | None = None
    ray_workers: int | None = None

    def check(self, spell: Callable[[str], str] = str) -> None:
        """Raise unless the options go together and Ray, if it is asked for, is installed.

        Args:
            spell: how messages write the name of an argument, such as "ray_workers".

        Raises:
            ConfigError: a number is less than 1 or too large, or the options contradict each other.
            MissingExtraError: the extra `ray` is not installed.

        >>> Executor(workers=2, ray="auto").check()
        Traceback (most recent call last):
        ...
        ingest.errors.ConfigError: workers: cannot be used with ray; use ray_workers
        """
        workers, ray, ray_workers = map(spell, ("workers", "ray", "ray_workers"))
        if self.workers < 1:
            raise ConfigError(f"{workers}: {self.workers} is less than 1")
        if self.workers > _MAX_WORKERS:
            raise ConfigError(
                f"{workers}: {self.workers} is more than {_MAX_WORKERS}; more than there are cores "
                f"do not help: this machine has {os.cpu_count()}"
            )
        if self.ray is None:
            if self.ray_workers is not None:
                raise ConfigError(f"{ray_workers}: needs {ray}, the address of a cluster or auto")
            return
        if self.workers > 1:
            raise ConfigError(f"{workers}: cannot be used with {ray}; use {ray_workers}")
        if self.ray_workers is not None and self.ray_workers < 1:
            raise ConfigError(f"{ray_workers}: {self.ray_workers} is less than 1")
        if find_spec("ray") is None:
            raise MissingExtraError("ray", "ray")

    @property
    def is_alone(self) -> bool:
        """Whether this process does all the work.

        >>> Executor().is_alone, Executor(2).is_alone, Executor(ray="auto").is_alone
        (True, False, False)
        """
        return self.workers == 1 and self.ray is None

    @contextmanager
    def start(
        self, mark_running: Callable[[], AbstractContextManager[str]], tasks: int
    ) -> Iterator[RunTasks]:
        """Start workers and yield what runs tasks on them.

        Args:
            mark_running: makes a file that exists as long as the run goes on, and yields its path
                or URL; for Ray.
            tasks: the most tasks that there will be in one step.

        Raises:
            ConfigError: the Ray cluster cannot be reached.
        """
        if self.ray is None and self.workers == 1:
            yield run_in_process
        elif self.ray is None:
            with worker_pool(min(self.workers, max(tasks, 1))) as run_tasks:
                yield run_tasks
        else:
            from ingest.pipeline.ray import ray_tasks  # takes seconds

            with (
                mark_running() as marker,
                ray_tasks(self.ray, self.ray_workers, marker) as run_tasks,
            ):
                yield run_tasks
