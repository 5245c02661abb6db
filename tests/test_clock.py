"""A clock that is set back while a command runs changes nothing: durations come from another one."""

from __future__ import annotations

import os
import time

import pytest

import ingest
from ingest.cli.progress_lines import describe, seconds_left
from ingest.config import Config, RunConfig
from ingest.jobs.dataset_corrections import make_last

SMALL = Config(run=RunConfig(shard_bytes=1))


@pytest.fixture
def _clock_runs_backwards(monkeypatch):
    now = time.time()

    def earlier():
        nonlocal now
        now -= 3600
        return now

    monkeypatch.setattr(time, "time", earlier)
    monkeypatch.setattr(time, "time_ns", lambda: int(earlier() * 1e9))


@pytest.mark.usefixtures("_clock_runs_backwards")
def test_a_run_and_its_resumption(tmp_path):
    pages = sorted(ingest.samples().glob("ar_blog.txt"))
    seen: list[tuple[int, int]] = []
    ingest.run(pages, tmp_path / "out", config=SMALL, shard=(1, 1))
    report = ingest.run(
        pages, tmp_path / "out", config=SMALL, resume=True, progress=lambda *n: seen.append(n)
    )
    assert report["elapsed"] >= 0
    assert all(seconds >= 0 for seconds in report["seconds"].values())
    assert seen == sorted(seen)


def test_an_estimate_is_never_negative():
    assert seconds_left(0, 10.0, 25, 100, 10.0) == 0
    assert describe("score", 1, 4, elapsed=0.0, left=0.0).endswith("about 0 s left")


def test_corrections_are_never_older_than_what_they_changed(tmp_path):
    outputs, corrections = [tmp_path / "a", tmp_path / "b"], tmp_path / "c"
    for path in (*outputs, corrections):
        path.touch()
    later = time.time_ns() + 10**15
    os.utime(outputs[0], ns=(later, later))
    make_last(corrections, outputs)
    assert corrections.stat().st_mtime_ns == later
    make_last(outputs[0], [corrections])
    assert outputs[0].stat().st_mtime_ns == later
