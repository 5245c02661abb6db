"""TMPDIR that is full, missing or not writable: the message names it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

import ingest
from ingest.errors import WriteError
from ingest.io.scratch import RowStore
from ingest.io.temporary import temporary_folder, tmpdir


@pytest.fixture(autouse=True)
def _look_again(monkeypatch):
    """Let `tempfile` look at TMPDIR again: it remembers the folder."""
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_a_folder_that_does_not_exist(tmp_path, monkeypatch, call):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    page = ingest.samples() / "ar_blog.txt"
    done = call("run", page, "--plan")
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        f"ingest: {tmp_path}/none: is not a folder that can be written; set TMPDIR to one for "
        "temporary files\n"
    )
    # what needs no temporary file is not refused
    assert call("run", page, "-o", tmp_path / "out", "-q").status == 0
    store = RowStore(1, np.uint8, max_in_memory=0)
    with pytest.raises(WriteError, match="TMPDIR"):
        store.append(np.ones((10, 1), np.uint8))


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_args: False)
    with pytest.raises(WriteError, match="TMPDIR"):
        tmpdir()


def test_no_folder_at_all(monkeypatch):
    def fail():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "gettempdir", fail)
    with pytest.raises(WriteError, match="set TMPDIR to a folder for them"):
        tmpdir()


def test_a_full_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def write_all():
        with temporary_folder() as folder:
            assert folder.parent == tmp_path
            (folder / "a").touch()
            raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match="No space left") as error:
        write_all()
    assert error.value.__notes__ == [
        f"temporary files are in {tmp_path}; set TMPDIR to a folder with more room"
    ]
    assert list(Path(tmp_path).iterdir()) == []
