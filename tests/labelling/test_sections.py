"""Comments and references below an article are not part of it."""

from __future__ import annotations

import polars as pl
import pytest

import ingest


def labelled(path) -> pl.DataFrame:
    return ingest.label(ingest.detect(ingest.segment(ingest.read(path))))


def test_comments_are_not_kept(shared):
    frame = labelled(shared / "cases" / "reading" / "teasers_comments.html")
    comments = frame.filter(pl.col("markup").str.contains("comments"))
    assert set(comments["role"]) <= {"comment", "widget"}
    assert set(comments["role_by"]) <= {"section", "model"}
    assert not comments["keep"].any()
    assert len(frame.filter("keep", pl.col("markup").str.contains("story"))) == 4


def test_references_are_not_kept(shared):
    frame = labelled(shared / "cases" / "reading" / "references_kept.html")
    assert set(frame.filter("keep")["lang"]) == {"ar"}
    assert set(frame.filter(lang="en")["role"]) == {"reference"}


ARTICLE = """
<article><h1>The library opens on Sundays</h1>
<p>The city library will open on Sundays from next month, the council decided on Tuesday evening.</p>
<p>Readers had asked for longer hours since the reading room was rebuilt three years ago.</p>
<p>The council pays for two more librarians, who will also read to children in the afternoon.</p></article>
"""


@pytest.mark.parametrize(
    ("heading", "role"),
    [("التعليقات (2)", "comment"), ("2 Responses to “The library”", "comment"),
     ("Works cited", "reference"), ("المصادر والمراجع:", "reference")],
)  # fmt: skip
def test_a_heading_opens_a_section_until_the_next_heading(tmp_path, heading, role):
    below = (
        "<p>Jane Doe, The History of Reading Rooms, Cairo, Nile Press, 2011, pages 20 to 34.</p>"
    )
    page = tmp_path / "page.html"
    page.write_text(
        f"<html lang=en><body>{ARTICLE}<h2>{heading}</h2>{below}"
        "<h2>Opening hours in the other branches</h2>"
        "<p>The branches in the north and in the harbour stay closed on Sundays for now.</p>",
        encoding="utf-8",
    )
    frame = labelled(page)
    assert frame.filter(pl.col("text").str.contains("Jane Doe"))["role"].to_list() == [role]
    assert role not in frame.filter(pl.col("text").str.contains("branches"))["role"]


def test_the_replies_of_a_thread_are_its_text(tmp_path):
    replies = "".join(
        f"<div class=comment><p>Reply number {n}: I have used this key for years, and the best way to"
        f" set it is to open the file and to write the name of server {n} below the others.</p></div>"
        for n in range(12)
    )
    page = tmp_path / "page.html"
    page.write_text(
        f"<html lang=en><body><h1>How to set a key?</h1><p>Where do I set it?</p>{replies}",
        encoding="utf-8",
    )
    assert "section" not in labelled(page)["role_by"]
