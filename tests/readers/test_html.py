from __future__ import annotations

import json
import re
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

import ingest
from ingest.readers.document import to_row, to_rows
from ingest.readers.html import render
from ingest.readers.html_limits import limit_nesting
from ingest.readers.records import Record

NINE_TENTHS = float(np.float32(0.9))


def lines(html: str) -> list[str]:
    """The lines that are shown."""
    row = render(html)
    lines = row["text"].split("\n")
    if not row["text"]:
        return lines
    return [line for line, (*_, shown) in zip(lines, row["blocks"].rows(), strict=True) if shown]


def limited(html: str) -> str:
    (piece,) = limit_nesting(html)
    return piece


def hidden_lines(html: str) -> list[str]:
    row = render(html)
    lines = row["text"].split("\n")
    return [
        line for line, (*_, shown) in zip(lines, row["blocks"].rows(), strict=True) if not shown
    ]


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>One</p><p>Two</p>", ["One", "Two"]),
        ("un<b>believ</b>able", ["unbelievable"]),
        ("<p>a <i> b </i>  c\n\td</p>", ["a b c d"]),
        ("one<br>two<br/><br>three", ["one", "two", "three"]),
        ("<ul><li>a<li>b<ul><li>c</ul>d</ul>", ["a", "b", "c", "d"]),
        ("<table><tr><td>سلام<td>peace<tr><th>x</table>", ["سلام", "peace", "x"]),
        ("<figure><img alt=no><figcaption>C</figcaption></figure>", ["C"]),
        ("<pre>  a\n\n    b  <b>c</b>\n</pre>", ["  a", "    b  c"]),
        ("<textarea>x\ny</textarea>", ["x", "y"]),
        ("<a>Home</a><a>News</a> <a>Sport</a>", ["Home News Sport"]),
        ("<button>Like</button><button>Share</button>", ["Like", "Share"]),
        ("<select><option>a<option>b</select>", ["a", "b"]),
        ("<p>kept&nbsp;space &amp; &lt;b&gt; &#x645;", ["kept\xa0space & <b> م"]),
        ("<p><script>x</script><style>y</style><noscript>z</noscript>t", ["t"]),
        ("<template>x</template><svg><title>y</title><text>z</text></svg>t", ["t"]),
        ("<div hidden>x</div><div style='color:red; DISPLAY : none'>y</div>t", ["t"]),
        ("<span style='visibility:hidden'>x</span>t<iframe>x</iframe>", ["t"]),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>", ["漢kan"]),
        ("a<!-- b -->c<?php d ?>e", ["ace"]),
        ("<p>a<div>b</div>c", ["a", "b", "c"]),
        ("<dl><dt>t<dd>d</dl>", ["t", "d"]),
        ("<video>no</video><object>no</object><canvas>no</canvas>t", ["t"]),
        ("<p>soft&shy;hyphen wb<wbr>r", ["soft\xadhyphen wbr"]),
        ("", [""]),
    ],
)
def test_text_is_rendered_as_in_a_browser(html, shown):
    assert lines(html) == shown


@pytest.mark.parametrize(
    ("html", "shown", "hidden"),
    [
        ("<p>a<span hidden>x</span>b</p>c", ["ab", "c"], ["x"]),
        ("<div hidden>x<p>y</p></div>t", ["t"], ["x", "y"]),
        ("t<noscript><p>x</p><b>y</b></noscript>", ["t"], ["x", "y"]),
        ("<div style='DISPLAY : none'><p style='display:block'>x</div>t", ["t"], ["x"]),
        ("<p style='visibility:hidden'>x<b style='visibility:visible'>y</b></p>", ["xy"], []),
        ("<div style='visibility:hidden'>x<p style='visibility:visible'>y</div>", ["y"], ["x"]),
        ("<p style='backface-visibility:hidden'>t", ["t"], []),
        ("<p style='content-visibility:hidden;--x-display:none'>t", ["t"], []),
        ("<p style='display:none;display:block'>t", ["t"], []),
        ("<p style='display:none !important;display:block'>x", [], ["x"]),
        ("<p style='/* display:none */ color:red'>t", ["t"], []),
        ("<p style='background:url(a;display:none)'>t", ["t"], []),
        ("<p hidden style='display:flex'>t", ["t"], []),
        ("<pre>a <i hidden>x\ny</i>b</pre>", ["a b"], ["x", "y"]),
        ("<body style='visibility:hidden'><h1>x</h1>", [], ["x"]),
        ("<html hidden><p>x", [], ["x"]),
    ],
)
def test_what_a_page_hides_has_lines_of_its_own(html, shown, hidden):
    assert lines(html) == shown
    assert hidden_lines(html) == hidden


