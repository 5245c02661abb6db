"""Shadow roots, and articles that stand only in the data of a page's scripts."""

from __future__ import annotations

import json

import polars as pl
import pytest

import ingest
from ingest.readers.html import render

BODY = (
    "The harbour council opened its new fish market on Sunday after two full years of repairs. "
    "It holds sixty stalls and an auction hall, and will be open to customers from five in the "
    "morning.\nThe head of the project said that it cost three million dinars, paid by the fund."
)
TITLE = "<title>New fish market opens</title>"


def kept(html: str) -> list[str]:
    documents = ingest.read(pl.DataFrame({"html": [html]}))
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    return segments.filter("keep")["text"].to_list()


def script(value, kind="application/json"):
    return f"<script type='{kind}'>{json.dumps(value)}</script>"


@pytest.mark.parametrize(
    "data",
    [
        script({"@type": "NewsArticle", "articleBody": BODY}, "application/ld+json"),
        script({"props": {"page": {"content": BODY, "url": "/a/b/c"}}}),
        script({"blocks": [{"text": line} for line in BODY.replace(". ", ".\n").split("\n")]}),
        script({"body": "".join(f"<p>{line}</p>" for line in BODY.split("\n"))}),
        f"<script>window.__STATE__ = {json.dumps({'story': BODY})};</script>",
    ],
)
def test_an_article_in_the_data_of_scripts_is_read_if_the_page_shows_none(data):
    page = f"{TITLE}{data}<div id=root></div><nav><a href=/>Home</a></nav>"
    row = render(page)
    assert "sixty stalls" in row["text"]
    embedded = row["blocks"].filter(pl.col("markup").str.contains("article.embedded"))
    assert len(embedded) >= 2
    assert not embedded["visible"].any()
    assert any("sixty stalls" in line for line in kept(page))


def test_a_page_that_shows_its_article_is_left_alone():
    data = script({"articleBody": "Another text. " * 30}, "application/ld+json")
    assert "Another" not in render(f"{TITLE}{data}<p>{BODY}</p>")["text"]


@pytest.mark.parametrize(
    "data",
    [
        script({"content": "short"}),
        script({"content": "x" * 500}),
        script({"url": BODY}),
        '<script type=\'application/json\'>{"content": "broken</script>',
        "<script>window.__STATE__ = {a: 1}</script>",
    ],
)
def test_other_data_is_no_article(data):
    assert render(f"{TITLE}{data}<div></div>")["text"] == "New fish market opens"


def test_declared_shadow_roots_are_shown():
    page = (
        f"<news-page><template shadowrootmode='open'><h1>Market</h1><p>{BODY}</p>"
        "<template>never shown</template></template></news-page><template>nor this</template>"
    )
    row = render(page)
    assert row["text"].split("\n") == ["Market", BODY.replace("\n", " ")]
    assert row["blocks"]["visible"].all()


def test_a_run_warns_of_pages_without_text(tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a.html").write_text(f"{TITLE}<div id=root></div>")
    (pages / "b.html").write_text(f"{TITLE}<h1>New fish market opens</h1><p>{BODY}</p>")
    report = ingest.run(pages, tmp_path / "out")
    documents = pl.read_parquet(tmp_path / "out" / "documents.parquet").sort("source")
    assert documents["warning"].is_not_null().to_list() == [True, False]
    assert report["counts"]["warnings"] == 1
