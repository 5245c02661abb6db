"""What a node of a Ray cluster does for a run: check itself once per process, then run tasks.

A node imports its own ingest. Ray sends it only `start_task`, as code and not as a name, so that
this function runs, and can say so, where ingest is missing or of another version.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from functools import cache
from typing import Any

RunOnRay = dict[str, str]
"""What a node must know of a run.

`versions` and `models` of the main process, as `ingest.pipeline.plan.versions` and
`ingest.resources.models_digest` return them; `marker`, a file or the URL of an object that exists
as long as the run goes on; and `folder`, where relative paths of sources start.
"""


def start_task(task: str, run: RunOnRay, environment: dict[str, str]) -> dict[str, Any]:
    """Run a task in a worker of a node.

    Args:
        task: a `Task` as JSON.
        run: what the node must know of the run.
        environment: variables to set in the worker.

    Returns:
        What `ingest.pipeline.workers.answer_task` does; and `node`, its name, if there is an error.
    """
    import ray

    # before Polars is imported; with a `runtime_env`, Ray would start other processes for it
    os.environ.update(environment)
    try:
        from ingest.pipeline.plan import versions

        installed = versions()
    except ImportError as error:
        installed = f"no ingest that can be imported ({error})"
    if installed == run["versions"]:
        from ingest.pipeline.ray_node import run_task_on_node

        answer = run_task_on_node(task, run)
    else:
        message = f"has {installed}, but the run needs {run['versions']}; install that there"
        answer = {"error": "ConfigError", "message": message}
    if "error" in answer:
        answer["node"] = f"{socket.gethostname()} ({ray.util.get_node_ip_address()})"
    return answer


def run_task_on_node(task: str, run: RunOnRay) -> dict[str, Any]:
    """Run a task, unless this node would do it differently from the main process."""
    from ingest.io.access import access
    from ingest.pipeline.tasks import Task
    from ingest.pipeline.workers import answer_task

    parsed = Task(*json.loads(task))
    with access(parsed.storage):
        problem = _find_problem(**run)
    if problem:
        return {"error": "ConfigError", "message": problem}

    def check_running(_number: int, _size: int) -> None:
        if not _is_there(run["marker"]):
            raise FileNotFoundError(f"{run['marker']}: the run has ended")

    # called after each batch: a worker that outlives its run must not add to the next one
    return answer_task(parsed, check_running)


def _is_there(marker: str) -> bool:
    from ingest.io import storage
    from ingest.io.urls import is_remote

    if is_remote(marker):
        return storage.stat(marker, fresh=True) is not None
    try:
        # not `exists`: file systems on a network remember for a while what was there
        with open(marker, "rb"):
            return True
    except OSError:
        return False


@cache  # so once per run and process
def _find_problem(versions: str, models: str, marker: str, folder: str) -> str:
    from ingest.resources import models_digest

    if not _is_there(marker):
        unfinished = os.path.dirname(os.path.dirname(marker))
        return f"does not see {unfinished}; OUT must be in a folder that all nodes share"
    if (found := models_digest()) != models:
        return (
            f"has other models than the main process ({found}, not {models}) with {versions}; "
            "install the same ingest there"
        )
    with suppress(OSError):  # without the folder, a relative source is reported as missing
        os.chdir(folder)
    return ""
