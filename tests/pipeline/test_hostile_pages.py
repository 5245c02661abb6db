"""A page that kills its process, hangs or fails costs its own row, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ingest
from ingest.config import Config, ReadConfig, RunConfig
from ingest.errors import OutputError, WriteError
from ingest.pipeline import careful, workers
from ingest.pipeline.careful import Search, Trial
from ingest.pipeline.known_pages import KnownPages
from ingest.pipeline.shard_records import Selection, ShardRecords
from ingest.pipeline.state import State
from ingest.pipeline.tasks import Losses, Task
from ingest.pipeline.time_limit import SlowPagesError, is_slow, limit_main
from ingest.readers import plan_slices

NAMES = ("documents.parquet", "segments.parquet", "articles.jsonl")
# Every process of a run loads this before ingest; a page says what it does.
HOOK = """
import os, signal, sys, time

if sys.orig_argv[1] in ("-c", "-m") or "default_worker" in sys.orig_argv[1]:  # not in others of Ray
    import ingest.segmentation
    original = ingest.segmentation.segment
    ingest.segmentation.segment = lambda *values, **options: segment(*values, **options)

def segment(documents, **options):
    text = " ".join(documents["text"].drop_nulls())
    if "SEGV" in text:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "MEMORY" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "TOO DEEP" in text:
        raise RecursionError("maximum recursion depth exceeded")
    if "EXIT" in text:
        sys.exit(0)
    if "SLEEP" in text:
        time.sleep(1000)
    return original(documents, **options)
