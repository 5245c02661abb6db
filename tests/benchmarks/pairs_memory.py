"""Measure how the memory of score, filter, split and export grows with the pairs.

    uv run python tests/benchmarks/pairs_memory.py [--pairs 200000 2000000] [--steps filter split]

Each command runs in a process of its own on made-up pairs of two sizes, one after the other, on what
the command before it wrote. `peak` is the most memory that was resident, and `anon` the part of it that
is no file mapped into memory, looked at fifty times per second. The ratios compare the last size with
the first.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from split import write_pairs

STEPS = {
    "score": ["score", "{pairs}", "-o", "{out}"],
    "filter": ["filter", "{pairs}", "-o", "{out}", "--set", "filter.min_quality=0"],
    "split": ["split", "{pairs}", "-o", "{out}"],
    "export jsonl": ["export", "{pairs}", "-o", "{out}.jsonl", "--format", "jsonl"],
    "export tmx": ["export", "{pairs}", "-o", "{out}.tmx", "--format", "tmx"],
    "export moses": ["export", "{pairs}", "-o", "{out}.moses", "--format", "moses"],
    "export huggingface": ["export", "{pairs}", "-o", "{out}.hub", "--format", "huggingface"],
}


class Usage(NamedTuple):
    """What a command took: user and system time in seconds, memory in megabytes."""

    cpu: float
    peak: float
    anonymous: float


def watch(command: list[str]) -> Usage:
    """Run a command to its end, and look at its memory meanwhile."""
    most = {"VmHWM": 0, "RssAnon": 0}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while not (done := os.wait4(process.pid, os.WNOHANG))[0]:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            for line in status.splitlines():
                name, _, value = line.partition(":")
                if name in most:
                    most[name] = max(most[name], int(value.split()[0]))
        time.sleep(0.02)
    if done[1]:
        raise SystemExit(f"{' '.join(command)}: {process.stderr.read().decode()}")
    return Usage(done[2].ru_utime + done[2].ru_stime, most["VmHWM"] / 1024, most["RssAnon"] / 1024)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, nargs="+", default=[200_000, 2_000_000])
    parser.add_argument("--kind", choices=["random", "templates"], default="random")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    args = parser.parse_args()
    print(f"{'step':<20} {'pairs':>10} {'CPU s':>8} {'peak MB':>8} {'anon MB':>8}  ratios")
    with tempfile.TemporaryDirectory() as folder:
        source = {pairs: Path(folder) / f"{pairs}.parquet" for pairs in args.pairs}
        for pairs, path in source.items():
            write_pairs(path, pairs, args.kind)
        for step in args.steps:
            usages = []
            for pairs in args.pairs:
                out = Path(folder) / f"{step.replace(' ', '-')}-{pairs}"
                names = {"pairs": source[pairs], "out": out}
                words = [word.format(**names) for word in STEPS[step]]
                usages.append(watch([sys.executable, "-m", "ingest", *words, "-q"]))
                if not step.startswith("export"):
                    source[pairs] = out
                usage, first = usages[-1], usages[0]
                print(
                    f"{step:<20} {pairs:>10,} {usage.cpu:>8.1f} {usage.peak:>8.0f} "
                    f"{usage.anonymous:>8.0f}  {usage.peak / first.peak:.2f} "
                    f"{usage.anonymous / first.anonymous:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
