"""Run Python in another process, for code that may crash or has side effects on import."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping


def run_python(
    *arguments: str, env: Mapping[str, str] | None = None, seconds: float = 60
) -> subprocess.CompletedProcess[bytes]:
    r"""Run Python with this process's import path, and wait for it.

    Args:
        *arguments: Command-line arguments of `python`.
        env: Changes to the environment.
        seconds: Time limit.

    Raises:
        subprocess.TimeoutExpired: the time limit was exceeded.

    >>> run_python("-c", "import sys; print(sys.argv[1])", "here").stdout
    b'here\n'
    """
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return subprocess.run(  # noqa: S603
        [sys.executable, "-P", *arguments],
        env={**os.environ, "PYTHONPATH": paths, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
