"""Python in a process of its own: for what may crash, or what leaves traces when imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping


def child(
    *command: str, env: Mapping[str, str] | None = None, seconds: float = 60
) -> subprocess.CompletedProcess[bytes]:
    r"""Run Python, able to import whatever this process can, and wait for it.

    Args:
        *command: What stands behind `python`.
        env: What is different in its environment.
        seconds: How long it may take.

    Raises:
        subprocess.TimeoutExpired: it takes longer.

    >>> child("-c", "import sys; print(sys.argv[1])", "here").stdout
    b'here\n'
    """
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return subprocess.run(  # noqa: S603
        [sys.executable, "-P", *command],
        env={**os.environ, "PYTHONPATH": paths, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
