"""Tests of `ingest run --plan`."""

from __future__ import annotations

import dataclasses
import errno
import gzip
import json
import os
import random
import re
import sys

import pytest

import ingest
from ingest.cli import main
from ingest.cli.plan_view import plan_lines
from ingest.config import Config
from ingest.errors import WriteError
from ingest.pipeline import sample
from ingest.pipeline.estimate import Estimate, estimate_run
from ingest.pipeline.target import describe_target
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
    assert min(estimate.shard_time, estimate.joint_time, estimate.startup) > 0
    assert min(estimate.output, estimate.working) > 0
    assert calls
    assert all(done <= total == stored for done, total in calls)
    assert not os.listdir(temporary)


def test_more_cores_help_until_the_largest_shard_takes_longest():
    estimate = Estimate(9, 1000, 10, 400, 1, 100, 7, 1.0, 0.01, 0, 0, 0)
    assert [estimate.time_on(cores) for cores in (1, 2, 16, 256)] == [10.1, 5.1, 4.1, 4.1]
    assert estimate.stored_per_hour(1) == pytest.approx(3600 * 100 / 1.01)


def test_start_up_counts_in_the_time_of_a_run_but_not_of_an_hour():
    estimate = Estimate(9, 1000, 10, 400, 1, 100, 7, 1.0, 0.01, 0, 0, 0, startup=2.0)
    assert [estimate.time_on(cores) for cores in (1, 16)] == [12.1, 6.1]
    assert estimate.stored_per_hour(1) == pytest.approx(3600 * 100 / 1.01)


def test_plan_says_whether_out_can_be_written(pages, tmp_path, capsys):
    out = tmp_path / "new" / "out"

    def plan(*options):
        status = main(["run", str(pages), "-o", str(out), "--plan", "-q", *options])
        printed = capsys.readouterr()
        return status, (printed.out.splitlines() or [""])[-1] + printed.err

    assert plan() == (0, f"OUT: {out} does not exist yet, and can be made")
    assert not out.parent.exists()
    assert plan("--resume")[1].endswith("; there is nothing to resume, so a run starts anew")
    ingest.run(pages, out)
    status, message = plan()
    assert (status, message) == (
        2, f"ingest: {out}: exists already; choose another name, or give --overwrite\n",
    )  # fmt: skip
    assert plan("--overwrite") == (0, f"OUT: {out} will be replaced")
    assert "is complete; --resume does nothing if" in plan("--resume")[1]
    (out / "mine.txt").touch()
    status, message = plan("--overwrite")
    assert (status, "files that ingest did not write" in message) == (2, True)
    out = tmp_path / "file" / "out"
    (tmp_path / "file").touch()
    status, message = plan()
    assert (status, "is not a folder" in message) == (1, True)


def describe_new(out):
    return describe_target(str(out), overwrite=False, resume=False)


@pytest.mark.parametrize("call", [describe_new, lambda out: ingest.run(ingest.samples(), out)])
def test_places_where_nothing_can_be_made(tmp_path, monkeypatch, call):
    """A run and its plan say the same."""
    if sys.platform == "linux":
        with pytest.raises(WriteError, match=r"^/proc/a/b: .* no folder can be made in /proc \("):
            call("/proc/a/b")

    def refuse(_path, _mode=0):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    out = tmp_path / "volume"
    out.mkdir()
    monkeypatch.chdir(out)  # so it is not renamed, and its parent does not matter
    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(WriteError, match=f"made in {out} .Read-only file system.; choose"):
        call(out)


