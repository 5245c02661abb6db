from __future__ import annotations

import os

import pytest

from ingest.errors import SourceError
from ingest.read.sources import find


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt.gz", "sub/c.txt.zst", "sub/d.png", ".hidden/e.txt", "sub/.f.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_a_folder_stands_for_the_files_that_can_be_read(folder):
    found = find(["."])
    assert found.files == ["a.txt.gz", "b.txt", "sub/c.txt.zst"]
    assert found.skipped == ["./sub/d.png"]


def test_the_order_of_sources_makes_no_difference(folder):
    assert find(["sub", "b.txt"]) == find(["b.txt", "sub"])


def test_the_same_file_is_read_once(folder):
    os.symlink("b.txt", "z.txt")
    assert find(["b.txt", "./b.txt", "z.txt", "b.txt"]).files == ["b.txt"]


def test_globs(folder):
    assert find(["**/*.txt*"]).files == ["a.txt.gz", "b.txt", "sub/c.txt.zst"]


def test_a_named_file_is_read_whatever_its_suffix(folder):
    assert find(["sub/d.png"]).files == ["sub/d.png"]


def test_a_missing_name_is_kept_when_others_are_there(folder):
    assert find(["b.txt", "no.txt"]).files == ["b.txt", "no.txt"]


@pytest.mark.parametrize("sources", [["no.txt"], ["no*.txt"], ["empty"], []])
def test_nothing_found_says_what_to_do(folder, sources):
    (folder / "empty").mkdir()
    with pytest.raises(SourceError, match="no page to read"):
        find(sources)


def test_a_folder_stands_for_files_of_all_kinds(folder):
    names = [
        "a.warc.gz",
        "b.html",
        "c.htm.gz",
        "d.jsonl",
        "e.tsv.zst",
        "f.parquet",
        "g.warc.wet.gz",
    ]
    for name in names:
        (folder / "empty" / name).parent.mkdir(exist_ok=True)
        (folder / "empty" / name).write_bytes(b"x")
    assert find(["empty"]).files == [f"empty/{name}" for name in names]
