"""Pairs are scored with the same bytes in one process, in several, and on Ray."""

from __future__ import annotations

import os
from contextlib import nullcontext

import polars as pl
import pytest

from ingest.alignment import align_lines
from ingest.errors import ConfigError, FrameError, SourceError, WriteError
from ingest.jobs.filter import filter_file
from ingest.jobs.score import score_file
from ingest.pipeline import executors, row_groups
from ingest.pipeline.executors import Executor
from ingest.pipeline.workers import run_in_process

ARABIC = ["صباح الخير يا أمي", "قرأت كتابا جديدا", "أغلق المطر طريقين", "أين المدرسة؟", "ok"]
ENGLISH = ["Good morning, mother", "I read a new book", "The rain closed two roads", "No.", "ok"]
ROWS = 18


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
    monkeypatch.setattr(row_groups, "_temporary_folder", None)
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
    data = bytearray(pairs.read_bytes())
    data[10:200] = bytes(190)
    pairs.write_bytes(data)
    for executor in (Executor(), workers):
        with pytest.raises(SourceError, match=r"pairs\.parquet: cannot be read as Parquet"):
            score_file(pairs, tmp_path / "out.parquet", executor=executor)
    assert os.listdir(tmp_path) == ["pairs.parquet"]
    pl.DataFrame({"a": range(30)}).write_parquet(pairs)
    with pytest.raises(FrameError):
        score_file(pairs, tmp_path / "out.parquet", executor=workers)


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
    pairs.write_bytes(pairs.read_bytes()[:4] + bytes(200) + pairs.read_bytes()[204:])
    with pytest.raises(SourceError, match=r"node .*pairs.parquet: cannot be read as Parquet"):
        score_file(pairs, out, overwrite=True, executor=executor)
    assert not hidden(tmp_path)
