"""Run tasks on a Ray cluster, as plain Ray tasks of one core each.

A task whose worker or node is lost is repeated. That is safe: a shard is renamed into place when it
is complete, and is the same bytes whoever makes it. Ray itself repeats nothing: it would do so for
ever with a page that takes too much memory.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from ingest.errors import ConfigError, MissingExtraError, WriteError
from ingest.pipeline import ray_node
from ingest.pipeline.plan import versions
from ingest.pipeline.processes import ONE_THREAD
from ingest.pipeline.tasks import Losses, RunTasks, ShardProgress, Task, rebuild_error
from ingest.resources import models_digest

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anyone
# Otherwise workers of a driver under `uv run` start in a copy of its folder and with the groups and
# extras of its command line only: where Ray is not among them, they never start.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
try:
    import ray
    from ray import cloudpickle
    from ray.exceptions import LocalRayletDiedError, RayError, RayTaskError
    from ray.util import client  # for addresses that start with ray://
except ImportError as error:
    raise MissingExtraError("ray", "ray") from error

_log = logging.getLogger(__name__)

AUTO = "auto"
_TASKS_PER_CORE = 2  # so that a core has its next task as soon as it ends one
_OBJECT_STORE_BYTES = 100 << 20  # nearly the least that Ray allows: answers are small
_STDERR = 2
_TOKEN = Path("~/.ray/auth_token")  # where Ray keeps the token that its commands use
_CHECK_SECONDS = 1.0  # how often to look for new nodes
_PORT_SECONDS = 10.0
_CANCEL_SECONDS = 10.0
# After 60 seconds without the head, Ray ends the process without a word.
_HEAD_SECONDS = 20.0


@contextmanager
def ray_tasks(address: str, most: int | None, marker: str) -> Iterator[RunTasks]:
    """Connect to a cluster and yield what runs tasks on it.

    Args:
        address: HOST:PORT, ray://HOST:PORT, or "auto": the cluster that runs on this machine, or
            one that is started now and stopped at the end.
        most: the most tasks at a time; as many as the cluster has cores if None.
        marker: a file that exists as long as the run goes on.

    Raises:
        ConfigError: the cluster cannot be reached.
    """
    with _connection(address, most):
        tasks = _RayTasks(most, marker)
        try:
            yield tasks.run
        finally:
            tasks.cancel()


@contextmanager
def _connection(address: str, cores: int | None) -> Iterator[None]:
    if ray.is_initialized():  # by the caller, who also ends it
        yield
        return
    on_terminate = signal.getsignal(signal.SIGTERM)
    try:
        _connect(address, cores)
    except ConfigError:
        raise
    except Exception as error:  # Ray raises its own, built-in ones, and bare exceptions
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ConfigError(
            f"the Ray cluster {address} cannot be reached: {reason}; {_hint_at_connection()}"
        ) from error
    finally:
        # Ray replaces the handler, which cleans up
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_terminate)
    try:
        yield
    finally:
        ray.shutdown()  # it stops a cluster only if it was started here


def _hint_at_connection() -> str:
    if "RAY_AUTH_MODE" not in os.environ and _TOKEN.expanduser().exists():
        return "if it wants a token, as one that ray start made may: set RAY_AUTH_MODE=token"
    return "a cluster is started with: ray start --head"


def _connect(address: str, cores: int | None) -> None:
    # What nodes report goes to standard output even without `log_to_driver`; there is no other
    # switch. A version of Ray that does not know it only says more.
    ray._private.worker._worker_logs_enabled = False
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    known = (os.environ.get("RAY_ADDRESS") or _last_address()) if address == AUTO else address
    if known:
        _log.info("connecting to the Ray cluster %s", known)
        _check_port(known)  # Ray itself would try for over ten minutes
        _check_token(known)
        ray.init(address=known, **quiet)
    else:
        _log.info("starting a Ray cluster on this machine; this takes some seconds")
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            **quiet,
        )


def _last_address() -> str | None:
    """Return the address that `ray start` left on this machine, if something answers there."""
    folder = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir())
    try:
        address = (folder / "ray" / "ray_current_cluster").read_text(encoding="utf-8").strip()
        _check_port(address)
    except (OSError, ValueError):  # there is none, or it was killed
        return None
    return address


def _check_port(address: str) -> None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_PORT_SECONDS).close()


def _check_token(address: str) -> None:
    """Ask the head once whether it knows us. Ray itself would try twenty times, and print each.

    Raises:
        ConfigError: the cluster wants another token.
    """
    if address.startswith("ray://"):
        return
    try:
        connect = import_module("ray._raylet").GcsClient
        from ray.exceptions import AuthenticationError
    except (ImportError, AttributeError):  # a version of Ray without tokens
        return
    with _no_standard_error():
        try:
            connect(address=address)
        except AuthenticationError as error:
            raise ConfigError(
                f"the Ray cluster {address} wants a token, and has got none or another one: set "
                f"RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN unless the token is in {_TOKEN}"
            ) from error
        except Exception as error:
            _log.debug("asking for the token: %s", error)  # Ray says the same again, or more


@contextmanager
def _no_standard_error() -> Iterator[None]:
    """Drop what code in C prints there, which no setting of Ray turns off."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # it is closed
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)


