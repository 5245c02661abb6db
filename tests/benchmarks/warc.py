"""Measure `ingest run` on a large WARC: memory, time by step, and one against two workers.

    uv run python tests/benchmarks/warc.py [--gigabytes 1 2] [--workers 1 2]

The WARC is made from the HTML samples. In each page some words are replaced by other words of the
samples in the same script, and the head has a style sheet and scripts of 30 kB, as in real pages. Each
record is one gzip member. Sizes are before compression. Memory is the sum of the resident sets of all
processes, sampled ten times a second.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import regex

import ingest

WORD = regex.compile(r"(?<=>[^<]*)(?:\p{Arabic}{3,}|\p{Latin}{4,})")
HEAD = (
    "<style>" + ".c{color:#333;margin:0 auto;padding:4px 8px}\n" * 220 + "</style>"
    "<script>" + 'window.q=window.q||[];function f(a,b){return a<b?{"k":[a]}:null}\n' * 300
    + "</script></head>"
)  # fmt: skip
VARIANTS = 4  # per sample; few, so that making pages does not take longer than reading them
COMMAND = [sys.executable, "-m", "ingest"]


def make_variants() -> list[bytes]:
    """Return variants of the samples with other words."""
    rng = random.Random(0)
    folder = ingest.samples().parent / "html"
    samples = [p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.html"))]
    words = {s: sorted({w for t in samples for w in WORD.findall(t) if (w[0] > "\u0600") == s})
             for s in (False, True)}  # fmt: skip

    def replace_word(match: regex.Match[str]) -> str:
        word = match.group()
        return rng.choice(words[word[0] > "\u0600"]) if rng.random() < 0.3 else word

    pages = [WORD.sub(replace_word, page) for page in samples for _ in range(VARIANTS)]
    return [page.replace("</head>", HEAD, 1).encode() for page in pages]


def write_warc(path: Path, size: int) -> int:
    """Write a WARC of `size` bytes before compression; return its number of pages."""
    pages, written, count = make_variants(), 0, 0
    rng = random.Random(1)
    with path.open("wb") as file:
        while written < size:
            # a unique word in each paragraph, so that no two pages are copies
            page = rng.choice(pages).replace(b"</p>", f" {rng.getrandbits(60):x}</p>".encode())
            http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page
            head = (
                f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://s{count % 97}.example/"
                f"{count}\r\nContent-Type: application/http; msgtype=response\r\n"
                f"Content-Length: {len(http)}\r\n\r\n"
            )
            record = head.encode() + http + b"\r\n\r\n"
            file.write(gzip.compress(record, 1))
            written += len(record)
            count += 1
    return count


def resident(pid: int) -> int:
    """Return the resident bytes of a process and its children."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            size = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return size + sum(map(resident, map(int, file.read().split())))
    except (OSError, IndexError, ValueError):  # it has exited
        return 0


def measure(source: Path, out: Path, workers: int) -> tuple[float, float, dict]:
    """Return seconds, peak bytes and the report of one run."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [*COMMAND, "run", str(source), "-o", str(out), "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
    )
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.1):
            peak = max(peak, resident(child.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = child.wait()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    if status:
        raise SystemExit(f"ingest run exited with status {status}")
    return seconds, peak, json.loads((out / "run.json").read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[1, 2])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    args = parser.parse_args()
    print(
        f"{'GB':>5} {'pages':>8} {'workers':>8} {'s':>7} {'MB/s':>6} {'pages/s':>8} {'peak MB':>8}"
    )
    results: dict[tuple[float, int], tuple[float, float]] = {}
    for size in args.gigabytes:
        with tempfile.TemporaryDirectory() as name:
            source = Path(name) / "crawl.warc.gz"
            pages = write_warc(source, int(size * 1e9))
            for workers in args.workers:
                seconds, peak, report = measure(source, Path(name) / f"out{workers}", workers)
                results[size, workers] = seconds, peak
                print(f"{size:>5} {pages:>8,} {workers:>8} {seconds:>7.1f} {size * 1e3 / seconds:>6.1f} "
                      f"{pages / seconds:>8,.0f} {peak / 1e6:>8.0f}", flush=True)  # fmt: skip
    first, last = args.gigabytes[0], args.gigabytes[-1]
    for workers in args.workers:
        if last != first:
            ratio = results[last, workers][1] / results[first, workers][1]
            print(
                f"peak memory with {workers} workers, {last} GB relative to {first} GB: {ratio:.2f}"
            )
    if len(args.workers) > 1:
        first_time, last_time = (results[last, w][0] for w in (args.workers[0], args.workers[-1]))
        print(
            f"{args.workers[-1]} workers are {first_time / last_time:.2f} times as fast as {args.workers[0]}"
        )
    total = sum(report["seconds"].values())
    print("time by step: " + ", ".join(
        f"{step} {seconds / total:.0%}"
        for step, seconds in sorted(report["seconds"].items(), key=lambda s: -s[1])
    ))  # fmt: skip


if __name__ == "__main__":
    main()
