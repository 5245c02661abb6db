"""Title, date and author of pages in tables, JSON and feeds."""

from __future__ import annotations

import datetime
import json

import polars as pl
import pytest

import ingest

TEXT = "The boats went out again on Monday, five months after the storm."
ABOUT = ["title", "published", "author"]


def about(path) -> list[tuple]:
    return ingest.read(path).select(ABOUT).rows()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"title": "Boats", "date": "2 May 2024", "author": "Mona"}, ("Boats", "2024-05-02", "Mona")),
        ({"Headline": " Two\nlines ", "Pub_Date": "2024-05-02T10:00:00Z", "byline": "Omar"},
         ("Two lines", "2024-05-02T10:00:00Z", "Omar")),
        ({"العنوان": "القوارب", "تاريخ النشر": "٢ أيار ٢٠٢٤", "الكاتب": "منى"},
         ("القوارب", "2024-05-02", "منى")),
        ({"title": "", "date": "yesterday", "author": "https://site.org/mona"}, (None, None, None)),
        ({"comments": "3", "updated": "2024-05-02", "editor": "Mona"}, (None, None, None)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet"])
def test_columns_of_tables(tmp_path, row, expected, form):
    frame = pl.DataFrame([{"text": TEXT} | row])
    path = tmp_path / f"a.{form}"
    if form == "json":
        path.write_text(json.dumps([{"text": TEXT} | row]), "utf-8")
    else:
        getattr(frame, f"write_{'ndjson' if form == 'jsonl' else form}")(path)
    assert about(path) == [expected]


def test_values_that_are_no_text(tmp_path):
    rows = [
        {"author": [{"name": "Mona"}, {"name": "Omar"}], "title": {"a": 1}, "date": 1714600000},
        {"author": {"name": "Mona"}, "title": ["a"], "date": None},
        {"author": ["Mona", 3, "Omar"], "title": True, "date": {"$date": "2024-05-02"}},
        {"author": "\ud800", "title": "\ud800 x", "date": "2024-13-45"},
        {"author": "x" * 300, "title": "y" * 5000, "date": "9" * 100_000},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"text": TEXT} | row) for row in rows))
    assert about(path) == [
        (None, None, "Mona; Omar"), (None, None, "Mona"), (None, None, "Mona; Omar"),
        ("\ufffd x", None, None), ("y" * 1000, None, None),
    ]  # fmt: skip


def test_dates_of_parquet(tmp_path):
    time = datetime.datetime(2024, 5, 2, 10, 30)
    for day, expected in ((time.date(), "2024-05-02"), (time, "2024-05-02T10:30:00")):
        pl.DataFrame({"text": [TEXT], "date": [day]}).write_parquet(tmp_path / "a.parquet")
        assert about(tmp_path / "a.parquet") == [(None, expected, None)]


def test_the_page_itself_comes_first(tmp_path):
    page = f"<title>Own</title><meta name=author content=Own><p>{TEXT}"
    rows = [{"html": html, "title": "Table", "author": "Table", "date": "2024-05-02"}
            for html in (page, f"<p>{TEXT}")]  # fmt: skip
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert about(path) == [("Own", "2024-05-02", "Own"), ("Table", "2024-05-02", "Table")]


def test_a_column_that_is_the_text_is_no_title(tmp_path):
    (tmp_path / "a.csv").write_text(f'title,author\n"{TEXT}",Mona\n')
    config = ingest.ReadConfig(text_column="title")
    assert ingest.read(tmp_path / "a.csv", config=config).select(ABOUT).rows() == [
        (None, None, "Mona")
    ]


def test_feeds(tmp_path):
    rss = (
        "<rss xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>"
        f"<item><title>A</title><description>{TEXT}</description>"
        "<pubDate>Thu, 02 May 2024 10:30:00 GMT</pubDate><author>m@site.org (Mona)</author></item>"
        f"<item><title>B</title><description>{TEXT}</description><dc:date>2024-05-02</dc:date>"
        "<dc:creator>Mona</dc:creator><dc:creator>Omar</dc:creator></item>"
        f"<item><title>C</title><description>{TEXT}</description><pubDate>soon</pubDate>"
        "<author>m@site.org</author></item></channel></rss>"
    )
    (tmp_path / "a.xml").write_text(rss)
    assert about(tmp_path / "a.xml") == [
        ("A", "2024-05-02T10:30:00Z", "Mona"), ("B", "2024-05-02", "Mona; Omar"), ("C", None, None),
    ]  # fmt: skip
    atom = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>A</title>"
        f"<content>{TEXT}</content><updated>2024-06-01</updated>"
        "<published>2024-05-02T10:30:00Z</published><author><name>Mona &amp; Omar</name>"
        "<email>m@site.org</email></author></entry></feed>"
    )
    (tmp_path / "a.xml").write_text(atom)
    assert about(tmp_path / "a.xml") == [("A", "2024-05-02T10:30:00Z", "Mona & Omar")]


def test_articles_have_date_and_author(tmp_path):
    row = {"text": TEXT, "headline": "Boats", "date": "2 May 2024", "author": "Mona"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    ingest.run(tmp_path / "a.jsonl", tmp_path / "out")
    assert pl.read_parquet(tmp_path / "out" / "documents.parquet").select(ABOUT).rows() == [
        ("Boats", "2024-05-02", "Mona")
    ]
    article = json.loads((tmp_path / "out" / "articles.jsonl").read_text())
    assert (article["date"], article["author"]) == ("2024-05-02", "Mona")
    # the title is that of the page where the text has no headline of its own
    assert article["title"] == (article["headline"] or "Boats")
