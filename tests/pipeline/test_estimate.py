"""Tests of `ingest run --plan`."""

from __future__ import annotations

import dataclasses
import os

import pytest

from ingest.cli import main
from ingest.config import Config
from ingest.pipeline.estimate import Estimate, estimate_run
from ingest.readers.sources import find_sources

PAGE = "An article about rivers\n\nThe river rises in spring, and falls in the summer.\n" * 4


@pytest.fixture
def pages(tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    for n in range(6):
        (folder / f"{n}.txt").write_text(f"{PAGE} {n}", encoding="utf-8")
    return folder


def test_an_estimate_counts_everything_and_leaves_nothing_behind(pages, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    config = Config()
    config = dataclasses.replace(config, run=dataclasses.replace(config.run, shard_bytes=600))
    calls = []
    estimate = estimate_run(find_sources(pages), config, lambda *done: calls.append(done))
    stored = sum(path.stat().st_size for path in pages.iterdir())
    assert (estimate.inputs, estimate.stored, estimate.shards) == (6, stored, 3)
    assert (estimate.sampled, estimate.sampled_stored, estimate.sampled_pages) == (3, stored, 6)
    assert min(estimate.shard_time, estimate.joint_time) > 0
    assert min(estimate.output, estimate.working) > 0
    assert calls == [(1, 3), (2, 3), (3, 3)]
    assert not os.listdir(temporary)


def test_more_cores_help_until_the_largest_shard_takes_longest():
    estimate = Estimate(9, 1000, 10, 400, 1, 100, 7, 1.0, 0.01, 0, 0, 0)
    assert [estimate.time_on(cores) for cores in (1, 2, 16, 256)] == [10.1, 5.1, 4.1, 4.1]
    assert estimate.stored_per_hour(1) == pytest.approx(3600 * 100 / 1.01)


def test_plan_prints_and_writes_nothing(pages, capsys, monkeypatch):
    monkeypatch.chdir(pages)
    assert main(["run", ".", "--plan", "-q"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("6 inputs, ")
    assert [line.split()[0] for line in lines[-3:]] == ["1", "16", "256"]
    assert len(os.listdir(".")) == 6


def test_standard_input_has_a_plan_without_an_estimate(capsys, monkeypatch):
    assert main(["run", "-", "--plan", "-q"]) == 0
    assert "no estimate" in capsys.readouterr().out


def test_a_run_without_out_is_refused(pages, capsys):
    assert main(["run", str(pages)]) == 2
    assert "-o OUT: is missing" in capsys.readouterr().err