def test_each_line_has_its_position():
    rendered = render(
        "<html lang=ar><body class='home page'><div id=main class='a  b'><p>x <a href=/>in a link</a>"
        "<p lang=en><strong>all <i>strong</i></strong></div><ul><li>1<li><a rel=tag>2</a>"
    )
    where = list(
        zip(
            rendered["text"].split("\n"), *zip(*rendered["blocks"].rows(), strict=True), strict=True
        )
    )
    assert where == [
        ("x in a link", "/html/body/div[1]/p[1]", "body.home.page div#main.a.b p", NINE_TENTHS, True),
        ("all strong", "/html/body/div[1]/p[2]/strong[1]",
         "body.home.page div#main.a.b p[lang=en] strong", 0.0, True),
        ("1", "/html/body/ul[1]/li[1]", "body.home.page ul li", 0.0, True),
        ("2", "/html/body/ul[1]/li[2]/a[1]", "body.home.page ul li a[rel=tag]", 1.0, True),
    ]  # fmt: skip


def test_the_path_finds_the_element_again():
    source = "<body><div><p>a</p><p>b<div><p>c</p></div>d</div><ul><li>e</ul>"
    rendered = render(source)
    tree = LexborHTMLParser(source)
    for text, path in zip(rendered["text"].split("\n"), rendered["blocks"]["block"], strict=True):
        css = re.sub(r"\[(\d+)\]", r":nth-of-type(\1)", path[1:]).replace("/", " > ")
        assert text in tree.css_first(css).text()


def test_metadata_of_a_page():
    rendered = render(
        """<html lang="ar-EG" dir="rtl"><head><title> عنوان
        الصفحة </title><link rel="canonical" href="https://e.org/a">
        <link rel=alternate hreflang=en href=https://e.org/en/a><link rel=stylesheet href=x>
        <meta property="og:title" content="T"><meta name=viewport content=no>
        <meta property="article:tag" content="a"><meta property="article:tag" content="b">
        <script type="application/ld+json">{"@type": "NewsArticle", "headline": "T"}</script>
        <script type="application/ld+json">{broken</script></head><body>x"""
    )
    assert rendered["title"] == "عنوان الصفحة"
    assert rendered["text"] == "عنوان الصفحة\nx"
    assert (rendered["declared_lang"], rendered["declared_dir"]) == ("ar-EG", "rtl")
    assert rendered["canonical_url"] == "https://e.org/a"
    assert rendered["alternates"] == [{"lang": "en", "url": "https://e.org/en/a"}]
    assert json.loads(rendered["metadata"]) == {
        "meta": {"og:title": "T", "article:tag": ["a", "b"]},
        "json_ld": [{"@type": "NewsArticle", "headline": "T"}],
    }


def test_segments_have_blocks_only_in_html_pages(tmp_path):
    (tmp_path / "a.html").write_text("<title>T</title><p>One<pre>x\n\n y</pre>", encoding="utf-8")
    (tmp_path / "b.txt").write_text("<p>One", encoding="utf-8")
    documents = ingest.read(tmp_path)
    segments = ingest.segment(documents)
    assert segments.select("text", "block").rows() == [
        ("T", "/html/head/title"), ("One", "/html/body/p[1]"), ("x", "/html/body/pre[1]"),
        ("y", "/html/body/pre[1]"), ("<p>One", None),
    ]  # fmt: skip
    pages = dict(documents.select("doc_id", "text").iter_rows())
    for row in segments.iter_rows(named=True):
        assert pages[row["doc_id"]][row["start"] : row["end"]] == row["text"]


_TAGS = st.sampled_from(["<p>", "</p>", "<b>", "</b>", "<br>", "<table>", "<td>", "<pre>", "</pre>",
                         "<div hidden>", "</div>", "<noscript>", "<a>", "</a>", "<!--", "-->", "<script>",
                         "</script>", "<li>", "&amp;", "&#0;", "<svg>", "<textarea>"])  # fmt: skip


