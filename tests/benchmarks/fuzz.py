"""What becomes of damaged files: rows, errors, the slowest record, and what went wrong.

    python tests/benchmarks/fuzz.py --inputs 10000 --seed 0 [--jobs 2] [--keep FOLDER]

Each seed is a file that is damaged anyhow, and a file of records one of which is damaged and the
others must survive. The work is done in processes of their own, so that one that dies or hangs is
one failure. Exit status 1: something failed; its seed makes it again, `--keep` keeps the files.
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

_DEEP = 20  # one input in so many is labelled too
_HANGS = 120  # seconds without a word


def work(seeds: list[int]) -> None:
    """Check inputs; before each its number is printed, after it what was seen."""
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            print(json.dumps({"begun": seed}), flush=True)
            file = fuzz.mutated(seed)
            said = {"seed": seed, "form": file.name.partition(".")[2]}
            path = Path(folder) / file.name
            try:
                path.write_bytes(file.data)
                said |= fuzz.check(path, deep=seed % _DEEP == 0)._asdict()
                file, others = fuzz.one_damaged(seed)
                said["form of many"] = file.name.partition(".")[2]
                path.unlink()
                path = Path(folder) / file.name
                path.write_bytes(file.data)
                fuzz.check_others(path, others)
            except BaseException as error:
                said["failed"] = f"{type(error).__name__}: {str(error)[:200]} ({path.name})"
            path.unlink(missing_ok=True)
            said["mebibytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(json.dumps(said), flush=True)


def watched(seeds: list[int]) -> list[dict]:
    """What was seen of each seed, by a process that is begun again where it dies or hangs."""
    seen: list[dict] = []
    while seeds:
        child = subprocess.Popen(
            [sys.executable, __file__, "--work"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        child.stdin.write(json.dumps(seeds))
        child.stdin.close()
        heard: queue.Queue[str] = queue.Queue()
        threading.Thread(target=listen, args=(child, heard), daemon=True).start()
        begun = None
        while True:
            try:
                line = heard.get(timeout=_HANGS)
            except queue.Empty:
                line = "hangs"
            if not line.startswith("{"):
                break
            said = json.loads(line)
            if "begun" in said:
                begun = said["begun"]
            else:
                seen.append(said)
                begun = None
        child.kill()
        child.wait()
        if begun is None:
            break
        form = fuzz.mutated(begun).name.partition(".")[2]
        why = line or f"died with status {child.returncode}"
        seen.append({"seed": begun, "form": form, "failed": why})
        seeds = seeds[seeds.index(begun) + 1 :]
    return seen


def listen(child: subprocess.Popen, heard: queue.Queue[str]) -> None:
    for line in child.stdout:
        heard.put(line)
    heard.put("")


def table(seen: list[dict]) -> None:
    forms = defaultdict(list)
    for said in seen:
        forms[said["form"]].append(said)
    print(f"{'form':<12}{'inputs':>8}{'rows':>10}{'errors':>9}{'slowest s':>11}{'failed':>8}")
    for form, of in [*sorted(forms.items()), ("all", seen)]:
        rows, errors = (sum(s.get(key, 0) for s in of) for key in ("rows", "errors"))
        slowest = max(s.get("slowest", 0.0) for s in of)
        failed = sum("failed" in s for s in of)
        print(f"{form:<12}{len(of):>8,}{rows:>10,}{errors:>9,}{slowest:>11.3f}{failed:>8}")
    for form in ("warc", "warc.gz", "jsonl"):
        count = sum(s.get("form of many") == form for s in seen)
        print(f"one damaged record among others, {form}: {count:,} files")
    print(f"most memory of a process: {max(s.get('mebibytes', 0) for s in seen)} MiB")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for files that failed")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(json.load(sys.stdin))
        return 0
    began = time.perf_counter()
    seen: list[dict] = []
    seeds = range(args.seed, args.seed + args.inputs)
    jobs = [
        threading.Thread(target=lambda n=n: seen.extend(watched(list(seeds[n :: args.jobs]))))
        for n in range(args.jobs)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    table(seen)
    failed = sorted((s for s in seen if "failed" in s), key=lambda s: s["seed"])
    for said in failed:
        print(f"seed {said['seed']} ({said['form']}): {said['failed']}")
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            for made in (fuzz.mutated(said["seed"]), fuzz.one_damaged(said["seed"]).file):
                (args.keep / f"{said['seed']}-{made.name}").write_bytes(made.data)
    print(f"{len(seen):,} of {args.inputs:,} inputs in {time.perf_counter() - began:.0f} s")
    return int(bool(failed) or len(seen) != args.inputs)


if __name__ == "__main__":
    sys.exit(main())
