"""Measure the join of a run on made-up keys: time, memory and temporary files.

    uv run python tests/benchmarks/join.py [--keys 1000000] [--shards 1000] [--workers 1]

Three in ten keys are near-copies of others, and each key has four short lines. Only the join runs,
in a process of its own. With workers, the memory of the main process is that of one that reads
no keys; with `--workers 0` the tasks do nothing. `--texts 1` makes all keys copies of one text.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import nullcontext, suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from ingest.codepoints import mix
from ingest.config import Config
from ingest.minhash import BANDS, ROWS
from ingest.pipeline.state import State

WIDTH = BANDS * ROWS
LINES = 4  # per key


def write_shards(state: State, keys: int, shards: int, texts: int | None) -> None:
    """Write what the join reads of labelled shards."""
    rng = np.random.default_rng(0)
    ends = np.linspace(0, keys, shards + 1).astype(int)
    for n, (start, end) in enumerate(pairwise(ends.tolist())):
        rows = end - start
        number = np.arange(start, end)
        doc = np.sort(mix(number.astype(np.uint64) // 2 + 1)) if rows else number.astype(np.uint64)
        text = np.where(rng.random(rows) < 0.3, rng.integers(0, keys // 10 + 1, rows), number)
        text = text if texts is None else text % texts
        seeds = text.astype(np.uint64)[:, None] * np.uint64(WIDTH) + np.arange(
            WIDTH, dtype=np.uint64
        )
        values = (mix(seeds) >> np.uint64(48)).astype(np.uint16)
        noise = rng.random(values.shape, np.float32) < rng.random((rows, 1), np.float32) * 0.2
        values[noise] = rng.integers(0, 1 << 16, int(noise.sum()))
        lines = mix(rng.integers(0, 1 << 62, rows * LINES).astype(np.uint64))
        of_site = rng.random(len(lines)) < 0.1
        lines[of_site] = mix(rng.integers(0, keys // 50 + 1, int(of_site.sum())).astype(np.uint64))
        row = np.repeat(np.arange(rows, dtype=np.uint32), LINES)
        folder = state.labelled(n)
        folder.mkdir(parents=True)
        pl.DataFrame({"doc_id": doc, "article": number % 2}).write_parquet(
            folder / "keys.parquet", compression="lz4"
        )
        np.save(folder / "values.npy", values)
        pl.DataFrame({"line": lines, "row": row}).write_parquet(
            folder / "lines.parquet", compression="lz4"
        )
        report = {"sizes": {"keys": int(rows), "lines": len(lines)}}
        (folder / "report.json").write_text(json.dumps(report))


def link_shards(state: State, shards: int, total: int) -> None:
    """Make more shards, whose files are those of the first ones."""
    for n in range(shards, total):
        folder = state.labelled(n)
        folder.mkdir()
        for path in state.labelled(n % shards).iterdir():
            os.link(path, folder / path.name)


class Watch:
    """The most anonymous memory of this process, and the most bytes in a folder."""

    def __init__(self, folder: Path) -> None:
        self.anonymous = self.disk = 0
        self._folder = folder
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(look, pause))
            for look, pause in ((self._look_at_memory, 0.02), (self._look_at_disk, 2.0))
        ]

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _watch(self, look, pause: float) -> None:
        while True:
            look()
            if self._end.wait(pause):
                return

    def _look_at_memory(self) -> None:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        self.anonymous = max(self.anonymous, int(status.split("RssAnon:")[1].split()[0]) // 1024)

    def _look_at_disk(self) -> None:
        size = 0
        for at, _, names in os.walk(self._folder):
            for name in names:
                with suppress(FileNotFoundError):
                    size += os.stat(os.path.join(at, name)).st_size
        self.disk = max(self.disk, size >> 20)


def write_reports_only(state: State):
    """Return what runs tasks that do nothing, so that only the main process works."""

    def run_tasks(tasks, _progress):
        for task in tasks:
            with state.store(state.joined(task.step.split(" ")[1], task.number)) as work:
                report = {"counts": {"unsettled": 0}, "seconds": {}}
                (work / "report.json").write_text(json.dumps(report))
            yield task.number

    return nullcontext(run_tasks)


def run_join(target: Path, shards: int, workers: int) -> dict[str, float]:
    from ingest.pipeline.join import join_shards
    from ingest.pipeline.workers import worker_pool

    state = State(target)
    pool = worker_pool(workers) if workers else write_reports_only(state)
    with Watch(state.joined("plan", 0).parent.parent) as watch, pool as run_tasks:
        started = time.perf_counter()
        join_shards(state, shards, Config(), run_tasks)
        wall = time.perf_counter() - started
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    [report] = state.read_reports([state.joined("report", 0)])
    return {
        **report["counts"],
        "CPU seconds": round(own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime, 1),
        "of the main process": round(own.ru_utime + own.ru_stime, 1),
        "wall seconds": round(wall, 1),
        "peak MB": own.ru_maxrss // 1024,
        "peak MB anonymous": watch.anonymous,
        "peak MB of a worker": others.ru_maxrss // 1024,
        "MB of files": watch.disk,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--texts", type=int, help="number of different texts")
    parser.add_argument("--different", type=int, help="number of shards that are no links")
    parser.add_argument("--folder", type=Path, help="where to keep the made-up shards")
    parser.add_argument("--join", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.join:
        print(json.dumps(run_join(args.folder / "out", args.shards, args.workers)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        state = State(folder / "out")
        if not state.labelled(0).exists():
            different = min(args.different or args.shards, args.shards)
            write_shards(state, args.keys * different // args.shards, different, args.texts)
            link_shards(state, different, args.shards)
        command = [sys.executable, __file__, "--join", "--folder", str(folder),
                   "--shards", str(args.shards), "--workers", str(args.workers)]  # fmt: skip
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
