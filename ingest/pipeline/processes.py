"""Start worker processes.

A worker is a Python process that reads from its standard input, one JSON value per line, and writes
its answers the same way. It exits when its input ends, so no worker outlives the run, however the
run ends. (The pools of the standard library import the caller's script again, and do not report
which task was lost when a worker dies.)
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

# Each worker has one core, and Polars and NumPy must not use more.
ONE_THREAD = dict.fromkeys(
    ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
# Ctrl-C reaches all processes of the group; only the main process handles it.
_WORKER_CODE = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from importlib import import_module; import_module(sys.argv[2]).serve()"
)

Worker: TypeAlias = "subprocess.Popen[str]"


def start_worker(module: str) -> Worker:
    """Start a process that calls `serve` of a module."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _WORKER_CODE, json.dumps(sys.path), module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="ascii",
        env=os.environ | ONE_THREAD,
    )


def open_channel() -> tuple[queue.SimpleQueue[Any], Callable[..., None]]:
    """In a worker: return where the values of standard input arrive, and what sends an answer.

    The process ends when its input ends.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # other output must not mix with the answers
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(received,), daemon=True).start()

    def answer(**fields: Any) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    return received, answer


def _receive(received: queue.SimpleQueue[Any]) -> None:
    for line in sys.stdin:
        received.put(json.loads(line))
    os._exit(0)
