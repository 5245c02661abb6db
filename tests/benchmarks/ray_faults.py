"""Kill parts of a Ray cluster during `ingest run --ray`, and compare the outputs with a local run.

    uv run --group ray python tests/benchmarks/ray_faults.py [--turns 2] [--copies 4] [--only NAME]

The cluster is a head and nodes on this machine, all of them new for each row. The pages are copies of
the samples. Something is killed or joins once a few shards are done; "resumed" says how the run was
continued where it had ended. Hostile pages are other pages: each ends or stops the process that is at it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # nobody else gets to a cluster on loopback
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # as ingest.pipeline.ray

import logging

import polars as pl
from ray.cluster_utils import Cluster

import ingest

SHARD_BYTES = 100_000
NAMES = ("documents.parquet", "segments.parquet", "articles.jsonl")
PAGE_SECONDS = 5  # enough for a page that is not hostile
# What a page does whose text has the word, and its error. Every process loads this before ingest.
HOSTILE = {
    "HOSTILE-SEGV": ("os.kill(os.getpid(), signal.SIGSEGV)", "killed the worker twice: SIGSEGV"),
    "HOSTILE-KILL": (
        "os.kill(os.getpid(), signal.SIGKILL)",
        "killed the worker twice: SIGKILL (it may have run out of memory)",
    ),
    "HOSTILE-EXIT": ("os._exit(7)", "killed the worker twice: status 7"),
    "HOSTILE-MEMORY": ("bytes(1 << 60)", "cannot be processed: MemoryError"),
    "HOSTILE-RECURSION": (
        "f = lambda f: f(f); f(f)",
        "cannot be processed: RecursionError: maximum recursion depth exceeded",
    ),
    "HOSTILE-LOOP": ("while True: pass", "took longer"),
    "HOSTILE-SLEEP": ("time.sleep(9999)", "took longer"),
    "HOSTILE-C": ("collections.deque(itertools.repeat(0), maxlen=0)", "took longer"),
}
HOOK = f"""
import collections, itertools, os, signal, sys, time

if sys.orig_argv[1] in ("-c", "-m") or "default_worker" in sys.orig_argv[1]:  # not in others of Ray
    import ingest.segmentation
    original = ingest.segmentation.segment
    ingest.segmentation.segment = lambda *values, **options: segment(*values, **options)

def segment(documents, **options):
    for word in " ".join(documents["text"].drop_nulls()).split():
        exec({ {word: code for word, (code, _) in HOSTILE.items()} }.get(word, ""))
    return original(documents, **options)
