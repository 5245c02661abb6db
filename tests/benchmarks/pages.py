"""`ingest run` beside trafilatura on real pages: pages per second of CPU, memory, and each step.

    uv run --with trafilatura python tests/benchmarks/pages.py FOLDER [--pages 250] [--rounds 3]

FOLDER holds HTML files. Both are run as whole processes on one core, in turn, so that other work on
the machine slows both; the table has medians. `ingest run` reads files and writes its four outputs;
trafilatura reads files and prints text. Then both are compared in one process, on pages in memory:
from bytes to a labelled frame, and `trafilatura.extract`. The time per step is from run.json, and
"start" is the rest: imports and what no step counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

_ONE_THREAD = dict.fromkeys(
    ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
_CORES = sorted(os.sched_getaffinity(0))
_TRAFILATURA = """
import sys
from pathlib import Path
import trafilatura
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(trafilatura.extract(path.read_bytes()) or "")
"""
_IN_MEMORY = """
import json, sys, time
from pathlib import Path
import trafilatura
import ingest
from ingest.config import RunConfig
from ingest.readers import document, records
pages = [path.read_bytes() for path in sorted(Path(sys.argv[1]).iterdir())]

def label(pages):
    rows, chars = [], 0
    for number, page in enumerate(pages):
        rows.append(document.to_row(records.Record("page", number, None, page, "text/html")))
        chars += rows[-1].get("chars", 0)
        if chars >= RunConfig().batch_chars or number == len(pages) - 1:
            documents = ingest.readers._to_frame(rows)
            ingest.label(ingest.detect(ingest.segment(documents)))
            rows, chars = [], 0

label(pages[:5])
trafilatura.extract(pages[0])
seconds = {"ingest": [], "trafilatura": []}
for _ in range(int(sys.argv[2])):
    started = time.process_time()
    label(pages)
    seconds["ingest"].append(time.process_time() - started)
    started = time.process_time()
    for page in pages:
        trafilatura.extract(page)
    seconds["trafilatura"].append(time.process_time() - started)
print(json.dumps(seconds))
"""


class Usage(NamedTuple):
    """What one process took: seconds on the clock, seconds of CPU, and peak memory in MB."""

    elapsed: float
    cpu: float
    peak: float


def run(command: list[str], *, cores: int = 1) -> Usage:
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.DEVNULL, env=os.environ | _ONE_THREAD
        )
        os.sched_setaffinity(process.pid, _CORES[:cores])
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(command[:4])}: failed with status {status}")
    return Usage(elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def ingest_run(pages: Path, out: Path, workers: int = 1) -> Usage:
    command = [
        sys.executable,
        "-m",
        "ingest",
        "run",
        str(pages),
        "-o",
        str(out),
        "--overwrite",
        "-q",
    ]
    return run([*command, "--workers", str(workers)], cores=workers)


def median(usages: list[Usage]) -> Usage:
    return Usage(*(statistics.median(values) for values in zip(*usages, strict=True)))


def link_pages(folder: Path, dest: Path, pages: int) -> int:
    """Link up to `pages` HTML files, evenly chosen, into one folder; return their bytes."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".html", ".htm"))
    if not files:
        raise SystemExit(f"{folder}: has no .html files")
    size = 0
    for number in range(min(pages, len(files))):
        file = files[number * len(files) // min(pages, len(files))]
        (dest / f"{number:05d}.html").symlink_to(file.resolve())
        size += file.stat().st_size
    return size


def print_row(name: str, usage: Usage, pages: int) -> None:
    print(
        f"{name:<26} {usage.cpu:>7.2f} {pages / usage.cpu:>12.1f} {usage.elapsed:>9.2f} {usage.peak:>8.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name, "pages"), Path(name, "out")
        folder.mkdir()
        size = link_pages(args.folder, folder, args.pages)
        count = len(list(folder.iterdir()))
        ours, theirs, both, steps = [], [], [], []
        for _ in range(args.rounds):
            ours.append(ingest_run(folder, out))
            steps.append(json.loads((out / "run.json").read_text(encoding="utf-8"))["seconds"])
            theirs.append(run([sys.executable, "-c", _TRAFILATURA, str(folder)]))
            both.append(ingest_run(folder, out, workers=2))
        print(f"{count:,} pages, {size / 1e6:.0f} MB, medians of {args.rounds} runs on one core\n")
        print(f"{'':<26} {'CPU s':>7} {'pages/CPU s':>12} {'elapsed s':>9} {'peak MB':>8}")
        print_row("ingest run", median(ours), count)
        print_row("trafilatura", median(theirs), count)
        print_row("ingest run --workers 2", median(both), count)
        print(f"\ningest run is {median(theirs).cpu / median(ours).cpu:.2f} times as fast as "
              f"trafilatura; 2 workers are {median(ours).elapsed / median(both).elapsed:.2f} times "
              "as fast as one")  # fmt: skip
        in_steps = {step: statistics.median(s[step] for s in steps) for step in steps[0]}
        start = median(ours).elapsed - sum(in_steps.values())
        print(
            "\n"
            + ", ".join(f"{step} {s:.2f} s" for step, s in {"start": start, **in_steps}.items())
        )
        memory = subprocess.run(
            [sys.executable, "-c", _IN_MEMORY, str(folder), str(args.rounds)],
            capture_output=True, check=True, env=os.environ | _ONE_THREAD,
        )  # fmt: skip
        seconds = {tool: statistics.median(s) for tool, s in json.loads(memory.stdout).items()}
        print(f"in memory: ingest {count / seconds['ingest']:.1f} pages/s, trafilatura "
              f"{count / seconds['trafilatura']:.1f}: "
              f"{seconds['trafilatura'] / seconds['ingest']:.2f} times as fast")  # fmt: skip


if __name__ == "__main__":
    main()
