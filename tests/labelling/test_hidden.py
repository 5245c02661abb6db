"""What a page hides is read, and kept only where the page has nothing else."""

from __future__ import annotations

import polars as pl
import pytest

import ingest

TEXT = """
<h1>New fish market opens at the harbour</h1>
<p>The town opened the new fish market on Sunday, after two years of work on the old hall.</p>
<p>The market has sixty shops and a hall for auctions, and opens from five in the morning.</p>
<p>The work cost three million, the head of the project said, and was paid for by the town.</p>
"""
HEAD = "<html lang=en><head><title>New fish market opens at the harbour</title></head>"


def labelled(tmp_path, body: str) -> pl.DataFrame:
    (tmp_path / "page.html").write_text(HEAD + body, encoding="utf-8")
    return ingest.label(ingest.detect(ingest.segment(ingest.read(tmp_path / "page.html"))))


@pytest.mark.parametrize(
    "body",
    [
        f"<body style='visibility:hidden'>{TEXT}",
        f"<body><div id=root></div><noscript>{TEXT}</noscript>",
        f"<body><p>Loading</p><div style='display:none'>{TEXT}</div>",
    ],
)
def test_hidden_text_is_kept_where_the_page_has_nothing_else(tmp_path, body):
    kept = labelled(tmp_path, body).filter("keep")
    assert (
        len(kept.filter(pl.col("text").str.contains("fish market|sixty shops|three million"))) > 3
    )


def test_hidden_text_is_marked_but_not_kept_beside_an_article(tmp_path):
    hidden = "The ferry to the islands leaves every morning at seven, the harbour office said."
    frame = labelled(tmp_path, f"<body>{TEXT}<div style='display:none'><p>{hidden}</p></div>")
    row = frame.row(by_predicate=pl.col("text") == hidden, named=True)
    assert not row["visible"]
    assert not row["keep"]
    assert len(frame.filter("keep")) == 4


def test_a_hidden_copy_is_the_copy_of_what_is_shown(tmp_path):
    paragraph = "The market has sixty shops and a hall for auctions, and opens at five o'clock."
    frame = labelled(
        tmp_path, f"<body><div style='display:none'><p>{paragraph}</p></div>{TEXT}<p>{paragraph}"
    )
    copies = frame.filter(text=paragraph)
    assert copies["visible"].to_list() == [False, True]
    assert copies["duplicate_of"].to_list() == [copies["segment"][1], None]
    assert copies["keep"].to_list() == [False, True]


def test_the_name_of_the_site_in_a_title_is_boilerplate(tmp_path):
    head = "<head><title>{} - الرصيف</title><meta property=og:site_name content=الرصيف></head>"
    (tmp_path / "page.html").write_text(
        head.format("New fish market opens at the harbour") + TEXT, encoding="utf-8"
    )
    frame = ingest.label(ingest.detect(ingest.segment(ingest.read(tmp_path / "page.html"))))
    row = frame.row(by_predicate=pl.col("text") == "الرصيف", named=True)
    assert (row["role"], row["role_by"], row["keep"]) == ("nav", "title", False)
    headlines = frame.filter("keep", pl.col("role") == "headline")["text"].to_list()
    assert headlines == ["New fish market opens at the harbour"]
