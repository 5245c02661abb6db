"""Does the cost of each step grow with the size of its input, and no faster?

    uv run python tests/benchmarks/linear.py [--steps sentences pii] [--inputs dots] [--kilobytes 250 1000]

Each step gets each input in two sizes: equal lines, one long line, marks without words, quotes that
never close, and so on. The table has the seconds for the larger size and the exponent of the growth
(1 is linear, 2 is quadratic), the slowest first. A step that is not done after 20 seconds is stopped.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from linear_steps import STEPS, UNITS, make_input

_ONE_THREAD = dict.fromkeys(
    ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
_TIMEOUT = 20  # seconds


def serve() -> None:
    """Answer lines of [step, input, bytes] with the seconds that the step takes."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        step, name, size = json.loads(line)
        run = STEPS[step](make_input(name, size))
        started = time.process_time()
        error = ""
        try:
            run()
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"[:200]
        answers.write(json.dumps([time.process_time() - started, error]) + "\n")
        answers.flush()


class Worker:
    """A process that runs steps, and is replaced when it takes too long."""

    def __init__(self, folder: str) -> None:
        self._env = os.environ | _ONE_THREAD | {"LINEAR_TMP": folder}
        self._process: subprocess.Popen[str] | None = None

    def seconds(self, step: str, name: str, size: int) -> tuple[float, str]:
        process = self._process or subprocess.Popen(
            [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=self._env,
        )  # fmt: skip
        self._process = process
        process.stdin.write(json.dumps([step, name, size]) + "\n")
        process.stdin.flush()
        line = (
            process.stdout.readline()
            if select.select([process.stdout], [], [], 3 * _TIMEOUT)[0]
            else ""
        )
        if not line:
            process.kill()
            process.wait()
            self._process = None
            return math.inf, "stopped"
        return tuple(json.loads(line))

    def close(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


def measure(steps: list[str], names: list[str], sizes: list[int]) -> Iterator[tuple]:
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(folder)
        try:
            for step in steps:
                worker.seconds(step, "sentences", 1000)  # loads the models
                for name in names:
                    results = [worker.seconds(step, name, size * 1000) for size in sizes]
                    yield step, name, [r[0] for r in results], results[-1][1]
        finally:
            worker.close()


def exponent(sizes: list[int], seconds: list[float]) -> float:
    if math.isinf(max(seconds)):
        return math.inf
    return math.log(max(seconds[-1], 1e-3) / max(seconds[0], 1e-3)) / math.log(sizes[-1] / sizes[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--steps", nargs="+", default=list(STEPS), choices=list(STEPS), metavar="STEP"
    )
    parser.add_argument(
        "--inputs", nargs="+", default=list(UNITS), choices=list(UNITS), metavar="INPUT"
    )
    parser.add_argument("--kilobytes", type=int, nargs=2, default=[250, 1000])
    parser.add_argument("--rows", type=int, default=40, help="rows to print")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve()
        return
    rows = []
    for step, name, seconds, error in measure(args.steps, args.inputs, args.kilobytes):
        rows.append((seconds[-1], exponent(args.kilobytes, seconds), step, name, error))
        if seconds[-1] > 1 or (error and os.environ.get("LINEAR_VERBOSE")):
            print(
                f"{step:<18} {name:<20} {seconds} {rows[-1][1]:.2f} {error}",
                file=sys.stderr,
                flush=True,
            )
    print(f"{'s':>7} {'growth':>7}  step and input of {args.kilobytes[-1]:,} kB")
    for seconds, growth, step, name, error in sorted(rows, reverse=True)[: args.rows]:
        print(f"{seconds:>7.2f} {growth:>7.2f}  {step}: {name} {error}")


if __name__ == "__main__":
    main()