class _RayTasks:
    def __init__(self, most: int | None, marker: str) -> None:
        self._most = most
        self._run = {
            "versions": versions(),
            "models": models_digest(),
            "marker": marker,
            "folder": os.getcwd(),
        }
        cloudpickle.register_pickle_by_value(ray_node)
        self._start = ray.remote(num_cpus=1, max_retries=0)(ray_node.start_task)
        self._running: dict[Any, Task] = {}
        self._head = None if client.ray.is_connected() else _Head()
        self._waits = False  # for a node with a core

    def run(self, tasks: Iterable[Task], progress: ShardProgress) -> Iterator[int]:
        """Run tasks; yield the shard number of each when it is done, in any order.

        Raises:
            ConfigError: a node has another version or other models, or does not see OUT.
            WriteError: a task was lost again and again, or the head of the cluster was lost.
        """
        waiting, running, losses = iter(tasks), self._running, Losses()
        again: list[Task] = []
        while True:
            if self._head:
                self._head.check()
            room = max(self._window() - len(running), 0)
            for task in (*again, *islice(waiting, max(room - len(again), 0))):
                running[self._start.remote(json.dumps(task), self._run, ONE_THREAD)] = task
            again.clear()
            if not running:
                return
            references = list(running)
            done, _ = ray.wait(references, timeout=_CHECK_SECONDS)
            if done:  # one at least; the others that are done need no call each
                done, _ = ray.wait(references, num_returns=len(references), timeout=0)
            for reference in done:
                task = running.pop(reference)
                if repeated := _repeat_lost(reference, task, losses):
                    again.append(repeated)
                else:
                    yield task.number

    def _window(self) -> int:
        """Return how many tasks the cluster may have; nodes come and go."""
        cores = int(ray.cluster_resources().get("CPU", 0))
        if not cores and not self._waits:
            _log.info("the Ray cluster has no core; waiting for a node that has one")
        self._waits = not cores
        return self._most or _TASKS_PER_CORE * max(cores, 1)

    def cancel(self) -> None:
        """Stop all tasks, and wait until they have stopped."""
        for reference in self._running:
            ray.cancel(reference, force=True)
        if self._running:
            ray.wait(list(self._running), num_returns=len(self._running), timeout=_CANCEL_SECONDS)


class _Head:
    """The head of the cluster, which must be there all the time."""

    def __init__(self) -> None:
        self._address = ray.get_runtime_context().gcs_address

    def check(self) -> None:
        """Wait until the head answers.

        Raises:
            WriteError: it has not answered for 20 seconds.
        """
        start = time.monotonic()
        is_known = False
        while True:
            try:
                _check_port(self._address)
                return
            except OSError as error:
                if not is_known:
                    _log.info("the head of the Ray cluster does not answer; waiting for it")
                is_known = True
                if time.monotonic() > start + _HEAD_SECONDS:
                    raise WriteError(
                        f"the head of the Ray cluster, {self._address}, does not answer: {error}"
                    ) from error
            time.sleep(_CHECK_SECONDS)


def _repeat_lost(reference: Any, task: Task, losses: Losses) -> Task | None:
    """Return the task to run instead, if this one was lost; None if it is done."""
    try:
        answer = ray.get(reference)
    except RayTaskError as error:  # a mistake in ingest: its own errors are answers
        raise RuntimeError(str(error)) from error
    except LocalRayletDiedError as error:  # no task can be started any more
        raise WriteError(
            "the Ray node that this process is connected to was lost: its raylet has ended; "
            "start that node again"
        ) from error
    except RayError as error:
        reason = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
        return losses.repeat(task, f"Ray could not run a task: {reason}")
    if "error" in answer:
        raise rebuild_error(answer["error"], f"node {answer['node']}: {answer['message']}")
    if "lost" in answer:
        return losses.repeat(task, answer["lost"], by_page=True)
    return None
