"""Kill `ingest run` outright at random moments, resume it, and compare what comes out.

    uv run python tests/benchmarks/resume.py [--kills 20] [--copies 6] [--workers 2]

The pages are the samples, copied under other names. Each row is one run that was killed with
SIGKILL (every third time its workers too), and resumed until it was done.
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
    """How far the killed run had come."""
    if not (state / "plan.json").exists():
        return "swapping" if (state / "done.json").exists() else "starting"
    for name in ("out", "pieces", "joined"):
        if (state / name).exists():
            return name
    parts = state / "parts"
    done = [p for p in parts.iterdir() if p.name[0] != "."] if parts.exists() else []
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
        began = time.perf_counter()
        subprocess.run(command(pages, out, "--workers", args.workers), check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        whole = time.perf_counter() - began
        right = digest(out)
        print(f"{size / 1e6:.1f} MB, {whole:.1f} s in one go, {right}\n")
        print(f"{'killed after':>12}  {'had done':<16} {'then took':>9}  outputs")
        kills = wrong = 0
        while kills < args.kills:
            shutil.rmtree(out)
            after = rng.uniform(0.1, whole)
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
                whole = after  # the machine was quicker than the first time
                continue
            kills += 1
            had = stage(folder / "out.unfinished", shards)
            began = time.perf_counter()
            subprocess.run(command(pages, out, "--resume", "--workers", args.workers), check=True,
                           stdout=subprocess.DEVNULL)  # fmt: skip
            took = time.perf_counter() - began
            found = digest(out)
            left = sorted(p.name for p in folder.iterdir()) != ["c.toml", "out", "pages"]
            wrong += found != right or left
            print(f"{after:>10.2f} s  {had:<16} {took:>7.1f} s  "
                  f"{'the same' if found == right else 'OTHER'}{', with a rest' if left else ''}",
                  flush=True)  # fmt: skip
    print(f"\n{args.kills - wrong} of {args.kills} the same")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
