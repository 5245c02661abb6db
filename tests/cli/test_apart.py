"""Pages that end the process, hang or fail: `read` and `show` print the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

# Every process loads this first, and must not load Polars with it: `read` could not be copied then.
HOOK = """
import importlib.util, os, signal, sys, time

WRAPPED = {
    "ingest.readers.document": ("to_row", lambda record: "" if record.error else str(record.content)),
    "ingest.segmentation": ("segment", lambda pages: " ".join(pages["text"].drop_nulls())),
}

def harm(text):
    if "SEGV" in text:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "SLEEP" in text:
        time.sleep(1000)
    if "TOO DEEP" in text:
        raise RecursionError("too deep")

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name not in WRAPPED:
            return None
        function, text_of = WRAPPED.pop(name)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            original = getattr(module, function)

            def wrapped(first, *args, **options):
                harm(text_of(first))
                return original(first, *args, **options)

            setattr(module, function, wrapped)

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
"""
KILLED = "killed the worker twice: SIGSEGV"
SLOW = "took longer than run.page_seconds (2 s)"
TOO_DEEP = "cannot be processed: RecursionError: too deep"


@pytest.fixture
def pages(tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    for n, text in enumerate(
        ["One", "A page of SEGV", "Three", "TOO DEEP", "A page of SLEEP", "Six"]
    ):
        (folder / f"{n}.txt").write_text(f"{text}\n")
    (folder / "6.jsonl").write_text('{"text": "a"}\n{"text": "SEGV"}\n{"text": "c"}\n')
    return folder


@pytest.fixture
def program(tmp_path, pages):
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "COLUMNS": "200"}

    def call(*args, stdin=None):
        command = [sys.executable, "-m", "ingest", *args, "--set", "run.page_seconds=2"]
        return subprocess.run(
            command, cwd=pages, env=environment, capture_output=True, text=True, input=stdin
        )

    return call


def test_read_prints_the_other_pages(program):
    done = program("read", ".")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "4 in error:",
        f"  1.txt: {KILLED}",
        f"  3.txt: {TOO_DEEP}",
        f"  4.txt: {SLOW}",
        f"  6.jsonl#1: {KILLED}",
    ]
    [lines] = [line.split() for line in done.stdout.splitlines() if line.startswith("6.jsonl ")]
    assert lines[:4] == ["6.jsonl", "jsonl", "3", "1"]


def test_read_prints_each_page_once_as_json(program):
    done = program("read", ".", "--json")
    assert (done.returncode, done.stderr) == (3, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["uri"], row["error"]) for row in rows] == [
        ("0.txt", None), ("1.txt", KILLED), ("2.txt", None), ("3.txt", TOO_DEEP), ("4.txt", SLOW),
        ("5.txt", None), ("6.jsonl#0", None), ("6.jsonl#1", KILLED), ("6.jsonl#2", None),
    ]  # fmt: skip


def test_read_of_what_can_be_read_only_once(program):
    done = program("read", "-", "0.txt", stdin="A page of SEGV")
    assert done.returncode == 3
    message = "  -: killed the worker twice: SIGSEGV; it can be read only once: save it to a file"
    assert done.stderr.splitlines() == ["1 in error:", message]
    assert "0.txt" in done.stdout


@pytest.mark.parametrize(
    ("text", "error"), [("SEGV", KILLED), ("TOO DEEP", TOO_DEEP), ("SLEEP", SLOW)]
)
def test_show_prints_the_other_pages(program, text, error):
    done = program("show", "0.txt", "-", "2.txt", "-q", stdin=text)
    assert (done.returncode, done.stderr) == (3, "")
    assert [line for line in done.stdout.splitlines() if line[:1].strip()] == [
        f"-  {error}", "0.txt  4 characters, utf-8", "2.txt  6 characters, utf-8",
    ]  # fmt: skip


def test_errors_and_interrupts_pass_to_the_command(program, tmp_path):
    done = program("read", "gone.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ingest: gone.txt (not found): no page to read; ")
    command = [sys.executable, "-m", "ingest", "read", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr.read() == "ingest: stopped; nothing was written\n"
