"""Files and folders are written completely or not at all."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import polars as pl
import pytest

from ingest.errors import OutputError, WriteError
from ingest.io import durable
from ingest.io.atomic import atomic_folder, atomic_write, check_output
from ingest.io.parquet import sink


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    def fail(dest, *, folder):
        with atomic_write(tmp_path / dest, folder=folder) as temporary:
            (temporary / "x" if folder else temporary).write_text("half")
            raise KeyboardInterrupt

    (tmp_path / "a").write_text("before")
    with pytest.raises(KeyboardInterrupt):
        fail("a", folder=False)
    with pytest.raises(KeyboardInterrupt):
        fail("b", folder=True)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "before")]


def test_a_failed_sink_leaves_nothing_behind(tmp_path):
    """Polars may open its output in the background after it has raised."""

    def batches(count):
        yield from [pl.DataFrame({"a": [1]})] * count
        raise ValueError("broken batch")

    for count in (0, 1) * 40:
        with (
            pytest.raises(ValueError, match="broken"),
            atomic_write(tmp_path / "a.parquet") as temporary,
        ):
            sink(batches(count), pl.Schema({"a": pl.Int64}), temporary)
    time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_replaces_a_folder(tmp_path):
    for name in ("one", "two"):
        with atomic_write(tmp_path / "a", folder=True) as temporary:
            (temporary / name).touch()
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")] == ["a", "a/two"]


def write_folder(dest, *names):
    with atomic_write(dest, folder=True) as temporary:
        for name in names:
            (temporary / name).touch()


def test_a_folder_that_cannot_be_renamed_is_filled(tmp_path, monkeypatch):
    dest = tmp_path / "a"
    dest.mkdir()
    inode = dest.stat().st_ino
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == dest)
    check_output(dest, overwrite=False, folder=True)
    for names in (["export.json", "one"], ["export.json", "two"]):
        write_folder(dest, *names)
        assert sorted(os.listdir(dest)) == names
    with pytest.raises(OutputError, match="exists already"):
        check_output(dest, overwrite=False, folder=True)
    assert (dest.stat().st_ino, os.listdir(tmp_path)) == (inode, ["a"])


def test_a_link_to_a_folder_stays(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    check_output(tmp_path / "link", overwrite=False, folder=True)
    write_folder(tmp_path / "link", "one")
    assert (tmp_path / "link").is_symlink()
    assert os.listdir(tmp_path / "a") == ["one"]


@pytest.mark.parametrize("folder", [False, True])
def test_missing_parent_folders_are_not_created(tmp_path, folder):
    dest = tmp_path / "none" / "a"
    with pytest.raises(WriteError, match=r"there is no folder .*none; create it first"):
        check_output(dest, overwrite=True, folder=folder)
    with pytest.raises(WriteError, match="create it first"), atomic_write(dest, folder=folder):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_may_be_replaced(tmp_path):
    a, link = tmp_path / "a", tmp_path / "link"
    check_output(a, overwrite=False)
    a.touch()
    link.symlink_to(a)
    check_output(a, overwrite=True)
    with pytest.raises(OutputError, match="exists already; choose another name, or give --over"):
        check_output(a, overwrite=False)
    with pytest.raises(OutputError, match="is the input itself"):
        check_output(a, overwrite=True, inputs=[tmp_path / "none", link])
    for dest, folder in ((link, False), (a, True), (tmp_path, False)):
        with pytest.raises(OutputError, match="is not a regular"):
            check_output(dest, overwrite=True, folder=folder)


@pytest.fixture
def disk(monkeypatch):
    """The names of what is written to the disk and renamed, in order."""
    events = []
    sync, rename = durable._sync, Path.rename

    def record_sync(path):
        events.append(f"sync {os.path.basename(path)[:2]}")
        sync(path)

    def record_rename(path, dest):
        events.append(f"rename {path.name[:2]} {dest.name}")
        return rename(path, dest)

    monkeypatch.setattr(durable, "_sync", record_sync)
    monkeypatch.setattr(Path, "rename", record_rename)
    return events


def test_what_is_renamed_is_on_the_disk_first(tmp_path, disk):
    parent = f"sync {tmp_path.name[:2]}"
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("x")
    assert disk == ["sync .a", "rename .a a", parent]
    disk.clear()
    for make in (atomic_folder, lambda path: atomic_write(path, folder=True)):
        with make(tmp_path / "b") as temporary:
            (temporary / "in").mkdir(exist_ok=True)
            (temporary / "in" / "c").write_text("x")
            (temporary / "link").symlink_to("nowhere")
        assert disk[:4] == ["sync .b", "sync c", "sync in", "rename .b b"]
        assert disk[-1] == parent
        os.rename(tmp_path / "b", tmp_path / f"old-{make.__name__[0]}")
        disk.clear()


def test_a_disk_that_fails_when_it_is_written(tmp_path, monkeypatch):
    def fail(_descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    code = errno.EIO
    with pytest.raises(WriteError, match=r"a: cannot be written: .*Input/output error"):
        write(tmp_path / "a")
    assert os.listdir(tmp_path) == []
    code = errno.EINVAL  # the system cannot do that for such files
    write(tmp_path / "a")
    assert os.listdir(tmp_path) == ["a"]


def write(path):
    with atomic_write(path) as temporary:
        temporary.write_text("x")
