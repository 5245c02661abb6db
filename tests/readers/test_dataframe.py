"""A Polars frame is read like the same rows in a file."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ingest
from ingest.config import Config, ReadConfig
from ingest.errors import FrameError

ROWS = pl.DataFrame(
    {
        "id": ["a", None, "c", "d"],
        "link": ["https://x.example/1", None, "", "https://x.example/4"],
        "text": ["أعلنت الوزارة عن خطة", None, "<div><p>One</p><p>Two</p></div>", b"caf\xc3\xa9".decode()],
        "other": [1, 2, 3, 4],
    }
)  # fmt: skip
MADE_OF_SOURCE = ("doc_id", "uri", "source")


@pytest.mark.parametrize(
    "config",
    [
        ReadConfig(),
        ReadConfig(text_column="link", id_column="other"),
        ReadConfig(max_record_bytes=8),
    ],
)
def test_a_frame_equals_parquet_except_for_the_source(config, tmp_path):
    ROWS.write_parquet(tmp_path / "t.parquet")
    settings = Config(read=config)
    documents = ingest.read(ROWS, config=settings)
    expected = ingest.read(tmp_path / "t.parquet", config=settings)
    assert_frame_equal(documents.drop(MADE_OF_SOURCE), expected.drop(MADE_OF_SOURCE))
    assert documents["source"].unique().to_list() == ["frame"]
    names = [uri.partition("#")[2] for uri in expected["uri"]]
    assert documents["uri"].to_list() == [f"frame#{name}" for name in names]
    assert documents["doc_id"].n_unique() == len(ROWS)


def test_bytes_are_decoded_and_an_empty_frame_has_no_pages():
    documents = ingest.read(pl.DataFrame({"text": ["نص قصير من كلمات".encode("cp1256")]}))
    assert documents.select("text", "encoding").row(0) == ("نص قصير من كلمات", "cp1256")
    assert ingest.read(ROWS.clear()).is_empty()


def test_a_frame_runs_through_all_steps():
    segments = ingest.label(ingest.detect(ingest.segment(ingest.read(ROWS))))
    assert segments["text"].to_list() == ["أعلنت الوزارة عن خطة", "One", "Two", "café"]


@pytest.mark.parametrize(
    ("frame", "config", "message"),
    [
        (ROWS.select("other"), ReadConfig(), "its columns are 'other'; choose one with"),
        (ROWS, ReadConfig(text_column="gone"), "no column 'gone'"),
        (ROWS.lazy(), ReadConfig(), "must be a Polars DataFrame, is LazyFrame; collect it first"),
    ],
)
def test_what_cannot_be_read(frame, config, message):
    with pytest.raises(FrameError, match=message):
        ingest.read(frame, config=Config(read=config))
