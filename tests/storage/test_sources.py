"""Sources in an object store or on a web server give the same pages as local files."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import time
import zipfile

import polars as pl
import pytest

import ingest
from ingest.config import Config, RunConfig
from ingest.errors import SourceError
from ingest.io import parquet_bombs, stores
from ingest.io.access import access
from ingest.io.opening import file_size
from ingest.io.remote_file import RemoteFile
from ingest.io.storage_files import read_ahead
from ingest.readers import plan_slices, read_batches, read_records
from ingest.readers.parquet import _find_bombs
from ingest.readers.records import Slice
from ingest.readers.sources import find_sources

TEXT = "The council met on Monday and agreed to repair the old bridge before winter. " * 3


def record(number: int, size: int = 2000) -> bytes:
    body = f"<html><body><p>{number}: {TEXT}</p>{'<!--x-->' * (size // 8)}</body></html>".encode()
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/{number}\r\n"
        f"Content-Type: application/http\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def write_samples(folder):
    """One file of each kind of reader that reads files in its own way."""
    records = [record(n) for n in range(40)]
    lines = [
        json.dumps({"text": f"{n}: {TEXT}", "url": f"http://a.example/{n}"}) for n in range(40)
    ]
    (folder / "a.warc").write_bytes(b"".join(records))
    (folder / "b.warc.gz").write_bytes(b"".join(map(gzip.compress, records)))
    (folder / "c.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "d.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    rows = [json.loads(line) for line in lines]
    pl.DataFrame(rows).write_parquet(folder / "e.parquet", row_group_size=7)
    pl.DataFrame(rows).write_csv(folder / "f.csv")
    (folder / "g.json").write_text(json.dumps(rows))
    with zipfile.ZipFile(folder / "h.wacz", "w") as file:
        file.writestr("archive/data.warc.gz", (folder / "b.warc.gz").read_bytes())
    (folder / "i.txt").write_text(TEXT)
    (folder / "j ?ü#%20.html").write_text(f"<!doctype html><p>{TEXT}</p>")
    (folder / "k.txt.gz").write_bytes(gzip.compress(TEXT.encode()))


def without_names(frame: pl.DataFrame, url: str, folder) -> pl.DataFrame:
    same = [pl.col(c).str.replace(url, str(folder), literal=True) for c in ("source", "uri")]
    return frame.with_columns(same).drop("doc_id")


@pytest.fixture
def samples(tmp_path, bucket):
    folder = tmp_path / "pages"
    folder.mkdir()
    write_samples(folder)
    for path in folder.iterdir():
        bucket.put(f"pages/{path.name}", path)
    return folder


@pytest.mark.parametrize("shard_bytes", [10_000, 1 << 26])
def test_every_reader(samples, bucket, shard_bytes):
    config = Config(run=RunConfig(shard_bytes=shard_bytes))
    local = ingest.read(samples, config=config)
    remote = ingest.read(f"{bucket.url}/pages/", config=config)
    assert local["error"].null_count() == len(local) == 323
    assert remote["source"].str.starts_with(bucket.url).all()
    assert without_names(remote, f"{bucket.url}/pages", samples).equals(local.drop("doc_id"))


def test_cuts_are_those_of_local_files(samples, bucket):
    local = plan_slices(find_sources(samples).files, shard_bytes=10_000)
    with access(None):
        remote = plan_slices(find_sources(f"{bucket.url}/pages").files, shard_bytes=10_000)
    names = [part._replace(source=part.source.rpartition("/")[2]) for part in remote]
    assert names == [part._replace(source=os.path.basename(part.source)) for part in local]
    assert len(names) == 24


def test_names(bucket):
    page = bucket.put("a/page.txt", TEXT.encode())
    bucket.put("a/b/c.txt", TEXT.encode())
    bucket.put("a/b/.hidden/d.txt", TEXT.encode())
    bucket.put("a/empty", b"")
    bucket.put("a/logo.png", b"\x89PNG\r\n\x1a\n")
    bucket.put("ab/c.txt", TEXT.encode())
    with access(None):
        found = find_sources([f"{bucket.url}/a", page])
        assert found.files == [f"{bucket.url}/a/b/c.txt", page]
        assert dict(found.skipped) == {
            f"{bucket.url}/a/empty": "empty", f"{bucket.url}/a/logo.png": "PNG image"
        }  # fmt: skip
        assert find_sources(f"{bucket.url}/a/logo.png").files == [f"{bucket.url}/a/logo.png"]
        # an object has the same name as a folder
        bucket.put("a/b", TEXT.encode())
        assert find_sources(f"{bucket.url}/a/b").files == [f"{bucket.url}/a/b"]
        assert find_sources(f"{bucket.url}/a/b/").files == [f"{bucket.url}/a/b/c.txt"]
        missing = f"{bucket.url}/none"
        assert (
            find_sources([missing, page]).files == [page, missing][:: 1 if page < missing else -1]
        )
        with pytest.raises(SourceError, match=r"none \(not found\): no page to read"):
            find_sources(missing)


def test_earlier_runs_are_skipped(bucket, tmp_path):
    bucket.put("a/page.txt", TEXT.encode())
    ingest.run(f"{bucket.url}/a", f"{bucket.url}/a/out")
    with access(None):
        found = find_sources(f"{bucket.url}/a")
    assert found.files == [f"{bucket.url}/a/page.txt"]
    assert {reason for _, reason in found.skipped} == {"part of an earlier run"}
    with access(None), pytest.raises(SourceError, match=r"no page to read, 1 earlier run skipped"):
        find_sources(f"{bucket.url}/a/out")
    report = ingest.run(f"{bucket.url}/a", f"{bucket.url}/a/out", overwrite=True)
    assert report["counts"]["pages"] == 1


def test_a_missing_object_is_an_error_of_its_page(bucket):
    page = bucket.put("page.txt", TEXT.encode())
    frame = ingest.read([page, f"{bucket.url}/none.txt"])
    assert sorted(frame["error"], key=str) == [None, "cannot be read: no such file"]


def test_many_small_objects_are_sniffed_by_ranges(bucket, proxy):
    for n in range(60):
        bucket.put(f"many/{n:03d}.txt", f"{n} {TEXT}".encode() * 1000)
    with access(None):
        assert len(find_sources(f"{bucket.url}/many").files) == 60
    gets = [r for r in proxy.requests if r[0] == "GET" and "list-type" not in r[1]]
    assert {r[2] for r in gets} == {"bytes=0-81919"}
    assert len(gets) == 60


def test_small_objects_are_fetched_ahead(bucket, proxy):
    active, most = [], []

    def plan(method, path, _count):
        if method == "GET" and "list-type" not in path:
            active.append(path)
            most.append(len(active))
            time.sleep(0.02)
            active.remove(path)

    urls = [bucket.put(f"many/{n:02d}.txt", f"{n} {TEXT}".encode()) for n in range(20)]
    parts = [Slice(url, "file") for url in urls]
    proxy.plan = plan
    with access(None):
        (frame,) = read_batches(parts, Config().read)
    assert frame["source"].to_list() == urls
    assert frame["error"].null_count() == 20
    assert len(most) == 20
    assert max(most) > 3


def test_row_groups_that_no_text_explains(bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_bombs, "MIN_SIZE", 1 << 20)
    texts = [f"{TEXT} {n}" + "a" * 400_000 * (n in (4, 5, 6, 7)) for n in range(12)]
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": texts}).write_parquet(path, row_group_size=4)
    for config in (Config(), Config(run=RunConfig(shard_bytes=100))):
        local = ingest.read(path, config=config)
        remote = ingest.read(bucket.put("a.parquet", path), config=config)
        assert remote.select("text", "error").equals(local.select("text", "error"))
    assert remote["error"][4].startswith("cannot be read: rows 4 to 7: column 'text' would become")


def test_pages_are_asked_by_small_ranges(bucket, proxy, tmp_path):
    """Of the row groups of a slice, and once."""
    draw = random.Random(1)
    words = [f"{draw.getrandbits(40):x}" for _ in range(400_000)]
    texts = [" ".join(words[at : at + 1000]) for at in range(0, len(words), 1000)]
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": texts}).write_parquet(path, row_group_size=100, data_page_size=200_000)
    url, size = bucket.put("a.parquet", path), path.stat().st_size
    columns = frozenset({"text"})
    with access(None):
        file_size(url)
        proxy.requests.clear()
        parts = [Slice(url, "parquet", start, start + 50, 0, 0) for start in (100, 150, 300)]
        asked = []
        for part in parts:
            assert _find_bombs(part, columns) == []
            ranges = [r[2].removeprefix("bytes=").split("-") for r in proxy.requests if r[2]]
            asked.append(sum(int(last) - int(first) + 1 for first, last in ranges))
    assert 0 < asked[0] == asked[1] < asked[2] < size / 4


def test_a_slice_reads_its_own_range(bucket, proxy):
    data = b"".join(gzip.compress(record(n, 100), 0) + b"" for n in range(6000))
    url = bucket.put("a.warc.gz", data)
    with access(None):
        parts = plan_slices([url], shard_bytes=4 * len(data) // 4)
        proxy.requests.clear()
        frames = list(read_batches(parts[2:3], Config().read))
    assert len(frames[0]) in range(1300, 1700)
    read = sum(
        int(b) - int(a) + 1
        for a, b in (r[2].removeprefix("bytes=").split("-") for r in proxy.requests if r[2])
    )
    assert read < len(data) * 0.8  # a quarter, the start, and what is read ahead


# failures


def test_503_and_cut_connections_are_retried(samples, bucket, proxy):
    local = ingest.read(samples)

    def plan(method, path, count):
        if method == "GET" and count % 3 == 1:
            return (503, "SlowDown") if hash(path) % 2 or "list-type" in path else "cut"
        return None

    proxy.plan = plan
    remote = ingest.read([f"{bucket.url}/pages/{path.name}" for path in samples.iterdir()])
    assert without_names(remote, f"{bucket.url}/pages", samples).equals(local.drop("doc_id"))
    assert max(proxy.counts.values()) > 2


def test_a_store_that_fails_for_good_stops_the_run(bucket, proxy, monkeypatch, tmp_path):
    monkeypatch.setattr(stores, "_RETRY_SECONDS", 0.2)
    urls = [bucket.put(f"a/{n}.txt", TEXT.encode()) for n in range(3)]
    proxy.plan = lambda method, path, count: (
        (503, "SlowDown") if path.endswith("1.txt") and method == "GET" and count > 1 else None
    )
    with pytest.raises(SourceError) as stopped:
        ingest.run(f"{bucket.url}/a", tmp_path / "out", config=Config(run=RunConfig(shard_bytes=1)))
    assert str(stopped.value) == (
        f"{urls[1]}: cannot be read: the server answered 503 SlowDown; try again later"
    )
    assert "--resume" in stopped.value.__notes__[0]
    proxy.plan = lambda *_: None
    small = Config(run=RunConfig(shard_bytes=1))
    report = ingest.run(f"{bucket.url}/a", tmp_path / "out", config=small, resume=True)
    assert (report["counts"]["pages"], report["counts"]["errors"]) == (3, 0)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((403, "InvalidAccessKeyId"), "access was denied (InvalidAccessKeyId); check AWS_ACCESS"),
        ((301, "PermanentRedirect"), "the bucket is in another region; set AWS_REGION"),
        ((400, "BadRequest"), "the server answered 400 BadRequest"),
        ((500, "InternalError"), "the server answered 500 InternalError; try again later"),
    ],
)
def test_refusals(call, bucket, proxy, answer, message):
    proxy.plan = lambda *_: answer
    for args in (("run", f"{bucket.url}/a/", "-o", "out"), ("read", f"{bucket.url}/a/")):
        done = call(*args)
        assert done.status == 2
        assert done.err.startswith(f"ingest: {bucket.url}/a/: cannot be read: {message}")
        assert done.err.count("\n") == 1
        assert "secret" not in done.err


def test_missing_bucket_and_no_network(call, bucket, monkeypatch):
    done = call("run", "s3://no-such-bucket/a/", "-o", "out")
    assert (done.status, done.err) == (
        2,
        "ingest: s3://no-such-bucket/a/: cannot be read: there is no bucket no-such-bucket; check "
        "its name and the endpoint\n",
    )
    monkeypatch.setattr(stores, "_RETRY_SECONDS", 0.1)
    done = call("run", f"{bucket.url}/a", "-o", "out", "--storage-option",
                "endpoint=http://127.0.0.1:1")  # fmt: skip
    assert done.status == 2
    assert "cannot be reached" in done.err
    assert done.err.count("\n") == 1


def test_a_server_that_does_not_encrypt(call, bucket, proxy, monkeypatch):
    monkeypatch.setattr(stores, "_RETRY_SECONDS", 0.1)
    for url, options in (
        (f"{bucket.url}/a", ("--storage-option", proxy.url.replace("http", "endpoint=https"))),
        (proxy.url.replace("http", "https") + "/a", ()),
    ):
        done = call("read", url) if not options else call("run", url, "-o", "out", *options)
        assert done.status == 2
        assert "the server does not encrypt; use http:// in its URL or endpoint" in done.err


def test_an_object_that_changes_during_the_run_costs_its_rows(bucket, tmp_path):
    url = bucket.put("a/page.txt", TEXT.encode())

    def change(_done, _total):
        bucket.put("a/page.txt", TEXT.encode() + b"more")

    small = Config(run=RunConfig(shard_bytes=1))
    bucket.put("a/another.txt", TEXT.encode())
    report = ingest.run(f"{bucket.url}/a", tmp_path / "out", config=small, progress=change)
    assert report["changed"] == [{"source": url, "error": "has changed since the run started"}]
    assert report["counts"]["errors"] == 1


# web servers


def test_a_signed_url_is_read_and_its_signature_is_stored_nowhere(bucket, proxy, tmp_path):
    write_samples(tmp_path)
    for name in ("b.warc.gz", "e.parquet"):
        bucket.put(name, tmp_path / name)
        url = f"{proxy.url}/{bucket.name}/{name}"
        signed = f"{url}?X-Amz-Signature=1f2e3d&X-Amz-Expires=9"
        out = tmp_path / f"out-{name}"
        report = ingest.run(signed, out, workers=1)
        assert report["inputs"][0]["source"] == url
        assert (report["counts"]["pages"], report["counts"]["errors"]) == (40, 0)
        assert any("X-Amz-Signature=1f2e3d" in path for _, path, _ in proxy.requests)
        for path in out.iterdir():
            assert b"1f2e3d" not in path.read_bytes()
        shutil.rmtree(out)


def test_a_file_of_a_web_server(bucket, proxy):
    bucket.put("page.html", f"<!doctype html><p>{TEXT}".encode())
    bucket.put("empty.txt", b"")
    base = f"{proxy.url}/{bucket.name}"
    frame = ingest.read([f"{base}/page.html", f"{base}/none.html", f"{base}/empty.txt"])
    assert dict(frame.select("source", "error").rows()) == {
        f"{base}/empty.txt": None,
        f"{base}/none.html": "cannot be read: no such file",
        f"{base}/page.html": None,
    }


# the file object


def test_a_remote_file_reads_like_a_local_one(tmp_path):
    data = random.Random(0).randbytes(3_000_000)
    (tmp_path / "a").write_bytes(data)
    fetched = []

    def fetch(start, stop):
        fetched.append((start, stop))
        return data[start:stop]

    rng = random.Random(1)
    with open(tmp_path / "a", "rb") as local, RemoteFile("a", len(data), fetch) as remote:
        for _ in range(300):
            if rng.random() < 0.3:
                at = rng.randrange(len(data) + 10)
                assert local.seek(at) == remote.seek(at)
            size = rng.choice([0, 1, 100, 70_000, 600_000])
            assert local.read(size) == remote.read(size)
            assert local.tell() == remote.tell()
            at = rng.randrange(len(data))
            assert remote.pread(5000, at) == data[at : at + 5000]
    fetched.clear()
    with RemoteFile("a", len(data), fetch) as remote:
        assert remote.read() == data
    assert sorted(fetched)[0][0] == 0
    assert sum(stop - start for start, stop in fetched) == len(data)


def test_a_plan_is_made_of_a_bucket(bucket, call):
    for n in range(3):
        bucket.put(f"pages/{n}.txt", f"An article about rivers.\n\nIt has {n} parts.".encode())
    outcome = call("run", f"{bucket.url}/pages", "--plan", "-q")
    assert outcome.status == 0
    assert outcome.out.startswith("3 inputs, ")
    for out, status, found in (
        (f"{bucket.url}/out", 0, "does not exist yet, and its bucket can be reached"),
        ("s3://no-such-bucket/out", 2, "there is no bucket no-such-bucket"),
    ):
        outcome = call("run", f"{bucket.url}/pages", "-o", out, "--plan", "-q")
        assert outcome.status == status
        assert found in outcome.out + outcome.err
    assert bucket.keys("out") == []


def test_slices_are_fetched_while_the_one_before_is_read(bucket, proxy):
    """Each slice is one request, made before it is needed, and few are made ahead."""
    data = b"".join(gzip.compress(record(n, 30_000), 0) for n in range(150))
    url = bucket.put("a.warc.gz", data)
    with access(None):
        parts = plan_slices([url], shard_bytes=1 << 21)
        assert len(parts) > 5
        proxy.requests.clear()
        records = []
        for number, part in enumerate(read_ahead(parts, lambda p: (p.source, p.start, p.stop))):
            records += read_records(part, Config().read)
            assert len(proxy.requests) <= number + 4
    assert len(records) == 150
    assert len(proxy.requests) == len(parts)  # the start is known, and the rest of its slice
    plain = [r for part in parts for r in read_records(part, Config().read)]
    assert plain == records


def test_each_cut_of_gzip_members_needs_one_request(bucket, proxy):
    url = bucket.put("a.warc.gz", b"".join(gzip.compress(record(n, 30_000), 0) for n in range(99)))
    with access(None):
        parts = plan_slices([url], shard_bytes=1 << 21)
    gets = [r for r in proxy.requests if r[0] == "GET"]
    assert len(parts) <= len(gets) <= len(parts) + 2
