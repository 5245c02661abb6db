"""Damage each file of a run in many ways, and call every command that reads it.

    uv run python tests/benchmarks/damage.py [COMMAND ...]

Prints each command that ends with a traceback, does not say in one line which file is damaged and
what to do, or fails again after that was done.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import damage

# Its encodings.py would hide that of Python from the processes that commands start.
sys.path.remove(str(Path(__file__).resolve().parent))


def main() -> int:
    commands = sys.argv[1:] or list(damage.COMMANDS)
    calls: Counter[str] = Counter()
    faults = 0
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = folder
        whole = damage.make_run(Path(folder))
        for command in commands:
            for kind in (None, *damage.DAMAGES):
                calls[command] += 1
                if fault := damage.find_fault(whole, command, kind):
                    faults += 1
                    name = f"{kind.file}: {kind.kind}" if kind else "nothing is damaged"
                    print(f"{command}: {name}: {fault}", flush=True)
    seconds = time.process_time() - started
    print(
        f"{calls.total():,} calls of {len(calls)} commands, {faults} faults, {seconds:.0f} s of CPU"
    )
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
