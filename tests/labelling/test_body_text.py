"""With `label.body_text`, every line is body text unless it says nothing."""

from __future__ import annotations

import polars as pl

import ingest
from ingest.config import Config, LabelConfig

BODY_TEXT = LabelConfig(body_text=True)


def labelled(
    *texts: str, config: LabelConfig | Config = BODY_TEXT, name: str = "text"
) -> pl.DataFrame:
    pages = ingest.read(pl.DataFrame({name: texts}))
    return ingest.label(ingest.detect(ingest.segment(pages)), config=config)


def test_what_looks_like_a_headline_is_body():
    titles = ("A Quiet Harbour", "افتتاح مكتبة جديدة في المدينة القديمة", "Home | News | Sport")
    rows = labelled(*titles)
    assert rows["role"].to_list() == ["body"] * 3
    assert rows["role_by"].to_list() == ["setting"] * 3
    assert rows["article"].to_list() == [1] * 3
    assert rows["keep"].all()
    assert "headline" in labelled(*titles, config=LabelConfig())["role"].to_list()


def test_what_is_not_kept():
    lines = (
        "The boat sails at seven.",
        "* * *",
        "20",
        "'); document.write('",
        "The boat sails at seven.",
    )
    damaged = "a\ufffd\ufffd c"
    rows = labelled("\n".join((*lines, damaged)))
    assert rows["role"].to_list() == ["body", "widget", "widget", "code", "body", "body"]
    assert rows["keep"].to_list() == [True, False, False, False, False, False]
    assert rows["duplicate_of"].to_list() == [None, None, None, None, 0, None]
    assert rows["article"].to_list() == [1, 0, 0, 0, 1, 1]


def test_hidden_text_is_not_kept():
    rows = labelled("<p>The boat sails at seven.</p><p hidden>Closed.</p>", name="html")
    assert rows["keep"].to_list() == [True, False]


def test_the_columns_are_those_of_the_model_and_keep_may_leave_body_out():
    rows = labelled("One line", "سطر آخر")
    assert rows.schema == labelled("One line", config=LabelConfig()).schema
    assert ingest.label(rows.clear(), config=BODY_TEXT).schema == rows.schema
    assert not labelled("One line", config=LabelConfig(keep=("headline",), body_text=True))[
        "keep"
    ].any()
    assert labelled("One line", config=Config(label=BODY_TEXT))["role"].item() == "body"
