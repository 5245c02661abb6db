"""The command `dataset`: the plan, the funnel, messages and exit statuses."""

from __future__ import annotations

import os
import signal
import time
from threading import Thread

import pytest

from ingest.resources import samples

HARBOUR = samples().parent / "pairs" / "harbour.tsv"


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """The working directory, an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_plan_comes_first_and_the_funnel_last(call, tmp_path):
    outcome = call("dataset", HARBOUR, "--pairs", "-o", tmp_path / "data", "--set", "split.seed=3")
    assert outcome.status == 3  # a row of the file is invalid
    lines = outcome.out.splitlines()
    assert [line.split()[0] for line in lines[:5]] == [
        "import",
        "score",
        "filter",
        "split",
        "export",
    ]
    assert all(line.endswith("  to do") for line in lines[:5])
    assert lines[5] == "format: huggingface; settings that differ from the default: split.seed = 3"
    assert "           5  pairs imported" in lines
    assert (
        lines[-1] == f"written to {tmp_path}/data; what each step made is in {tmp_path}/data.work"
    )
    assert "ingest: split: dev is empty" in outcome.err
    resumed = ("dataset", HARBOUR, "-o", tmp_path / "data", "--resume", "--dry-run")
    same = call(*resumed).out.splitlines()
    assert [line.split("  ")[-1].strip() for line in same[:5]] == ["done"] * 5
    assert same[6] == "as in the earlier call: pairs = True, split.seed = 3"
    again = call(*resumed, "--set", "split.seed=1")
    assert [line.split("  ")[-1].strip() for line in again.out.splitlines()[:5]] == [
        "done", "done", "done", "again: split.seed changed", "again: a step before it changed",
    ]  # fmt: skip


def test_a_dry_run_writes_nothing(call, tmp_path):
    outcome = call("dataset", HARBOUR, "--pairs", "-o", tmp_path / "data.tmx", "--dry-run")
    assert outcome.status == 0
    assert "format: tmx" in outcome.out
    assert list(tmp_path.iterdir()) == []


def test_quiet_prints_only_errors(call, tmp_path):
    table = tmp_path / "a.tsv"
    table.write_text("قرأت كتابا في البيت\tI read a book at home\n", encoding="utf-8")
    options = ("--pairs", "--langs", "ar,en", "-o", tmp_path / "data.tsv", "-q")
    assert call("dataset", table, *options) == (0, "", "")
    status, out, err = call("dataset", table, *options)
    assert (status, out) == (2, "")
    assert "use --resume to go on with it, or --overwrite" in err


def test_rows_in_error_show_in_the_exit_status_also_of_a_later_call(call, tmp_path):
    table = tmp_path / "a.tsv"
    table.write_text(HARBOUR.read_text(encoding="utf-8") + "وحيد\n", encoding="utf-8")
    call_again = ("dataset", table, "--pairs", "-o", tmp_path / "data.tsv", "--resume", "-q")
    first = call(*call_again)
    assert first.status == 3
    assert "ingest: import: " in first.err
    assert call(*call_again).status == 3


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["none", "-o", "data"], 2, "none (not found): no page to read"),
        (["-o", "data"], 2, "SOURCE"),
        (["s3://b/pages", "-o", "data"], 2, "is a URL, which cannot be read"),
        ([HARBOUR, "-o", "no/data"], 1, "there is no folder"),
        ([HARBOUR, "-o", "data", "--format", "txt"], 2, "txt"),
        ([HARBOUR, "-o", "data", "--resume", "--overwrite"], 2, "not allowed with"),
        ([HARBOUR, "-o", "data", "--workers", "0"], 2, "0 is less than 1"),
        ([HARBOUR, "-o", "data", "--workers", "5000"], 2, "5000 is more than 1024"),
    ],
)
def test_wrong_calls(words, status, message, call, empty):
    outcome = call("dataset", *words)
    assert (outcome.status, outcome.out) == (status, "")
    assert message in outcome.err
    assert list(empty.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(call, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    outcome = call("dataset", HARBOUR, "--pairs", "-o", tmp_path / "locked" / "data")
    assert outcome.status == 1
    assert "cannot be written" in outcome.err


def test_an_interrupt_says_how_to_go_on(call, tmp_path, monkeypatch):
    from ingest.jobs import dataset

    do_step = dataset.do_step

    def interrupt(step, *args):
        if step.name == "filter":
            Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
            time.sleep(5)
        return do_step(step, *args)

    monkeypatch.setattr(dataset, "do_step", interrupt)
    outcome = call("dataset", HARBOUR, "--pairs", "-o", tmp_path / "data")
    assert outcome.status == 130
    assert f"finished steps are kept in {tmp_path}/data.work; use --resume to go on" in outcome.err
    monkeypatch.setattr(dataset, "do_step", do_step)
    resumed = call("dataset", HARBOUR, "--pairs", "-o", tmp_path / "data", "--resume")
    assert resumed.status == 3
    assert [line.split()[-1] for line in resumed.out.splitlines()[:3]] == ["done", "done", "do"]
