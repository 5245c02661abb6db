from __future__ import annotations

import gzip
import hashlib
import os
import sys
import tempfile
import tracemalloc
from pathlib import Path

import polars as pl
import pytest
import zstandard
from polars.testing import assert_frame_equal

import ingest
from ingest.config import Config, ReadConfig
from ingest.frames import DOCUMENTS, check
from ingest.readers import plan_slices, read_batches

TEXT = "عنوان الخبر\n\nA line of English.\n"


def test_columns_and_types(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    documents = ingest.read(tmp_path)
    check(documents, DOCUMENTS, verb="test")
    row = documents.row(0, named=True)
    assert row["source"] == f"{tmp_path}/a.txt"
    assert row["text"] == TEXT
    assert row["chars"] == len(TEXT)
    assert row["sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert row["error"] is None


def test_compressed_files_give_the_same_page(tmp_path):
    data = TEXT.encode()
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "b.txt.gz").write_bytes(
        gzip.compress(data[:20], mtime=0) + gzip.compress(data[20:])
    )
    (tmp_path / "c.txt.zst").write_bytes(
        zstandard.compress(data[:9]) + zstandard.compress(data[9:])
    )
    assert ingest.read(tmp_path)["text"].to_list() == [TEXT] * 3


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("cut.txt.gz", gzip.compress(TEXT.encode(), mtime=0)[:-9], "cannot be decompressed"),
        ("not.txt.gz", b"\x01\x02\x03 not packed", "cannot be decompressed"),
        ("not.txt.zst", b"\x01\x02\x03 not packed", "cannot be decompressed"),
        ("cut.txt.zst", zstandard.compress(TEXT.encode())[:-9], "cannot be decompressed"),
        ("image.txt", bytes(range(256)) * 9, "not text"),
    ],
)
def test_a_bad_page_is_a_row_with_an_error(tmp_path, name, data, error):
    (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text(TEXT, encoding="utf-8")
    documents = ingest.read(tmp_path)
    bad = documents.filter(pl.col("source").str.ends_with(name)).row(0, named=True)
    assert error in bad["error"]
    assert bad["text"] is None
    assert bad["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(documents) == 2
    assert ingest.segment(documents)["doc_id"].n_unique() == 1


@pytest.mark.parametrize("size", [1000, 1001, 9_000_000])
@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.txt.gz", "a.txt.zst", "a"])
def test_the_size_limit_bounds_what_is_read(tmp_path, name, size):
    data = os.urandom(size // 2).hex().encode() + b"x" * (size % 2)
    pack = {"a.txt.gz": gzip.compress, "a.txt.zst": zstandard.compress}.get(name, bytes)
    (tmp_path / name).write_bytes(pack(data))
    config = Config(read=ReadConfig(max_record_bytes=1000))
    tracemalloc.start()
    row = ingest.read(tmp_path / name, config=config).row(0, named=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (row["error"] is None) == (size == 1000)
    assert size == 1000 or row["error"].startswith("has more than 1000 bytes")
    assert peak < 4_000_000


def test_a_missing_file_is_a_row(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    row = ingest.read([tmp_path / "a.txt", tmp_path / "gone.txt"]).row(1, named=True)
    assert row["error"] == "cannot be read: no such file or directory"


def test_a_file_without_permission_is_a_row():
    root = os.geteuid() == 0  # who may read everything
    with tempfile.TemporaryDirectory() as folder:
        (path := Path(folder) / "a.txt").write_text("a")
        path.chmod(0)
        Path(folder).chmod(0o755)
        if root:
            os.seteuid(65534)
        try:
            assert ingest.read(folder)["error"].to_list() == ["cannot be read: permission denied"]
        finally:
            if root:
                os.seteuid(0)


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are always UTF-8 there")
def test_a_file_name_that_is_not_utf8(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff.txt", "wb") as file:
        file.write(b"text")
    documents = ingest.read(tmp_path)
    assert documents["text"].to_list() == ["text"]
    assert documents["source"][0].endswith("\\udcff.txt")


def test_the_batch_size_does_not_change_the_pages(tmp_path):
    for n in range(7):
        (tmp_path / f"{n}.txt").write_text(TEXT * (n + 1), encoding="utf-8")
    parts = plan_slices([str(tmp_path / f"{n}.txt") for n in range(7)], shard_bytes=1 << 20)
    whole = pl.concat(read_batches(parts, ReadConfig()))
    assert len(whole) == 7
    for size in (1, 100, 10**9):
        assert_frame_equal(pl.concat(read_batches(parts, ReadConfig(), batch_chars=size)), whole)
    assert len(list(read_batches(parts, ReadConfig(), batch_chars=1))) == 7
