"""A URL is refused wherever a path is needed, by every command; a failed run leaves nothing."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

import ingest
from ingest.cli.app import PATHS, build_parser
from ingest.io.urls import is_url
from ingest.jobs.score import score_file

URLS = ["s3://bucket/x", "gs://bucket/x", "https://x.example/x", "hf://datasets/a/b", "file:///a/b"]
NOT_READ = ["hf://datasets/a/b", "file:///a/b"]
SOURCES = [
    ("show", "URL"), ("report", "URL"), ("pair", "URL"),
    ("align", "URL", "b.txt", "-o", "p.parquet"), ("align", "a.txt", "URL", "-o", "p.parquet"),
    ("encode", "URL", "-o", "v.npy"), ("import", "URL", "-o", "p.parquet"),
    ("score", "URL", "-o", "s.parquet"), ("filter", "URL", "-o", "f.parquet"),
    ("filter", "p.parquet", "-o", "f.parquet", "--exclude", "URL"), ("split", "URL", "-o", "s.parquet"),
    ("export", "URL", "--format", "moses"), ("translate", "URL", "-o", "t.parquet"),
    ("correct", "URL"), ("correct", "out", "URL"), ("run", "a.txt", "-o", "out", "--corrections", "URL"),
    ("models", "install", "URL"), ("run", "a.txt", "-o", "out", "--config", "URL"),
]  # fmt: skip
TARGETS = [
    ("run", "a.txt", "-o", "out", "--export", "URL"),
    ("report", "out", "-o", "URL"), ("pair", "out", "-o", "URL"),
    ("align", "a.txt", "b.txt", "-o", "URL"),
    ("align", "a.txt", "b.txt", "-o", "p.parquet", "--unmatched", "URL"),
    ("encode", "a.txt", "-o", "URL"),
    ("import", "a.tsv", "-o", "URL"), ("score", "p.parquet", "-o", "URL"),
    ("filter", "p.parquet", "-o", "URL"), ("split", "p.parquet", "-o", "URL"),
    ("export", "p.parquet", "--format", "moses", "-o", "URL"), ("translate", "a.txt", "-o", "URL"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("A page of text that can be read.")
    return tmp_path


RUNS = [("run", "URL", "-o", "out"), ("read", "URL"), ("dataset", "URL", "-o", "out")]
OUTS = [("run", "a.txt", "-o", "URL"), ("dataset", "a.txt", "-o", "URL")]


@pytest.mark.parametrize("args", [*SOURCES, *RUNS, *TARGETS, *OUTS], ids=" ".join)
def test_every_command_refuses_names_that_no_file_can_have(call, folder, args):
    """Of one part of the path, and of all of them together."""
    is_target = args in (*TARGETS, *OUTS)
    advice = "choose a shorter name" if is_target else "check the name"
    for name, what in (
        ("x" * 300, "a name of 300 bytes, and a name"),
        ("x/" * 2100, "4,200 bytes, and a path"),
    ):
        done = call(*(name if arg == "URL" else arg for arg in args))
        message = f"ingest: {name}: has {what} has at most "
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith(message)
        assert done.err.endswith(f"; {advice}\n")
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


def test_a_name_that_only_just_fits(call, folder):
    done = call("run", "a.txt", "-o", "o" * 239, "-q")
    assert (done.status, done.err) == (0, "")
    done = call("run", f"[{'a' * 300}].txt", "-o", "out", "-q")  # a glob of a short name
    assert (done.status, done.err) == (0, "")
    done = call("run", f"*{'a' * 300}", "-o", "out2", "-q")
    assert (done.status, "(not found): no page to read" in done.err) == (2, True)


@pytest.mark.parametrize("command", ["run", "read", "show"])
def test_a_name_that_is_empty(call, command):
    done = call(command, "a.txt", "", *(["-o", "out"] if command == "run" else []))
    assert (done.status, done.err.startswith("ingest: '': is empty; give the name")) == (2, True)


def test_functions_refuse_such_names(folder):
    name = "x" * 300
    with pytest.raises(ingest.SourceError, match="check the name"):
        ingest.run(name, "out")
    with pytest.raises(ingest.OutputError, match="choose a shorter name"):
        ingest.run("a.txt", name)
    with pytest.raises(ingest.SourceError, match="check the name"):
        score_file(name, "out.parquet")


@pytest.mark.parametrize("args", [*SOURCES, *TARGETS], ids=" ".join)
def test_every_command_refuses_urls(call, folder, args):
    for url in URLS:
        done = call(*(url if arg == "URL" else arg for arg in args))
        assert done.status == 2
        assert done.out == ""
        assert done.err.startswith(f"ingest: {url}: is a URL, which cannot be ")
        assert (
            "upload" if args in TARGETS else "download"
        ) in done.err or "its path: /a/b" in done.err
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "args", [("run", "URL", "-o", "out"), ("read", "URL"), ("run", "a.txt", "-o", "URL")]
)
def test_run_and_read_refuse_urls_of_other_kinds(call, folder, args):
    is_target = args[:2] == ("run", "a.txt")
    for url in [*NOT_READ, *["https://x.example/x"] * is_target]:
        done = call(*(url if arg == "URL" else arg for arg in args))
        assert done.status == 2
        verb = "written" if is_target else "read"
        assert done.err.startswith(f"ingest: {url}: is a URL, which cannot be {verb}; give ")
        assert "s3://" in done.err or "its path: /a/b" in done.err
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


def test_without_the_package_a_url_names_the_extra(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    monkeypatch.setitem(sys.modules, "obstore", None)
    for args in (("run", "s3://bucket/x", "-o", "out"), ("run", "a.txt", "-o", "s3://bucket/x")):
        done = call(*args)
        assert done.status == 2
        assert done.err == (
            'ingest: obstore is not installed: pip install "ingest[cloud]", '
            "in a clone uv sync --extra cloud\n"
        )


def test_a_url_without_a_bucket_is_refused(call):
    for url in ("s3://", "https://", "az:///key"):
        done = call("run", url, "-o", "out")
        assert (done.status, done.err) == (
            2,
            f"ingest: {url}: names no bucket or server; give the whole URL\n",
        )


def test_pairs_and_translations_of_an_out_in_a_store_are_refused(call):
    done = call("run", "a.txt", "-o", "s3://bucket/x", "--align")
    assert done.status == 2
    assert "download" in done.err


def test_a_storage_option_without_a_value_is_not_repeated(call):
    done = call("run", "a.txt", "-o", "out", "--storage-option", "hush")
    assert done.status == 2
    assert "KEY=VALUE" in done.err
    assert "hush" not in done.err


def test_every_path_of_every_command_is_checked():
    paths = {
        "SOURCE",
        "OUT",
        "PAIRS",
        "PAGE",
        "PAGES",
        "FILE",
        "FILE|CODE",
        "FOLDER",
        "DEST",
        "VECTORS",
    }
    seen: set[str] = set()

    def walk(parser):
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for below in action.choices.values():
                    walk(below)
            elif action.metavar in paths:
                seen.add(action.dest)

    walk(build_parser())
    assert seen == set(PATHS)


def test_the_functions_refuse_urls(folder):
    for source in ("hf://bucket/x", Path("hf://bucket/x")):
        with pytest.raises(
            ingest.SourceError, match=r"^hf://bucket/x: is a URL, which cannot be read"
        ):
            ingest.read(source)
        with pytest.raises(ingest.OutputError, match=r"^hf://bucket/x: is a URL"):
            ingest.run("a.txt", source)
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "path", ["a.txt", "C:/a", "./s3:/x", "a:b", "showthread.php?u=http://x", "a/s3://b"]
)
def test_local_paths(path):
    assert not is_url(path)


def test_a_local_file_with_the_name_of_a_url_can_be_named(call, folder):
    (folder / "s3:").mkdir()
    (folder / "s3:" / "a.txt").write_text("A page.")
    assert call("run", "./s3:/a.txt", "-o", "out").status == 0


# a run without a page that could be read


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["b.pdf"], ["a.txt"]),
        (["b.pdf", "gone.txt"], ["a.txt"]),
        (["c.jsonl"], ["c.jsonl", "--text-column", "words"]),
        (["c.jsonl", "--workers", "2"], ["c.jsonl", "--text-column", "words"]),
        (["gone.txt"], ["a.txt"]),
    ],
)
def test_a_failed_run_does_not_block_the_corrected_one(call, folder, first, second):
    (folder / "b.pdf").write_bytes(b"%PDF-1.7\n")
    (folder / "c.jsonl").write_text(json.dumps({"words": "A page of text."}) + "\n")
    done = call("run", *first, "-o", "out")
    assert done.status in (2, 3)
    assert all(name in done.out + done.err for name in first if "." in name)
    again = call("run", *first, "-o", "out", "--resume")
    assert again.status == done.status
    assert call("run", *second, "-o", "out").status == 0
    assert not (folder / "out.unfinished").exists()
    blocked = call("run", *first, "-o", "out")
    assert blocked.status == 2
    counts = json.loads((folder / "out" / "run.json").read_bytes())["counts"]
    assert (counts["pages"], counts["errors"]) == (1, 0)


def test_a_failed_run_that_is_not_alone_is_kept(call, folder):
    (folder / "b.pdf").write_bytes(b"%PDF-1.7\n")
    assert call("run", "b.pdf", "-o", "out").status == 3
    (folder / "out" / "notes.txt").write_text("mine")
    assert call("run", "a.txt", "-o", "out").status == 2
    assert (folder / "out" / "notes.txt").read_text() == "mine"


def test_a_run_with_one_good_page_is_kept(call, folder):
    (folder / "b.pdf").write_bytes(b"%PDF-1.7\n")
    assert call("run", "a.txt", "b.pdf", "-o", "out").status == 3
    assert call("run", "a.txt", "-o", "out").status == 2
