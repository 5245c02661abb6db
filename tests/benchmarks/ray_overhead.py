"""Compare `ingest run` on a large WARC: a local pool against Ray on one node with as many cores.

    uv run --group ray python tests/benchmarks/ray_overhead.py [--megabytes 500] [--workers 2] [--rounds 3]

The WARC is that of `warc.py`. The runs take turns, so that a busy machine slows all of them. "Ray" is a
cluster that runs already; "auto" also starts and stops it. The load is that of the machine (`uptime`)
before each round.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # nobody else gets to a cluster on loopback
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # as ingest.pipeline.ray
# the workers of a Ray cluster give way to all other processes, which a local pool does not
os.environ.setdefault("RAY_worker_niceness", "0")

from ray.cluster_utils import Cluster
from warc import write_warc

NAMES = ("documents.parquet", "segments.parquet", "articles.jsonl")


def measure(source: Path, *options: str) -> tuple[float, str]:
    """Return the seconds of a run and a hash of its outputs."""
    out = source.with_name("out")
    command = [sys.executable, "-m", "ingest", "run", str(source), "-o", str(out), "-q", *options]
    started = time.perf_counter()
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - started
    digest = hashlib.sha256(b"".join((out / name).read_bytes() for name in NAMES)).hexdigest()
    shutil.rmtree(out)
    return seconds, digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    logging.getLogger("ray").setLevel(logging.ERROR)
    workers = str(args.workers)
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "crawl.warc.gz"
        pages = write_warc(source, int(args.megabytes * 1e6))
        print(f"{args.megabytes:g} MB, {pages:,} pages, {workers} cores\n")
        print(f"{'round':>5} {'load':>5} {'local s':>8} {'Ray s':>7} {'Ray/local':>9}  outputs")
        cluster = Cluster()
        cluster.add_node(num_cpus=args.workers, include_dashboard=False,
                         object_store_memory=100 << 20)  # fmt: skip
        ways = {"local": ("--workers", workers), "ray": ("--ray", cluster.address)}
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        try:
            for turn in range(args.rounds):
                load, digests = os.getloadavg()[0], set()
                for way in list(ways)[:: 1 if turn % 2 == 0 else -1]:
                    took, digest = measure(source, *ways[way])
                    seconds[way].append(took)
                    digests.add(digest)
                print(f"{turn + 1:>5} {load:>5.1f} {seconds['local'][-1]:>8.1f} {seconds['ray'][-1]:>7.1f} "
                      f"{seconds['ray'][-1] / seconds['local'][-1]:>9.2f}  "
                      f"{'same' if len(digests) == 1 else 'DIFFERENT'}", flush=True)  # fmt: skip
        finally:
            cluster.shutdown()
        auto, _ = measure(source, "--ray", "auto", "--ray-workers", workers)
        local, ray = (statistics.median(seconds[way]) for way in ways)
        print(f"\nmedians: local {local:.1f} s, Ray {ray:.1f} s ({ray / local:.2f}), "
              f"auto {auto:.1f} s ({auto / local:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
