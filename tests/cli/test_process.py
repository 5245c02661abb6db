"""What only a process of its own shows: pipes, signals, bytes of arguments, what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

INGEST = [sys.executable, "-m", "ingest"]
SHELL_INGEST = " ".join(map(repr, INGEST))


def run(*args, **options):
    return subprocess.run(
        [*INGEST, *args], capture_output=True, timeout=120, check=False, **options
    )


def bash(script):
    return subprocess.run(["bash", "-c", script], capture_output=True, timeout=120, check=False)


def test_exit_status_and_standard_input(page, tmp_path):
    done = run("run", "-", "-o", tmp_path / "out", input=page.read_bytes())
    assert done.returncode == 0
    assert done.stdout.startswith(b"role")
    assert done.stderr == b""  # no progress bar in a pipe
    assert pl.read_parquet(tmp_path / "out" / "documents.parquet")["source"].to_list() == ["-"]
    assert run("run", "-", "-o", tmp_path / "out", input=b"").returncode == 2


def test_heavy_libraries_are_not_imported_for_invalid_usage():
    code = (
        "import sys; from ingest.cli import main\n"
        "try: main(['run'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'polars', 'numpy', 'rich', 'langdetect', 'shtab'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"[]\n"


def test_help_imports_no_more_than_rich():
    code = (
        "import sys; from ingest.cli import main\n"
        "main([])\n"
        "print(sorted({'polars', 'numpy', 'langdetect', 'shtab'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == b"[]"


def test_arguments_can_be_any_bytes():
    done = run("detect", b"\xff\xfe\xff", b"\xed\xa0\x80", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["lang"]


def test_a_pipe_that_is_closed_early_is_not_an_error(page):
    done = bash(f"{SHELL_INGEST} show -q {page} {page} | head -n 1; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_pipe_that_is_closed_already_is_not_an_error(page):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*INGEST, "detect", page], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_detect_reads_a_named_pipe():
    done = bash(f"{SHELL_INGEST} detect <(echo 'Wo ist der Bahnhof von Berlin?')")
    assert done.stdout.decode().splitlines()[-1].startswith("de ")


def test_bash_completes_commands_options_and_choices(tmp_path):
    script = tmp_path / "completion"
    script.write_bytes(run("--print-completion", "bash").stdout)
    for words, expected in (("ru", "run"), ("run --overw", "--overwrite"), ("models inst", "install")):  # fmt: skip
        typed = f"ingest {words}"
        done = bash(
            f"source {script}; COMP_WORDS=({typed}); COMP_CWORD={len(typed.split()) - 1}; "
            "_shtab_ingest; echo ${COMPREPLY[@]}"
        )
        assert done.stdout.decode().split() == [expected], done.stderr


@pytest.fixture
def start():
    """A function that starts a command which Ctrl-C can stop, and kills it after the test."""
    processes = []

    def start(*args):
        # a background job of a shell ignores SIGINT, and its children inherit that
        process = subprocess.Popen(
            [*INGEST, *args],
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def wait_until(condition, process):
    while not condition():
        assert process.poll() is None
        time.sleep(0.005)


def open_when_read(pipe: Path, writers: list[int]) -> bool:
    """Open a named pipe for writing once some process reads it."""
    try:
        writers.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_while_it_reads_leaves_nothing(number, start, tmp_path):
    source, out = tmp_path / "pipe", tmp_path / "work" / "out"
    os.mkfifo(source)
    process = start("run", source, "-o", out)
    writers: list[int] = []
    wait_until(lambda: open_when_read(source, writers), process)
    time.sleep(0.2)  # Python does not see a signal that comes just before it begins to wait
    process.send_signal(number)
    assert process.wait(timeout=60) == 128 + number
    os.close(writers[0])
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_half_way_can_be_resumed(number, start, call, page, tmp_path):
    for n in range(12):
        (tmp_path / f"{n}.txt").write_bytes(page.read_bytes())
    (tmp_path / "c.toml").write_text("[run]\nshard_bytes = 1\n")
    out = tmp_path / "work" / "out"
    args = ["run", tmp_path, "-o", out, "--config", tmp_path / "c.toml"]
    process = start(*args, "--workers", "2")
    unfinished = out.with_name("out.unfinished")
    wait_until(lambda: len([*unfinished.glob("*/00*")]) > 1, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    uncut = [
        line for line in err.splitlines() if b" are one shard, " in line or b" like that" in line
    ]
    assert len(uncut) == 4
    assert err.splitlines()[:4] == uncut
    assert err.splitlines()[4].startswith(b"ingest: stopped; ")
    assert len(err.splitlines()) == 5
    assert str(unfinished).encode() in err
    assert b"--resume" in err
    assert call(*args, "--resume").status == 0
    assert [path.name for path in out.parent.iterdir()] == ["out"]
