"""An S3 server on this machine, and a proxy before it that fails as it is told."""

from __future__ import annotations

import http.client
import http.server
import logging
import threading
import uuid
from collections import Counter
from pathlib import Path

import pytest

REASON = "for the tests of object stores: uv sync --group storage"


class Bucket:
    """A bucket on the server, as the tests look at it."""

    def __init__(self, client, name: str) -> None:
        self.client, self.name, self.url = client, name, f"s3://{name}"

    def put(self, key: str, content: bytes | Path) -> str:
        body = content.read_bytes() if isinstance(content, Path) else content
        self.client.put_object(Bucket=self.name, Key=key, Body=body, ACL="public-read")
        return f"{self.url}/{key}"

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def outputs(self, folder: str) -> list[bytes]:
        names = ("documents.parquet", "segments.parquet", "articles.jsonl")
        assert self.keys(f"{folder}/") == sorted(f"{folder}/{n}" for n in (*names, "run.json"))
        assert self.keys(f"{folder}.unfinished/") == []
        assert self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", []) == []
        return [self.get(f"{folder}/{name}") for name in names]


@pytest.fixture(scope="session")
def server():
    pytest.importorskip("obstore", reason=REASON)
    moto = pytest.importorskip("moto.server", reason=REASON)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield running.get_host_and_port()
    running.stop()


@pytest.fixture(autouse=True)
def _keep_environment(keep_environment):
    """Undo the limits on threads that commands set."""


@pytest.fixture
def bucket(server, monkeypatch):
    import boto3

    endpoint = f"http://{server[0]}:{server[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name, ACL="public-read")
    yield Bucket(client, name)
    client.close()


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on. `plan` says what to do with one: None, a status, or "cut"."""

    daemon_threads = True

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.plan = lambda _method, _path, _count: None
        self.requests: list[tuple[str, str, str | None]] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Proxy

    def _pass_on(self) -> None:
        path = self.path.partition("?")[0]
        self.server.requests.append((self.command, self.path, self.headers.get("Range")))
        self.server.counts[self.command, path] += 1
        fate = self.server.plan(self.command, self.path, self.server.counts[self.command, path])
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if isinstance(fate, tuple):
            self.send_response(fate[0])
            content = f"<Error><Code>{fate[1]}</Code></Error>".encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        connection = http.client.HTTPConnection(*self.server.target)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fate == "cut" else content)
        if fate == "cut":
            self.wfile.flush()
            self.close_connection = True
        connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815

    def log_message(self, *_args) -> None:
        pass


@pytest.fixture
def proxy(server, bucket, monkeypatch):
    """A proxy through which the stores are reached."""
    with Proxy(server) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running
        running.shutdown()
        thread.join()
