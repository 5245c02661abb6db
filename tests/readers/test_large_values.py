"""A small Parquet file may hold texts of any size: each is refused with a reason, before it costs."""

from __future__ import annotations

import os
import subprocess
import sys

import polars as pl
import pytest

import ingest
from ingest.config import Config, ReadConfig
from ingest.errors import FrameError, SourceError
from ingest.filtering import reference_files
from ingest.filtering.reference_files import read_texts
from ingest.frames import PAIRS, schema
from ingest.io import parquet_bombs
from ingest.io.pairs_file import MAX_TEXT_BYTES, TOO_LARGE
from ingest.jobs.filter import filter_file
from ingest.jobs.import_pairs import import_files
from ingest.jobs.score import score_file
from ingest.pii import mask_pii
from ingest.pipeline.executors import Executor
from ingest.readers.parquet import cut_slices, read_records
from ingest.report.run_data import open_run
from ingest.writers.selection import Selection

USUAL = "The river rose by two metres on Monday."


def pages(folder, *texts):
    frame = pl.DataFrame({"url": [f"https://example.org/{n}" for n in range(len(texts))],
                          "text": texts})  # fmt: skip
    frame.write_parquet(folder / "pages.parquet")
    return folder / "pages.parquet"


def test_a_value_that_no_compression_explains(tmp_path):
    large = "word " * 1_000_000
    documents = ingest.read(pages(tmp_path, USUAL, *[large] * 9, USUAL))
    assert documents["text"].to_list() == [USUAL, *[None] * 9, USUAL]
    assert set(documents["error"][1:10]) == {
        "has more than 1,000 times the bytes of its file, as no page does"
    }


# How many kilobytes the peak of memory rises by with a second file
_MEMORY = """
import sys, ingest
peaks = []
for path in sys.argv[1:]:
    ingest.read(path)
    status = dict(line.split(":") for line in open("/proc/self/status"))
    peaks.append(int(status["VmHWM"].split()[0]))
print(peaks[1] - peaks[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_text_that_many_rows_have_is_not_copied(tmp_path):
    large = 30_000_000
    small = pages(tmp_path, USUAL).rename(tmp_path / "small.parquet")
    command = [sys.executable, "-c", _MEMORY, small, pages(tmp_path, *["a" * large] * 40)]
    environment = os.environ | {"POLARS_MAX_THREADS": "1"}
    ended = subprocess.run(command, env=environment, check=True, capture_output=True)
    assert int(ended.stdout) * 1000 < 4 * large  # usually twice, which is what Polars needs


def test_a_value_above_the_limit(tmp_path):
    config = Config(read=ReadConfig(max_record_bytes=1000))
    documents = ingest.read(pages(tmp_path, USUAL, "word " * 201, USUAL), config=config)
    assert documents["text"].to_list() == [USUAL, None, USUAL]
    assert documents["error"][1].startswith("has more than 1000 bytes; read.max_record_bytes")


@pytest.fixture
def small_limit(monkeypatch):
    """Row groups of more than 1 MiB may be bombs."""
    monkeypatch.setattr(parquet_bombs, "MIN_SIZE", 1 << 20)


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("shard_bytes", [100, 1 << 20])
def test_row_groups_that_no_text_explains_cost_one_row_each(shard_bytes, tmp_path):
    texts = [f"{USUAL} {n}" + "a" * 400_000 * (n in (4, 5, 6, 7, 11)) for n in range(14)]
    path = str(tmp_path / "pages.parquet")
    pl.DataFrame({"text": texts}).write_parquet(path, row_group_size=4)
    records = [
        record
        for part in cut_slices(path, shard_bytes)
        for record in read_records(part, ReadConfig())
    ]
    assert [record.record for record in records] == [0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13]
    assert [record.content for record in records[:4]] == texts[:4]
    assert records[8].content == texts[11]  # alone, it is small enough
    assert [record.error for record in records if record.error] == [
        "cannot be read: rows 4 to 7: column 'text' would become 1,600,190 bytes, more than 2,000 "
        "times what is stored, as no text does; if it does, write the file with Snappy"
    ]


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("name", ["import", "score", "filter", "export", "test set", "report"])
def test_pairs_that_no_text_explains_are_refused(name, tmp_path):
    rows = [
        {"pair_id": f"{n:016x}", "source_lang": "en", "target_lang": "ar",
         "source_text": f"{USUAL} {n}" + "a" * 600_000, "target_text": "ارتفع النهر.",
         "method": "imported"}
        for n in range(2)
    ]  # fmt: skip
    path = tmp_path / "pairs.parquet"
    pl.DataFrame(rows, schema(PAIRS)).write_parquet(path)
    out = tmp_path / "out.parquet"
    calls = {
        "import": lambda: import_files([str(path)], out),
        "score": lambda: score_file(path, out, executor=Executor(1)),
        "filter": lambda: filter_file(path, out, executor=Executor(1)),
        "export": lambda: Selection(path),
        "test set": lambda: read_texts(str(path)),
        "report": lambda: open_run(tmp_path),
    }
    with pytest.raises(
        SourceError, match=r"pairs\.parquet: cannot be read as Parquet: rows 1 to 2: column"
    ):
        calls[name]()
    assert not out.exists()


def test_a_test_set_that_repeats_one_large_text(tmp_path, monkeypatch):
    monkeypatch.setattr(reference_files, "MIN_SIZE", 1 << 20)
    path = tmp_path / "set.parquet"
    pl.DataFrame({"rows": [[{"text": "word " * 100_000}]] * 40}).write_parquet(path)
    with pytest.raises(SourceError, match="has 20,000,000 bytes of text, more than 2,000 times"):
        read_texts(str(path))


@pytest.fixture
def pairs(tmp_path):
    texts = [f"{USUAL} {n}" for n in range(3)]
    texts[1] = "a@b.org " * (MAX_TEXT_BYTES // 8 + 1)
    rows = [
        {"pair_id": f"{n:016x}", "source_lang": "en", "target_lang": "ar", "source_text": text,
         "target_text": "ارتفع النهر مترين يوم الاثنين.", "method": "imported"}
        for n, text in enumerate(texts)
    ]  # fmt: skip
    pl.DataFrame(rows, schema(PAIRS)).write_parquet(tmp_path / "pairs.parquet")
    return tmp_path / "pairs.parquet"


def test_import_counts_rows_that_are_too_large(pairs, tmp_path):
    result = import_files([str(pairs)], tmp_path / "imported.parquet")
    assert (result.pairs, dict(result.invalid)) == (2, {TOO_LARGE: 1})
    assert result.messages[0].endswith(f"pairs.parquet, row 2: {TOO_LARGE}")


@pytest.mark.parametrize("job", [score_file, filter_file])
def test_commands_about_pairs_refuse_them(pairs, tmp_path, job):
    message = r"pairs\.parquet, row 2: has a text of more than 1,048,576 bytes; ingest import"
    with pytest.raises(SourceError, match=message):
        job(pairs, tmp_path / "out.parquet", executor=Executor(1))
    assert not (tmp_path / "out.parquet").exists()


def test_personal_data_is_not_looked_for_in_them(pairs):
    with pytest.raises(FrameError, match=r"pii: source_text of row 1 has more than 1,048,576"):
        mask_pii(pl.read_parquet(pairs))
