"""A small Parquet file may hold texts of any size: each is refused with a reason, before it costs."""

from __future__ import annotations

import polars as pl
import pytest

import ingest
from ingest.config import Config, ReadConfig
from ingest.errors import FrameError, SourceError
from ingest.frames import PAIRS, schema
from ingest.io.pairs_file import MAX_TEXT_BYTES, TOO_LARGE
from ingest.jobs.filter import filter_file
from ingest.jobs.import_pairs import import_files
from ingest.jobs.score import score_file
from ingest.pii import mask_pii
from ingest.pipeline.executors import Executor

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


def test_a_value_above_the_limit(tmp_path):
    config = Config(read=ReadConfig(max_record_bytes=1000))
    documents = ingest.read(pages(tmp_path, USUAL, "word " * 201, USUAL), config=config)
    assert documents["text"].to_list() == [USUAL, None, USUAL]
    assert documents["error"][1].startswith("has more than 1000 bytes; read.max_record_bytes")


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
