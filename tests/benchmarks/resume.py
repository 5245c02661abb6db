"""Kill `ingest run` at random moments, resume it, and compare the outputs.

    uv run python tests/benchmarks/resume.py [--kills 20] [--copies 6] [--workers 2]

The pages are copies of the samples. Each row is one run that was killed with SIGKILL (every third
time together with its workers) and then resumed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ingest

INGEST = [sys.executable, "-m", "ingest"]


def command(pages: Path, out: Path, *options: str) -> list[str]:
    return [*INGEST, "run", str(pages), "-o", str(out), "--config", str(pages.parent / "c.toml"),
            *options]  # fmt: skip


def digest(out: Path) -> str:
    names = ("documents.parquet", "segments.parquet", "articles.jsonl")
    return hashlib.sha256(b"".join((out / n).read_bytes() for n in names)).hexdigest()[:12]


def stage(state: Path, shards: int) -> str:
    """Return how far the killed run got."""
    if not (state / "plan.json").exists():
        return "publishing" if (state / "done.json").exists() else "starting"
    for name in ("out", "finished", "joined"):
        if (state / name).exists():
            return name
    labelled = state / "labelled"
    done = [p for p in labelled.iterdir() if p.name[0] != "."] if labelled.exists() else []
    return f"{len(done)} of {shards} shards"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--copies", type=int, default=6)
    parser.add_argument("--workers", default="2")
    args = parser.parse_args()
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages, out = folder / "pages", folder / "out"
        for copy in range(args.copies):
            shutil.copytree(ingest.samples(), pages / str(copy), ignore=lambda _at, names: [
                n for n in names if not n.endswith(".txt")])  # fmt: skip
        (folder / "c.toml").write_text("[run]\nshard_bytes = 200000\n")
        size = sum(p.stat().st_size for p in pages.rglob("*.txt"))
        shards = -(-size // 200_000)
        started = time.perf_counter()
        subprocess.run(command(pages, out, "--workers", args.workers), check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        duration = time.perf_counter() - started
        expected = digest(out)
        print(f"{size / 1e6:.1f} MB, {duration:.1f} s uninterrupted, {expected}\n")
        print(f"{'killed after':>12}  {'stage':<16} {'resume':>9}  outputs")
        kills = wrong = 0
        while kills < args.kills:
            shutil.rmtree(out)
            after = rng.uniform(0.1, duration)
            process = subprocess.Popen(
                command(pages, out, "--workers", args.workers),
                stdout=subprocess.DEVNULL, process_group=0,
            )  # fmt: skip
            time.sleep(after)
            if kills % 3:
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if out.exists() and not (folder / "out.unfinished").exists():
                duration = after  # faster than the first time
                continue
            kills += 1
            progress = stage(folder / "out.unfinished", shards)
            started = time.perf_counter()
            subprocess.run(command(pages, out, "--resume", "--workers", args.workers), check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
            took = time.perf_counter() - started
            result = digest(out)
            left = sorted(p.name for p in folder.iterdir()) != ["c.toml", "out", "pages"]
            wrong += result != expected or left
            print(f"{after:>10.2f} s  {progress:<16} {took:>7.1f} s  "
                  f"{'same' if result == expected else 'DIFFERENT'}{', files left over' if left else ''}",
                  flush=True)  # fmt: skip
    print(f"\n{args.kills - wrong} of {args.kills} the same bytes")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
