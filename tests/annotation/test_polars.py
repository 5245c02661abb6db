"""`import ingest.polars` registers the namespace; `identify` takes series."""

from __future__ import annotations

import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ingest
import ingest.polars
from ingest.errors import FrameError

FRAME = pl.DataFrame({"text": ["Wo ist der Bahnhof?", None, "أين المحطة؟", ""], "n": [1, 2, 3, 4]})


def test_identify_gives_structs_for_a_series():
    structs = ingest.identify(FRAME["text"])
    assert structs.name == "text"
    frame = ingest.identify(FRAME["text"].to_list())
    assert_frame_equal(structs.struct.unnest(), frame.drop("text"))
    for dtype in (pl.Categorical, pl.Enum(FRAME["text"].drop_nulls())):
        assert ingest.identify(FRAME["text"].cast(dtype)).to_list() == structs.to_list()
    assert ingest.identify(FRAME["text"].clear()).dtype == structs.dtype
    nulls = ingest.identify(pl.Series("x", [None, None]))
    assert nulls.struct.field("lang").to_list() == [None, None]
    assert frame["lang"].to_list() == ["de", None, "ar", "zxx"]
    assert frame["runners_up"][1] is None


def test_missing_values_of_pandas_are_null():
    missing = [type(name, (), {"__module__": "pandas._libs"})() for name in ("NAType", "NaTType")]
    texts = ["Wo ist der Bahnhof?", float("nan"), *missing]
    assert ingest.identify(texts)["lang"].to_list() == ["de", None, None, None]
    pandas = pytest.importorskip("pandas")
    for dtype in ("object", "string"):
        series = pandas.Series([texts[0], None, ""], dtype=dtype)
        assert ingest.identify(series)["lang"].to_list() == ["de", None, "zxx"]
    with pytest.raises(FrameError, match="is DataFrame; give one of its columns"):
        ingest.identify(pandas.DataFrame({"text": texts[:1]}))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (FRAME["n"], "must contain strings, is a Series of Int64"),
        (["a", 3], "text 1 must be a string, is int"),
        (7, "must be a Polars Series or a list of strings, is int"),
        (b"a", "is bytes"),
        ({"a": 1}, "is dict"),
        (FRAME, r"is DataFrame; give one of its columns, such as table\[\"text\"\]"),
        (FRAME.lazy(), "is LazyFrame; give one of its columns"),
    ],
)
def test_identify_names_what_is_wrong(texts, message):
    with pytest.raises(FrameError, match=f"^identify: texts: .*{message}"):
        ingest.identify(texts)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_expressions(engine):
    expected = ingest.identify(FRAME["text"], top=1)
    lazy = FRAME.lazy().select(
        lang=pl.col("text").ingest.lang(),
        found=pl.col("text").ingest.identify(top=1),
        few=pl.col("text").ingest.lang(langs=["es", "ar"]),
    )
    schema = lazy.collect_schema()
    result = lazy.collect(engine=engine)
    assert result.schema == schema
    assert result["found"].to_list() == expected.to_list()
    assert result["lang"].to_list() == ["de", None, "ar", "zxx"]
    assert set(result["few"]) <= {"es", "ar", "zxx", None}
    assert FRAME.select(pl.col("text").ingest.lang()).columns == ["text"]


def test_frames():
    expected = ingest.annotate(FRAME, text="text", keep=["n"])
    assert_frame_equal(FRAME.ingest.annotate(text="text", keep=["n"]), expected)
    lazy = FRAME.lazy().ingest.annotate(text="text", keep=["n"])
    assert_frame_equal(lazy.collect(), expected)


def test_annotating_needs_neither_pandas_nor_pyarrow(monkeypatch):
    for module in ("pandas", "pyarrow"):
        monkeypatch.setitem(sys.modules, module, None)  # importing it fails
    assert FRAME.ingest.annotate(keep=[])["lang"][0] == "de"