@given(st.lists(_TAGS | st.text(max_size=8), max_size=40))
def test_any_page_has_one_block_per_line_and_no_blank_lines(parts):
    rendered = render("".join(parts))
    text = rendered["text"]
    text.encode("utf-8")
    assert "\r" not in text
    if text:
        assert len(rendered["blocks"]) == text.count("\n") + 1
        assert all(line and not line.isspace() for line in text.split("\n"))
    assert rendered["blocks"]["links"].is_between(0, 1).all()


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x",
        "<div>" * 50_000 + "x" + "</div>" * 50_000,
        "<ul><li>" * 50_000 + "x",
        "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x",
        f"<p title='{'y' * 50_000_000}'>x",
        "&amp" * 1_000_000 + "x",
        "&" + "a" * 5_000_000 + "x",
        "<" * 1_000_000 + " x",
        "<a " * 1_000_000 + ">x",
        "<a '" * 250_000 + "'>x",
        '<a b="' * 250_000 + '">x',
        "<!--" * 250_000 + "-->x",
        "<script>" * 100_000 + "</script>x",
        "<b><p>" * 50_000 + "x",
        "<a><div>" * 50_000 + "x",
        "<table><tr><td>" * 30_000 + "x",
        "\0" * 1_000_000 + "x",
        "<font size=1>" * 50_000 + "<p>x" * 50_000,
        "".join(f"<b id={n}><p>x" for n in range(25_000)),
        "".join(f"<b id={n}><p>x" for n in range(5_000)),
        "<p " + "".join(f"a{n}='>'" for n in range(100_000)) + ">x",
        "<p " + " ".join(f"a{n}" for n in range(100_000)) + ">x",
        "<svg><style><p " + " ".join(f"a{n}" for n in range(100_000)) + ">x",
        "<svg><title><g>" + "<g>" * 100_000 + "</title>x",
        "<svg><style>" + "<g>" * 100_000 + "</style>x",
        "<!-->" + "<div>" * 100_000 + "-->x",
        "".join(f"<html a{n}=1>" for n in range(50_000)),
        "<a/b=" * 200_000 + ">x",
        "<a<" * 300_000 + ">x",
        "<figure>abc" * 90_000,
        "<dl>" * 90_000,
        "<math><mi><base>" * 20_000,
        "<p class='x>' hidden<b>a" * 40_000,
    ],
    ids=lambda html: html[:12],
)
def test_extreme_pages_take_a_few_seconds_at_most(html):
    began = time.process_time()
    render(html)
    assert time.process_time() - began < 5


@given(st.lists(_TAGS | st.text(max_size=8), max_size=40))
def test_ordinary_pages_are_not_changed(parts):
    html = "".join(parts)
    assert limited(html) == html


@pytest.mark.parametrize("unit", ["<option>abc", "<option>abc</option>", "<OPTION>abc<hr>"])
def test_a_list_with_very_many_options_is_read_in_time(unit):
    start = time.perf_counter()
    shown = lines("<select>" + unit * 50_000 + "</select><p>end")
    assert time.perf_counter() - start < 5
    assert shown == ["abc"] * 50_000 + ["end"]


@pytest.mark.parametrize("text", ["a", " ", "-", ": ", '"', "(", "! ", "/*", "display:"])
def test_a_long_style_takes_no_time(text):
    start = time.perf_counter()
    assert lines(f"<p style='display{text * 20_000}'>x</p>" * 3) in (["x"] * 3, [])
    assert time.perf_counter() - start < 1


def test_nesting_is_cut_where_browsers_cut_it():
    deep = "<div>" * 12_000 + "<p>text</p>" + "</div>" * 12_000 + "<p>after</p>"
    assert lines(deep) == ["text", "after"]
    assert render(deep)["blocks"]["block"][1] == "/html/body/p[1]"


def test_lone_surrogates_and_nul_do_no_harm():
    rendered = render("<p>a\ud800b\0c")
    assert rendered["text"].encode("utf-8")
    frame = pl.DataFrame({"text": [rendered["text"]]})
    assert len(frame) == 1


@pytest.mark.parametrize(
    "unit", ["<x-a>text</span></p></div>", "<span><div>text</span>", "<form><div>text</form>",
             "<div><textarea></div></textarea>text", "<div><table><tr><td></div>text"],
)  # fmt: skip
def test_end_tags_that_close_nothing_do_not_hide_depth(unit):
    cut = limited(unit * 20_000)
    assert len(lines(cut)) >= 256
    assert max(cut.count("<x-a>"), cut.count("<div>")) <= 512


def test_reopened_formatting_is_limited():
    html = "".join(f"<p><font size={n}>text {n}</font></p>" for n in range(20_000))
    assert limited(html) == html
    html = html.replace("</font>", "")
    assert limited(html).count("<font") == 16
    assert lines(html)[-1] == "text 19999"
    assert limited("<b>a</b>" * 20_000).count("<b>") == 20_000


def test_a_large_table_keeps_the_text_of_its_cells():
    row = "<tr><td><div><b>one</div><td><center>two"
    html = f"<table>{row * 5_000}</table>"
    assert limited(html).count("<div>") == 5_000
    assert lines(html) == ["one", "two"] * 5_000


