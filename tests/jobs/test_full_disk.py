"""Files that cannot grow, as on a full disk: one message, no traceback, nothing left behind.

`tests/benchmarks/full_disk.py` tries every command on disks of all sizes.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.config import Config, RunConfig
from ingest.errors import WriteError
from ingest.io.atomic import atomic_write
from ingest.io.parquet import sink
from ingest.pipeline import room, state

SMALL = Config(run=RunConfig(shard_bytes=1))
ROWS = "".join(f"غادرت السفينة {n} الميناء\tShip {n} left the harbour\n" for n in range(40))


@contextmanager
def file_limit(size: int):
    """Let no file become larger, which gives the errors of a full disk in all libraries."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "pages").mkdir()
    for n in range(3):
        (folder / "pages" / f"{n}.txt").write_text(f"The harbour\n\nShip {n} left at noon.\n" * 9)
    (folder / "pairs.tsv").write_text("source_text\ttarget_text\n" + ROWS)
    for side, lang in enumerate(("ar", "en")):
        lines = [line.split("\t")[side] for line in ROWS.splitlines()]
        (folder / f"a.{lang}").write_text("\n".join(lines) + "\n")
    return folder


COMMANDS = {
    "run": "run {0}/pages -o {1}/out",
    "import": "import {0}/pairs.tsv -o {1}/p.parquet --langs ar,en",
    "align": "align {0}/a.ar {0}/a.en --lines --langs ar,en -o {1}/p.parquet --unmatched {1}/u.tsv",
    "encode": "encode {0}/a.en -o {1}/v.npy",
    "export": "export {2} --format huggingface -o {1}/data",
    "filter": "filter {2} -o {1}/f.parquet",
    "split": "split {2} -o {1}/s.parquet",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_cannot_grow(name, files, tmp_path, call):
    pairs, disk = tmp_path / "pairs.parquet", tmp_path / "disk"
    disk.mkdir()
    assert call("import", files / "pairs.tsv", "-o", pairs, "--langs", "ar,en").status == 0
    words = COMMANDS[name].format(files, disk, pairs).split()
    for size in (0, 3, 300, 900):
        with file_limit(size):
            done = call(*words)
        assert done.status == 1, (size, done)
        (line,) = done.err.splitlines()
        assert line.startswith(f"ingest: {disk}/")
        assert "File too large" in line or "not all of it could be written" in line
        assert os.listdir(disk) == []
    assert call(*words).status == 0


def test_polars_does_not_always_say_why(tmp_path):
    frame, path = pl.DataFrame({"a": range(1000)}), tmp_path / "a.parquet"
    sink([frame], frame.schema, path)
    for size in range(0, path.stat().st_size, 97):
        with (
            file_limit(size),
            pytest.raises(WriteError, match="File too large"),
            atomic_write(path) as new,
        ):
            sink([frame], frame.schema, new)


def test_a_disk_without_room_for_the_last_step(files, tmp_path, monkeypatch):
    out = tmp_path / "out"
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _path: usage._replace(free=100))
    with pytest.raises(WriteError, match=r"No space left .* about [\d,]+ bytes, and 100 bytes are"):
        ingest.run(files / "pages", out, config=SMALL)
    with pytest.raises(WriteError) as error:
        ingest.run(files / "pages", out, config=SMALL, resume=True)
    assert "--resume" in error.value.__notes__[0]
    monkeypatch.undo()
    ingest.run(files / "pages", out, config=SMALL, resume=True)
    assert os.listdir(tmp_path) == ["out"]


def test_the_room_that_is_asked_for_is_not_more_than_is_needed(files, tmp_path, monkeypatch):
    out, sizes = tmp_path / "out", []
    format_size = room.format_size
    monkeypatch.setattr(state, "output_size", lambda *args: sizes.append(args[2]) or 0)
    ingest.run(files / "pages", out, config=SMALL)
    assert sizes == [(out / "articles.jsonl").stat().st_size]
    assert format_size(0) == "0 bytes"


def test_the_hint_at_the_very_end(files, tmp_path, monkeypatch):
    out, rename = tmp_path / "out", os.rename

    def full(path, dest):
        if Path(dest) == out:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(path, dest)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(WriteError, match="No space left") as error:
        ingest.run(files / "pages", out, config=SMALL)
    assert "--resume" in error.value.__notes__[0]
    monkeypatch.undo()
    assert ingest.run(files / "pages", out, config=SMALL, resume=True)["counts"]["pages"] == 3
    assert os.listdir(tmp_path) == ["out"]
