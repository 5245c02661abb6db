"""Every command that reads a run names the file that is damaged, and says what to do."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

import ingest
from ingest.cli import main
from ingest.config import Config, RunConfig
from ingest.errors import SourceError
from ingest.jobs.align_run import align_run
from ingest.jobs.show import open_run

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # helpers of tests are no package

import damage

# Few of the combinations, so that the test is quick: tests/benchmarks/damage.py tries all. The
# commands take turns; those that load models or packages, or make several files, are left out.
SLOW = (
    "translate", "dataset", "align", "score", "audit", "learn", "filter", "split", "add scores",
)  # fmt: skip
QUICK = [command for command in damage.COMMANDS if command not in SLOW]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return damage.make_run(tmp_path_factory.mktemp("damage"))


@pytest.fixture(autouse=True)
def _keep_environment(keep_environment):
    """Undo the limits on threads that commands set."""


def test_a_command_works_on_a_whole_run(whole):
    faults = [damage.find_fault(whole, command, None) for command in QUICK]
    assert [fault for fault in faults if fault] == []


@pytest.mark.parametrize("file", damage.OUTPUTS)
def test_damaged_files_are_named(whole, file):
    cases = [case for case in damage.DAMAGES if case.file == file]
    for number, case in enumerate(cases):
        command = QUICK[(number * 5 + len(file)) % len(QUICK)]
        fault = damage.find_fault(whole, command, case, follow=number % 8 == 0)
        assert fault is None, f"{command}: {case.kind}: {fault}"


# What ended with a traceback, named no file, gave several messages, or went on as if all were well.
FORMER = [
    ("resume", "run.json", "half"),
    ("resume", "run.json", "a list"),
    ("show", "run.json", "deep"),
    ("dataset", "run.json", "numbers inside"),
    ("show", "documents.parquet", "no rows"),
    ("show a page", "documents.parquet", "a folder"),
    ("show", "segments.parquet", "no text"),
    ("align", "segments.parquet", "a blank middle"),
    ("align", "segments.parquet", "no start"),
    ("align", "pages.parquet", "other types"),
    ("correct", "segments.parquet", "nulls"),
    ("report", "segments.parquet", "no text"),
    ("export articles", "segments.parquet", "no article"),
    ("split", "pairs.parquet", "no pair_id"),
    ("add keep", "run.json", "empty"),
    ("export articles", "run.json", "empty"),
    ("export card", "run.json", "half"),
    ("export pairs", "pairs.parquet", "other types"),
    ("pair", "segments.parquet", "half"),
    ("resume", "pages.parquet", "no source_doc"),
    ("resume alone", "articles.jsonl", "half"),
    ("resume alone", "run.json", "empty"),
]


PIPES = [
    ("report", "segments.parquet"),
    ("show", "run.json"),
    ("export articles", "documents.parquet"),
    ("export pairs", "pairs.parquet"),
    ("report", "corrections.jsonl"),
    ("correct", "corrections.jsonl"),
    ("resume", "articles.jsonl"),
]


@pytest.mark.parametrize(("command", "file"), PIPES)
def test_nobody_waits_for_a_pipe(whole, command, file):
    """Polars, which opens one, cannot be interrupted either."""
    [case] = [case for case in damage.DAMAGES if (case.file, case.kind) == (file, "a pipe")]
    start = time.monotonic()
    assert damage.find_fault(whole, command, case, follow=file == "pairs.parquet") is None
    assert time.monotonic() - start < damage.PATIENCE


@pytest.mark.parametrize(
    "name",
    ["plan.json", "labelled/000000/checksums.json", "labelled/000000/segments-00000.parquet"],
)
def test_pipes_in_unfinished_work_are_not_waited_for(tmp_path, name):
    def stop(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    many = Config(run=RunConfig(shard_bytes=1))
    with pytest.raises(KeyboardInterrupt):
        ingest.run(damage.PARALLEL, tmp_path / "out", config=many, progress=stop)
    path = tmp_path / "out.unfinished" / name
    damage.to_pipe(path)
    start = time.monotonic()
    ingest.run(damage.PARALLEL, tmp_path / "out", config=many, resume=True)
    assert time.monotonic() - start < damage.PATIENCE


@pytest.mark.parametrize(("command", "file", "kind"), FORMER)
def test_former_tracebacks(whole, command, file, kind):
    [case] = [case for case in damage.DAMAGES if (case.file, case.kind) == (file, kind)]
    assert damage.find_fault(whole, command, case, follow=False) is None


def test_the_functions_raise_the_same_errors(whole, tmp_path):
    [case] = [c for c in damage.DAMAGES if c[:2] == ("segments.parquet", "no start")]
    out = Path(damage.shutil.copytree(whole, tmp_path / "out"))
    case.do(out / "segments.parquet")
    message = (
        r"segments.parquet: column 'start' has no value in \d+ of \d+ rows; to make it again, run:"
    )
    with pytest.raises(SourceError, match=message):
        align_run(str(out), str(tmp_path / "pairs.parquet"))
    (out / "run.json").write_text('{"counts": 3}')
    with pytest.raises(SourceError, match=r"run\.json: is damaged: counts is int, must be dict"):
        open_run(str(out))


def test_a_bug_is_not_blamed_on_the_run(whole, monkeypatch):
    def fail(*_args, **_options):
        raise KeyError("bug")

    monkeypatch.setattr("ingest.jobs.align_run.check_output", fail)
    with pytest.raises(KeyError, match="bug"):
        align_run(str(whole), "pairs.parquet")


UNFINISHED = {
    "show": "show OUT",
    "report": "report OUT -o NEW/report.html",
    "compare": "report WHOLE --against OUT",
    "pair": "pair OUT -o NEW/pages.parquet",
    "align": "align OUT -o NEW/pairs.parquet",
    "score": "score OUT -o NEW/scored.parquet",
    "export": "export OUT -o NEW/export.jsonl",
    "export articles": "export OUT --what articles -o NEW/export.jsonl",
    "correct": "correct OUT RULES",
    "translate": "translate OUT -o NEW/translated.parquet",
    "dataset": "dataset OUT -o NEW/data",
}


@pytest.mark.parametrize("command", UNFINISHED)
def test_an_unfinished_run_is_called_unfinished(whole, tmp_path, command, capsys):
    out = tmp_path / "my out"
    (tmp_path / "my out.unfinished" / "locks").mkdir(parents=True)
    places = {"OUT": out, "NEW": tmp_path, "WHOLE": whole, "RULES": whole.parent / "rules.jsonl"}
    words = UNFINISHED[command].split()
    assert main([damage.fill(word, places) for word in words]) == 2
    said = capsys.readouterr().err
    expected = (
        f"{out}: its run has not finished; to finish it: ingest run SOURCES -o '{out}' --resume"
    )
    assert said == f"ingest: {expected}\n"


@pytest.mark.parametrize("command", ["show OUT", "report OUT -o NEW/report.html"])
def test_a_run_that_is_made_again_is_called_the_earlier_one(whole, tmp_path, command, capsys):
    out = tmp_path / "out"
    damage.shutil.copytree(whole, out)
    (tmp_path / "out.unfinished" / "locks").mkdir(parents=True)
    args = [damage.fill(word, {"OUT": out, "NEW": tmp_path}) for word in command.split()]
    assert main(args) == 0
    assert f"this is the earlier run; {out}: its run has not finished" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show OUT", "report OUT -o NEW/report.html"])
def test_a_run_that_has_replaced_the_earlier_one_is_not_called_so(whole, tmp_path, command, capsys):
    out = tmp_path / "out"
    damage.shutil.copytree(whole, out)
    work = tmp_path / "out.unfinished"
    (work / "locks").mkdir(parents=True)
    (work / "done.json").touch()
    args = [damage.fill(word, {"OUT": out, "NEW": tmp_path}) for word in command.split()]
    assert main(args) == 0
    assert "earlier run" not in capsys.readouterr().err
    (work / "out").mkdir()
    (work / "out" / "run.json").write_text("{}")  # not moved yet
    assert main([*args, *["--overwrite"] * (args[0] == "report")]) == 0
    assert "earlier run" in capsys.readouterr().err


def test_damage_elsewhere_does_not_hide_a_wrong_call(whole, tmp_path, capsys):
    out = Path(damage.shutil.copytree(whole, tmp_path / "out"))
    (out / "pairs.parquet").write_bytes(b"")
    assert main(["show", str(out), "--page", "nowhere"]) == 2
    assert "has no page 'nowhere'" in capsys.readouterr().err


@pytest.mark.parametrize("file", ["articles.jsonl", "run.json"])
def test_a_lost_or_damaged_output_of_a_data_set_can_be_made_again(tmp_path, file, capsys):
    call = ["dataset", str(damage.PARALLEL), "-o", str(tmp_path / "data.tmx"), "-q"]
    assert main(call) == 0
    made = (tmp_path / "data.tmx").read_bytes()
    path = tmp_path / "data.tmx.work" / "run" / file
    path.write_bytes(path.read_bytes()[:50])
    again = [*call, "--resume", "--set", "split.seed=2"]
    capsys.readouterr()
    assert main(again) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"ingest: {path}: ")
    advice = f"delete it and run: ingest dataset SOURCES -o {tmp_path / 'data.tmx'} --resume\n"
    assert said.endswith(f"; to make it again, {advice}")
    path.unlink()
    assert main(again) == 0
    assert main([*call, "--resume", "--set", "split.seed=1"]) == 0
    assert (tmp_path / "data.tmx").read_bytes() == made
