"""Read many damaged files, and report rows, errors, the slowest record, and failures.

    python tests/benchmarks/fuzz.py --inputs 10000 --seed 0 [--jobs 2] [--keep FOLDER]

Each seed gives two files: one with arbitrary damage, and one with a single damaged record, in which
the other records must survive. The work is done in separate processes; one that crashes or hangs
counts as one failure. The exit status is 1 if anything failed. The same seed always gives the same
files, and `--keep` stores those that failed.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fuzz

_DEEP = 20  # every 20th input is also segmented and labelled
_TIMEOUT = 120  # seconds without an answer


def work(seeds: list[int]) -> None:
    """Check inputs. Print the seed of each before the check, and the result after it."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            print(json.dumps({"started": seed}), flush=True)
            file = fuzz.mutated(seed)
            result = {"seed": seed, "form": file.name.partition(".")[2]}
            path = Path(folder) / file.name
            try:
                path.write_bytes(file.data)
                result |= fuzz.check(path, deep=seed % _DEEP == 0)._asdict()
                file, others = fuzz.one_damaged(seed)
                result["container"] = file.name.partition(".")[2]
                path.unlink()
                path = Path(folder) / file.name
                path.write_bytes(file.data)
                fuzz.check_others(path, others)
            except BaseException as error:
                result["failed"] = f"{type(error).__name__}: {str(error)[:200]} ({path.name})"
            path.unlink(missing_ok=True)
            result["mebibytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(json.dumps(result), flush=True)


def supervise(seeds: list[int]) -> list[dict]:
    """Return the result of each seed. Start a new process when one crashes or hangs."""
    results: list[dict] = []
    while seeds:
        child = subprocess.Popen(
            [sys.executable, __file__, "--work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        child.stdin.write(json.dumps(seeds))
        child.stdin.close()
        answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=read_answers, args=(child, answers), daemon=True).start()
        current = None
        while True:
            try:
                line = answers.get(timeout=_TIMEOUT)
            except queue.Empty:
                line = "hangs"
            if not line.startswith("{"):
                break
            answer = json.loads(line)
            if "started" in answer:
                current = answer["started"]
            else:
                results.append(answer)
                current = None
        child.kill()
        child.wait()
        if current is None:
            break
        form = fuzz.mutated(current).name.partition(".")[2]
        reason = line or f"died with status {child.returncode}"
        results.append({"seed": current, "form": form, "failed": reason})
        seeds = seeds[seeds.index(current) + 1 :]
    return results


def read_answers(child: subprocess.Popen, answers: queue.Queue[str]) -> None:
    for line in child.stdout:
        answers.put(line)
    answers.put("")


def print_table(results: list[dict]) -> None:
    forms = defaultdict(list)
    for result in results:
        forms[result["form"]].append(result)
    print(f"{'form':<12}{'inputs':>8}{'rows':>10}{'errors':>9}{'slowest s':>11}{'failed':>8}")
    for form, group in [*sorted(forms.items()), ("all", results)]:
        rows, errors = (sum(r.get(key, 0) for r in group) for key in ("rows", "errors"))
        slowest = max(r.get("slowest", 0.0) for r in group)
        failed = sum("failed" in r for r in group)
        print(f"{form:<12}{len(group):>8,}{rows:>10,}{errors:>9,}{slowest:>11.3f}{failed:>8}")
    for form in ("warc", "warc.gz", "jsonl"):
        count = sum(r.get("container") == form for r in results)
        print(f"files with one damaged record, {form}: {count:,}")
    print(f"peak memory of a process: {max(r.get('mebibytes', 0) for r in results)} MiB")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="store files that failed in this folder")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(json.load(sys.stdin))
        return 0
    started = time.perf_counter()
    results: list[dict] = []
    seeds = range(args.seed, args.seed + args.inputs)
    jobs = [
        threading.Thread(target=lambda n=n: results.extend(supervise(list(seeds[n :: args.jobs]))))
        for n in range(args.jobs)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    print_table(results)
    failed = sorted((r for r in results if "failed" in r), key=lambda r: r["seed"])
    for result in failed:
        print(f"seed {result['seed']} ({result['form']}): {result['failed']}")
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            for file in (fuzz.mutated(result["seed"]), fuzz.one_damaged(result["seed"]).file):
                (args.keep / f"{result['seed']}-{file.name}").write_bytes(file.data)
    print(f"{len(results):,} of {args.inputs:,} inputs in {time.perf_counter() - started:.0f} s")
    return int(bool(failed) or len(results) != args.inputs)


if __name__ == "__main__":
    sys.exit(main())
