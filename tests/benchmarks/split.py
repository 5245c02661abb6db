"""Measure time and memory of `ingest split` on pairs that are made up.

    uv run python tests/benchmarks/split.py [--pairs 50000 200000] [--kind random templates]

`random`: each text has twelve words that are drawn at random. `templates`: each is one of 74 texts with a
number, so that nearly all pairs are alike. Each split runs in a process of its own. `peak MB` includes
pages of temporary files that are mapped into memory, `anon MB` does not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from ingest.frames import PAIRS, schema

BATCH = 100_000
# VmHWM and not ru_maxrss, which starts with the size of the process that forked
CHILD = """
import json, resource, sys, time
from ingest.jobs.split import split_file

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))

before, started = peak(), time.perf_counter()
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[3]), int(sys.argv[3])))
result = split_file(sys.argv[1], sys.argv[2])
seconds, cpu = time.perf_counter() - started, time.process_time()
print(json.dumps({
    "seconds": seconds, "cpu": cpu, "before": before, "peak": peak(), "sizes": result.sizes
}))
"""


def texts(rng: np.random.Generator, words: pl.Series, count: int, kind: str, at: int) -> pl.Series:
    """Return texts; `at` is the number of the first."""
    if kind == "templates":
        own = np.random.default_rng(1)
        of = pl.Series(
            [" ".join(own.choice(words.to_numpy(), own.integers(8, 30))) for _ in range(74)]
        )
        chosen = of.gather(rng.integers(0, len(of), count))
        return pl.select(pl.format("{} {}", chosen, pl.int_range(at, at + count))).to_series()
    drawn = pl.DataFrame(
        [words.gather(rng.integers(0, len(words), count)).alias(str(n)) for n in range(12)]
    )
    return drawn.select(pl.concat_str(pl.all(), separator=" ")).to_series()


def write_pairs(path: Path, pairs: int, kind: str) -> None:
    """Write made-up pairs to a Parquet file."""
    rng = np.random.default_rng(0)
    english = pl.Series([f"word{n}" for n in range(30_000)])
    arabic = pl.Series([f"كلمة{n}" for n in range(30_000)])
    types = schema(PAIRS)
    parts = []
    for at in range(0, pairs, BATCH):
        count = min(BATCH, pairs - at)
        part = path.with_name(f"part-{at}.parquet")
        frame = pl.DataFrame(
            {
                "pair_id": [f"{number:016x}" for number in range(at, at + count)],
                "source_text": texts(rng, english, count, kind, at),
                "target_text": texts(rng, arabic, count, kind, at),
            }
        ).with_columns(
            source_lang=pl.lit("en"), target_lang=pl.lit("ar"), method=pl.lit("imported")
        )
        missing = [name for name in types if name not in frame.columns]
        frame = frame.with_columns(pl.lit(None, types[name]).alias(name) for name in missing)
        frame.select(types.names()).write_parquet(part)
        parts.append(part)
    pl.scan_parquet(parts).sink_parquet(path, row_group_size=1 << 15)


def watch(command: list) -> tuple[str, float]:
    """Run a command; return what it prints, and its peak of anonymous memory in megabytes."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
                lines = [line for line in status.splitlines() if line.startswith("RssAnon")]
                peak = max([peak, *(int(line.split()[1]) for line in lines)])
            time.sleep(0.02)
        if process.returncode:
            raise SystemExit(process.returncode)
        return process.stdout.read(), peak / 1024


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--kind", nargs="+", default=["random", "templates"])
    parser.add_argument("--cpu-seconds", type=int, default=3600, help="at most, per split")
    args = parser.parse_args()
    print(
        f"{'kind':<10} {'pairs':>10} {'s':>8} {'CPU s':>8} {'start MB':>9} {'peak MB':>8} "
        f"{'anon MB':>8}  sizes"
    )
    for kind in args.kind:
        for pairs in args.pairs:
            with tempfile.TemporaryDirectory() as folder:
                source = Path(folder) / "pairs.parquet"
                write_pairs(source, pairs, kind)
                command = [sys.executable, "-c", CHILD, source, Path(folder) / "split.parquet"]
                run, anonymous = watch([*command, str(args.cpu_seconds)])
            result = json.loads(run)
            print(
                f"{kind:<10} {pairs:>10,} {result['seconds']:>8.1f} {result['cpu']:>8.1f} "
                f"{result['before']:>9.0f} {result['peak']:>8.0f} {anonymous:>8.0f}  "
                f"{result['sizes']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
