"""Standard streams that are full, closed or not UTF-8: no traceback, and a status that tells."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.cli import main

INGEST = [sys.executable, "-m", "ingest"]
PAIRS = "source_text\ttarget_text\n" + "".join(
    f"غادرت السفينة {n} الميناء ظهرا.\tShip {n} left the harbour at noon.\n" for n in range(4)
)


class BrokenStream(io.StringIO):
    """Standard output of which every write fails."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.error = OSError(number, os.strerror(number))

    def write(self, _text):
        raise self.error


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a page, a run of it, and pairs at each step."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "page.txt").write_text("صباح الخير\n\nغادرت السفينة الميناء ظهرا.\n")
    (folder / "other.txt").write_text("Good morning\n\nThe ship left the harbour at noon.\n")
    (folder / "bad.txt").write_bytes(bytes(range(256)))
    (folder / "pairs.tsv").write_text(PAIRS)
    ingest.run(folder / "page.txt", folder / "run")
    for command in (
        f"import {folder}/pairs.tsv -o {folder}/pairs.parquet --langs ar,en",
        f"score {folder}/pairs.parquet -o {folder}/scored.parquet",
        f"filter {folder}/scored.parquet -o {folder}/filtered.parquet",
    ):
        assert main([*command.split(), "-q"]) == 0
    return folder


# of each command what it writes; nothing if its result is what it prints
COMMANDS = {
    "run {0}/page.txt -o {1}/out": "out/run.json",
    "run {0}/page.txt -o {1}/out --shard 1/1": "out.unfinished/plan.json",
    "run {0}/page.txt --plan": "",
    "report {0}/run -o {1}/report.html": "report.html",
    "report {0}/run --against {0}/run": "",
    "import {0}/pairs.tsv -o {1}/pairs.parquet --langs ar,en": "pairs.parquet",
    "score {0}/pairs.parquet -o {1}/scored.parquet": "scored.parquet",
    "filter {0}/scored.parquet -o {1}/filtered.parquet": "filtered.parquet",
    "split {0}/filtered.parquet -o {1}/split.parquet": "split.parquet",
    "export {0}/filtered.parquet -o {1}/out.tsv": "out.tsv",
    "export {0}/run -o {1}/out.txt": "out.txt",
    "dataset {0}/pairs.tsv --pairs -o {1}/data": "data/export.json",
    "align {0}/page.txt {0}/other.txt --lines --langs ar,en -o {1}/pairs.parquet": "pairs.parquet",
    "encode {0}/page.txt -o {1}/v.npy": "v.npy",
    "read {0}/page.txt": "",
    "read {0}/page.txt --json": "",
    "show {0}/page.txt": "",
    "show {0}/run": "",
    "detect {0}/page.txt": "",
    "detect {0}/page.txt --json": "",
    "samples": "",
    "config": "",
    "models list": "",
    "models list --json": "",
    "--help": "",
    "run --help": "",
    "--version": "",
    "--print-completion bash": "",
    "": "",
}


def status_of(command: str, *folders: object) -> int:
    try:
        return main(command.format(*folders).split())
    except SystemExit as error:
        return int(error.code or 0)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_behind_standard_output(command, files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", BrokenStream(errno.ENOSPC))
    written = COMMANDS[command]
    assert status_of(command, files, tmp_path) == (4 if written else 1)
    assert (tmp_path / written).exists()
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if "standard output" in line] == [
        "ingest: standard output: cannot be written: No space left on device"
        + ("; all else is done" if written else "")
    ]


@pytest.mark.parametrize("command", [*list(COMMANDS)[:1], "show {0}/page.txt", "--help"])
def test_standard_output_that_is_closed(command, files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    assert status_of(command, files, tmp_path) == (4 if COMMANDS[command] else 1)
    assert "standard output: cannot be written: it is closed" in capsys.readouterr().err


@pytest.mark.parametrize("command", [*list(COMMANDS)[:1], "show {0}/page.txt", "--help"])
def test_a_pipe_whose_reader_has_gone_is_no_error(command, files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", BrokenStream(errno.EPIPE))
    assert status_of(command, files, tmp_path) == 0
    assert "standard output" not in capsys.readouterr().err


def test_a_summary_that_is_lost_does_not_hide_pages_in_error(files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", BrokenStream(errno.EPIPE))
    assert status_of("run {0}/bad.txt {0}/page.txt -o {1}/out", files, tmp_path) == 3
    assert "bad.txt" in capsys.readouterr().err


def test_standard_error_that_cannot_be_written(files, tmp_path, monkeypatch, capsys):
    for stream in (None, BrokenStream(errno.ENOSPC)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert status_of("show {0}/gone.txt", files) == 2
        assert status_of("read {0}/bad.txt", files) == 3
        assert status_of("run", files) == 2
    assert "gone.txt" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "status"), [("read -", 3), ("detect", 2), ("encode - -o {0}/v.npy", 2)]
)
def test_standard_input_that_is_closed(command, status, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert status_of(command, tmp_path) == status
    assert "-: cannot be read: standard input is closed" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1256", "utf-16"])
@pytest.mark.parametrize("command", ["show {0}/page.txt", "detect {0}/page.txt", "show {0}/run"])
def test_other_encodings_of_standard_output(command, encoding, files, monkeypatch):
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding=encoding))
    assert status_of(command, files) == 0
    sys.stdout.flush()
    text = file.getvalue().decode(encoding)
    shown = "صباح" if encoding in ("cp1256", "utf-16") else r"\u0635\u0628\u0627\u062d"
    assert shown in text


def test_json_stays_json_in_ascii(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("Good morning 🌍 صباح\n")
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding="ascii"))
    assert status_of("detect --json {0}/a.txt", tmp_path) == 0
    sys.stdout.flush()
    assert json.loads(file.getvalue())["text"] == "Good morning 🌍 صباح"


@pytest.mark.parametrize("columns", ["0", "00", "", "1", "3", "x", "²", "-5", "9" * 5000])
def test_a_width_that_no_terminal_has(columns, files, call, monkeypatch):
    expected = call("run", "--help")
    for name in ("COLUMNS", "LINES"):
        monkeypatch.setenv(name, columns)
    assert call("run", "--help") == expected
    assert call("read", files / "page.txt").status == 0


def shell(script: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """Run a script of Bash in which `ingest` is the program."""
    program = " ".join(map(repr, INGEST))
    words = ["bash", "-c", f'ingest() {{ {program} "$@"; }}\n{script}', "bash"]
    return subprocess.run([*words, *map(str, arguments)], capture_output=True, check=False)


def test_streams_that_the_shell_closes_or_fills(files, tmp_path):
    """Without a test of its own: what Python itself does at its start and its exit."""
    done = shell(
        """
        ingest run $1/page.txt -o $2/a > /dev/full; echo $?
        ingest run $1/page.txt -o $2/b --workers 2 <&- >&- 2>&-; echo $?
        ingest config 2>&- | head -n 1 > /dev/null; echo ${PIPESTATUS[0]}
        ingest --help > /dev/full; echo $?
        """,
        files,
        tmp_path,
    )
    assert done.stdout.split() == [b"4", b"4", b"0", b"1"]
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    for out in (tmp_path / "a", tmp_path / "b"):
        assert len(pl.read_parquet(Path(out) / "documents.parquet")) == 1
