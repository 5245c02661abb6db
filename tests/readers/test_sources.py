from __future__ import annotations

import os
import shlex
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

import ingest
from ingest.errors import SourceError
from ingest.readers.sources import (
    EARLIER_RUN,
    Skipped,
    describe_skipped,
    find_sources,
    is_run,
    is_stream,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt.gz", "sub/c.txt.zst", "sub/d.png", ".hidden/e.txt", "sub/.f.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_a_folder_is_expanded_to_readable_files(folder):
    listing = find_sources(["."])
    assert listing.files == ["a.txt.gz", "b.txt", "sub/c.txt.zst"]
    assert listing.skipped == [("sub/d.png", "image")]


def test_the_order_of_sources_makes_no_difference(folder):
    assert find_sources(["sub", "b.txt"]) == find_sources(["b.txt", "sub"])


def test_the_same_file_is_read_once(folder):
    os.symlink("b.txt", "z.txt")
    assert find_sources(["b.txt", "./b.txt", "z.txt", "b.txt"]).files == ["b.txt"]


def test_globs(folder):
    assert find_sources(["**/*.txt*"]).files == ["a.txt.gz", "b.txt", "sub/c.txt.zst"]


@pytest.mark.parametrize("name", ["x[a]", "what?", "a*b[!c]"])
@pytest.mark.parametrize("pattern", ["*.html", "**/*.html", "page.html*"])
def test_a_glob_in_a_folder_with_signs_of_globs_says_how_to_escape_them(folder, name, pattern):
    (folder / "in" / name).mkdir(parents=True)
    (folder / "in" / name / "page.html").write_text("<p>Text of the page</p>")
    for source in (f"in/{name}/{pattern}", f"{folder}/in/{name}/{pattern}"):
        try:
            listing = find_sources([source])
        except SourceError as error:
            hint = str(error).partition("write ")[2].partition(")")[0]
            listing = find_sources(shlex.split(hint))
        assert [Path(file).name for file in listing.files] == ["page.html"]


def test_a_glob_without_matches_has_no_hint_if_none_would_help(folder):
    (folder / "x[a]").mkdir()
    for source in ("x[a]/*.html", "no[a]/*.html", "[n]o*.txt"):
        with pytest.raises(SourceError, match=r"\(not found\)"):
            find_sources([source])


def test_a_named_file_is_read_whatever_its_suffix(folder):
    assert find_sources(["sub/d.png"]).files == ["sub/d.png"]


def test_a_missing_file_is_kept_if_others_exist(folder):
    assert find_sources(["b.txt", "no.txt"]).files == ["b.txt", "no.txt"]


@pytest.mark.parametrize("sources", [["no.txt"], ["no*.txt"], ["empty"], []])
def test_the_error_without_files_says_what_to_do(folder, sources):
    (folder / "empty").mkdir()
    with pytest.raises(SourceError, match="no page to read"):
        find_sources(sources)


def test_a_folder_is_expanded_to_files_of_all_kinds(folder):
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
    assert find_sources(["empty"]).files == [f"empty/{name}" for name in names]


@contextmanager
def closed_folder():
    """A folder without read permission, next to a page."""
    root = os.geteuid() == 0  # who may look everywhere
    with tempfile.TemporaryDirectory() as name:
        (closed := Path(name) / "closed").mkdir()
        (closed / "a.txt").write_text("a")
        (closed.parent / "b.txt").write_text("b")
        Path(name).chmod(0o755)
        closed.chmod(0)
        if root:
            os.seteuid(65534)
        try:
            yield closed
        finally:
            if root:
                os.seteuid(0)
            closed.chmod(0o755)


def test_an_unreadable_subfolder_is_reported():
    with closed_folder() as closed:
        documents = ingest.read(closed.parent)
        assert not is_stream(str(closed))  # so that a run with it can be resumed
    assert documents["source"].to_list() == [f"{closed.parent}/b.txt", str(closed)]
    assert documents["error"].to_list() == [None, "cannot be read: permission denied"]


def test_the_only_folder_is_unreadable():
    with closed_folder() as closed:
        message = rf"{closed} \(cannot be read: permission denied\): no page"
        with pytest.raises(SourceError, match=message):
            find_sources([closed])


def test_a_folder_without_a_page_is_named(folder):
    (folder / "empty").mkdir()
    with pytest.raises(SourceError, match=r"^empty: no page to read;"):
        find_sources(["empty"])


def test_linked_folders_are_read_and_each_file_once(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "x.txt").write_text("x")
    os.symlink(other, "link")
    os.symlink("sub", "a_link")  # to what is read anyway: that keeps its name
    os.symlink(folder, "sub/round")
    os.symlink("self", "self")
    assert find_sources(["."]).files == ["a.txt.gz", "b.txt", "link/x.txt", "sub/c.txt.zst"]
    assert find_sources(["link"]).files == ["link/x.txt"]


def test_a_glob_that_matches_folders_is_expanded(folder):
    listing = find_sources(["s*"])
    assert (listing.files, listing.skipped) == (
        ["sub/c.txt.zst"],
        [("sub/d.png", "image")],
    )
    named = find_sources(["**"])
    assert (named.files[-1], named.skipped) == ("sub/d.png", [])


def test_only_files_are_read_below_a_folder(folder):
    os.mkfifo("sub/pipe.txt")
    os.symlink("gone", "sub/e.txt")
    for source in (".", "sub", "sub/*.txt*"):
        listing = find_sources([source])
        assert listing.files[-2:] == ["sub/c.txt.zst", "sub/e.txt"]
        assert ("sub/pipe.txt", "neither a file nor a folder") in listing.skipped
    assert find_sources(["sub/pipe.txt"]).files == ["sub/pipe.txt"]


def test_the_parent_of_a_link_is_not_the_parent_of_its_target(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "in").mkdir()
    (other / "b.txt").write_text("another")
    os.symlink(other / "in", "link")
    assert find_sources(["link/../b.txt"]).files == ["link/../b.txt"]
    assert find_sources(["sub/../b.txt", "./b.txt"]).files == ["b.txt"]


def test_a_file_named_like_standard_input(folder):
    Path("-").write_text("a file")
    assert find_sources(["./-"]).files == ["./-"]


def test_the_output_of_an_earlier_run_is_skipped(folder):
    page = "One page of text, which is long enough to be one.\n"
    for name in ("a", "b"):
        (folder / "pages" / name).mkdir(parents=True)
        (folder / "pages" / name / "page.txt").write_text(page + name)
    first = ingest.run("pages", "pages/out")
    unfinished = folder / "pages" / "two.unfinished"
    for name in ("plan.json", "locks/run", "parts/000000/documents-000000.parquet"):
        (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
        (unfinished / name).write_text("{}")
    os.symlink("pages/out", "link")
    for source in ("pages", "pages/*", "."):
        listing = find_sources([source])
        assert [f for f in listing.files if f.startswith("pages")] == [
            "pages/a/page.txt",
            "pages/b/page.txt",
        ]
        assert not [f for f in listing.files if f.startswith("link")]
        for name in ("pages/out/segments.parquet", "pages/two.unfinished/plan.json"):
            assert (name, EARLIER_RUN) in listing.skipped
    second = ingest.run("pages", "other")
    assert second["counts"]["pages"] == first["counts"]["pages"] == 2
    message = "2 earlier runs skipped (pages/out, pages/two.unfinished)"
    skipped = [Skipped(**item) for item in second["skipped"]]
    assert describe_skipped(skipped) == message
    assert second["counts"]["skipped"] == len(skipped)
    again = ingest.run("pages", "pages/out", overwrite=True)
    assert not [name for name in again["skipped"] if name["source"].startswith("pages/out/")]


@pytest.mark.parametrize("source", ["out", "out/", "out/*", "link", "."])
def test_the_files_of_a_run_are_not_pages(folder, source, monkeypatch):
    ingest.run("b.txt", "out")
    assert is_run("out")
    assert not is_run("sub")
    os.symlink("out", "link")
    other = "b.txt"
    if source == ".":
        monkeypatch.chdir("out")
        other = "../b.txt"
    message = r"is the output of a run, .* name the pages, .*: ingest show"
    with pytest.raises(SourceError, match=message):
        find_sources(source)
    listing = find_sources([source, other])
    assert [Path(file).name for file in listing.files] == ["b.txt"]
    assert "1 earlier run skipped" in describe_skipped(listing.skipped)
    (folder / "out" / "page.txt").write_text("A page that somebody put there.")
    assert [Path(file).name for file in find_sources(source).files] == ["page.txt"]


@pytest.mark.parametrize("source", ["new.unfinished", "new.unfinished/", "link", "."])
def test_unfinished_work_is_no_source(folder, source, call, monkeypatch):
    for name in ("plan.json", "locks/run", "labelled/000000/report.json"):
        (folder / "new.unfinished" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "new.unfinished" / name).write_text("{}")
    os.symlink("new.unfinished", "link")
    if source == ".":
        monkeypatch.chdir("new.unfinished")
    for command in (["run", "-o", "/nowhere"], ["show"], ["score", "-o", "x.parquet"], ["read"]):
        done = call(*command, source)
        assert done.status == 2
        assert "is the work of a run that has not finished" in done.err
        assert "new --resume" in done.err


@pytest.mark.parametrize("name", ["documents.parquet", "segments.parquet"])
def test_a_table_of_a_run_is_refused(folder, name, monkeypatch):
    ingest.run("b.txt", "out")
    with pytest.raises(SourceError, match=f"^out/{name}: is part of a run; name its folder: out$"):
        find_sources(["b.txt", f"out/{name}"])
    monkeypatch.chdir("out")
    with pytest.raises(SourceError, match=r"name its folder: \.$"):
        find_sources(name)
    Path("run.json").unlink()
    assert find_sources(name).files == [name]


def test_skipped_files_are_named_with_their_reason(folder):
    names = ["x.PDF", "y.pdf", *(f"{n}.png" for n in range(9))]
    files = [Skipped(name, "image" if name.endswith("png") else "PDF") for name in names]
    message = "11 files not read: 0.png, 1.png, 2.png and 6 more (image); x.PDF, y.pdf (PDF)"
    assert describe_skipped(files) == message
    assert describe_skipped(files, more=5) == message.replace("11", "16") + "; …"
    runs = [Skipped(f"{n}/documents.parquet", EARLIER_RUN) for n in range(5)]
    assert describe_skipped(runs) == "5 earlier runs skipped (0, 1, 2, …)"
    (folder / "sub" / "c.txt.zst").unlink()
    message = r"^sub: no page to read, 1 file not read: sub/d.png \(image\);"
    with pytest.raises(SourceError, match=message):
        find_sources(["sub"])


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"%PDF-1.4\nText that is read as text.\n", "is a PDF; extract its text first"),
        (b"PK\x03\x04[Content_Types].xml", "is a ZIP archive, such as DOCX"),
        (b"\xd0\xcf\x11\xe0 Word.Document", "is an old Office file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "is a PNG image, which has no text to read"),
    ],
)
@pytest.mark.parametrize("name", ["page.bin", "page.txt", "page.html"])
def test_unsupported_formats_are_named(folder, name, start, message):
    Path(name).write_bytes(start)
    row = ingest.read(name).row(0, named=True)
    assert row["text"] is None
    assert row["error"].startswith(message)