"""
PAGES = {n: f"Page {n}\nThe council of the town talked about road {n}.\n" for n in range(12)}
TASK = Task("label", "out", 0, [("a.txt", "file")] * 40, {}, Config().to_dict(), {})


@pytest.fixture
def hook(tmp_path, monkeypatch):
    folder = tmp_path / "hook"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def write_pages(folder: Path, hostile: dict[int, str]) -> Path:
    folder.mkdir()
    for n, text in PAGES.items():
        (folder / f"{n:02d}.txt").write_text(text + hostile.get(n, ""))
    return folder


def errors_of(out: Path) -> dict[int, str]:
    failed = pl.read_parquet(out / "documents.parquet").drop_nulls("error")
    return {int(Path(source).stem): error for source, error in failed["source", "error"].rows()}


def content(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in NAMES]


def test_one_process_dies_and_the_next_finds_the_pages(hook, tmp_path):
    hostile = {3: "SEGV", 4: "SLEEP", 9: "TOO DEEP"}
    pages, out = write_pages(tmp_path / "pages", hostile), tmp_path / "out"
    command = [sys.executable, "-m", "ingest", "run", str(pages), "-o", str(out)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGSEGV
    with pytest.raises(OutputError, match="an earlier run did not finish; use --resume"):
        ingest.run(pages, out)
    config = Config(run=RunConfig(page_seconds=3))
    report = ingest.run(pages, out, resume=True, config=config)
    assert errors_of(out) == {
        3: "killed the worker twice: SIGSEGV",
        4: "took longer than run.page_seconds (3 s)",
        9: "cannot be processed: RecursionError: maximum recursion depth exceeded",
    }
    assert report["counts"]["errors"] == 3
    assert all(entry["sha256"] for entry in report["inputs"])
    assert sorted(os.listdir(tmp_path)) == ["hook", "out", "pages"]

    for n in hostile:  # pages that are in error in any case
        (pages / f"{n:02d}.txt").write_bytes(bytes(range(256)))
    ingest.run(pages, tmp_path / "plain")
    assert content(out)[1:] == content(tmp_path / "plain")[1:]
    rows = [
        pl.read_parquet(folder / "documents.parquet").filter(pl.col("error").is_null())
        for folder in (out, tmp_path / "plain")
    ]
    assert rows[0].equals(rows[1])


def test_a_worker_finds_the_page(hook, tmp_path):
    pages, out = write_pages(tmp_path / "pages", {5: "TOO DEEP"}), tmp_path / "out"
    ingest.run(pages, out, workers=2)
    assert list(errors_of(out)) == [5]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_page_that_ends_the_program_as_if_all_were_well(hook, tmp_path, workers):
    pages, out = write_pages(tmp_path / "pages", {5: "EXIT"}), tmp_path / "out"
    command = [sys.executable, "-m", "ingest", "run", str(pages), "-o", str(out)]
    ended = subprocess.run([*command, "--workers", str(workers)], check=False)
    assert ended.returncode == 3
    assert errors_of(out) == {5: "cannot be processed: SystemExit: 0"}


def test_show_does_not_take_such_an_end_for_success(hook, tmp_path):
    page = tmp_path / "page.txt"
    page.write_text("The council of the town talked about EXIT 5.\n")
    command = [sys.executable, "-m", "ingest", "show", str(page)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "SystemExit: 0" in ended.stdout + ended.stderr
    assert ended.returncode in (2, 3)


def test_a_page_of_standard_input_that_ends_its_process(hook, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ingest", "run", "-", "-o", str(out)]
    ended = subprocess.run(command, check=False, input=b"A page of SEGV\n", capture_output=True)
    assert ended.returncode == 3, ended.stderr
    [(source, error)] = pl.read_parquet(out / "documents.parquet")["source", "error"].rows()
    assert (source, error) == ("-", "killed the worker twice: SIGSEGV")
    # quick, so that nothing but the beginning of the search is said
    [line] = [line for line in ended.stderr.decode().splitlines() if "looking for" in line]
    assert line == "ingest: read: looking for a page that cannot be processed, among 1 page at -"
    assert sorted(os.listdir(tmp_path)) == ["hook", "out"]


@pytest.mark.ray
def test_on_ray(hook, tmp_path, start_cluster):
    """The rows are those of a local run, also after an interruption."""
    hostile = {1: "SEGV", 4: "SLEEP", 7: "MEMORY", 9: "TOO DEEP"}
    pages, out = write_pages(tmp_path / "pages", hostile), tmp_path / "out"
    config = Config(run=RunConfig(page_seconds=5, shard_bytes=200))
    ingest.run(pages, tmp_path / "local", workers=2, config=config)

    def interrupt(done, total):
        if done > total // 2:
            raise KeyboardInterrupt

    with start_cluster(1) as cluster:
        on_ray = {"config": config, "ray": cluster.address}
        with pytest.raises(KeyboardInterrupt):
            ingest.run(pages, out, progress=interrupt, **on_ray)
        report = ingest.run(pages, out, resume=True, **on_ray)
    assert sorted(errors_of(out)) == list(hostile)
    assert report["counts"]["errors"] == len(hostile)
    assert content(out) == content(tmp_path / "local")


def test_an_exception_in_this_process(tmp_path, monkeypatch):
    """What fails here, but not in a process of its own, is not in error."""
    pages, out = write_pages(tmp_path / "pages", {}), tmp_path / "out"
    ingest.run(pages, tmp_path / "plain")
    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.label.segment", lambda *_args, **_options: 1 / 0)
        ingest.run(pages, out)
    assert content(out) == content(tmp_path / "plain")


def test_an_interrupted_search_goes_on(hook, tmp_path, monkeypatch):
    """What is labelled and known before the interruption is not labelled and searched again."""
    pages, out = write_pages(tmp_path / "pages", {9: "TOO DEEP"}), tmp_path / "out"
    config = Config(run=RunConfig(batch_chars=1))  # of which a batch has one page
    original = Search._try
    trials = []

    def trial(search, selection, *, store=False):
        trials.append((selection.first, store))
        if len(trials) == 3:
            raise KeyboardInterrupt
        return original(search, selection, store=store)

    monkeypatch.setattr(Search, "_try", trial)
    with monkeypatch.context() as patch:  # in this process only
        patch.setattr("ingest.pipeline.label.segment", lambda *_args, **_options: 1 / 0)
        with pytest.raises(KeyboardInterrupt):
            ingest.run(pages, out, config=config)
    assert trials == [(None, True), ((9, 0), False), ((10, 0), False)]
    assert len(os.listdir(tmp_path / "out.unfinished" / "pieces" / "000000")) == 9
    ingest.run(pages, out, resume=True, config=config)
    assert trials[3:] == [((10, 0), False), (None, True)]
    assert list(errors_of(out)) == [9]
    assert sorted(os.listdir(tmp_path)) == ["hook", "out", "pages"]


def test_workers_that_cannot_start(tmp_path, monkeypatch):
    pages, out = write_pages(tmp_path / "pages", {}), tmp_path / "out"
    monkeypatch.setattr(workers, "_MODULE", "no_such_module")
    with pytest.raises(
        WriteError, match="workers cannot be started: the last one ended with status 1"
    ):
        ingest.run(pages, out, workers=2)
    monkeypatch.setattr(careful, "_MODULE", "no_such_module")
    state = State(out)
    state.folder.mkdir()
    with pytest.raises(WriteError, match="a worker cannot be started: it ended with status 1"):
        careful.label_carefully(state, TASK, print)


class _Fake(Search):
    """A search in which pages of a task end the process."""

    def __init__(
        self, hostile: set[int], batch: int, *, together: int = 99, stored: bytes = b""
    ) -> None:
        super().__init__(TASK, lambda _size: None, KnownPages.from_json(stored, 300), self.save)
        self.hostile = hostile
        self.batch = batch  # pages in a batch of the first trial
        self.together = together  # pages that take too much memory together
        self.trials = 0

    def _try(self, selection, *, store=False):
        self.trials += 1
        pages = [(n, 0) for n in range(len(TASK.shard))]
        first, last = selection.first or pages[0], selection.last or pages[-1]
        chosen = [page for page in pages if first <= page <= last]
        size = selection.batch_pages or self.batch
        for at in range(0, len(chosen), size):
            batch = chosen[at : at + size]
            ending = [page for page in batch if page[0] in self.hostile - self.found()]
            if ending or len(batch) >= self.together:
                error = WriteError("a worker ended with SIGSEGV")
                return Trial("killed the worker twice: SIGSEGV", error, batch)
        return Trial()

    def save(self, data: bytes) -> None:
        self.stored = data

    def found(self) -> set[int]:
        return {page[0] for page in self.known.failed}


@given(st.sets(st.integers(0, 39)), st.integers(1, 40))
def test_exactly_the_hostile_pages_are_found(hostile, batch):
    search = _Fake(hostile, batch)
    search.run()
    assert search.found() == hostile


class _Interrupted(_Fake):
    """A search that is interrupted in a trial."""

    left = 99

    def _try(self, selection, *, store=False):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return super()._try(selection, store=store)


@given(st.sets(st.integers(0, 39), max_size=5), st.integers(1, 40), st.integers(1, 12))
def test_a_search_that_is_interrupted_goes_on(hostile, batch, after):
    whole = _Fake(hostile, batch)
    whole.run()
    first = _Interrupted(hostile, batch)
    first.left = after
    try:
        first.run()
    except KeyboardInterrupt:
        second = _Fake(hostile, batch, stored=first.stored)
        assert second.found() == first.found()  # which are not tried again
        second.run()
        assert second.found() == hostile
        # what was interrupted is repeated, and so is what was behind the pages it looked at
        assert first.trials + second.trials <= whole.trials + 4
    else:
        assert first.found() == hostile


def test_what_is_known_of_pages_with_another_limit_is_forgotten():
    known = KnownPages(300, failed={(0, 1): "took longer than run.page_seconds (300 s)"})
    assert KnownPages.from_json(known.to_json(), 600) == KnownPages(600)


def test_a_damaged_mark_says_nothing(tmp_path):
    state = State(tmp_path / "out")
    state.folder.mkdir()
    state.mark_tried(3)
    assert (state.tried_shards(), state.read_tried(3)) == ({3}, b"")
    state.mark_tried(3, b"known")
    assert (state.tried_shards(), state.read_tried(3)) == ({3}, b"known")
    path = tmp_path / "out.unfinished" / "tried" / "000003"
    path.write_bytes(path.read_bytes()[1:])
    assert (state.tried_shards(), state.read_tried(3)) == ({3}, b"")


def test_few_trials_for_one_page():
    search = _Fake({23}, 40)
    search.run()
    assert search.trials == 6  # all; batches of 3; single pages; that page; the rest; all


def test_pages_that_end_the_process_only_together():
    search = _Fake(set(), 40, together=10)
    search.run()
    assert not search.found()
    search = _Fake(set(), 40, together=10)
    search.together = 1
    search._judge = lambda *_args: None  # no page does it alone
    with pytest.raises(WriteError, match="a worker ended with SIGSEGV"):
        search.run()


def test_a_task_that_is_lost_too_often():
    losses = Losses()
    task = TASK._replace(step="ingest.scoring:score", shard=[("a.parquet", 0, 8)])
    for _ in range(2):
        assert losses.repeat(task, "a worker ended with SIGKILL") == task
    with pytest.raises(WriteError, match=r"SIGKILL at rows 0 to 7 of a\.parquet, also when"):
        losses.repeat(task, "a worker ended with SIGKILL")


def loop_forever() -> None:
    while True:
        pass


def test_a_limit_in_this_process():
    with pytest.raises(SlowPagesError), limit_main(1):
        loop_forever()
    with limit_main(1):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize(
    "work",
    [
        "time.sleep(100)",
        # ignores signals, and keeps the interpreter to itself
        "collections.deque(itertools.repeat(0), maxlen=0)",
    ],
)
def test_a_limit_in_a_worker(work):
    code = (
        "import collections, itertools, time\n"
        "from ingest.pipeline.time_limit import limit_worker\n"
        f"with limit_worker(1):\n    pass\nwith limit_worker(1):\n    {work}"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert is_slow(ended.returncode)


@pytest.fixture
def lines(tmp_path):
    """A file of six pages in two slices."""
    path = tmp_path / "pages.jsonl"
    path.write_text("".join(f'{{"text": "Page {n}"}}\n' for n in range(6)))
    shard = plan_slices([str(path)], shard_bytes=path.stat().st_size // 2)
    assert len(shard) == 2
    return shard


def read_shard(shard, selection, lost=MappingProxyType({})):
    """The numbers and errors of the records, and what was announced."""
    events = []
    records = ShardRecords(ReadConfig(), selection, lost, lambda **event: events.append(event))
    rows = [(r.record, r.error) for part in shard for r in records.read(part)]
    return rows, events


def test_records_that_are_not_processed(lines):
    selection = Selection(failed={(0, 1): "is bad"}, unreadable={(1, 1): "is worse"})
    rows, events = read_shard(lines, selection)
    assert rows == [(0, None), (1, "is bad"), (2, None), (3, None), (4, "is worse")]
    assert [event["got"] for event in events if "got" in event] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1),
    ]  # fmt: skip
    assert events[-1] == {"got": (1, 1)}
    assert len([event for event in events if "page" in event]) == 6  # with the end of a slice
    lost = {lines[0].source: "no longer exists"}
    assert read_shard(lines, selection, lost)[0] == [
        (None, lost[lines[0].source]),
        (3, *lost.values()),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # which reads only
@given(st.integers(0, 5), st.integers(0, 5))
def test_a_range_of_records(lines, one, other):
    keys = [(n // 3, n % 3) for n in range(6)]
    first, last = min(one, other), max(one, other)
    rows, events = read_shard(lines, Selection(first=keys[first], last=keys[last]))
    assert [number for number, _ in rows] == list(range(first, last + 1))
    got = [event["got"] for event in events if "got" in event]
    assert got == keys[first : last + 1]
