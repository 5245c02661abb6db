"""Subheadings, entries of a table of contents and bold lines open no article."""

from __future__ import annotations

import polars as pl
import pytest

import ingest

PARAGRAPHS = [
    "The harbour opened again on Tuesday after a long winter, and the first boats went out at dawn.",
    "Two hundred fishermen had waited for the repairs of the northern quay since the storm in autumn.",
    "The town paid three million for the work, and the region will pay for a new hall next year.",
    "Officials said that the ferries would follow in May, once the lights on the pier are mended.",
]


def labelled(tmp_path, body: str) -> pl.DataFrame:
    page = f"<html lang=en><head><title>Harbour opens again after the winter</title></head>{body}"
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    return ingest.label(ingest.detect(ingest.segment(ingest.read(tmp_path / "page.html"))))


def article(sections: list[str]) -> str:
    parts = [f"{s}<p>{p}</p><p>{q}</p>" for s, p, q in zip(sections, PARAGRAPHS, PARAGRAPHS[::-1],
                                                           strict=False)]  # fmt: skip
    return f"<article><h1>Harbour opens again after the winter</h1>{''.join(parts)}</article>"


@pytest.mark.parametrize(
    "sections",
    [
        ["", "<h2>Two Hundred Fishermen Waited for Repairs</h2>"],
        ["", "<p><b>Two Hundred Fishermen Waited for Repairs</b></p>"],
        ["<ul><li><a href=#a>Two Hundred Fishermen Waited</a><li><a href=#b>Ferries Follow in May"
         "</a></ul>", "<h2 id=a>Two Hundred Fishermen Waited</h2>"],
    ],
)  # fmt: skip
def test_a_lesser_heading_opens_no_article(tmp_path, sections):
    frame = labelled(tmp_path, f"<body>{article(sections)}")
    assert set(frame.filter("keep")["article"]) == {1}
    headlines = frame.filter("keep", pl.col("role") == "headline")
    assert headlines["text"].to_list() == ["Harbour opens again after the winter"]


def test_two_stories_with_headings_of_one_level_are_two_articles(tmp_path):
    other = (
        "<article><h1>Library buys three thousand Arabic novels</h1>"
        "<p>The city library bought three thousand novels from publishers in Beirut and Cairo.</p>"
        "<p>Readers can borrow the books from Monday, said the librarian, who chose them herself.</p>"
        "</article>"
    )
    frame = labelled(tmp_path, f"<body>{article(['', ''])}{other}")
    kept = frame.filter("keep")
    assert set(kept["article"]) == {1, 2}
    assert set(kept.filter(pl.col("text").str.contains("library|librarian"))["article"]) == {2}
