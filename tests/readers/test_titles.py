from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.readers.html import render
from ingest.readers.titles import PageNames, split_title


def title_lines(html: str) -> list[tuple[str, bool]]:
    """The lines of the title, and whether each is the name of the site."""
    row = render(html)
    blocks = zip(row["text"].split("\n"), row["blocks"].rows(), strict=True)
    return [
        (text, "site_name" in markup)
        for text, (path, markup, *_) in blocks
        if path.endswith("/title")
    ]


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        ("<title>Nets and ropes - الرصيف</title><meta property=og:site_name content=الرصيف>", "",
         [("Nets and ropes", False), ("الرصيف", True)]),
        ("<title>الرصيف | شباك وحبال</title><meta name=application-name content=الرَّصيف>", "",
         [("الرصيف", True), ("شباك وحبال", False)]),
        ("<title>Nets and ropes – Harbour – The Pier</title>", "<h1>Nets and ropes</h1>",
         [("Nets and ropes", False), ("Harbour – The Pier", True)]),
        ("<title>Nets - ropes | The Pier</title><link rel=canonical href=https://www.the-pier.org/1>",
         "", [("Nets - ropes", False), ("The Pier", True)]),
        # a logo in <h1> is no headline
        ("<title>The Pier - Nets and ropes</title><meta property=og:site_name content='The Pier'>",
         "<h1>The Pier</h1>", [("The Pier", True), ("Nets and ropes", False)]),
        ("<title>Nets and ropes - The Pier</title><script type=application/ld+json>"
         '{"@graph": [{"@type": "Article", "publisher": {"name": "The Pier"}}]}</script>', "",
         [("Nets and ropes", False), ("The Pier", True)]),
        ("<title>Nets - and ropes</title>", "<h1>Something else</h1>",
         [("Nets - and ropes", False)]),
        ("<title>The Pier</title><meta property=og:site_name content='The Pier'>", "",
         [("The Pier", False)]),
    ],
)  # fmt: skip
def test_the_name_of_the_site_is_a_line_of_its_own(head, body, expected):
    assert title_lines(f"<head>{head}</head><body>{body}<p>Text.") == expected


def test_the_title_of_the_page_stays_whole():
    row = render("<title>Nets - The Pier</title><meta property=og:site_name content='The Pier'>")
    assert row["title"] == "Nets - The Pier"


@given(st.text(max_size=60), st.sets(st.text(max_size=10), max_size=3))
def test_the_parts_of_a_title_stand_in_it(title, names):
    parts = split_title(title, PageNames(names, names, names))
    assert title.startswith(parts.first)
    assert title.endswith(parts.second)
