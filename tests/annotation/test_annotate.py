"""A table in, labelled segments or rows out, with the columns of the table."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ingest
from ingest.annotation import batches
from ingest.config import Config, LabelConfig, ReadConfig, RunConfig
from ingest.errors import ConfigError, FrameError
from ingest.frames import DETECTED, LABELLED, SEGMENTS, schema

FROM_A_RUN = [name for name in schema(SEGMENTS, DETECTED, LABELLED).names() if name != "doc_id"]
SAILS, SAILS_AR = "The boat sails at seven.", "يبحر القارب في السابعة صباحا."
ROWS = pl.DataFrame(
    {
        "site": ["a", "b", "c", "d", "e"],
        "n": [1, 2, 3, 4, 5],
        "body": [f"{SAILS}\n{SAILS_AR}", None, " \n", "* * *\n20", SAILS],
    }
)
ALL_ROWS = replace(Config(), run=RunConfig(batch_chars=1))


@pytest.fixture(scope="module")
def pages() -> pl.DataFrame:
    """Sample pages, each of a site of its own, as HTML or text."""
    folder = ingest.samples()
    html = sorted((folder.parent / "html").glob("*.html"))[:2]
    texts = sorted(folder.glob("*.txt"))[:2]
    return pl.DataFrame(
        {
            "html": [p.read_text(encoding="utf-8") for p in html]
            + [None] * len(texts)
            + [None, ""],
            "body": [None] * len(html)
            + [p.read_text(encoding="utf-8") for p in texts]
            + [None, "مرحبا"],
        }
    ).with_columns(url=pl.format("https://site-{}.example/page", pl.int_range(pl.len())))


def test_segments_equal_those_of_a_run(pages, tmp_path):
    pages.write_parquet(tmp_path / "pages.parquet")
    config = Config(read=ReadConfig(text_column="body", html_column="html"))
    ingest.run(tmp_path / "pages.parquet", tmp_path / "out", config=config)
    documents = pl.read_parquet(tmp_path / "out/documents.parquet")
    segments = pl.read_parquet(tmp_path / "out/segments.parquet")
    order = documents.select("doc_id", "error", row=pl.col("record").cast(pl.UInt32))
    expected = order.join(segments, on="doc_id", how="left", maintain_order="left_right")
    result = ingest.annotate(pages, text="body", html="html", url="url")
    columns = [name for name in FROM_A_RUN if name != "keep"]
    assert_frame_equal(
        result.select("row", *columns, "error"), expected.select("row", *columns, "error")
    )
    assert result["keep"].to_list() == expected["keep"].fill_null(value=False).to_list()
    assert result["url"].to_list() == pages["url"].gather(result["row"]).to_list()
    assert {"model", "title"} <= set(result["role_by"])
    small = replace(Config(), run=RunConfig(batch_chars=1000))
    again = ingest.annotate(pages, text="body", html="html", url="url", config=small)
    assert_frame_equal(again, result)


def test_every_row_is_in_the_result_with_its_columns():
    result = ingest.annotate(ROWS, text="body")
    assert result.columns == ["row", "site", "n", *FROM_A_RUN, "error"]
    assert result["row"].to_list() == [0, 0, 1, 2, 3, 3, 4]
    assert result["site"].to_list() == list("aabcdde")
    assert result["segment"].to_list() == [0, 1, None, None, 0, 1, 0]
    assert result["keep"].null_count() == 0
    assert not result.filter(pl.col("segment").is_null())["keep"].any()
    assert result.drop_nulls("error").select("row", "error").rows() == [
        (1, "has no text: column 'body' is empty")
    ]


def test_rows():
    result = ingest.annotate(ROWS, text="body", level="row", keep=["n"], body_text=True)
    assert result.columns == ["row", "n", "lang", "langs", "kept_text", "error"]
    assert result["row"].to_list() == [0, 1, 2, 3, 4]
    assert result["lang"].to_list() == ["ar", None, None, "zxx", "en"]
    assert result["kept_text"].to_list() == [ROWS["body"][0], None, None, None, SAILS]
    first = result["langs"][0].to_list()
    share = len(SAILS_AR) / (len(SAILS) + len(SAILS_AR))
    assert [entry["lang"] for entry in first] == ["ar", "en"]
    assert [entry["share"] for entry in first] == pytest.approx([share, 1 - share])
    assert result["langs"].list.len().to_list() == [2, 0, 0, 1, 1]


def test_body_text_is_a_setting_too():
    titles = pl.DataFrame({"text": ["A Quiet Harbour", "افتتاح مكتبة جديدة"]})
    result = ingest.annotate(titles, body_text=True)
    assert result["role"].to_list() == ["body", "body"]
    config = Config(label=LabelConfig(body_text=True))
    assert_frame_equal(ingest.annotate(titles, config=config), result)
    assert ingest.annotate(titles)["role"].to_list() != ["body", "body"]


def test_the_text_is_guessed_and_may_be_nested_bytes_or_lists():
    for column in (
        pl.Series("text", [SAILS]),
        pl.Series("text", [SAILS], dtype=pl.Categorical),
        pl.Series("text", [SAILS], dtype=pl.Enum([SAILS])),
        pl.Series("text", [SAILS.encode()]),
        pl.Series("text", [[SAILS, SAILS_AR]]),
        pl.Series("article", [{"id": 3, "text": SAILS}]),
        pl.Series("html", [f"<p>{SAILS}</p>"]),
    ):
        result = ingest.annotate(column.to_frame())
        assert result["text"][0] == SAILS
        assert result.columns == ["row", *FROM_A_RUN, "error"]
    nested = pl.DataFrame({"a": [{"b": SAILS}], "u": [{"link": "https://x.example"}]})
    result = ingest.annotate(nested, text="a.b", url="u.link", keep=["a"])
    assert result.select("a", "url", "text").row(0) == ({"b": SAILS}, "https://x.example", SAILS)


def test_columns_of_any_type_are_kept():
    frame = ROWS.with_columns(
        category=pl.col("site").cast(pl.Categorical),
        struct=pl.struct("n", "site"),
        list=pl.concat_list("n", "n"),
        date=pl.date(2020, 1, pl.col("n")),
        bytes=pl.col("site").cast(pl.Binary),
        nothing=pl.lit(None),
    )
    for level in ("segment", "row"):
        result = ingest.annotate(frame, text="body", level=level)
        kept = frame.drop("body")
        assert_frame_equal(result.select(kept.columns), kept[result["row"]])
        lazy = ingest.annotate(frame.lazy(), text="body", level=level)
        assert_frame_equal(lazy.collect(), result)


def test_a_row_too_large_or_damaged_costs_only_itself():
    config = Config(read=ReadConfig(max_record_bytes=100))
    frame = pl.DataFrame({"text": [SAILS, "a " * 100, SAILS, SAILS]})
    result = ingest.annotate(frame, config=config, level="row")
    assert result["error"].is_null().to_list()[:2] == [True, False]
    assert "more than 100 bytes" in result["error"][1]
    assert result["lang"][3] == "en"
    deep = pl.DataFrame({"html": ["<div>" * 100_000 + SAILS, f"<p>{SAILS}"]})
    assert ingest.annotate(deep, level="row")["lang"][1] == "en"


@pytest.mark.parametrize("frame", [ROWS, ROWS.lazy()], ids=["eager", "lazy"])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"text": 3}, ConfigError, "text: must be the name of a column, is int"),
        ({"text": "n"}, FrameError, "text: column 'n' must contain strings, is Int64"),
        (
            {"html": "x"},
            FrameError,
            "html: there is no column 'x'; the columns are 'site', 'n', 'body'",
        ),
        ({"url": "site.x"}, FrameError, "url: there is no column 'site.x'"),
        ({"keep": "site"}, ConfigError, "keep: must be a list of column names, is str"),
        ({"keep": ["x"]}, FrameError, "keep: there is no column 'x'"),
        ({"level": "page"}, ConfigError, "level: 'page' is unknown; use segment or row"),
        ({"config": LabelConfig()}, ConfigError, "config: must be a Config, is LabelConfig"),
    ],
)
def test_wrong_arguments(frame, options, error, message):
    with pytest.raises(error, match=f"^annotate: {message}"):
        ingest.annotate(frame, **options)


def test_names_that_both_sides_use():
    frame = pl.DataFrame(
        {"text": [SAILS], "lang": ["en"], "role": ["x"], "link": ["u"], "url": ["v"]}
    )
    with pytest.raises(FrameError, match=r"keep: the result has columns .* 'lang', 'role'; rename"):
        ingest.annotate(frame)
    assert ingest.annotate(frame, keep=[])["lang"].item() == "en"
    assert ingest.annotate(frame, keep=["url", "url"], url="url")["url"].item() == "v"
    assert ingest.annotate(frame, keep=["link"], url="link").select("link", "url").row(0) == (
        "u",
        "u",
    )
    with pytest.raises(FrameError, match="'url'"):
        ingest.annotate(frame, keep=["url"], url="link")
    result = ingest.annotate(frame, keep=["text", "role"], level="row")
    assert result.select("text", "role", "lang").row(0) == (SAILS, "x", "en")
    with pytest.raises(FrameError, match="no column is known to contain text; its columns are 'n'"):
        ingest.annotate(pl.DataFrame({"n": [1]}))


@pytest.mark.parametrize("level", ["segment", "row"])
def test_a_lazy_frame_gives_the_same_in_batches(level, monkeypatch, tmp_path):
    frame = pl.concat([ROWS] * 10).with_columns(n=pl.int_range(pl.len()))
    expected = ingest.annotate(frame, text="body", level=level)
    monkeypatch.setattr(batches, "_CHUNK_ROWS", 7)
    monkeypatch.setattr(batches, "_CHUNK_BYTES", 500)
    lazy = ingest.annotate(frame.lazy(), text="body", level=level)
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == expected.schema
    assert_frame_equal(lazy.collect(), expected)
    assert_frame_equal(lazy.collect(engine="streaming"), expected)
    lazy.sink_parquet(tmp_path / "result.parquet", maintain_order=True)
    assert_frame_equal(pl.read_parquet(tmp_path / "result.parquet"), expected)
    chosen = pl.col("lang") == "en"
    assert_frame_equal(
        lazy.filter(chosen).select("n", "lang").collect(),
        expected.filter(chosen).select("n", "lang"),
    )
    assert_frame_equal(lazy.head(9).collect(), expected.head(9))
    assert_frame_equal(lazy.head(9).filter(chosen).collect(), expected.head(9).filter(chosen))
    assert_frame_equal(lazy.filter(chosen).head(9).collect(), expected.filter(chosen).head(9))


def test_no_rows():
    for level in ("segment", "row"):
        empty = ingest.annotate(ROWS.clear(), text="body", level=level)
        assert empty.is_empty()
        assert empty.schema == ingest.annotate(ROWS, text="body", level=level).schema
        assert_frame_equal(
            ingest.annotate(ROWS.clear().lazy(), text="body", level=level).collect(), empty
        )


@given(st.lists(st.none() | st.text(max_size=40), max_size=8))
@settings(max_examples=settings.default.max_examples // 8)
def test_any_text(texts):
    frame = pl.DataFrame({"id": range(len(texts)), "text": pl.Series(texts, dtype=pl.String)})
    segments = ingest.annotate(frame)
    assert segments["row"].unique(maintain_order=True).to_list() == list(range(len(texts)))
    assert (segments["row"] == segments["id"]).all()
    rows = ingest.annotate(frame, level="row", config=ALL_ROWS)
    assert rows["id"].to_list() == list(range(len(texts)))
    kept = (
        segments.filter("keep")
        .group_by("id", maintain_order=True)
        .agg(pl.col("text").str.join("\n"))
    )
    assert rows.drop_nulls("kept_text")["kept_text"].to_list() == kept["text"].to_list()
    shares = rows["langs"].list.eval(pl.element().struct.field("share")).list.sum().to_list()
    assert all(share == pytest.approx(1, abs=1e-6) for share in shares if share)