def test_plan_of_an_unfinished_run(pages, tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text("[run]\nshard_bytes = 600\n")
    call = ["run", str(pages), "-o", str(tmp_path / "out"), "--config", str(config), "-q"]
    assert main([*call, "--shard", "1/3"]) == 0
    assert main([*call, "--plan"]) == 2
    assert "an earlier run did not finish" in capsys.readouterr().err
    assert main([*call, "--plan", "--resume"]) == 0
    assert f"{tmp_path / 'out'} is unfinished: 1 of 3 shards are done" in capsys.readouterr().out
    assert main([*call, "--plan", "--overwrite"]) == 0


def test_plan_prints_and_writes_nothing(pages, capsys, monkeypatch):
    monkeypatch.chdir(pages)
    assert main(["run", ".", "--plan", "-q"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("6 inputs, ")
    assert [line.split()[0] for line in lines[-4:-1]] == ["1", "16", "256"]
    assert lines[-1] == "more cores do not help: there is one shard, and one core works on it"
    assert len(os.listdir(".")) == 6


def test_the_largest_shard_is_named_where_it_is_the_limit():
    estimate = Estimate(9, 1000, 10, 400, 1, 100, 7, 1.0, 0.01, 0, 0, 0)
    assert plan_lines(estimate)[-1] == (
        "no run is faster than its largest shard (400 bytes, about 4.0 s), which one core works on"
    )
    assert plan_lines(estimate._replace(largest=1))[-1].startswith("  256")


def test_a_large_file_is_read_for_some_seconds_only(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sample, "_SECONDS", 0.0)
    path = tmp_path / "large.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for n in range(60):
            file.write(
                json.dumps({"text": f"{PAGE} {random.Random(n).randbytes(30_000).hex()}"}) + "\n"
            )
    assert main(["run", str(path), "--plan", "-q"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("timed")]
    read, pages = re.match(
        r"timed: the first (.*) kB of .*large\.jsonl\.gz and (\d+) pages in", line
    ).groups()
    assert 0.1 < int(read) * 1000 / path.stat().st_size < 0.9
    assert 10 < int(pages) < 50


HOOK = """
import os, signal, time
import ingest.segmentation
original = ingest.segmentation.segment

def segment(documents, **options):
    text = " ".join(documents["text"].drop_nulls())
    if "SEGV" in text:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "SLEEP" in text:
        time.sleep(1000)
    return original(documents, **options)

ingest.segmentation.segment = segment
"""


@pytest.fixture
def plan_lines_of(tmp_path, pages, monkeypatch, capsys):
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))
    monkeypatch.chdir(pages)

    def call():
        assert main(["run", ".", "--plan", "-q"]) == 0
        return capsys.readouterr().out.splitlines()

    return call


def test_pages_that_end_their_process_are_left_out(pages, plan_lines_of, monkeypatch):
    monkeypatch.setattr(sample, "_PAGE_SECONDS", 2)
    (pages / "2.txt").write_text("A page of SEGV")
    (pages / "4.txt").write_text("A page of SLEEP")
    lines = plan_lines_of()
    assert lines[1] == (
        "left out of the estimate: 2 pages in error, such as 2.txt: killed the worker twice: "
        "SIGSEGV"
    )
    assert any(line.startswith("timed: 1 shard") and "and 4 pages in" in line for line in lines)


def test_pages_that_take_all_the_time(pages, plan_lines_of, monkeypatch):
    monkeypatch.setattr(sample, "_MOST_SECONDS", 1.0)
    (pages / "2.txt").write_text("A page of SLEEP")
    assert plan_lines_of()[-1] == (
        "no estimate: pages took too long or crashed; a run finds them and goes on"
    )


def plan_lines_of_file(path, capsys):
    assert main(["run", str(path), "--plan", "-q"]) == 0
    return capsys.readouterr().out.splitlines()


def test_pages_in_error_are_named_and_do_not_count_as_work(pages):
    good = sum(path.stat().st_size for path in pages.iterdir())
    for n in range(9):
        (pages / f"broken{n}.html.gz").write_bytes(b"\x1f\x8b" + bytes(50_000))
    estimate = estimate_run(find_sources(pages), Config())
    assert (estimate.in_error, estimate.sampled_pages) == (9, 6)
    assert estimate.sampled_stored == good
    assert estimate.scale(1) == 1
    assert estimate.largest_time() == estimate.shard_time
    lines = plan_lines(estimate)
    assert lines[1].startswith("left out of the estimate: 9 pages in error, such as ")
    assert "broken0.html.gz: " in lines[1]


def test_sources_that_are_all_in_error_have_no_estimate(tmp_path, capsys):
    path = tmp_path / "half.parquet"
    path.write_bytes(b"PAR1" + bytes(1996))
    lines = plan_lines_of_file(path, capsys)
    assert lines[0].startswith("1 input, 2.0 kB stored")
    assert lines[1].startswith(f"left out of the estimate: 1 page in error, {path}")
    assert lines[2] == "no estimate: no other page was read"


def test_each_reason_for_no_estimate_is_the_true_one(tmp_path, capsys):
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert plan_lines_of_file(empty, capsys)[-1] == "no estimate: all of it is empty"
    assert plan_lines_of_file("-", capsys)[-1].startswith("no estimate: standard input and pipes")


def test_a_run_without_out_is_refused(pages, capsys):
    assert main(["run", str(pages)]) == 2
    assert "-o OUT: is missing" in capsys.readouterr().err
