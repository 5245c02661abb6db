"""A run that stops early, for whatever reason, can be resumed, and gives the same bytes."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.config import Config, DetectConfig, ReadConfig, RunConfig, SegmentConfig
from ingest.errors import ConfigError, OutputError, SourceError, WriteError
from ingest.pipeline import plan, state
from ingest.pipeline.state import State

SMALL = Config(run=RunConfig(shard_bytes=12_000))
RUN = """
import sys, ingest
from ingest.config import Config, RunConfig
{before}
ingest.run(sys.argv[1], sys.argv[2], config=Config(run=RunConfig(shard_bytes=12_000)), {how})
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Some pages. A test that changes them changes them back."""
    folder = tmp_path_factory.mktemp("pages")
    for path in sorted(ingest.samples().glob("*.txt"))[::12]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def right(pages, tmp_path_factory):
    """What a run writes that nothing stops."""
    return expected(pages, tmp_path_factory.mktemp("right"))


@pytest.fixture
def out(tmp_path):
    return tmp_path / "work" / "out"


def content(out: Path) -> list[bytes]:
    names = ("documents.parquet", "segments.parquet", "articles.jsonl")
    assert sorted(os.listdir(out)) == sorted([*names, "run.json"])
    assert os.listdir(out.parent) == [out.name]
    return [(out / name).read_bytes() for name in names]


def expected(pages: Path | list[Path], tmp_path: Path) -> list[bytes]:
    ingest.run(pages, tmp_path / "plain" / "out", config=SMALL)
    return content(tmp_path / "plain" / "out")


def popen(pages: Path, out: Path, *, how: str = "", before: str = "") -> subprocess.Popen[bytes]:
    code = RUN.format(how=how, before=before)
    return subprocess.Popen([sys.executable, "-c", code, str(pages), str(out)])


def stop_after(shards_done: int, error: BaseException):
    """Return a progress callback that raises once `shards_done` shards are reported as done."""
    seen = []

    def progress(done, _total):
        if done not in seen:
            seen.append(done)
        if len(seen) > shards_done:
            raise error

    return progress


def interrupt(pages: Path, out: Path, **options) -> KeyboardInterrupt:
    with pytest.raises(KeyboardInterrupt) as stopped:
        ingest.run(pages, out, config=SMALL, progress=stop_after(3, KeyboardInterrupt()), **options)
    return stopped.value


def test_kill_at_random_moments(pages, right, out):
    rng = random.Random(0)
    for workers in (1, 2):
        how = f"workers={workers}, resume=True"
        with popen(pages, out, how=how) as process:
            while not out.with_name("out.unfinished").exists() and process.poll() is None:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.6))
            process.kill()
        ingest.run(pages, out, config=SMALL, resume=not out.exists(), overwrite=out.exists())
        assert content(out) == right
        shutil.rmtree(out)


def test_kill_before_every_rename(pages, out, tmp_path, monkeypatch):
    """Kill before every rename and removal, while an older OUT is being replaced.

    A kill leaves what is on the disk at that moment, so one run gives the state after each kill.
    """
    pages = sorted(pages.iterdir())[:2]
    right = expected(pages, tmp_path)
    ingest.run(pages[0], out)
    kills = []

    def copy_before(call):
        def wrapped(path, *args, **options):
            if os.path.lexists(path):  # removing a missing path changes nothing
                kills.append(tmp_path / f"kill-{len(kills)}")
                shutil.copytree(out.parent, kills[-1])
            return call(path, *args, **options)

        return wrapped

    with monkeypatch.context() as patch:
        for owner, name in ((Path, "rename"), (Path, "unlink"), (shutil, "rmtree")):
            patch.setattr(owner, name, copy_before(getattr(owner, name)))
        ingest.run(pages, out, config=SMALL, overwrite=True)
    assert content(out) == right
    assert len(kills) > 10
    states = set()
    # to look for a page that may have killed the run takes seconds, each time
    monkeypatch.setattr(State, "tried_shards", lambda _self: set())
    for kill in kills:
        shutil.rmtree(out.parent)
        kill.rename(out.parent)
        folder = out.with_name("out.unfinished")
        begun = [name for name in ("plan.json", "done.json") if (folder / name).exists()]
        states.update(begun)
        if begun or not out.exists():
            ingest.run(pages, out, config=SMALL, resume=True)
        else:  # killed before there was a plan, or when only the locks were left
            ingest.run(pages, out, config=SMALL, overwrite=True)
        assert content(out) == right
    assert states == {"plan.json", "done.json"}


def test_an_interrupted_run_says_how_to_continue(pages, right, out):
    stopped = interrupt(pages, out)
    folder = out.with_name("out.unfinished")
    assert stopped.__notes__ == [f"finished work is kept in {folder}; use --resume to continue"]
    shards = sorted((folder / "labelled").iterdir())
    before = [p.stat().st_mtime_ns for p in shards]
    assert len(shards) > 1
    interrupt(pages, out, resume=True)
    assert [p.stat().st_mtime_ns for p in shards] == before  # not done again
    ingest.run(pages, out, config=SMALL, resume=True)
    assert content(out) == right


def test_nothing_is_left_before_the_first_shard_is_done(pages, out):
    with pytest.raises(KeyboardInterrupt):
        ingest.run(pages, out, progress=stop_after(0, KeyboardInterrupt()))
    assert os.listdir(out.parent) == []


def test_an_unfinished_run_is_not_ignored(pages, right, out):
    interrupt(pages, out)
    with pytest.raises(OutputError, match=r"did not finish; use --resume .* or --overwrite"):
        ingest.run(pages, out)
    ingest.run(pages, out, overwrite=True)
    assert content(out) == right
    interrupt(pages, out, overwrite=True)  # OUT stays until then
    with pytest.raises(OutputError, match=r"did not finish; use --resume .* or --overwrite"):
        ingest.run(pages, out)
    ingest.run(pages, out, config=SMALL, resume=True)
    assert content(out) == right


def test_what_cannot_be_removed_of_the_earlier_run_does_not_undo_the_new_one(
    pages, out, monkeypatch, capsys
):
    """Such as a file with the attribute `immutable` in it."""
    page = str(next(pages.iterdir()))
    ingest.run(page, out)
    with monkeypatch.context() as patch:
        remove = state.remove
        patch.setattr(state, "remove", lambda path: path.name == "replaced" or remove(path))
        assert main(["run", page, "-o", str(out), "--overwrite", "-q"]) == 0
    folder = out.with_name("out.unfinished")
    assert capsys.readouterr().err == (
        f"ingest: {folder / 'replaced'}: cannot be removed; {out} is complete without it\n"
    )
    assert main(["show", str(out), "--limit", "1"]) == 0
    assert "earlier run" not in capsys.readouterr().err
    ingest.run(page, out, overwrite=True)
    assert os.listdir(out.parent) == ["out"]


def test_resume_without_an_unfinished_run(pages, right, out):
    ingest.run(pages, out, resume=True)
    assert content(out) == right
    assert os.listdir(out.parent) == ["out"]


def test_resume_of_a_complete_run_does_nothing_if_it_is_the_same(
    pages, right, out, tmp_path, capsys
):
    first = ingest.run(pages, out)
    (more := tmp_path / "more.txt").write_text("A line.")
    before = {path.name: path.stat() for path in out.iterdir()}
    again = ingest.run(pages, out, resume=True)
    assert again == {**json.loads(json.dumps(first)), "unchanged": True}
    assert main(["run", str(pages), "-o", str(out), "--resume"]) == 0
    assert f"{out} is complete already, with the same sources" in capsys.readouterr().out
    assert {path.name: path.stat() for path in out.iterdir()} == before
    with pytest.raises(OutputError, match=r"is complete, but with other settings; .*--overwrite"):
        ingest.run(pages, out, resume=True, config=Config(read=ReadConfig(text_column="x")))
    with pytest.raises(OutputError, match=r"is complete, but with other sources \(.* is new, gone"):
        ingest.run([pages, more], out, resume=True)
    assert content(out) == right


def test_resume_a_run_that_overwrites(pages, right, out):
    ingest.run(next(pages.iterdir()), out)
    interrupt(pages, out, overwrite=True)
    assert (out / "run.json").exists()
    ingest.run(pages, out, config=SMALL, resume=True)
    assert content(out) == right


def test_resume_keeps_the_shards_of_the_run(pages, right, out):
    interrupt(pages, out)
    other = RunConfig(shard_bytes=1, batch_chars=1000, page_seconds=9)
    report = ingest.run(pages, out, config=Config(run=other), resume=True)
    assert RunConfig(**report["config"]["run"]) == replace(other, shard_bytes=12_000)
    assert content(out) == right


def test_changed_settings_are_named(pages, out):
    interrupt(pages, out)
    config = Config(detect=DetectConfig(langs=("ar", "en")), run=SMALL.run)
    with pytest.raises(ConfigError, match=r'detect\.langs: \[\] → \["ar", "en"\]; use --overwrite'):
        ingest.run(pages, out, config=config, resume=True)
    ingest.run(pages, out, config=SMALL, resume=True)


def test_another_version_is_refused(pages, out, monkeypatch):
    interrupt(pages, out)
    monkeypatch.setattr(plan, "versions", lambda: "ingest 9")
    with pytest.raises(ConfigError, match=r"started with ingest 0.* this is ingest 9"):
        ingest.run(pages, out, config=SMALL, resume=True)
    ingest.run(pages, out, config=SMALL, overwrite=True)


def test_changed_inputs_are_named(pages, out):
    interrupt(pages, out)
    first, second, *_ = sorted(pages.iterdir())
    was = second.stat()
    moved = first.rename(out.parent / "away.txt")
    (pages / "more.txt").write_text("x")
    second.write_bytes(second.read_bytes() + b"!")
    with pytest.raises(SourceError) as changed:
        ingest.run(pages, out, config=SMALL, resume=True)
    for name, what in ((first.name, "gone"), ("more.txt", "new"), (second.name, "changed")):
        assert f"{pages / name} ({what})" in str(changed.value)
    moved.rename(first)
    (pages / "more.txt").unlink()
    second.write_bytes(second.read_bytes()[:-1])
    os.utime(second, ns=(was.st_atime_ns, was.st_mtime_ns))
    ingest.run(pages, out, config=SMALL, resume=True)


def test_a_source_that_disappears_during_the_run(pages, right, out, tmp_path):
    """It costs its own page; the run can be resumed only if it is back."""
    last = max(pages.iterdir())
    away = tmp_path / "away"

    def remove_last(done, total):
        if 0 < done < total and last.exists():
            last.rename(away)

    report = ingest.run(pages, out, config=SMALL, progress=remove_last)
    lost = {"source": str(last), "error": "no longer exists"}
    assert report["counts"]["errors"] == 1
    assert report["changed"] == [lost]
    documents = pl.read_parquet(out / "documents.parquet")
    assert documents.drop_nulls("error").select("source", "error").to_dicts() == [lost]
    away.rename(last)

    def remove_and_stop(done, total):
        if done > total / 2:
            last.rename(away)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest.run(pages, out, config=SMALL, overwrite=True, progress=remove_and_stop)
    with pytest.raises(SourceError, match=r"\(gone\); put them back as they were, or use --overwr"):
        ingest.run(pages, out, config=SMALL, resume=True)
    away.rename(last)
    ingest.run(pages, out, config=SMALL, resume=True)
    assert content(out) == right


def test_a_source_that_changes_during_the_run(out, tmp_path):
    """What was read before stays; each other shard is one row in error."""
    file = tmp_path / "pages.jsonl"
    file.write_text("".join(f'{{"text": "Page {n} of a town"}}\n' for n in range(40)))
    config = Config(run=RunConfig(shard_bytes=file.stat().st_size // 4))

    def touch(done, total):
        if done > total / 3:
            os.utime(file, (done, done))

    report = ingest.run(file, out, config=config, progress=touch)
    changed = {"source": str(file), "error": "has changed since the run started"}
    assert report["changed"] == [changed]
    pages = pl.read_parquet(out / "documents.parquet")
    errors = pages.drop_nulls("error")
    assert set(errors["error"]) == {changed["error"]}
    assert errors["doc_id"].is_unique().all()
    assert len(errors) == report["counts"]["errors"] == 3
    assert 0 < len(pages) - len(errors) < 40


def test_a_disk_that_fills_up_during_the_run(pages, right, out, monkeypatch):
    write, count = pl.DataFrame.write_parquet, 0

    def full(*args, **options):
        nonlocal count
        count += 1
        if count > 9:
            raise OSError(28, "No space left on device")
        return write(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", full)
        with pytest.raises(WriteError, match="No space left on device") as error:
            ingest.run(pages, out, config=SMALL)
    assert "--resume" in error.value.__notes__[0]
    labelled = out.with_name("out.unfinished") / "labelled"
    assert len(os.listdir(labelled)) == 2
    ingest.run(pages, out, config=SMALL, resume=True)
    assert content(out) == right


def test_a_second_run_into_the_same_folder_is_refused(pages, out, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    first = threading.Thread(target=ingest.run, args=(pipe, out))
    first.start()
    while not (out.with_name("out.unfinished") / "plan.json").exists():
        time.sleep(0.01)
    for how in ({}, {"overwrite": True}, {"resume": True}, {"shard": (1, 2)}):
        with pytest.raises(OutputError, match="another run is writing it; wait"):
            ingest.run(pages, out, **how)
    pipe.write_text("A line of text\n")
    first.join()
    assert pl.read_parquet(out / "documents.parquet")["source"].to_list() == [str(pipe)]


def test_a_pipe_cannot_be_resumed(pages, out, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with popen(pages, out, before=f"sys.argv[1] = [sys.argv[1], {str(pipe)!r}]") as process:
        (tmp_path / "pipe").write_text("A line of text\n")
        labelled = out.with_name("out.unfinished") / "labelled"
        while not labelled.is_dir() or not [p for p in labelled.iterdir() if p.name[0] != "."]:
            time.sleep(0.001)
        process.kill()
    with pytest.raises(SourceError, match="pipe: cannot be read a second time; use --overwrite"):
        ingest.run([pages, pipe], out, config=SMALL, resume=True)


def test_a_complete_run_of_a_pipe_cannot_be_compared(out, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("A line of text\n",))
    writer.start()
    ingest.run(pipe, out)
    writer.join()
    with pytest.raises(
        OutputError,
        match=r"complete, but with input from .*pipe, which cannot be read again to compare it; ",
    ):
        ingest.run(pipe, out, resume=True)


def test_a_folder_with_other_files_is_left_alone(pages, out):
    folder = out.with_name("out.unfinished")
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("precious")
    for how in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(
            OutputError, match=r"contains files that ingest did not write \(mine\.txt\)"
        ):
            ingest.run(pages, out, **how)
    assert os.listdir(folder) == ["mine.txt"]
    assert (folder / "mine.txt").read_text() == "precious"


def test_leftovers_that_cannot_be_removed_are_an_error(pages, out, monkeypatch):
    interrupt(pages, out)
    monkeypatch.setattr("ingest.pipeline.state.remove", lambda _path: None)
    with pytest.raises(WriteError, match="cannot be removed; remove it and start again"):
        ingest.run(pages, out, overwrite=True, config=Config(segment=SegmentConfig(9)))


def test_out_below_a_file(pages, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError, match="cannot be written"):
        ingest.run(pages, tmp_path / "file" / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(pages, tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    with pytest.raises(WriteError, match="cannot be written"):
        ingest.run(pages, tmp_path / "shut" / "out")
