"""The format of standard input and pipes is detected from their beginning."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import threading
from types import SimpleNamespace

import polars as pl
import pytest
import zstandard

import ingest
from ingest.config import Config, ReadConfig
from ingest.readers import plan_slices

CONFIG = Config(read=ReadConfig(max_record_bytes=50_000))
PACKS = [bytes, gzip.compress, zstandard.compress]
ROWS = "\n \n" + "".join(
    json.dumps({"text": f"page {n} " + "x" * 20_000, "url": f"http://x/{n}"}) + "\n"
    for n in range(9)
)


def warc(count):
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>page"
    head = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: %d\r\n\r\n" % len(block)
    return (head + block + b"\r\n\r\n") * count


def piped(data, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    return ingest.read("-", config=CONFIG)


@pytest.mark.parametrize("pack", PACKS)
def test_json_lines(pack, monkeypatch):
    documents = piped(pack(ROWS.encode()), monkeypatch)
    assert documents["record"].to_list() == list(range(2, 11))
    assert documents["url"].to_list() == [f"http://x/{n}" for n in range(9)]
    assert documents["uri"][0] == "-#2"


@pytest.mark.parametrize("pack", PACKS)
def test_warc(pack, monkeypatch):
    documents = piped(pack(warc(3)), monkeypatch)
    assert documents["text"].to_list() == ["page"] * 3
    assert documents["record"].n_unique() == 3


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("text", ["", "a text\n", "{a text}\nof lines\n", "\n\n[1]", "{}\n"])
def test_a_page(pack, text, monkeypatch):
    documents = piped(pack(text.encode()), monkeypatch)
    assert documents.select("text", "record", "media_type").rows() == [(text, None, "text/plain")]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"PAR1" + bytes(99), "is Parquet, which cannot be read from a pipe"),
        (b"a line\n" * 9_999, "has more than 50000 bytes"),
        (b"x" * 99_999, "has more than 50000 bytes"),
        (b"\n" * 99_999, "has more than 50000 bytes"),
        (gzip.compress(os.urandom(9_999))[:-50], "cannot be decompressed: the file is cut off"),
        (bytes(range(256)), "not text"),
    ],
)
def test_invalid_input_is_an_error(data, error, monkeypatch):
    (message,) = piped(data, monkeypatch)["error"]
    assert message.startswith(error)


@pytest.mark.parametrize("data", [ROWS.encode(), gzip.compress(ROWS.encode()), warc(2), b"text"])
def test_a_pipe_is_read_like_standard_input(tmp_path, data, monkeypatch):
    """The writer may be slow, so the first bytes arrive alone."""
    os.mkfifo(tmp_path / "pipe")

    def write():
        with open(tmp_path / "pipe", "wb", buffering=0) as file:
            for at in (0, 1, 2):
                file.write(data[at : at + 1])
            file.write(data[3:])

    writer = threading.Thread(target=write)
    writer.start()
    documents = ingest.read(tmp_path / "pipe", config=CONFIG)
    writer.join()
    columns = ["record", "text", "error", "media_type", "url"]
    assert documents.select(columns).equals(piped(data, monkeypatch).select(columns))
    assert documents["error"].is_null().all()
    assert [part.kind for part in plan_slices(["-"], shard_bytes=1)] == ["pipe"]


def test_a_run_of_standard_input(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(warc(3))))
    ingest.run("-", tmp_path / "out", workers=2)
    assert len(pl.read_parquet(tmp_path / "out" / "documents.parquet")) == 3