def test_a_page_with_very_many_tags_is_read_in_pieces():
    html = "<title>T</title><div class=a><ul>" + "<li>x" * 450_000
    rendered = render(html)
    assert rendered["text"] == "T" + "\nx" * 450_000
    assert set(rendered["blocks"]["markup"][1:]) == {"body div.a ul li"}
    assert len(rendered["blocks"]) == 450_001


def test_a_page_with_millions_of_tags_is_in_error():
    row = to_row(Record("a", content=b"<li>x" * 2_000_001, media_type="text/html"))
    assert row["error"] == "has more than 2,000,000 tags"
    assert "text" not in row


def test_pages_do_not_affect_each_other_in_a_group():
    pages = ["<title>A</title><p>a <a>b</a>", "<pre> <a>c</a> <a>d</a></pre>", "", "<p hidden>e<p>f",
             "<a<b class='<p>'>g", "text"] * 3  # fmt: skip
    records = [Record("a", n, content=page, media_type="text/html") for n, page in enumerate(pages)]
    for row, page in zip(to_rows(records), pages, strict=True):
        alone = render(page)
        assert row["text"] == alone["text"]
        assert row["blocks"].rows() == alone["blocks"].rows()


def test_unusual_names_and_values_do_not_change_what_is_read():
    rendered = render(
        "<p class='a>b' a\"b=c =\"d=e <f=g title='<i>x</i>'>1 <!-- > <b> --> 2<x<y>3</x<y><x\"z>4"
    )
    assert rendered["text"] == "1 234"
    assert rendered["blocks"]["markup"].to_list() == ["body p.a>b"]


def test_paths_of_deep_elements_are_limited():
    block = render("<section>" * 400 + "text")["blocks"]["block"][0]
    assert len(block) <= 1024
    assert block.startswith("//section[1]/")
    assert len(render(f"<{'a' * 5000}>text")["blocks"]["block"][0]) < 99


@pytest.mark.parametrize("around", ["{}", '{{"a": {}}}'])
def test_deeply_nested_json_does_not_stop_a_run(around):
    """Every depth is tried, because Python can parse deeper nesting than it can serialize."""
    for depth in (3, 90, *range(930, 1000), 30_000):
        data = around.format("[" * depth + "]" * depth)
        rendered = render(
            f'<meta property="og:title" content="T"><script type="application/ld+json">{data}</script>'
        )
        kept = {"json_ld": [json.loads(data)]} if depth < 100 else {}
        assert json.loads(rendered["metadata"]) == {"meta": {"og:title": "T"}, **kept}


def test_metadata_is_valid_json():
    def never(constant):
        pytest.fail(constant)

    scripts = ('{"a": NaN}', "[Infinity, 1]", "[1e999]")
    rendered = render(
        "".join(f'<script type="application/ld+json">{data}</script>' for data in scripts)
    )
    kept = json.loads(rendered["metadata"], parse_constant=never)
    assert kept == {"json_ld": [{"a": None}, [None, 1]]}


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ('<span class="ar">قيد العمل</span><span class="en">Pending</span>', ["قيد العمل", "Pending"]),
        ('<b lang="ar">تم النشر.</b><b lang="en">Published.</b>', ["تم النشر.", "Published."]),
        ("<span>قيد العمل</span><span>Pending</span>", ["قيد العمل Pending"]),
        ("قيد العمل<b>Pending</b>", ["قيد العمل Pending"]),
        ("<b>Fish</b>السمك", ["Fish السمك"]),
        ("و<b>WhatsApp</b> الـ<i>PDF</i>", ["وWhatsApp الـPDF"]),
        ("<span class=who>By Dana Haddad</span><span class=when>May 5, 2024</span><span>3 min</span>",
         ["By Dana Haddad May 5, 2024 3 min"]),
        ("<b>Mc</b><i>Donald</i> <span>Java</span><span>Script</span>", ["McDonald JavaScript"]),
        ("<span>T</span><span>He Harbour</span> H<sub>2</sub>O 5<sup>th</sup>", ["THe Harbour H2O 5th"]),
        ("Java<b>Script</b> <i>micro</i><b>phone</b>", ["JavaScript microphone"]),
        ("<pre><b>foo</b><i>Bar</i> <b>سمك</b><i>Bar</i></pre>", ["fooBar سمكBar"]),
    ],
)  # fmt: skip
def test_neighbouring_elements_do_not_glue_words(html, lines):
    assert render(f"<p>{html}</p>")["text"].split("\n") == lines
