"""What object stores cost: reading, writing and listing, against local files.

    uv run --group storage python tests/benchmarks/storage.py [MEGABYTES] [OBJECTS]

Two servers run on this machine, each in a process of its own, so this measures what ingest and obstore
add, and not a network: moto, which copies a whole object for each range that is asked for, and one
that only sends ranges of files. "Requests alone" is what the same bytes cost with obstore and nothing
else: no reader can be quicker than that.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ingest
from ingest.config import Config
from ingest.io import storage
from ingest.io.access import access
from ingest.io.storage_files import read_ahead
from ingest.readers import plan_slices, read_records
from ingest.readers.sources import find_sources

SERVER = """
import logging, sys, time
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""
# A bucket of so many small objects that a real server would take long to fill.
MANY = """
import http.server, sys
from urllib.parse import parse_qs, urlsplit
objects = int(sys.argv[1])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        parts = urlsplit(self.path)
        if "list-type" in parts.query:
            start = int(parse_qs(parts.query).get("continuation-token", ["0"])[0])
            stop = min(start + 1000, objects)
            rows = "".join(
                "<Contents><Key>many/%06d.txt</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                "<ETag>1</ETag><Size>7</Size></Contents>" % n for n in range(start, stop))
            more = "<NextContinuationToken>%d</NextContinuationToken>" % stop if stop < objects else ""
            content = ("<ListBucketResult>%s%s</ListBucketResult>" % (rows, more)).encode()
            self.send_response(200)
        else:
            content = b"A page."
            self.send_response(206)
            self.send_header("Content-Range", "bytes 0-6/7")
            self.send_header("ETag", "1")
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
"""
# Ranges of files in a folder, sent by the system.
FILES = """
import http.server, os, sys
from urllib.parse import urlsplit
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        path = os.path.join(sys.argv[1], os.path.basename(urlsplit(self.path).path))
        size = os.path.getsize(path)
        start, stop = 0, size
        if wanted := self.headers.get("Range"):
            first, last = wanted.removeprefix("bytes=").split("-")
            start, stop = int(first), min(int(last) + 1, size)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Range", "bytes %d-%d/%d" % (start, stop - 1, size))
        self.send_header("Content-Length", str(stop - start))
        self.send_header("ETag", "1")
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.flush()
        with open(path, "rb") as file:
            while self.command == "GET" and start < stop:
                start += os.sendfile(self.connection.fileno(), file.fileno(), start, stop - start)
    do_HEAD = do_GET
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
"""
BUCKET = "s3://benchmark"
_BLOCK = 1 << 22  # bytes of a request


def make_warc(path: Path, size: int) -> None:
    """Write a WARC file of pages as the samples have them, each compressed on its own."""
    pages = [p.read_bytes() for p in sorted(ingest.samples().glob("*.*"))]
    with path.open("wb") as file:
        number = 0
        while file.tell() < size:
            page = (
                pages[number % len(pages)]
                + b"<!-- %d -->" % number
                + os.urandom(2000).hex().encode()
            )
            body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
            head = (
                b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/%d\r\n"
                b"Content-Type: application/http\r\nContent-Length: %d\r\n\r\n"
                % (number, len(body))
            )
            file.write(gzip.compress(head + body + b"\r\n\r\n", 1))
            number += 1


