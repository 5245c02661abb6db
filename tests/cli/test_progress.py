"""Progress on standard error, where that is not a terminal."""

from __future__ import annotations

import threading
import time

import pytest

from ingest.cli import progress_lines
from ingest.cli.progress import job_progress, run_progress
from ingest.cli.progress_lines import ProgressLines
from ingest.pipeline.activity import report_activity


def wait_for(capsys, text):
    """Return what is printed, as soon as `text` is in it."""
    printed = ""
    for _ in range(1000):
        printed += capsys.readouterr().err
        if text in printed:
            return printed
        time.sleep(0.01)
    raise AssertionError(f"{text!r} was not printed: {printed!r}")


def test_lines_come_while_a_step_has_no_news(monkeypatch, capsys):
    monkeypatch.setattr(progress_lines, "INTERVAL", 0.01)
    with ProgressLines("report") as lines:
        assert "ingest: report: 0 s so far\n" in wait_for(capsys, "so far")
        lines.update(0, 4)
        lines.update(1, 4)
        assert "ingest: report: 1 of 4 (25 %), 0 s so far, about 0 s left\n" in wait_for(
            capsys, "left"
        )
        lines.update(4, 4)
        wait_for(capsys, "4 of 4 (100 %), 0 s so far\n")


def test_what_a_run_does_besides_is_said_at_once_and_in_each_line(monkeypatch, capsys):
    with ProgressLines("read") as lines:
        lines.note_activity("looking for a page")
        lines.note_activity("")
        lines.note_activity("looking for another")  # soon after: the next line says it
        assert capsys.readouterr().err == "ingest: read: looking for a page\n"
    monkeypatch.setattr(progress_lines, "INTERVAL", 0.01)
    with run_progress(quiet=False, translating=False):
        report_activity("looking for a page")
        wait_for(capsys, "read: 0 s so far; looking for a page\n")
        report_activity("")
        wait_for(capsys, "read: 0 s so far\n")


def test_nothing_is_printed_after_the_end_or_when_quiet(monkeypatch, capsys):
    monkeypatch.setattr(progress_lines, "INTERVAL", 0.01)
    before = threading.active_count()
    with pytest.raises(KeyError), job_progress("align", quiet=False):
        raise KeyError
    assert threading.active_count() == before
    capsys.readouterr()
    with job_progress("align", quiet=True) as progress:
        assert progress is None
    with run_progress(quiet=True, translating=False) as (reading, translating):
        assert reading is translating is None
    assert capsys.readouterr().err == ""


def test_quick_commands_print_no_progress(call, tmp_path):
    (tmp_path / "a.tsv").write_text("قرأت كتابا\tI read a book\n", encoding="utf-8")
    pairs = tmp_path / "pairs.parquet"
    assert call("import", tmp_path / "a.tsv", "--langs", "ar,en", "-o", pairs).err == ""
    assert call("filter", pairs, "-o", tmp_path / "filtered.parquet").status == 0


@pytest.mark.parametrize("command", ["score", "filter", "split"])
def test_jobs_report_all_pairs_at_the_end(command, call, tmp_path, monkeypatch):
    calls = []

    class Recorder(ProgressLines):
        def update(self, done, total):
            calls.append((done, total))

    monkeypatch.setattr("ingest.cli.progress.ProgressLines", Recorder)
    for module in (
        "jobs.filter",
        "jobs.split",
        "splitting.keys",
        "splitting",
        "pairs.columnar",
        "io.pairs_file",
    ):
        monkeypatch.setattr(f"ingest.{module}.BATCH_SIZE", 2)  # the last one is where others get it
    (tmp_path / "a.tsv").write_text("قرأت كتابا\tI read a book\n" * 5, encoding="utf-8")
    pairs = tmp_path / "pairs.parquet"
    assert call("import", tmp_path / "a.tsv", "--langs", "ar,en", "-o", pairs).status == 0
    size = (tmp_path / "a.tsv").stat().st_size
    assert calls == [(size, size)]
    calls.clear()
    assert call(command, pairs, "-o", tmp_path / "out.parquet").status == 0
    done, total = zip(*calls, strict=True)
    assert set(total) <= {5, 10, 35}
    assert list(done) == sorted(done)
    assert command == "split" or done[-1] == total[-1]
    calls.clear()
    export = tmp_path / "out.jsonl"
    assert call("export", pairs, "--format", "jsonl", "-o", export).status == 0
    assert calls == [(0, 5), (5, 5)]
