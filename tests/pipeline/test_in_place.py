"""OUT that cannot be renamed, or is a link: what is written stays on its file system."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

import ingest
from ingest.config import Config, RunConfig
from ingest.errors import OutputError
from ingest.io import in_place
from ingest.pipeline.state import State

SMALL = Config(run=RunConfig(shard_bytes=1))
TABLES = ("documents.parquet", "segments.parquet", "articles.jsonl")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for n in range(3):
        (folder / f"{n}.txt").write_text(f"The harbour\n\nShip {n} left the harbour at noon.\n")
    return folder


@pytest.fixture(scope="module")
def right(pages, tmp_path_factory):
    out = tmp_path_factory.mktemp("right") / "out"
    ingest.run(pages, out, config=SMALL)
    return content(out)


def content(out: Path) -> dict[str, bytes]:
    assert set(os.listdir(out)) - {"lost+found"} == {*TABLES, "run.json"}
    return {name: (out / name).read_bytes() for name in TABLES}


@contextmanager
def mounted(folder: Path, *options: object):
    folder.mkdir()
    command = ["mount", *map(str, options), str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["file system", "folder"])
def test_a_mount_point_is_written_from_within(kind, pages, right, tmp_path):
    (tmp_path / "other").mkdir()
    tmpfs = ("-t", "tmpfs", "-o", "size=20m", "tmpfs")
    options = tmpfs if kind == "file system" else ("--bind", tmp_path / "other")
    with mounted(tmp_path / "my out", *options) as out:
        inode = out.stat().st_ino
        (out / "lost+found").mkdir()
        ingest.run(pages, out, config=SMALL)
        assert content(out) == right
        (out / "scored.parquet").touch()
        with pytest.raises(OutputError, match="exists already"):
            ingest.run(pages, out, config=SMALL)
        assert ingest.run(pages, out, config=SMALL, resume=True)["unchanged"]
        ingest.run(pages, out, config=SMALL, overwrite=True)
        assert content(out) == right
        assert out.stat().st_ino == inode
    assert sorted(os.listdir(tmp_path)) == ["my out", "other"]


def test_unfinished_work_is_kept_in_a_mount_point(pages, right, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == out)
    for part in (1, 2):
        ingest.run(pages, out, config=SMALL, shard=(part, 2))
    assert os.listdir(out) == [".unfinished"]
    with pytest.raises(OutputError, match="did not finish"):
        ingest.run(pages, out, config=SMALL)
    monkeypatch.undo()  # what was begun within is continued there
    assert ingest.run(pages, out, config=SMALL, resume=True)["counts"]["pages"] == 3
    assert content(out) == right
    assert os.listdir(tmp_path) == ["out"]


def test_a_link_stays_a_link(pages, right, tmp_path):
    big, link = tmp_path / "big" / "out", tmp_path / "small" / "out"
    big.mkdir(parents=True)
    link.parent.mkdir()
    link.symlink_to(big)
    for overwrite in (False, True):
        ingest.run(pages, link, config=SMALL, overwrite=overwrite)
        assert link.is_symlink()
        assert content(big) == right
    assert os.listdir(big.parent) == os.listdir(link.parent) == ["out"]


def test_a_link_that_leads_nowhere_is_refused(pages, tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "none")
    (tmp_path / "b").symlink_to(tmp_path / "b")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"is a link to .*none, which does not exist; create"):
            ingest.run(pages, tmp_path / "a", overwrite=overwrite)
        with pytest.raises(OutputError, match="is a link that cannot be followed"):
            ingest.run(pages, tmp_path / "b", overwrite=overwrite)
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_the_current_folder_stays(pages, right, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.chdir(out)
    for overwrite in (False, True):
        ingest.run(pages, ".", config=SMALL, overwrite=overwrite)
        assert content(Path()) == right
        assert os.path.samefile(out, ".")


def test_a_folder_whose_parent_may_not_be_changed(pages, right, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path and access(path, mode))
    ingest.run(pages, out, config=SMALL)
    monkeypatch.undo()
    assert content(out) == right
    assert os.listdir(tmp_path) == ["out"]


def test_what_cannot_be_renamed_after_all_is_filled(pages, right, tmp_path, monkeypatch):
    """As in a container, where OUT belongs to the image."""
    out = tmp_path / "out"
    ingest.run(pages, out, config=SMALL)
    rename = os.rename

    def refuse(path, dest):
        if Path(path) == out:
            raise OSError(18, "Invalid cross-device link")
        rename(path, dest)

    monkeypatch.setattr(os, "rename", refuse)
    inode = out.stat().st_ino
    ingest.run(pages, out, config=SMALL, overwrite=True)
    assert content(out) == right
    assert out.stat().st_ino == inode
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM])
def test_a_file_without_hard_links(number, tmp_path, monkeypatch):
    path, dest = tmp_path / "a", tmp_path / "b"
    path.write_text("new")
    dest.write_text("old")

    def refuse(*_paths):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    in_place.place_file(path, dest)
    assert sorted(os.listdir(tmp_path)) == (["a", "b"] if number == errno.EXDEV else ["b"])
    assert dest.read_text() == "new"


class Stop(BaseException):
    """Where the process is killed: nothing is cleaned up after it."""


@pytest.mark.parametrize("case", ["new", "earlier run", "earlier run, no hard links"])
def test_a_kill_at_any_point_of_the_last_step(case, pages, right, tmp_path, monkeypatch):
    has_earlier = case != "new"
    if case.endswith("no hard links"):
        monkeypatch.setattr(os, "link", no_links)
    out, before = tmp_path / "out", tmp_path / "before"
    out.mkdir()
    if has_earlier:
        ingest.run(pages / "0.txt", out, config=SMALL)
        (out / "pairs.parquet").touch()
    with monkeypatch.context() as patch:
        patch.setattr(os.path, "ismount", lambda path: Path(path) == out)
        patch.setattr(State, "publish", stop)
        patch.setattr(State, "clean_up", lambda *_args, **_options: True)
        with pytest.raises(Stop):
            ingest.run(pages, out, config=SMALL, overwrite=has_earlier)
    shutil.copytree(out, before)
    ingest.run(pages, out, config=SMALL, resume=True)
    assert content(out) == right
    points = 0
    while True:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(before, out)
        try:
            with monkeypatch.context() as patch:
                stop_at(points, patch)
                State(out).publish()
        except Stop:
            points += 1
            is_complete = (out / "run.json").exists() and not State(out).has_work()
            assert not is_complete
        else:
            break
        State(out).publish()
        State(out).remove_folder()
        assert content(out) == right, points
    assert points > 10


def no_links(*_paths):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def stop(*_args):
    raise Stop


def stop_at(number: int, patch: pytest.MonkeyPatch) -> None:
    """Stop before the change of the file system with this number."""
    left = iter(range(number))

    def counted(change):
        def change_or_stop(*args, **options):
            if next(left, None) is None:
                raise Stop
            return change(*args, **options)

        return change_or_stop

    for name in ("rename", "replace", "link", "unlink", "rmdir"):
        patch.setattr(os, name, counted(getattr(os, name)))
    patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