def seconds(function: Callable[[], object]) -> tuple[float, float]:
    """Wall time and CPU time of this process; the server's is not in the latter."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def read_all(source: str) -> int:
    """Read the records of a source, without what comes after: decoding and parsing pages."""
    with access(None):
        parts = plan_slices(find_sources(source).files, shard_bytes=Config().run.shard_bytes)
        ahead = read_ahead(parts, lambda part: (part.source, part.start, part.stop))
        return sum(1 for part in ahead for _ in read_records(part, Config().read))


def request_all(source: str) -> None:
    """Ask for what `read_all` reads: JSON lines are read twice."""
    import obstore.store

    key = source.removeprefix(f"{BUCKET}/")
    store = obstore.store.S3Store("benchmark", client_options={"allow_http": True})
    size = store.head(key)["size"]
    for _ in range(1 + key.endswith(".jsonl")):
        for start in range(0, size, _BLOCK):
            store.get(key, options={"range": (start, min(start + _BLOCK, size))}).bytes()


def start_server(code: str, *args: str) -> subprocess.Popen[str]:
    """Start a server, and let the following requests go to it."""
    server = subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    os.environ["AWS_ENDPOINT_URL"] = f"http://{server.stdout.readline().strip()}"
    return server


def compare(path: Path, name: str) -> None:
    """Read a file on disk and from the present server, in turns, and print the best of each."""
    url = f"{BUCKET}/{path.name}"
    read_all(str(path))
    local, remote, alone = [], [], []
    for _ in range(3):
        local.append(seconds(lambda: read_all(str(path))))
        remote.append(seconds(lambda: read_all(url)))
        alone.append(seconds(lambda: request_all(url)))
    what = f"{path.name}, {path.stat().st_size >> 20} MB, {name}"
    for number, kind in enumerate(("wall", "CPU")):
        a, b, c = (min(times[number] for times in rounds) for rounds in (local, remote, alone))
        print(f"{what:40} {kind:4} {a:8.2f} s {b:8.2f} s {b / a:6.2f} {c:8.2f} s", flush=True)


def report(what: str, local: tuple[float, float], remote: tuple[float, float]) -> None:
    for kind, a, b in zip(("wall", "CPU"), local, remote, strict=True):
        print(f"{what:40} {kind:4} {a:8.2f} s {b:8.2f} s {b / a:6.2f}", flush=True)


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    objects = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    os.environ.update(
        AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret"
    )
    server = start_server(SERVER)
    import boto3

    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    client.create_bucket(Bucket="benchmark")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warc = folder / "a.warc.gz"
        make_warc(warc, megabytes << 20)
        lines = folder / "b.jsonl"
        lines.write_text(
            "".join(
                f'{{"text": "{"Some words of a page. " * 200}{n}"}}\n'
                for n in range(megabytes * 220)
            )
        )
        with access(None):
            for path in (warc, lines):
                storage.upload(path, f"{BUCKET}/{path.name}")
        print(f"{'':45} {'local':>10} {'S3':>10} {'ratio':>6} {'requests alone':>10}")
        for path in (warc, lines):
            compare(path, "moto")
        endpoint = os.environ["AWS_ENDPOINT_URL"]
        files = start_server(FILES, str(folder))
        for path in (warc, lines):
            compare(path, "files")
        files.kill()
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        small = folder / "small.warc.gz"
        make_warc(small, megabytes << 16)
        with access(None):
            storage.upload(small, f"{BUCKET}/small.warc.gz")
        ingest.run(small, folder / "warm")
        local = seconds(lambda: ingest.run(small, folder / "out"))
        remote = seconds(lambda: ingest.run(f"{BUCKET}/small.warc.gz", folder / "out2"))
        report(f"ingest run from, {small.stat().st_size >> 20} MB", local, remote)
        remote = seconds(lambda: ingest.run(small, f"{BUCKET}/out"))
        report("ingest run into", local, remote)
    many = start_server(MANY, str(objects))
    with access(None):
        listed, cpu = seconds(lambda: sum(1 for _ in storage.list_objects(f"{BUCKET}/many/")))
    print(f"{objects:,} objects listed: {listed:.1f} s, {cpu:.1f} s of CPU")
    with access(None):
        found, cpu = seconds(lambda: find_sources(f"{BUCKET}/many/"))
    print(
        f"{objects:,} objects listed, and the start of each read: {found:.1f} s, {cpu:.1f} s of CPU"
    )
    many.kill()
    server.kill()


if __name__ == "__main__":
    main()
