"""A translation of nothing says why."""

from __future__ import annotations

import polars as pl
import pytest

from ingest.jobs.translate import _why_nothing
from ingest.jobs.translate_run import TranslateOptions


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "the pages have no text"),
        ([(False, "zxx"), (False, "en")], "none of 2 segments is content"),
        ([(True, "en"), (True, "en"), (False, "ar")], "to en: the kept segments are 2 in en"),
    ],
)
def test_the_reason(rows, reason, tmp_path):
    path = tmp_path / "segments.parquet"
    schema = {"keep": pl.Boolean, "lang": pl.String}
    pl.DataFrame(rows, schema, orient="row").write_parquet(path)
    assert reason in _why_nothing(path, TranslateOptions(to="en"))
