"""Tables of other libraries are read as Polars frames are."""

from __future__ import annotations

import math

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ingest
from ingest.errors import FrameError

SAILS = "The boat sails at seven."
FRAME = pl.DataFrame({"site": ["a", "b", "c"], "body": [SAILS, None, "يبحر القارب في السابعة."]})


class Table:
    """A table of a library that is not known here."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return FRAME.__arrow_c_stream__(requested_schema)


def test_arrow():
    assert_frame_equal(ingest.annotate(Table(), text="body"), ingest.annotate(FRAME, text="body"))


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ("pages.parquet", "str"),
        (None, "NoneType"),
        ({"body": [SAILS]}, "dict"),
        (FRAME["body"], "polars.Series"),
    ],
)
def test_what_is_not_a_table(table, kind):
    message = f"^annotate: frame: must be a Polars, pandas or Arrow table, is {kind}$"
    with pytest.raises(FrameError, match=message):
        ingest.annotate(table, text="body")


def test_pyarrow():
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    expected = ingest.annotate(FRAME, text="body")
    table = pyarrow.table({name: FRAME[name].to_list() for name in FRAME.columns})
    for made in (table, table.to_reader(), table.to_batches()[0]):
        assert_frame_equal(ingest.annotate(made, text="body"), expected)
    twice = pyarrow.Table.from_arrays(
        [pyarrow.array(["a"]), pyarrow.array(["b"])], names=["a", "a"]
    )
    with pytest.raises(FrameError, match=r"annotate: frame: this pyarrow.Table cannot be read"):
        ingest.annotate(twice, text="a")


def test_pandas():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame(FRAME.to_dict(as_series=False), index=[7, 7, 3])
    assert_frame_equal(ingest.annotate(table, text="body"), ingest.annotate(FRAME, text="body"))
    mixed = table.assign(body=[SAILS, 7, math.nan], other=[1, "a", None])
    rows = ingest.annotate(mixed, text="body", level="row")
    assert rows["lang"].to_list() == ["en", None, None]
    assert rows["error"].to_list() == [
        None,
        "has no text: column 'body' contains a value of type int",
        "has no text: column 'body' is empty",
    ]
    assert rows["other"].to_list() == [1, "a", None]
    with pytest.raises(FrameError, match=r"this pandas.DataFrame cannot be read"):
        ingest.annotate(table.iloc[:, [0, 0, 1]], text="body")
    with pytest.raises(FrameError, match=r"is pandas.Series"):
        ingest.annotate(table["body"], text="body")
