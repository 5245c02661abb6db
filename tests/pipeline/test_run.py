from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.config import Config, RunConfig
from ingest.errors import OutputError, SourceError, WriteError
from ingest.frames import CLUSTERED, DETECTED, DOCUMENTS, LABELLED, SEGMENTS, check

FILES = ["articles.jsonl", "documents.parquet", "run.json", "segments.parquet"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A few samples, one of them twice, and pages with something wrong."""
    folder = tmp_path_factory.mktemp("pages")
    for path in sorted(ingest.samples().glob("*.txt"))[::6]:
        shutil.copy(path, folder)
    shutil.copy(sorted(ingest.samples().glob("*.txt"))[0], folder / "zz_copy.txt")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "blank.txt").write_bytes(b" \n\n\t\n")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 10)
    (folder / "cut.txt.gz").write_bytes(b"\x1f\x8b\x08\x00\x00")
    return folder


@pytest.fixture(scope="module")
def done(pages, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "out"
    return ingest.run(pages, out), out


def digests(out) -> dict[str, str]:
    return {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest()
        for name in FILES
        if name != "run.json"
    }


def test_four_files_and_nothing_else(done):
    report, out = done
    assert sorted(p.name for p in out.iterdir()) == FILES
    assert [p.name for p in out.parent.iterdir()] == ["out"]
    assert json.loads((out / "run.json").read_text()) == json.loads(json.dumps(report))


def test_frames_match_their_definition(done):
    _, out = done
    documents = pl.read_parquet(out / "documents.parquet")
    segments = pl.read_parquet(out / "segments.parquet")
    check(documents, DOCUMENTS, verb="test")
    check(segments, SEGMENTS, DETECTED, LABELLED, CLUSTERED, verb="test")
    page = dict(documents.select("doc_id", "text").iter_rows())
    for doc, start, end, text in segments.select("doc_id", "start", "end", "text").iter_rows():
        assert page[doc][start:end] == text


def test_bad_pages_keep_their_error(done):
    report, out = done
    documents = pl.read_parquet(out / "documents.parquet")
    bad = documents.filter(pl.col("error").is_not_null())
    assert [s.rsplit("/")[-1] for s in bad["source"]] == ["binary.txt", "cut.txt.gz"]
    assert report["counts"]["errors"] == 2
    assert report["counts"]["empty"] == 2
    assert report["counts"]["pages"] == len(documents) == len(report["inputs"])


def test_run_json_names_the_inputs_by_hash(done, pages):
    report, _ = done
    for page in report["inputs"]:
        with open(page["source"], "rb") as file:
            assert page["sha256"] == hashlib.sha256(file.read()).hexdigest()
    assert report["fingerprint"] == Config().fingerprint()
    assert report["version"] == ingest.__version__


def test_articles_are_the_kept_segments(done):
    _, out = done
    segments = pl.read_parquet(out / "segments.parquet")
    records = [json.loads(line) for line in (out / "articles.jsonl").read_text().splitlines()]
    assert sum(len(r["lines"]) for r in records) == segments["keep"].sum()
    for record in records:
        kept = segments.filter(
            "keep", pl.col("doc_id") == record["doc_id"], pl.col("article") == record["article"]
        )
        assert record["text"].split("\n") == kept["text"].to_list()
        assert record["lines"] == [[n, n] for n in kept["line"]]
        assert record["cluster"] == kept["cluster"][0]
        assert record["lang"] in kept["lang"].to_list()
        headlines = kept.filter(role="headline")["text"].to_list()
        assert record["headline"] == (headlines[0] if headlines else None)


def test_copies_share_a_cluster(done):
    _, out = done
    documents = pl.read_parquet(out / "documents.parquet")
    copy = documents.filter(pl.col("source").str.ends_with("zz_copy.txt"))["doc_id"].item()
    same = documents.filter(pl.col("sha256").is_duplicated() & (pl.col("chars") > 10))["doc_id"]
    segments = pl.read_parquet(out / "segments.parquet").filter(pl.col("doc_id").is_in(same))
    assert copy in same
    for (_,), rows in segments.group_by("article"):
        assert rows["cluster"].n_unique() == 1


def test_batch_size_and_order_do_not_change_a_byte(done, pages, tmp_path):
    _, out = done
    files = sorted(pages.iterdir())
    for n, batch in enumerate((1, 20_000, 10**9)):
        config = Config(run=RunConfig(batch_chars=batch))
        ingest.run(files[::-1] if n else [pages, *files], tmp_path / str(n), config=config)
        assert digests(tmp_path / str(n)) == digests(out)


def test_an_output_that_exists_is_refused(done, pages):
    _, out = done
    with pytest.raises(OutputError, match="exists already; choose another name, or give --over"):
        ingest.run(pages, out)


def test_overwrite_replaces_only_a_run(done, pages, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(done[1], out)
    ingest.run(pages, out, overwrite=True)
    assert digests(out) == digests(done[1])
    (out / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        ingest.run(pages, out, overwrite=True)
    assert (out / "mine.txt").read_text() == "precious"


FULL = "No space left on device"


@pytest.mark.parametrize(
    "error", [OSError(28, FULL), pl.exceptions.ComputeError(f"IO error: {FULL} (os error 28)")]
)
def test_nothing_is_left_when_the_disk_is_full(pages, tmp_path, monkeypatch, error):
    def full(*_args, **_options):
        raise error

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(WriteError, match=FULL):
        ingest.run(pages, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_no_page_at_all(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError):
        ingest.run(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_pages_in_error(tmp_path):
    (tmp_path / "a.txt").write_bytes(bytes(range(256)))
    report = ingest.run(tmp_path / "a.txt", tmp_path / "out")
    assert report["counts"]["errors"] == report["counts"]["pages"] == 1
    assert pl.read_parquet(tmp_path / "out" / "segments.parquet").is_empty()
    assert (tmp_path / "out" / "articles.jsonl").read_bytes() == b""


def test_missing_parent_folders_of_out_are_made(pages, tmp_path):
    ingest.run(next(pages.glob("*.txt")), tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "run.json").exists()


def test_progress_counts_stored_bytes(pages, tmp_path):
    seen = []
    ingest.run(pages, tmp_path / "out", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == sum(p.stat().st_size for p in pages.iterdir())
    assert seen == sorted(seen)


def test_names_that_are_not_utf_8_are_escaped(tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in (b"caf\xe9.txt", b"caf\xe9.png"):
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(b"One page of text.")
    report = ingest.run(folder, tmp_path / "out")
    assert [Path(entry["source"]).name for entry in report["inputs"]] == ["caf\\udce9.txt"]
    assert [Path(entry["source"]).name for entry in report["skipped"]] == ["caf\\udce9.png"]
    assert json.loads((tmp_path / "out" / "run.json").read_bytes())["skipped"] == report["skipped"]


def test_run_json_lists_only_the_first_errors(tmp_path):
    (tmp_path / "bad.jsonl").write_text("{broken\n" * 50)
    report = ingest.run(tmp_path / "bad.jsonl", tmp_path / "out")
    assert (report["counts"]["errors"], len(report["in_error"])) == (50, 10)


@pytest.mark.parametrize("name", ["documents.parquet", "segments.parquet", "articles.jsonl"])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_resume_does_not_call_damaged_files_complete(done, pages, name, keep, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(done[1], out)
    assert ingest.run(pages, out, resume=True)["unchanged"]
    data = (out / name).read_bytes()
    (out / name).write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SourceError, match=f"{name}: .*run: ingest run SOURCES -o .* --overwrite"):
        ingest.run(pages, out, resume=True)


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
def test_the_parent_of_runs_is_not_an_out(done, pages, tmp_path, options):
    shutil.copytree(done[1], tmp_path / "runs" / "one")
    message = r"runs: has runs in it \(.*runs/one\); choose another name, such as .*runs/new"
    with pytest.raises(OutputError, match=message):
        ingest.run(pages, tmp_path / "runs", **options)


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
def test_a_folder_of_an_unfinished_run_is_not_an_out(pages, tmp_path, options):
    runs = tmp_path / "runs"
    (runs / "one.unfinished" / "locks").mkdir(parents=True)
    message = (
        r"one\.unfinished: is the work of a run that has not finished; to finish it: ingest run "
        r"SOURCES -o .*/one --resume; or choose another name, such as .*runs/new"
    )
    with pytest.raises(OutputError, match=message):
        ingest.run(pages, runs, **options)
