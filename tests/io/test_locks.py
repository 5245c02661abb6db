"""Tests of `ingest.io.locks`."""

from __future__ import annotations

import errno
import fcntl
import os

import pytest

import ingest
from ingest.cli import main
from ingest.errors import WriteError
from ingest.io.locks import hold_lock


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(number, tmp_path, monkeypatch):
    def refuse(*_args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(WriteError, match="does not support locks"), hold_lock(tmp_path / "lock"):
        pass


def test_commands_name_the_folder_without_locks(tmp_path, monkeypatch, capsys):
    def refuse(*_args):
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "pairs.tsv").write_text("source_text\ttarget_text\na b\tc d\n")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(fcntl, "flock", refuse)
    page = ingest.samples() / "ar_blog.txt"
    for command in (f"run {page} -o out", f"dataset {tmp_path}/pairs.tsv --pairs -o data"):
        assert main(command.split()) == 1
        message = capsys.readouterr().err
        assert "cannot be locked: the file system does not support locks" in message
        assert "choose a folder on a local disk" in message
        assert len(message.splitlines()) == 1
    assert os.listdir() == []
