"""Measure speed and memory of `ingest run` on many distinct pages, and compare with langdetect.

    uv run python tests/benchmarks/scale.py [--pages 2000 20000] [--all-cores]

Each page is a sample page in which some words are replaced by other words of the samples in the same
script, so that segments differ from page to page. All figures are for one process on one core (unless
--all-cores). For comparison, `langdetect.detect`, with a seed, is called for each line of some of the
pages; its exceptions are ignored.
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


def write_pages(folder: Path, pages: int) -> int:
    """Write pages and return their total size in bytes."""
    rng = random.Random(0)
    samples = [p.read_text(encoding="utf-8") for p in sorted(ingest.samples().glob("*.txt"))]
    words = {s: sorted({w for t in samples for w in WORD.findall(t) if (w[0] > "\u0600") == s})
             for s in (False, True)}  # fmt: skip
    size = 0
    for n in range(pages):

        def replace_word(match, _n=n):
            word = match.group()
            return rng.choice(words[word[0] > "\u0600"]) if rng.random() < 0.3 else word

        data = WORD.sub(replace_word, samples[n % len(samples)]).encode()
        subfolder = folder / f"{n // 1000:03d}"
        subfolder.mkdir(exist_ok=True)
        (subfolder / f"{n:06d}.txt").write_bytes(data)
        size += len(data)
    return size


CHILD = """
import json, resource, sys, time
started = time.perf_counter()
import ingest
report = ingest.run(sys.argv[1], sys.argv[2])
print(json.dumps({
    "seconds": time.perf_counter() - started,
    "segments": report["counts"]["segments"],
    "steps": report["seconds"],
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def use_one_core() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(folder: Path, *, cores: bool) -> dict:
    with tempfile.TemporaryDirectory() as out:
        env = os.environ if cores else os.environ | {
            "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(folder), f"{out}/out"],
            capture_output=True, check=True, env=env, preexec_fn=None if cores else use_one_core,
        )  # fmt: skip
    return json.loads(done.stdout)


def langdetect_loop(folder: Path) -> float:
    """Return the segments per second of langdetect."""
    import langdetect

    use_one_core()
    langdetect.DetectorFactory.seed = 0
    langdetect.detect("load the profiles first")
    files = sorted(folder.rglob("*.txt"))[:: max(len(list(folder.rglob("*.txt"))) // LOOP_PAGES, 1)]
    lines = [x for f in files for x in f.read_text(encoding="utf-8").splitlines() if x.strip()]
    started = time.perf_counter()
    for line in lines:
        with contextlib.suppress(langdetect.LangDetectException):
            langdetect.detect(line)
    return len(lines) / (time.perf_counter() - started)


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
            size = write_pages(Path(name), pages) / 1e6
            result = measure(Path(name), cores=args.all_cores)
            rate = result["segments"] / result["seconds"]
            peaks.append(result["peak"])
            steps = result["steps"]
            print(f"{pages:>7,} {size:>7.1f} {result['segments']:>9,} {result['seconds']:>6.1f} "
                  f"{size / result['seconds']:>6.2f} {rate:>11,.0f} {result['peak']:>8.0f}")  # fmt: skip
            if pages == args.pages[-1]:
                loop = langdetect_loop(Path(name))
    print(
        f"\nlangdetect, line by line: {loop:,.0f} segments/s; ingest run is {rate / loop:.1f} times as fast"
    )
    print(
        f"peak memory for {args.pages[-1]:,} pages relative to {args.pages[0]:,}: {peaks[-1] / peaks[0]:.2f}"
    )
    total = sum(steps.values())
    print("time by step: " + ", ".join(
        f"{step} {seconds / total:.0%}" for step, seconds in sorted(steps.items(), key=lambda s: -s[1])
    ))  # fmt: skip


if __name__ == "__main__":
    main()