"""


class NotStartedError(Exception):
    """A node of the cluster did not start."""


class Case:
    """One run in a folder, on a cluster of its own."""

    def __init__(self, folder: Path, turn: int) -> None:
        self.folder, self.turn = folder, turn
        self.out = folder / "out"
        self.cluster = Cluster()
        self.pages = folder / "pages"
        self.expected = ""  # what a local run of other pages gives
        self.resumed = "-"
        self.done_at_event = 0
        self.driver: subprocess.Popen[str] | None = None

    def start_head(self, cores: int) -> None:
        self.add_node(cores, include_dashboard=False)

    def add_node(self, cores: int = 1, **options: Any) -> None:
        for attempt in range(4):
            try:
                self.cluster.add_node(num_cpus=cores, object_store_memory=100 << 20, **options)
                return
            except Exception as error:  # it took over 30 seconds: the machine is busy
                if attempt == 3:
                    raise NotStartedError(
                        "the cluster does not start; is the machine busy?"
                    ) from error
                if not self.cluster.head_node:
                    self.cluster = Cluster()

    def command(self, *options: str) -> list[str]:
        return [
            *(sys.executable, "-m", "ingest", "run", str(self.pages), "-o", str(self.out)),
            *("--config", str(self.folder / "c.toml"), "-q", *options),
        ]

    def start(self, *options: str) -> subprocess.Popen[str]:
        self.driver = subprocess.Popen(
            self.command("--ray", self.cluster.address, *options),
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            cwd=self.folder,  # nodes find what can be imported from here
        )
        return self.driver

    def resume(self, *options: str, status: int = 0) -> None:
        self.resumed = " ".join(options)[:14] or "locally"
        ended = subprocess.run(self.command("--resume", *options), check=False)
        assert ended.returncode == status, f"status {ended.returncode}"

    def wait_for_shards(self, driver: subprocess.Popen[str], count: int) -> None:
        while driver.poll() is None and self.shards() < count:
            time.sleep(0.01)
        self.done_at_event = self.shards()

    def shards(self) -> int:
        labelled = self.folder / "out.unfinished" / "labelled"
        return sum(n[0] != "." for n in os.listdir(labelled)) if labelled.exists() else 0

    def workers(self) -> list[int]:
        """Return the processes that run a task now."""
        return [
            int(p.parent.name)
            for p in Path("/proc").glob("[0-9]*/cmdline")
            if read(p).startswith(b"ray::start_task")
        ]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has exited
        return b""


def kill(process: subprocess.Popen[str] | int, sent: int = signal.SIGKILL) -> None:
    os.kill(process if isinstance(process, int) else process.pid, sent)


def nothing(case: Case, nodes: int) -> subprocess.Popen[str]:
    case.start_head(1)
    for _ in range(nodes - 1):
        case.add_node()
    return case.start()


def raylet_killed(case: Case) -> subprocess.Popen[str]:
    driver = nothing(case, 2)
    case.wait_for_shards(driver, 2)
    kill(case.cluster.worker_nodes.pop().all_processes["raylet"][0].process)
    return driver


def own_raylet_killed(case: Case) -> subprocess.Popen[str]:
    driver = nothing(case, 2)
    case.wait_for_shards(driver, 2)
    kill(case.cluster.head_node.all_processes["raylet"][0].process)
    driver.wait(timeout=200)
    case.resume("--workers", "2")
    return driver


def worker_killed(case: Case) -> subprocess.Popen[str]:
    driver = nothing(case, 2)
    case.wait_for_shards(driver, 2)
    while not (workers := case.workers()):
        time.sleep(0.01)
    kill(workers[0])
    return driver


def node_joins(case: Case) -> subprocess.Popen[str]:
    case.start_head(case.turn % 2)  # at first without any core
    driver = case.start()
    case.wait_for_shards(driver, 2) if case.turn % 2 else time.sleep(5)
    case.add_node()
    return driver


def head_killed(case: Case) -> subprocess.Popen[str]:
    driver = nothing(case, 2)
    case.wait_for_shards(driver, 2)
    for processes in case.cluster.head_node.all_processes.values():
        for info in processes:
            kill(info.process)
    driver.wait(timeout=200)
    if case.turn % 2 == 0:
        case.resume("--workers", "2")
    else:
        shut_down(case.cluster)
        case.cluster = Cluster()
        case.start_head(2)
        case.resume("--ray", case.cluster.address)
    return driver


def driver_killed(case: Case) -> subprocess.Popen[str]:
    driver = nothing(case, 2)
    case.wait_for_shards(driver, 3)
    kill(driver)
    driver.wait()
    case.resume(*(("--workers", "2") if case.turn % 2 else ("--ray", case.cluster.address)))
    return driver


def interrupted(case: Case) -> subprocess.Popen[str]:
    driver = nothing(case, 2)
    case.wait_for_shards(driver, 3)
    os.killpg(driver.pid, signal.SIGINT)  # as Ctrl-C does
    driver.wait()
    case.resume("--ray", case.cluster.address)
    return driver


def other_version(case: Case) -> subprocess.Popen[str]:
    with tempfile.TemporaryDirectory() as name:
        package = Path(name) / "ingest" / "pipeline"
        package.mkdir(parents=True)
        (package.parent / "__init__.py").write_text(
            "import missing_package" if case.turn % 2 else ""
        )
        (package / "__init__.py").touch()
        (package / "plan.py").write_text("def versions(): return 'ingest 0.0.9 with Polars 1.0.0'")
        case.start_head(0)
        case.add_node(env_vars={"PYTHONPATH": name})
        driver = case.start()
        driver.wait()
    case.resume("--workers", "2")
    return driver


def hostile_pages(case: Case) -> subprocess.Popen[str]:
    with tempfile.TemporaryDirectory() as name:
        hook, case.pages = Path(name, "hook"), Path(name, "pages")
        shutil.copytree(case.folder / "pages" / "0", case.pages)
        for word in HOSTILE:
            (case.pages / f"{word}.txt").write_text(f"The council talked.\n{word}\n")
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK)
        try:
            os.environ["PYTHONPATH"] = str(hook)
            while (status := subprocess.run(case.command("--resume")).returncode) < 0:
                pass  # a page has ended the main process
            check_hostile(status, case.out)
            case.expected = digest(case.out)
            shutil.rmtree(case.out)
            driver = nothing(case, 2)
            if case.turn % 2:
                case.wait_for_shards(driver, 3)
                kill(driver)
                driver.wait()
                case.resume("--ray", case.cluster.address, status=3)
            driver.wait()
        finally:
            del os.environ["PYTHONPATH"]
    check_hostile(3, case.out)
    return driver


def check_hostile(status: int, out: Path) -> None:
    """Raise unless each hostile page, and no other one, is in error."""
    failed = pl.read_parquet(out / "documents.parquet").drop_nulls("error")
    errors = {Path(source).stem: error for source, error in failed["source", "error"].rows()}
    assert status == 3, f"status {status}"
    assert errors.keys() == HOSTILE.keys(), errors
    assert all(errors[word].startswith(error) for word, (_, error) in HOSTILE.items()), errors


CASES: dict[str, Callable[[Case], subprocess.Popen[str]]] = {
    "1 node": lambda case: nothing(case, 1),
    "2 nodes": lambda case: nothing(case, 2),
    "3 nodes": lambda case: nothing(case, 3),
    "raylet SIGKILL": raylet_killed,
    "own raylet": own_raylet_killed,
    "worker SIGKILL": worker_killed,
    "node joins late": node_joins,
    "head SIGKILL": head_killed,
    "driver SIGKILL": driver_killed,
    "Ctrl-C": interrupted,
    "another version": other_version,
    "hostile pages": hostile_pages,
}


def digest(out: Path) -> str:
    return hashlib.sha256(b"".join((out / n).read_bytes() for n in NAMES)).hexdigest()[:12]


def shut_down(cluster: Cluster) -> None:
    cluster.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--only", choices=CASES)
    args = parser.parse_args()
    logging.getLogger("ray").setLevel(logging.ERROR)
    # a shell lets its background jobs, and what they start, ignore Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for copy in range(args.copies):
            shutil.copytree(ingest.samples(), folder / "pages" / str(copy),
                            ignore=lambda _at, names: [n for n in names if n[-4:] != ".txt"])  # fmt: skip
        (folder / "c.toml").write_text(
            f"[run]\nshard_bytes = {SHARD_BYTES}\npage_seconds = {PAGE_SECONDS}\n"
        )
        local = Case(folder, 0)
        subprocess.run(local.command(), check=True)
        expected = digest(local.out)
        shards = len(set((folder / "pages").rglob("*.txt")))
        print(f"{shards} pages, {expected} locally\n")
        print(
            f"{'event':<16} {'shards done':>11}  {'status':>6} {'s':>6}  {'resumed':<14}  outputs"
        )
        for event, run_case in CASES.items():
            for turn in range(args.turns) if args.only in (None, event) else ():
                shutil.rmtree(folder / "out", ignore_errors=True)
                case = Case(folder, turn)
                started = time.perf_counter()
                try:
                    driver = run_case(case)
                    said = driver.communicate()[1].strip()
                    seconds = time.perf_counter() - started
                except NotStartedError as error:
                    print(f"{event:<16} not tried: {error}", flush=True)
                    if case.driver:
                        case.driver.kill()
                        case.driver.wait()
                    shutil.rmtree(folder / "out.unfinished", ignore_errors=True)
                    wrong += 1
                    continue
                finally:
                    shut_down(case.cluster)
                left = sorted(p.name for p in folder.iterdir()) != ["c.toml", "out", "pages"]
                same = case.out.exists() and digest(case.out) == (case.expected or expected)
                wrong += not same or left
                print(f"{event:<16} {case.done_at_event or '-':>11}  {driver.returncode:>6} {seconds:>6.1f}  "
                      f"{case.resumed:<14}  {'same' if same else 'DIFFERENT'}{', files left over' if left else ''}",
                      flush=True)  # fmt: skip
                if said:
                    print(
                        *(f"    {line[:300]}" for line in said.splitlines()[:6]),
                        sep="\n",
                        flush=True,
                    )
    print("\nall outputs the same" if not wrong else f"\n{wrong} rows are wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
