"""Measure speed and memory of `ingest.annotate` on a lazy frame of short texts.

    uv run python tests/benchmarks/annotate.py [--rows 25000 100000] [--level row] [--body-text]

Each row is one to three lines of the sample pages in which some words are replaced by others, so that
rows differ. The frame is read from Parquet and the result is written to Parquet, in a process of its own
with one thread of Polars (unless --all-cores). A million rows: --rows 1000000.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import regex

import ingest

WORD = regex.compile(r"\p{Arabic}{3,}|\p{Latin}{4,}")
ROWS_AT_ONCE = 10_000

CHILD = """
import json, resource, sys, time
import polars as pl
import ingest
source, to, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
ingest.annotate(pl.DataFrame({"text": ["a word"]}))  # load the models
started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ingest.annotate(pl.scan_parquet(source), text="text", **options).sink_parquet(to)
print(json.dumps({
    "seconds": time.perf_counter() - started,
    "before": before / 1024,
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def write_rows(path: Path, rows: int) -> int:
    """Write a Parquet file and return the size of its texts in bytes."""
    rng = random.Random(0)
    texts = [p.read_text(encoding="utf-8") for p in sorted(ingest.samples().glob("*.txt"))]
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    words = {s: sorted({w for t in texts for w in WORD.findall(t) if (w[0] > "\u0600") == s})
             for s in (False, True)}  # fmt: skip

    def replace_word(match):
        word = match.group()
        return rng.choice(words[word[0] > "\u0600"]) if rng.random() < 0.3 else word

    def text() -> str:
        at = rng.randrange(len(lines) - 3)
        return WORD.sub(replace_word, "\n".join(lines[at : at + rng.randint(1, 3)]))

    folder, size = path.with_suffix(""), 0
    folder.mkdir()
    for start in range(0, rows, ROWS_AT_ONCE):
        numbers = range(start, min(start + ROWS_AT_ONCE, rows))
        frame = pl.DataFrame({"id": numbers, "text": [text() for _ in numbers]})
        size += frame["text"].str.len_bytes().sum()
        frame.write_parquet(folder / f"{start:09d}.parquet")
    pl.scan_parquet(folder).sink_parquet(path, row_group_size=ROWS_AT_ONCE)
    return size


def measure(path: Path, to: Path, options: dict, *, cores: bool) -> dict:
    env = os.environ if cores else os.environ | {
        "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), str(to), json.dumps(options)],
        check=True, env=env, stdout=subprocess.PIPE,
    )  # fmt: skip
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[25_000, 100_000])
    parser.add_argument("--level", default="segment")
    parser.add_argument("--body-text", action="store_true")
    parser.add_argument("--all-cores", action="store_true")
    args = parser.parse_args()
    options = {"level": args.level, "body_text": args.body_text}
    print(
        f"{'rows':>9} {'MB':>7} {'result':>9} {'s':>7} {'rows/s':>7} {'start MB':>8} {'peak MB':>8}"
    )
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as name:
            source, to = Path(name) / "rows.parquet", Path(name) / "result.parquet"
            size = write_rows(source, rows) / 1e6
            result = measure(source, to, options, cores=args.all_cores)
            length = pl.scan_parquet(to).select(pl.len()).collect().item()
        print(f"{rows:>9,} {size:>7.1f} {length:>9,} {result['seconds']:>7.1f} "
              f"{rows / result['seconds']:>7,.0f} {result['before']:>8.0f} {result['peak']:>8.0f}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
