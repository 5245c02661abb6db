"""OUT in an object store: the same bytes as on disk, whatever happens on the way."""

from __future__ import annotations

import json
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import polars as pl
import pytest

import ingest
from ingest.config import Config, RunConfig
from ingest.errors import ConfigError, OutputError, WriteError
from ingest.io import slow_requests, storage
from ingest.io.access import access
from ingest.io.storage_errors import StorageError
from ingest.pipeline import join, lease
from ingest.pipeline.remote_state import RemoteState, temporary_folder

SMALL = Config(run=RunConfig(shard_bytes=12_000))
NAMES = ("documents.parquet", "segments.parquet", "articles.jsonl")


@pytest.fixture
def pages(tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    for path in sorted(ingest.samples().glob("*.txt"))[:4]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def source(bucket, pages):
    for path in pages.iterdir():
        bucket.put(f"pages/{path.name}", path)
    return f"{bucket.url}/pages"


def content(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in NAMES]


def without_times(report):
    return {key: value for key, value in report.items() if key not in ("seconds", "elapsed")}


def test_all_ways_give_the_same_bytes(pages, source, bucket, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    local = ingest.run(pages, tmp_path / "out", config=SMALL)
    stored = ingest.run(pages, f"{bucket.url}/x/out", config=SMALL)
    assert bucket.outputs("x/out") == content(tmp_path / "out")
    assert without_times(stored) == without_times(local)
    assert json.loads(bucket.get("x/out/run.json")) == json.loads(json.dumps(stored))
    local = ingest.run(source, tmp_path / "out2", config=SMALL)
    for number, options in enumerate(({}, {"workers": 2}, {"resume": True}, {})):
        if number == 3:  # the keys in chunks
            monkeypatch.setattr(join, "_CHUNK_KEYS", 6)
        stored = ingest.run(source, f"{bucket.url}/{number}/", config=SMALL, **options)
        assert bucket.outputs(str(number)) == content(tmp_path / "out2")
        assert without_times(stored) == without_times(local)
    mixed = [source, *sorted(pages.iterdir())[:2]]
    ingest.run(mixed, tmp_path / "out3", config=SMALL)
    ingest.run(mixed, f"{bucket.url}/mixed", config=SMALL, workers=2)
    assert bucket.outputs("mixed") == content(tmp_path / "out3")
    assert list(temporary.iterdir()) == []


def test_parts(source, bucket, tmp_path):
    ingest.run(source, tmp_path / "out", config=SMALL)
    out = f"{bucket.url}/out"
    assert ingest.run(source, out, config=SMALL, shard=(2, 2))["done"] > 0
    with pytest.raises(OutputError, match="an earlier run did not finish; use --resume"):
        ingest.run(source, out, config=SMALL)
    with pytest.raises(ConfigError, match="settings changed"):
        ingest.run(
            source, out, shard=(1, 2), config=Config(read=ingest.ReadConfig(text_column="x"))
        )
    ingest.run(source, out, config=SMALL, shard=(1, 2))
    ingest.run(source, out, config=SMALL, resume=True)
    assert bucket.outputs("out") == content(tmp_path / "out")


def test_existing_outputs(source, bucket, pages):
    out = f"{bucket.url}/out"
    ingest.run(source, out, config=SMALL)
    before = bucket.outputs("out")
    with pytest.raises(OutputError, match=r"/out: exists already; choose another name, or give"):
        ingest.run(source, out, config=SMALL)
    assert ingest.run(source, out, config=SMALL, resume=True)["unchanged"]
    with pytest.raises(OutputError, match="is complete, but with other sources"):
        ingest.run(pages, out, config=SMALL, resume=True)
    assert bucket.outputs("out") == before
    bucket.put("out/pairs.parquet", b"of the earlier run")
    ingest.run(min(pages.iterdir()), out, config=SMALL, overwrite=True)
    assert bucket.outputs("out") != before
    bucket.put("out/notes.txt", b"mine")
    with pytest.raises(OutputError, match=r"files that ingest did not write \(notes.txt\)"):
        ingest.run(source, out, config=SMALL, overwrite=True)
    assert bucket.get("out/notes.txt") == b"mine"


def test_a_run_in_which_all_pages_are_in_error_is_replaced(bucket, pages):
    bad = bucket.put("bad/b.pdf", b"%PDF-1.7\n")
    assert ingest.run(bad, f"{bucket.url}/out")["counts"]["errors"] == 1
    assert ingest.run(pages, f"{bucket.url}/out")["counts"]["errors"] == 0


def test_out_inside_the_folder_of_sources(source, bucket):
    first = ingest.run(source, f"{source}/out", config=SMALL)
    again = ingest.run(source, f"{source}/out", config=SMALL, overwrite=True)
    assert without_times(first)["inputs"] == without_times(again)["inputs"]


def test_options_are_stored_nowhere(source, bucket, monkeypatch, server, tmp_path):
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    options = {"aws_endpoint": f"http://{server[0]}:{server[1]}", "access_key_id": "key-of-option",
               "aws_secret_access_key": "hush-hush", "google_service_account": "of-another"}  # fmt: skip
    seen = set()
    pl.DataFrame({"text": ["The council met on Monday. " * 9]}).write_parquet(
        tmp_path / "a.parquet"
    )
    bucket.put("pages/a.parquet", tmp_path / "a.parquet")

    def look(*_):
        seen.update(bucket.keys("out"))
        for key in bucket.keys("out"):
            assert not any(word in bucket.get(key) for word in (b"hush", b"key-of", b"of-another"))

    report = ingest.run(source, f"{bucket.url}/out", config=SMALL, workers=2, progress=look,
                        storage_options=options)  # fmt: skip
    assert (report["counts"]["pages"], report["counts"]["errors"]) == (5, 0)
    assert any(key.endswith("plan.json") for key in seen)
    bucket.outputs("out")
    look()
    for option, hint in (
        ("colour", "; see https://"),
        ("acces_key_id", "; did you mean access_key_id?"),
        ("AWS_Regin", "; did you mean region?"),
    ):
        with pytest.raises(ConfigError) as wrong:
            ingest.run(source, f"{bucket.url}/b", storage_options={**options, option: "hush"})
        assert str(wrong.value).startswith(
            f"--storage-option {option}: s3:// has no such option{hint}"
        )
        assert "hush" not in str(wrong.value)


# runs that are killed


class Killed(BaseException):
    pass


def die_at(monkeypatch, moment: int) -> None:
    """Let this process lose its store at a change, as if it were killed."""
    left = moment

    def or_die(call):
        def wrapped(*args, **options):
            nonlocal left
            left -= 1
            if left < 0:
                monkeypatch.setattr(storage, "locate", dead)
                raise Killed
            return call(*args, **options)

        return wrapped

    def dead(_url):
        raise Killed

    for name in ("_put_if", "write", "upload", "delete"):
        monkeypatch.setattr(storage, name, or_die(getattr(storage, name)))


def test_kill_at_many_changes(pages, bucket, tmp_path, monkeypatch):
    """Kill a run that replaces an older OUT, and resume it."""
    for path in sorted(pages.iterdir())[2:]:
        path.unlink()
    monkeypatch.setattr(lease, "LEASE", -10.0)  # what was left has always run out
    monkeypatch.setattr(lease, "RENEW", 1000.0)
    # to look for a page that may have killed the run takes seconds, each time
    monkeypatch.setattr(RemoteState, "tried_shards", lambda _self: set())
    ingest.run(pages, tmp_path / "out", config=SMALL)
    right = content(tmp_path / "out")
    survived = 0
    rng = random.Random(0)
    moments = [*range(0, 12, 3), *rng.sample(range(12, 40), 4), *range(40, 70)]
    for moment in moments:
        ingest.run(min(pages.iterdir()), f"{bucket.url}/out", overwrite=True)
        with monkeypatch.context() as patch:
            die_at(patch, moment)
            try:
                ingest.run(pages, f"{bucket.url}/out", config=SMALL, overwrite=True)
                survived += 1
            except Killed:
                pass
        if not {"out.unfinished/plan.json", "out.unfinished/done"} & set(bucket.keys("out.unf")):
            ingest.run(pages, f"{bucket.url}/out", config=SMALL, overwrite=True)
        else:
            ingest.run(pages, f"{bucket.url}/out", config=SMALL, resume=True)
        assert bucket.outputs("out") == right, moment
        if survived:
            break
    assert survived


RUN = """
import sys, ingest
from ingest.config import Config, RunConfig
from ingest.pipeline import join, lease
from ingest.pipeline.remote_state import temporary_folder
lease.LEASE, lease.RENEW = 3.0, 0.5
ingest.run(sys.argv[1], sys.argv[2], config=Config(run=RunConfig(shard_bytes=12_000)), {how})
"""


def popen(source: str, out: str, how: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN.format(how=how), source, out])


@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_and_resume_after_the_lease(source, bucket, tmp_path, monkeypatch, workers):
    ingest.run(source, tmp_path / "out", config=SMALL)
    out = f"{bucket.url}/out"
    with popen(source, out, f"workers={workers}") as process:
        while not any("/done/labelled/" in key for key in bucket.keys("out.unfinished/")):
            assert process.poll() is None
            time.sleep(0.02)
        # a second driver is refused while the first one lives, and for a while after it died
        monkeypatch.setattr(lease, "LEASE", 3.0)
        host = re.escape(platform.node())
        message = (
            rf"/out: another run is writing it, on {host}, process {process.pid}, since 20.* UTC"
        )
        with pytest.raises(
            OutputError, match=f"{message}; wait until it ends, or stop it there; if"
        ):
            ingest.run(source, out, config=SMALL, resume=True)
        # before the sources are looked at
        with pytest.raises(OutputError, match=message):
            ingest.run("no such file", out, config=SMALL, resume=True)
        process.kill()
    with pytest.raises(OutputError, match=r"if it was killed, try again in \d s"):
        ingest.run(source, out, config=SMALL, resume=True)
    time.sleep(4)
    ingest.run(source, out, config=SMALL, resume=True)
    assert bucket.outputs("out") == content(tmp_path / "out")


def test_what_is_known_of_a_shard_with_a_hostile_page_is_kept(pages, bucket, tmp_path, monkeypatch):
    config = Config(run=RunConfig(batch_chars=1))  # of which a batch has one page
    ingest.run(pages, tmp_path / "out", config=config)
    calls = []

    def stop(done, _total):
        calls.append(done)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # in this process only
        patch.setattr("ingest.pipeline.label.segment", lambda *_args, **_options: 1 / 0)
        with pytest.raises(KeyboardInterrupt):
            ingest.run(pages, f"{bucket.url}/out", config=config, progress=stop)
    kept = {key.partition("/work-")[2].partition("/")[2] for key in bucket.keys("out.unfinished")}
    assert {"tried/000000", "done/pieces/000000/000000", "done/pieces/000000/000001"} <= kept
    ingest.run(pages, f"{bucket.url}/out", config=config, resume=True)
    assert bucket.outputs("out") == content(tmp_path / "out")
    assert not bucket.keys("out.unfinished")


def test_a_run_that_lost_its_lock_stops(source, bucket, monkeypatch):
    monkeypatch.setattr(lease, "RENEW", 0.01)

    def steal(*_):
        bucket.put("out.unfinished/locks/run", b"another")
        time.sleep(0.2)

    with pytest.raises(OutputError, match="another run may be writing it"):
        ingest.run(source, f"{bucket.url}/out", config=SMALL, progress=steal)
    assert bucket.get("out.unfinished/locks/run") == b"another"
    assert bucket.keys("out/") == []
    assert any(key.endswith("plan.json") for key in bucket.keys("out.unfinished/work-"))


def test_parts_run_at_the_same_time_and_keep_a_whole_run_out(source, bucket):
    out = f"{bucket.url}/out"
    parts = []

    def other(*_):
        if not parts:
            parts.append(ingest.run(source, out, config=SMALL, shard=(2, 2)))
            with pytest.raises(OutputError, match="another run is writing it"):
                ingest.run(source, out, config=SMALL, resume=True)
            with pytest.raises(OutputError, match="another run is writing it"):
                ingest.run(source, out, config=SMALL, shard=(1, 2))

    ingest.run(source, out, config=SMALL, shard=(1, 2), progress=other)
    assert parts
    ingest.run(source, out, config=SMALL, resume=True)
    bucket.outputs("out")


def test_corrections_lie_in_the_store_and_apply_to_the_next_run(source, bucket, tmp_path):
    out = f"{bucket.url}/out"
    ingest.run(source, out, config=SMALL)
    segments = pl.read_parquet(bucket.get("out/segments.parquet"))
    row = segments.filter("keep").row(0, named=True)
    correction = {
        "kind": "segment", "doc_id": row["doc_id"], "segment": row["segment"], "keep": False,
        "role": "nav", "sha": sha256(row["text"].encode()).hexdigest()[:16],
    }  # fmt: skip
    given = tmp_path / "corrections.jsonl"
    given.write_text(json.dumps(correction) + "\n", encoding="utf-8")
    ingest.run(source, out, config=SMALL, corrections=given, overwrite=True)
    ingest.run(source, tmp_path / "out", config=SMALL, corrections=given)
    expected = [*content(tmp_path / "out"), (tmp_path / "out" / "corrections.jsonl").read_bytes()]
    names = (*NAMES, "corrections.jsonl")
    assert [bucket.get(f"out/{name}") for name in names] == expected
    ingest.run(source, out, config=SMALL, overwrite=True)
    assert [bucket.get(f"out/{name}") for name in names] == expected
    by = pl.read_parquet(bucket.get("out/segments.parquet"))["role_by"]
    assert (by == "person").sum() == 1
    assert bucket.keys("out.unfinished/") == []


@pytest.mark.ray
def test_ray_reads_from_a_store_and_writes_to_it(source, bucket):
    pytest.importorskip("ray", reason="Ray is not installed")
    ingest.run(source, f"{bucket.url}/out", config=SMALL, ray="auto", ray_workers=2)
    ingest.run(source, f"{bucket.url}/local", config=SMALL)
    assert bucket.outputs("out") == bucket.outputs("local")


# a store that fails


def test_failing_requests_are_retried(source, bucket, proxy, tmp_path):
    ingest.run(source, tmp_path / "out", config=SMALL)

    def plan(method, path, count):
        if count % 2 and crc32(f"{method} {path}".encode()) % 3 == 0:
            return (503, "SlowDown") if method != "GET" or "list-type" in path else "cut"
        return None

    proxy.plan = plan
    ingest.run(source, f"{bucket.url}/out", config=SMALL)
    assert bucket.outputs("out") == content(tmp_path / "out")


def test_an_answer_that_is_lost_does_not_stop_a_run(source, bucket, proxy):
    """The store has done what was asked for, but the answer does not arrive."""
    lost = set()

    def plan(method, path, count):
        if method == "PUT" and count == 1 and "unfinished/" in path and "labelled" not in path:
            lost.add(path)
            return "cut"
        return None

    proxy.plan = plan
    ingest.run(source, f"{bucket.url}/out", config=SMALL)
    assert any("locks/run" in path for path in lost)
    bucket.outputs("out")


def test_an_upload_that_fails_stays_invisible(pages, bucket, proxy, monkeypatch, call):
    proxy.plan = lambda method, path, _count: (
        (403, "AccessDenied") if method == "PUT" and "/out/segments.parquet" in path else None
    )
    out = f"{bucket.url}/out"
    with pytest.raises(WriteError) as failed:
        ingest.run(pages, out, config=SMALL)
    assert str(failed.value).startswith(f"{out}/segments.parquet: cannot be written: access was")
    assert bucket.keys("out/") == ["out/documents.parquet"]
    proxy.plan = lambda *_: None
    done = call("run", pages, "-o", out, "--resume")
    assert done.status == 0
    assert "run.json" in "".join(bucket.keys("out/"))


def test_a_part_of_an_upload_that_fails(bucket, proxy, tmp_path):
    (tmp_path / "a").write_bytes(bytes(20_000_000))
    with access(None):
        proxy.plan = lambda _method, path, _count: (
            (403, "AccessDenied") if "partNumber=2" in path else None
        )
        with pytest.raises(StorageError, match="access was denied"):
            storage.upload(tmp_path / "a", f"{bucket.url}/a")
        assert bucket.keys() == []
        assert bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", []) == []
        proxy.plan = lambda _method, path, count: (
            (503, "SlowDown") if "partNumber=2" in path and count % 4 else None
        )
        storage.upload(tmp_path / "a", f"{bucket.url}/a")
    assert len(bucket.get("a")) == 20_000_000


def test_out_in_a_missing_bucket(call, pages, bucket):
    done = call("run", pages, "-o", "s3://no-such-bucket/out")
    assert (done.status, done.err) == (
        2,
        "ingest: s3://no-such-bucket/out: cannot be written: there is no bucket no-such-bucket; "
        "check its name and the endpoint\n",
    )


def test_temporary_folders_of_killed_runs_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "ingest-run-left"
    left.mkdir()
    (left / "out").write_text("a part of a shard")
    with temporary_folder() as first:
        assert left.exists()  # it is young, and its run may be about to lock it
        for folder in (left, first):
            os.utime(folder, (0, 0))
        with temporary_folder() as second:
            assert sorted(tmp_path.iterdir()) == sorted([first, second])
    assert list(tmp_path.iterdir()) == []


def test_steps_that_need_a_folder_say_what_to_do(call, pages, bucket):
    done = call("run", pages, "-o", f"{bucket.url}/out", "--align")
    assert (done.status, done.err) == (
        2,
        f"ingest: {bucket.url}/out: --align cannot be used with an OUT in an object store; run "
        "without, download OUT to a folder RUN, and then: ingest align RUN -o RUN/pairs.parquet\n",
    )
    done = call("run", pages, "-o", f"{bucket.url}/out", "--translate", "en:ar", "--export", "a.md")
    assert done.status == 2
    assert "--align" not in done.err


def test_a_server_that_does_not_answer_is_named_once(call, pages, bucket, proxy, monkeypatch):
    monkeypatch.setattr(slow_requests, "_PATIENCE", 0.1)
    monkeypatch.setattr(slow_requests, "_LOOK_EVERY", 0.05)
    proxy.plan = lambda *_: time.sleep(0.3)
    for quiet, lines in (((), 1), (("-q",), 0)):
        done = call("run", min(pages.iterdir()), "-o", f"{bucket.url}/out{lines}", *quiet)
        assert done.status == 0
        assert done.err.count("\n") == lines
        assert done.err.startswith(
            f"ingest: {bucket.url}: no answer for 0 s; still" if lines else ""
        )
