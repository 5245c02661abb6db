"""The requests that are made to Google Cloud Storage and Azure, for which there is no server here."""

from __future__ import annotations

import http.server
import json
import pickle
import threading

import pytest

from ingest.io import storage
from ingest.io.access import access
from ingest.io.storage_errors import StorageError

obstore = pytest.importorskip("obstore", reason="for tests of stores: uv sync --group storage")


class Recorder(http.server.BaseHTTPRequestHandler):
    """Answers as if everything worked, and remembers the conditions of requests."""

    protocol_version = "HTTP/1.1"
    conditions = ("if-none-match", "if-match", "x-goog-if-generation-match", "range")

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = {name: self.headers[name] for name in self.conditions if name in self.headers}
        self.server.requests.append((self.command, self.path.partition("?")[0], asked))
        content = b"hello" if self.command == "GET" else b""
        if "?" in self.path:
            content = b"<ListBucketResult></ListBucketResult>"
            if "restype" in self.path:
                content = b"<EnumerationResults><Blobs></Blobs></EnumerationResults>"
        self.send_response({"PUT": 201, "GET": 206}.get(self.command, 200))
        for name, value in (
            ("ETag", '"7"'), ("x-goog-generation", "77"), ("Content-Length", str(len(content))),
            ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"), ("Content-Range", "bytes 0-4/5"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content if self.command != "HEAD" else b"")

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _answer  # noqa: N815

    def log_message(self, *_args) -> None:
        pass


@pytest.fixture
def recorder():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        server.requests = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_conditional_requests(recorder, tmp_path):
    url = f"http://127.0.0.1:{recorder.server_port}"
    account = tmp_path / "account.json"
    account.write_text(json.dumps({
        "gcs_base_url": url, "disable_oauth": True, "client_email": "", "private_key": "",
        "private_key_id": "",
    }))  # fmt: skip
    azure = {"account_name": "a", "account_key": "a2V5", "endpoint": url}
    google = {"service_account": str(account), "base_url": url}
    for bucket, options, is_new, is_same in (
        ("az://bucket", azure, {"if-none-match": "*"}, {"if-match": '"7"'}),
        (
            "gs://bucket", google, {"x-goog-if-generation-match": "0"},
            {"x-goog-if-generation-match": "77"},
        ),
    ):  # fmt: skip
        recorder.requests.clear()
        with access(options):
            version = storage.create(f"{bucket}/a b", b"1")
            assert storage.replace(f"{bucket}/a b", b"2", version)
            assert bytes(storage.read_range(f"{bucket}/a b", 0, 5)[0]) == b"hello"
            assert storage.stat(f"{bucket}/a b", fresh=True).version["e_tag"] == '"7"'
            assert list(storage.list_objects(f"{bucket}/pages")) == []
        key = "/bucket/a%20b"
        assert recorder.requests == [
            ("PUT", key, is_new), ("PUT", key, is_same), ("GET", key, {"range": "bytes=0-4"}),
            ("HEAD", key, {}), ("GET", "/bucket", {}),
        ]  # fmt: skip


def test_public_objects_are_read_without_keys(recorder):
    url = f"http://127.0.0.1:{recorder.server_port}"
    for bucket, options in (
        ("az://bucket", {"account_name": "a", "endpoint": url}),
        ("gs://bucket", {"base_url": url}),
    ):
        with access({**options, "skip_signature": "true"}):
            assert bytes(storage.read_range(f"{bucket}/a", 0, 5)[0]) == b"hello"


def test_an_error_reaches_the_main_process():
    error = StorageError("s3://bucket/a", "the server answered 503", is_outage=True)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.is_outage) == ("s3://bucket/a: the server answered 503", True)
