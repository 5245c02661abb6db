"""Speed and memory of `ingest run` on many distinct pages, beside a loop over langdetect.

    uv run python tests/benchmarks/scale.py [--pages 2000 20000] [--all-cores]

Pages are made from the samples: each is a sample page in which words are exchanged for other
words of the samples in the same script, so that segments differ from page to page. Every figure
is of one process on one core (unless --all-cores); the loop calls `langdetect.detect` for each
line of some of the same pages, seeded, and catches what it raises.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import regex

import ingest

WORD = regex.compile(r"\p{Arabic}{3,}|\p{Latin}{4,}")
LOOP_PAGES = 40


def make(folder: Path, pages: int) -> int:
    """Write pages, and return their bytes."""
    rng = random.Random(0)
    samples = [p.read_text(encoding="utf-8") for p in sorted(ingest.samples().glob("*.txt"))]
    words = {s: sorted({w for t in samples for w in WORD.findall(t) if (w[0] > "\u0600") == s})
             for s in (False, True)}  # fmt: skip
    size = 0
    for n in range(pages):

        def other(match, _n=n):
            word = match.group()
            return rng.choice(words[word[0] > "\u0600"]) if rng.random() < 0.3 else word

        data = WORD.sub(other, samples[n % len(samples)]).encode()
        at = folder / f"{n // 1000:03d}"
        at.mkdir(exist_ok=True)
        (at / f"{n:06d}.txt").write_bytes(data)
        size += len(data)
    return size


CHILD = """
import json, resource, sys, time
began = time.perf_counter()
import ingest
report = ingest.run(sys.argv[1], sys.argv[2])
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "segments": report["counts"]["segments"],
    "steps": report["seconds"],
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(folder: Path, *, cores: bool) -> dict:
    with tempfile.TemporaryDirectory() as out:
        env = os.environ if cores else os.environ | {
            "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(folder), f"{out}/out"],
            capture_output=True, check=True, env=env, preexec_fn=None if cores else one_core,
        )  # fmt: skip
    return json.loads(done.stdout)


def langdetect_loop(folder: Path) -> float:
    """Segments a second of the loop."""
    import langdetect

    one_core()
    langdetect.DetectorFactory.seed = 0
    langdetect.detect("load the profiles first")
    files = sorted(folder.rglob("*.txt"))[:: max(len(list(folder.rglob("*.txt"))) // LOOP_PAGES, 1)]
    lines = [x for f in files for x in f.read_text(encoding="utf-8").splitlines() if x.strip()]
    began = time.perf_counter()
    for line in lines:
        with contextlib.suppress(langdetect.LangDetectException):
            langdetect.detect(line)
    return len(lines) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--all-cores", action="store_true")
    args = parser.parse_args()
    print(
        f"{'pages':>7} {'MB':>7} {'segments':>9} {'s':>6} {'MB/s':>6} {'segments/s':>11} {'peak MB':>8}"
    )
    steps: dict[str, float] = {}
    peaks = []
    for pages in args.pages:
        with tempfile.TemporaryDirectory() as name:
            size = make(Path(name), pages) / 1e6
            found = measure(Path(name), cores=args.all_cores)
            rate = found["segments"] / found["seconds"]
            peaks.append(found["peak"])
            steps = found["steps"]
            print(f"{pages:>7,} {size:>7.1f} {found['segments']:>9,} {found['seconds']:>6.1f} "
                  f"{size / found['seconds']:>6.2f} {rate:>11,.0f} {found['peak']:>8.0f}")  # fmt: skip
            if pages == args.pages[-1]:
                loop = langdetect_loop(Path(name))
    print(
        f"\nlangdetect, a line at a time: {loop:,.0f} segments/s; ingest run: {rate / loop:.1f} times that"
    )
    print(f"peak memory, {args.pages[-1]:,} pages to {args.pages[0]:,}: {peaks[-1] / peaks[0]:.2f}")
    total = sum(steps.values())
    print("where the time goes: " + ", ".join(
        f"{step} {seconds / total:.0%}" for step, seconds in sorted(steps.items(), key=lambda s: -s[1])
    ))  # fmt: skip


if __name__ == "__main__":
    main()
