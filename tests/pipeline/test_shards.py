"""The number of shards, workers and parts does not change a byte of the outputs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.cli.options import limit_threads
from ingest.config import Config, DetectConfig, RunConfig
from ingest.errors import ConfigError, OutputError, SourceError
from ingest.pipeline import join, workers
from ingest.pipeline.plan import cut_shards
from ingest.readers.records import Slice

SMALL = Config(run=RunConfig(shard_bytes=6_000))
LINE = "The ministry said on Monday that the talks would go on."  # on every page: a template line


WITH_PROC = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for n, path in enumerate(sorted(ingest.samples().glob("*.txt"))[::16]):
        lines = path.read_text(encoding="utf-8").split("\n")
        lines.insert(len(lines) // 2, LINE)
        text = "\n".join(lines)
        (folder / path.name).write_text(text, encoding="utf-8")
        if n % 7 == 0:
            (folder / f"zz_copy_{n}.txt").write_text(text, encoding="utf-8")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 10)
    (folder / "empty.txt").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def plain(pages, tmp_path_factory):
    """A run in one process, with one shard."""
    out = tmp_path_factory.mktemp("plain") / "out"
    ingest.run(pages, out)
    segments = pl.read_parquet(out / "segments.parquet")
    assert LINE in segments.filter(role_by="site")["text"]
    assert segments.filter("keep")["cluster"].n_unique() < len(
        segments.filter("keep").unique(["doc_id", "article"])
    )
    return out


def same(out: Path, plain: Path) -> bool:
    """Whether the outputs are the same bytes, except for times and shard sizes in run.json."""
    reports = [json.loads((folder / "run.json").read_text()) for folder in (out, plain)]
    for report in reports:
        del report["seconds"], report["elapsed"], report["config"]["run"]
    names = {p.name for p in plain.iterdir()}
    files = [
        {n: hashlib.sha256((folder / n).read_bytes()).digest() for n in names - {"run.json"}}
        for folder in (out, plain)
    ]
    return reports[0] == reports[1] and files[0] == files[1] and names == set(os.listdir(out))


def folders(path: Path) -> list[str]:
    return sorted(p.name for p in path.iterdir())


@given(st.lists(st.integers(0, 50)), st.integers(1, 60))
def test_shards_have_every_slice_once_and_in_order(sizes, most):
    slices = [Slice(str(n), "file", size=size) for n, size in enumerate(sizes)]
    shards = cut_shards(slices, most)
    assert [item for shard in shards for item in shard] == slices
    for shard in shards:
        assert sum(item.size for item in shard[:-1]) < most


@pytest.mark.parametrize(("workers", "shard_bytes"), [(1, 1), (3, 9_000)])
def test_workers_and_shards_do_not_change_a_byte(pages, plain, tmp_path, workers, shard_bytes):
    config = Config(run=RunConfig(shard_bytes=shard_bytes))
    files = sorted(pages.iterdir(), reverse=True)
    ingest.run(files, tmp_path / "out", config=config, workers=workers)
    assert same(tmp_path / "out", plain)
    assert folders(tmp_path) == ["out"]


@pytest.mark.parametrize("workers", [1, 2])
def test_keys_in_chunks_do_not_change_a_byte(pages, plain, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(join, "_CHUNK_KEYS", 40 // workers)
    monkeypatch.setattr(join, "_CHUNKS_PER_BUCKET", 1)
    monkeypatch.setattr(join, "_BUCKET_LINES", 100)
    ingest.run(pages, tmp_path / "out", config=SMALL, workers=workers)
    assert same(tmp_path / "out", plain)
    assert folders(tmp_path) == ["out"]


def test_parts_in_any_order_then_resume(pages, plain, tmp_path):
    out = tmp_path / "out"
    done = [ingest.run(pages, out, config=SMALL, shard=(i, 3)) for i in (3, 1)]
    assert done[0]["done"] < done[1]["done"] < done[1]["shards"]
    assert folders(tmp_path) == ["out.unfinished"]
    config = Config(detect=DetectConfig(langs=("ar",)))
    with pytest.raises(ConfigError, match=r"detect\.langs: \[\] → \[\"ar\"\]"):
        ingest.run(pages, out, config=config, shard=(2, 3))
    last = ingest.run(pages, out, config=SMALL, shard=(2, 3))
    assert last["done"] == last["shards"] > 5
    ingest.run(pages, out, config=SMALL, resume=True)
    assert same(out, plain)
    assert folders(tmp_path) == ["out"]


def test_parts_side_by_side(pages, plain, tmp_path):
    out = tmp_path / "out"
    code = (
        "import sys, ingest; from ingest.config import *; "
        "ingest.run(sys.argv[1], sys.argv[2], shard=(int(sys.argv[3]), 2), "
        "config=Config(run=RunConfig(shard_bytes=6000)))"
    )
    jobs = [
        subprocess.Popen([sys.executable, "-c", code, str(pages), str(out), str(i)]) for i in (1, 2)
    ]
    assert [job.wait(timeout=60) for job in jobs] == [0, 0]
    ingest.run(pages, out, config=SMALL, resume=True)
    assert same(out, plain)


@pytest.mark.parametrize("shard", [(0, 2), (3, 2)])
def test_a_part_that_does_not_exist(pages, tmp_path, shard):
    with pytest.raises(ConfigError, match="is not a part"):
        ingest.run(pages, tmp_path / "out", shard=shard)
    assert folders(tmp_path) == []


def test_a_pipe_is_read_by_the_main_process_only(pages, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    out = tmp_path / "work" / "out"
    with pytest.raises(SourceError, match="can be read only once"):
        ingest.run([pipe, pages], out, shard=(1, 2))
    text = ingest.samples() / "en_news_cms_1.txt"
    with subprocess.Popen(f"cat {text} > {pipe}", shell=True):
        report = ingest.run([pipe, pages], out, config=SMALL, workers=2)
    assert report["counts"]["pages"] == 1 + len(list(pages.iterdir()))
    assert folders(out.parent) == ["out"]


def test_out_may_be_inside_the_source_folder(pages, plain, tmp_path):
    folder = tmp_path / "pages"
    shutil.copytree(pages, folder)
    out = folder / "out"
    first = ingest.run(folder, out)
    again = ingest.run(folder, out, overwrite=True)
    assert first["inputs"] == again["inputs"]
    assert first["counts"] == again["counts"]
    (tmp_path / "link").symlink_to(folder)
    linked = ingest.run(tmp_path / "link", out, overwrite=True)
    assert linked["counts"] == first["counts"]


def test_inputs_have_one_entry_per_source(plain, pages):
    report = json.loads((plain / "run.json").read_text())
    assert [i["source"] for i in report["inputs"]] == sorted(map(str, pages.iterdir()))
    for entry in report["inputs"]:
        content = Path(entry["source"]).read_bytes()
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["records"] == 1
        assert entry["errors"] == entry["source"].endswith("binary.txt")
    assert [page["uri"] for page in report["in_error"]] == [str(pages / "binary.txt")]


@WITH_PROC
def test_workers_that_are_killed_are_replaced(pages, plain, tmp_path):
    out = tmp_path / "out"
    killed = []
    before = children()  # of other tests

    def kill_workers(done, total):
        if done > total / 2 and not killed:
            killed.extend(set(children()) - set(before))
            for child in killed:
                os.kill(child, signal.SIGKILL)

    ingest.run(pages, out, config=SMALL, workers=2, progress=kill_workers)
    assert len(killed) == 2
    assert same(out, plain)
    assert folders(tmp_path) == ["out"]


def children() -> list[int]:
    me = os.getpid()
    return list(map(int, Path(f"/proc/{me}/task/{me}/children").read_text().split()))


@WITH_PROC
def test_workers_end_with_the_run(pages, tmp_path):
    out = tmp_path / "out"
    code = (
        "import sys, ingest; from ingest.config import *; "
        "ingest.run(sys.argv[1], sys.argv[2], workers=2, config=Config(run=RunConfig(shard_bytes=9000)))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(pages), str(out)]) as process:
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        labelled = tmp_path / "out.unfinished" / "labelled"
        while not labelled.is_dir() or not list(labelled.iterdir()):
            time.sleep(0.01)
        workers = listed.read_text().split()
        process.kill()
    assert len(workers) == 2
    for _ in range(200):
        if not any(Path(f"/proc/{pid}").exists() and running(pid) for pid in workers):
            break
        time.sleep(0.05)
    else:
        pytest.fail("a worker outlived its run")


def running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_an_error_in_a_worker_is_raised_by_the_run(pages, tmp_path):
    config = Config(detect=DetectConfig(langs=("xx-none",)))
    with pytest.raises(ConfigError, match="xx-none") as alone:
        ingest.run(pages, tmp_path / "out", config=config)
    cut_up = Config(detect=config.detect, run=SMALL.run)
    with pytest.raises(ConfigError) as beside:
        ingest.run(pages, tmp_path / "out", config=cut_up, workers=2)
    assert str(beside.value) == str(alone.value)
    assert folders(tmp_path) == []


def test_no_workers_at_all(pages, tmp_path):
    with pytest.raises(ConfigError, match="workers: 0 is less than 1"):
        ingest.run(pages, tmp_path / "out", workers=0)


def test_overwrite_cannot_be_combined(pages, tmp_path):
    for how in ({"resume": True}, {"shard": (1, 2)}):
        with pytest.raises(OutputError, match="starts a new run"):
            ingest.run(pages, tmp_path / "out", overwrite=True, **how)


def test_a_large_file_that_cannot_be_cut_is_named(call, tmp_path):
    (tmp_path / "a.csv").write_text("url,text\n" + "http://a.example/,Some words of a page.\n" * 50)
    config = Config(run=RunConfig(shard_bytes=10))
    report = ingest.run(tmp_path / "a.csv", tmp_path / "out", config=config)
    assert report["uncut"] == [
        f"{tmp_path}/a.csv: 0 MB are one shard, because CSV and TSV files cannot be cut"
    ]
    assert "uncut" not in json.loads((tmp_path / "out" / "run.json").read_bytes())
    done = call("run", tmp_path / "a.csv", "-o", tmp_path / "out2", "--set", "run.shard_bytes=10")
    assert "cannot be cut" in done.out


def test_no_more_processes_than_cores_start_before_the_tasks_are_known(monkeypatch):
    started = []
    monkeypatch.setattr(workers, "start_worker", lambda module: started.append(module) or Mock())
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    for count, expected in ((1, 0), (2, 2), (1000, 3)):
        started.clear()
        with workers.early_workers(count):
            pass
        assert len(started) == expected


def test_no_more_threads_than_cores(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    for count, expected in ((0, "1"), (2, "2"), (1000, "3")):
        monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
        limit_threads(count, "POLARS_MAX_THREADS")
        assert os.environ["POLARS_MAX_THREADS"] == expected
