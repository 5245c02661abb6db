"""Pairs and pages are handled with the same bytes in one process, in several, and on Ray."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.alignment import align_lines
from ingest.config import AlignConfig, Config
from ingest.errors import (
    ConfigError,
    FrameError,
    ModelError,
    OutputError,
    SourceError,
    WriteError,
)
from ingest.io.locks import hold_lock
from ingest.io.parts_folder import parts_folder
from ingest.jobs import pair
from ingest.jobs.filter import filter_file
from ingest.jobs.pair import cut_at_pages, pair_run
from ingest.jobs.score import score_file
from ingest.pipeline import executors, row_groups
from ingest.pipeline.executors import Executor
from ingest.pipeline.workers import run_in_process

ARABIC = ["صباح الخير يا أمي", "قرأت كتابا جديدا", "أغلق المطر طريقين", "أين المدرسة؟", "ok"]
ENGLISH = ["Good morning, mother", "I read a new book", "The rain closed two roads", "No.", "ok"]
ROWS = 18
ZSTD = b"\x28\xb5\x2f\xfd"


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.parquet"
    align_lines(ARABIC * 5, ENGLISH * 5).head(ROWS).write_parquet(path, row_group_size=4)
    return path


@pytest.fixture
def expected(pairs, tmp_path):
    score_file(pairs, tmp_path / "expected")
    return (tmp_path / "expected").read_bytes()


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch):
    monkeypatch.setattr(row_groups, "TASK_ROWS", 7)


@pytest.fixture
def workers(monkeypatch):
    """Two workers that are this process; processes take seconds to start."""
    monkeypatch.setattr(executors, "worker_pool", lambda _count: nullcontext(run_in_process))
    return Executor(2)


def damage_first_page(path):
    """Make a page one that only reading it shows to be damaged."""
    data = path.read_bytes()
    assert ZSTD in data
    path.write_bytes(data.replace(ZSTD, bytes(4), 1))


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_score(pairs, expected, tmp_path, workers):
    out, seen = tmp_path / "out.parquet", []
    result = score_file(pairs, out, executor=workers, progress=lambda *at: seen.append(at))
    assert out.read_bytes() == expected
    assert result == score_file(pairs, out, overwrite=True)
    assert seen[0] == (0, ROWS)
    assert seen[-1] == (ROWS, ROWS)
    assert seen == sorted(seen)
    assert not hidden(tmp_path)


def test_parts_of_several_batches(pairs, expected, tmp_path, monkeypatch, workers):
    monkeypatch.setattr("ingest.io.pairs_file.BATCH_SIZE", 14)
    score_file(pairs, tmp_path / "out.parquet", executor=workers)
    assert (tmp_path / "out.parquet").read_bytes() == expected


def test_one_worker_writes_no_parts(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(row_groups, "parts_folder", None)
    score_file(pairs, tmp_path / "a.parquet")
    monkeypatch.setattr(row_groups, "TASK_ROWS", ROWS)
    score_file(pairs, tmp_path / "b.parquet", executor=Executor(2))
    pl.read_parquet(pairs).clear().write_parquet(tmp_path / "none.parquet")
    assert score_file(tmp_path / "none.parquet", tmp_path / "c", executor=Executor(2)).pairs == 0


@pytest.fixture
def test_set(tmp_path):
    path = tmp_path / "test.en"
    path.write_text("The rain closed two roads\n", encoding="utf-8")
    return path


def test_filter(pairs, tmp_path, workers, test_set):
    options = {"exclude": [test_set], "mask": True, "overwrite": True}
    results = []
    for executor in (Executor(), workers):
        seen = []
        result = filter_file(
            pairs, tmp_path / "out.parquet", **options,
            executor=executor, progress=lambda *at, seen=seen: seen.append(at),
        )  # fmt: skip
        assert seen[0] == (0, 2 * ROWS)
        assert seen[-1] == (2 * ROWS, 2 * ROWS)
        results.append(((tmp_path / "out.parquet").read_bytes(), result.funnel.rows()))
        assert result.excluded_by == {str(test_set): (1, 4)}
    assert results[0] == results[1]
    assert not hidden(tmp_path)


def test_commands(pairs, tmp_path, call, test_set):
    scored = [tmp_path / "scored1", tmp_path / "scored2"]
    filtered = [tmp_path / "filtered1", tmp_path / "filtered2"]
    for at, workers in enumerate((1, 2)):
        assert call("score", pairs, "-o", scored[at], "--workers", workers).status == 0
        assert call("filter", scored[0], "-o", filtered[at], "--exclude", test_set,
                    "--workers", workers).status == 0  # fmt: skip
    assert scored[0].read_bytes() == scored[1].read_bytes()
    assert filtered[0].read_bytes() == filtered[1].read_bytes()
    for command in ("score", "filter"):
        assert call(command, pairs, "-o", tmp_path / "none", "--workers", 0).status == 2
        assert call(command, pairs, "-o", tmp_path / "none", "--ray-workers", 2).status == 2
    assert not hidden(tmp_path)


def interrupt(done, _total):
    if done:
        raise KeyboardInterrupt


def test_ctrl_c_leaves_nothing(pairs, tmp_path, workers):
    with pytest.raises(KeyboardInterrupt):
        score_file(pairs, tmp_path / "out.parquet", executor=workers, progress=interrupt)
    assert os.listdir(tmp_path) == ["pairs.parquet"]


def test_errors_are_those_of_one_process(pairs, tmp_path, workers):
    out = tmp_path / "out.parquet"
    with pytest.raises(ConfigError, match="workers: 0 is less than 1"):
        score_file(pairs, out, executor=Executor(0))
    with pytest.raises(WriteError, match="no folder"):
        score_file(pairs, tmp_path / "none" / "out", executor=workers)

    def remove(done, _total):
        if not done:
            pairs.unlink()

    with pytest.raises(SourceError, match=r"pairs.parquet \(gone\); start again"):
        score_file(pairs, out, executor=workers, progress=remove)
    assert os.listdir(tmp_path) == []


def test_a_file_that_changes_after_its_rows_were_scored(pairs, tmp_path, workers):
    def change(done, total):
        if done == total:
            os.utime(pairs, (0, 0))

    with pytest.raises(SourceError, match="was changed while it was read"):
        score_file(pairs, tmp_path / "out.parquet", executor=workers, progress=change)
    assert os.listdir(tmp_path) == ["pairs.parquet"]


def test_damaged_rows(pairs, tmp_path, workers):
    damage_first_page(pairs)
    for executor in (Executor(), workers):
        with pytest.raises(SourceError, match=r"pairs\.parquet: cannot be read as Parquet"):
            score_file(pairs, tmp_path / "out.parquet", executor=executor)
    assert os.listdir(tmp_path) == ["pairs.parquet"]
    pl.DataFrame({"a": range(30)}).write_parquet(pairs)
    with pytest.raises(FrameError):
        score_file(pairs, tmp_path / "out.parquet", executor=workers)


def test_a_small_file_is_one_task(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(row_groups, "TASK_ROWS", ROWS)
    note = f"{ROWS} pairs are one task, so more than one worker makes no difference"
    for executor, notes in ((Executor(), []), (Executor(2), [note])):
        out = tmp_path / "out.parquet"
        assert score_file(pairs, out, overwrite=True, executor=executor).messages == notes
        messages = filter_file(pairs, out, overwrite=True, executor=executor).messages
        assert [x for x in messages if "one task" in x] == notes


@pytest.mark.parametrize("with_workers", [True, False])
def test_leftovers_of_a_killed_call_are_removed(pairs, tmp_path, workers, with_workers):
    out = tmp_path / "out.parquet"
    killed = parts_folder(out)
    (killed.__enter__() / "0.arrow").write_bytes(b"text of a pair")
    with pytest.raises(OutputError, match="another process is writing it"):
        score_file(pairs, out, executor=workers)
    (locked,) = hidden(tmp_path)
    shutil.copytree(tmp_path / locked, tmp_path / "copy")
    killed.__exit__(None, None, None)
    (tmp_path / "copy").rename(tmp_path / locked)  # now without an owner
    score_file(pairs, out, executor=workers if with_workers else Executor())
    assert not hidden(tmp_path)


def test_one_worker_leaves_the_parts_of_a_running_call(pairs, tmp_path):
    with hold_lock(tmp_path / ".out.parts" / "lock"):
        score_file(pairs, tmp_path / "out")
    assert hidden(tmp_path) == [".out.parts"]


def test_keywords_are_data_only(pairs, tmp_path, monkeypatch, test_set):
    jobs = []

    @contextmanager
    def pool(_count):
        def run(tasks, progress):
            for task in tasks:
                jobs.append({p.name: p.read_bytes() for p in Path(task.target).glob("*.*")})
                yield from run_in_process([task], progress)

        yield run

    monkeypatch.setattr(executors, "worker_pool", pool)
    filter_file(pairs, tmp_path / "out", exclude=[test_set], executor=Executor(2))
    assert sorted(jobs[0]) == ["job.json", "texts.keyword.arrow"]
    assert json.loads(jobs[0]["job.json"]) == {
        "columns": [], "values": {"files": [str(test_set)]}, "frames": ["texts"],
    }  # fmt: skip
    texts = pl.read_ipc(jobs[0]["texts.keyword.arrow"])
    assert texts.rows() == [(0, "The rain closed two roads")]


@given(st.lists(st.integers(1, 9), max_size=30), st.integers(1, 12), st.integers(1, 20))
def test_slices_end_at_the_ends_of_pages(sizes, rows, rows_read):
    pages = [str(page) for page, size in enumerate(sizes) for _ in range(size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair, "_SEGMENT_ROWS", rows_read)
        slices = cut_at_pages(pl.LazyFrame({"doc_id": pages}, {"doc_id": pl.String}), rows)
    assert [row for start, count in slices for row in range(start, start + count)] == list(
        range(len(pages))
    )
    for (_, count), (start, _) in pairwise(slices):
        assert pages[start - 1] != pages[start]
        assert rows <= count < rows + max(sizes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of a few samples in both languages, with an article that has a rival."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "pages").mkdir()
    for path in sorted(ingest.samples().glob("*news*"))[:8]:
        shutil.copy(path, folder / "pages")
    for name in ("a", "b"):
        (folder / "pages" / f"{name}.txt").write_text("\n\n".join(ENGLISH[:3] * 3), "utf-8")
    (folder / "pages" / "c.txt").write_text("\n\n".join(ARABIC[:3] * 3), "utf-8")
    ingest.run(folder / "pages", folder / "out")
    return folder / "out"


def test_pages(finished, tmp_path, monkeypatch, workers):
    results, written = [], []
    for rows, executor in ((1 << 14, Executor()), (1, Executor()), (40, workers), (9, workers)):
        monkeypatch.setattr(pair, "TASK_SEGMENTS", rows)
        seen = []
        results.append(
            pair_run(finished, tmp_path / "pages", overwrite=True, executor=executor,
                     progress=lambda *at, seen=seen: seen.append(at))
        )  # fmt: skip
        written.append((tmp_path / "pages").read_bytes())
        assert seen[-1][0] == seen[-1][1] > 100
    assert written[1:] == written[:1] * 3
    assert results[1:] == results[:1] * 3
    assert results[0].pairs
    assert not hidden(tmp_path)
    frames = (pl.read_parquet(finished / f"{name}.parquet") for name in ("documents", "segments"))
    assert pl.read_parquet(tmp_path / "pages").equals(ingest.pair_pages(*frames))


def test_errors_of_pages_are_those_of_one_process(finished, tmp_path, workers):
    none = Config(align=AlignConfig(encoder=str(tmp_path / "none")))
    for executor in (Executor(), workers):
        with pytest.raises(ModelError, match="no such folder"):
            pair_run(finished, tmp_path / "pages", config=none.align, executor=executor)
        with pytest.raises(WriteError, match="no folder"):
            pair_run(finished, tmp_path / "none" / "pages", executor=executor)
    with pytest.raises(KeyboardInterrupt):
        pair_run(finished, tmp_path / "pages", executor=Executor(), progress=interrupt)
    assert not os.listdir(tmp_path)


def test_a_run_aligns_with_its_executor(finished, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(pair, "TASK_SEGMENTS", 40)
    counts = []
    monkeypatch.setattr(
        executors, "worker_pool",
        lambda count: counts.append(count) or nullcontext(run_in_process),
    )  # fmt: skip
    pages = finished.parent / "pages"
    ingest.run(pages, tmp_path / "one", align=True)
    ingest.run(pages, tmp_path / "two", align=True, workers=2)
    assert counts == [1, 2]  # one shard, and the pages; with one worker there is no pool
    for name in ("pages", "pairs"):
        one, two = (tmp_path / out / f"{name}.parquet" for out in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.ray
def test_pages_on_ray(finished, tmp_path, monkeypatch, cluster):
    monkeypatch.setattr(pair, "TASK_SEGMENTS", 60)
    pair_run(finished, tmp_path / "here")
    pair_run(finished, tmp_path / "ray", executor=Executor(ray=cluster.address))
    assert (tmp_path / "here").read_bytes() == (tmp_path / "ray").read_bytes()
    assert not hidden(tmp_path)


@pytest.mark.ray
def test_ray(pairs, expected, tmp_path, cluster, test_set):
    out = tmp_path / "out.parquet"
    executor = Executor(ray=cluster.address)
    score_file(pairs, out, executor=executor)
    assert out.read_bytes() == expected
    bytes_of = []
    for where in (executor, Executor()):
        filter_file(pairs, out, exclude=[test_set], overwrite=True, executor=where)
        bytes_of.append(out.read_bytes())
    assert bytes_of[0] == bytes_of[1]
    with pytest.raises(KeyboardInterrupt):
        score_file(pairs, out, overwrite=True, executor=executor, progress=interrupt)
    damage_first_page(pairs)
    with pytest.raises(SourceError, match=r"pairs\.parquet: cannot be read as Parquet"):
        score_file(pairs, out, overwrite=True, executor=executor)
    assert not hidden(tmp_path)
