"""The content of a source decides its format, however it is named, packed or passed."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import zstandard

import ingest
from ingest.config import Config, ReadConfig
from ingest.readers import plan_slices, read_batches
from ingest.readers.feeds import _Feed
from ingest.readers.formats import detect_format
from ingest.readers.sources import find_sources

sys.path.insert(0, str(Path(__file__).parent))  # helpers of tests are no package

import made_files as made

PACKS = {
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
FILES = {
    **{name: text.encode() for name, text in made.json_forms().items()},
    "a.arc": b"".join(made.arc_records()),
    "b.warc": made.warc(),
    "feed.rss": made.rss(),
    "feed.atom": made.atom(),
    "feed.xml": made.rss(),
    "index.php?feed=rss2": made.atom(),
    "table": b"url,text\n" + "".join(f'{r["url"]},"{r["text"]}"\n' for r in made.ROWS).encode(),
}  # fmt: skip
PAGES = {
    "showthread.php?t=17": made.html(made.TEXTS[0]),
    "view.aspx?id=5": made.html(made.TEXTS[0]),
    "page.html?print=1": made.html(made.TEXTS[0]),
    "story.asp": made.html(made.TEXTS[0]),
    "fish-market": made.html(made.TEXTS[0]),
    "topic.php@t=4": made.html(made.TEXTS[0]),
    "note": made.TEXTS[0].encode(),
    "saved.mht": made.mhtml(),
    "saved.mhtml": made.mhtml(coding="base64"),
    "saved-page": made.mhtml(coding="binary"),
}


def texts(documents):
    assert documents["error"].to_list() == [None] * documents.height
    return [text.split("\n")[-1] for text in documents["text"]]


def piped(data, monkeypatch, config=None):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    return ingest.read("-", config=config)


@pytest.mark.parametrize("name", FILES)
def test_files_of_several_pages(name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    urls = [row["url"] for row in made.ROWS]
    for documents in (ingest.read(tmp_path), ingest.read(path), piped(FILES[name], monkeypatch)):
        assert texts(documents) == list(made.TEXTS)
        assert documents["url"].to_list() == urls
        assert documents["record"].n_unique() == len(urls)
    path.unlink()
    for ending, pack in PACKS.items():
        (tmp_path / (name + ending)).write_bytes(pack(FILES[name]))
        assert texts(piped(pack(FILES[name]), monkeypatch)) == list(made.TEXTS)
    assert texts(ingest.read(tmp_path)) == list(made.TEXTS) * len(PACKS)


@pytest.mark.parametrize("name", PAGES)
def test_files_of_one_page(name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_bytes(PAGES[name])
    for documents in (ingest.read(tmp_path), ingest.read(path), piped(PAGES[name], monkeypatch)):
        assert texts(documents) == [made.TEXTS[0]]
        assert documents["record"].to_list() == [None]
    for ending, pack in PACKS.items():
        (tmp_path / (name + ending)).write_bytes(pack(PAGES[name]))
        assert texts(piped(pack(PAGES[name]), monkeypatch)) == [made.TEXTS[0]]
    assert texts(ingest.read(tmp_path)) == [made.TEXTS[0]] * (1 + len(PACKS))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_wacz(tmp_path, monkeypatch, compression):
    records = made.warc().partition(
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://x.example/1"
    )
    packed = gzip.compress(records[0]) + gzip.compress(records[1] + records[2])
    data = made.wacz(packed, compression=compression)
    for name in ("crawl.wacz", "crawl.zip", "crawl"):
        (tmp_path / name).write_bytes(data)
        documents = ingest.read(tmp_path)
        assert texts(documents) == list(made.TEXTS)
        assert documents["record"].n_unique() == len(made.TEXTS)
        whole = documents.drop("doc_id", "uri", "source")
        (tmp_path / name).rename(tmp_path / "x.wacz")
        parts = plan_slices([str(tmp_path / "x.wacz")], shard_bytes=1)
        if compression == zipfile.ZIP_STORED:
            assert len(parts) == len(made.TEXTS)
            sliced = [frame for part in parts for frame in read_batches([part], ReadConfig())]
            assert pl.concat(sliced).drop("doc_id", "uri", "source").equals(whole)
        (tmp_path / "x.wacz").unlink()
    assert "cannot be read from a pipe" in piped(data, monkeypatch)["error"].item()


def test_what_is_no_page_is_left_out_of_a_folder_with_its_reason(tmp_path):
    files = {
        "logo.png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG image"),
        "photo.html": (b"\xff\xd8\xff\xe0" + bytes(50), "JPEG image"),
        "download.php?id=4": (b"%PDF-1.7\n", "PDF"),
        "site.css?ver=5.1": (b"body { color: red }", "style sheet"),
        "jquery.js": (b"function f() {}", "script"),
        "robots.txt": (b"User-agent: *\nDisallow: /x\n", "rules for crawlers"),
        "font.woff2": (b"wOF2" + bytes(50), "font"),
        "pages.zip": (made.wacz(b"").replace(b"archive/", b"another/"), "ZIP archive"),
        "report.docx": (b"PK\x03\x04" + bytes(50), "ZIP archive"),
        "files.tar.gz": (gzip.compress(b"a.txt".ljust(257, b"\0") + b"ustar\x0000"), "tar archive"),
        "sitemap.xml": (b'<?xml version="1.0"?><urlset><url/></urlset>', "XML that is not a feed"),
        "icon.svg": (b"<svg></svg>", "image"),
        "dump.xml": (b"<mediawiki><page/></mediawiki>", "XML that is not a feed"),
        "code.php": (b"<?php echo 1; ?>", "source code"),
        "data.bin": (bytes(range(256)), "not text"),
        "empty": (b"", "empty"),
        "wget.log": (b"--2024-05-05-- https://x.example/\n", "log or index of a crawler"),
    }
    for name, (data, _) in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "page").write_bytes(made.html(made.TEXTS[0]))
    found = find_sources(tmp_path)
    assert [Path(name).name for name in found.files] == ["page"]
    reasons = {Path(name).name: reason for name, reason in found.skipped}
    assert reasons == {name: reason for name, (_, reason) in files.items()}
    report = ingest.run(tmp_path, tmp_path.with_name("out"))
    assert report["counts"]["skipped"] == len(files) == len(report["skipped"])
    listed = {"source": str(tmp_path / "data.bin"), "reason": "not text"}
    assert listed in report["skipped"]


def test_a_page_whose_name_says_otherwise(tmp_path):
    for name in ("style.css", "a.js", "b.csv", "c.json", "d.png", "e.xml"):
        (tmp_path / name).write_bytes(made.html(made.TEXTS[0]))
    assert texts(ingest.read(tmp_path)) == [made.TEXTS[0]] * 6


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{not json}\nof lines", "file"),
        ("[1] is the first note", "file"),
        ("[a list] of words", "file"),
        ('{"text": "cut off', "json"),
        ('{"text": "one line"}\n\n{"text": "another"}', "jsonl"),
        ("Subject: a text\n\nwith a header", "file"),
        ("Text, which has a comma\nand another, line", "file"),
        ("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x--", "mhtml"),
        ("https://x.example 1.2.3.4 20100203040506 text/html 5\nabcde\n", "arc"),
        ("https://x.example/ is an address", "file"),
        ("<mediawiki><page/></mediawiki>", "file"),
        ('<?xml version="1.0"?><html><p>x</html>', "file"),
        ("﻿  <rdf:RDF><item/></rdf:RDF>", "feed"),
        ("", "file"),
    ],
)
def test_the_kind_of_nameless_text(text, kind):
    assert detect_format(text.encode(), "-").kind == kind


def test_a_table_in_a_text_file(tmp_path):
    (tmp_path / "a.txt").write_text("url\ttitle\ttext\nu\tt\tThe text\n")
    (tmp_path / "b.txt").write_text("title,note\nA list, of sorts\n")
    assert ingest.read(tmp_path)["text"].to_list() == ["The text", "title,note\nA list, of sorts\n"]


@pytest.mark.parametrize(
    ("feed", "text"),
    [
        ('<?xml version="1.0" encoding="windows-1256"?><rss><item><title>خبر</title>'
         "<description>نص الخبر عن المدينة</description></item></rss>", "خبر\nنص الخبر عن المدينة"),
        ('<rdf:RDF><item rdf:about="a"><title>T &amp;amp; U</title><description>a &lt; b\nc</description>'
         "</item></rdf:RDF>", "T & U\na < b\nc"),
        ('<a:feed><a:entry><a:title type="html">A &lt;b&gt;bold&lt;/b&gt; one</a:title><a:content '
         'type="text">text</a:content></a:entry></a:feed>', "A bold one\ntext"),
        ("<rss><item><title>Only a title</title></item></rss>", "Only a title"),
    ],
)  # fmt: skip
def test_forms_of_feeds(tmp_path, feed, text):
    (tmp_path / "a.xml").write_bytes(feed.encode("cp1256" if "1256" in feed else "utf-8"))
    assert ingest.read(tmp_path)["text"].to_list() == [text]


# damage


def errors(documents):
    return [error and error.partition(":")[0] for error in documents["error"]]


def test_a_damaged_array_costs_the_record_that_is_damaged(tmp_path):
    path = tmp_path / "a.json"
    rows = [{"url": f"u{n}", "text": f"{text} {n}"} for n in range(6) for text in made.TEXTS[:1]]
    whole = json.dumps(rows, ensure_ascii=False)
    path.write_text(whole[: whole.index("u4") + 9], encoding="utf-8")
    documents = ingest.read(path)
    assert documents["error"].to_list() == [None] * 4 + [
        "is cut off: the JSON ends inside a record"
    ]
    assert documents["uri"].to_list() == [f"{path}#{n}" for n in range(5)]
    for damaged in (
        whole.replace('"u2"', '"u2'), whole.replace('"u2"', "u2"), whole.replace("2 2", "2\n2"),
        whole.replace('"u2",', '"u2"}'), whole.replace('"u2", ', '"u2", {'), whole.replace('{"url": "u2"', '{"url": '),
    ):  # fmt: skip
        path.write_text(damaged, encoding="utf-8")
        documents = ingest.read(path)
        sound = documents.filter(documents["error"].is_null())
        assert set(sound["url"]) - {"u2"} == {"u0", "u1", "u3", "u4", "u5"}
        assert documents.height >= len(rows)
    path.write_text(whole[:-1], encoding="utf-8")
    assert ingest.read(path)["error"].to_list() == [None] * 6 + [
        "is cut off: the array is not closed"
    ]


def test_a_record_of_json_that_is_too_large(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"text": "a"}, {"text": "b" * 99_999}, {"text": "c"}]))
    documents = ingest.read(path, config=Config(read=ReadConfig(max_record_bytes=50_000)))
    assert errors(documents) == [None, errors(documents)[1], None]
    assert documents["error"][1].startswith("has more than 50000 bytes")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]", "has no JSON object, and so no page"),
        ('["a", "b"]', "is not a JSON object"),
        ('{"a": 1}', "has no column that is known to contain text"),
        ("nonsense", "is not JSON"),
        ('[{"text": ' + "[" * 5000 + "]" * 5000 + "}]", "is nested too deeply"),
    ],
)
def test_json_without_a_page(tmp_path, text, error):
    (tmp_path / "a.json").write_text(text)
    assert ingest.read(tmp_path)["error"][0].startswith(error)


def test_a_damaged_item_of_a_feed_does_not_affect_the_others(tmp_path):
    item = "<item><title>{0}</title><description>{0}</description></item>"
    items = [item.format(n) for n in range(4)]
    items[1] = (
        "<item><title>A & B</title><description>1 &lt; 2&nbsp;&copy;&bogus;\x0b</description></item>"
    )
    items[2] = "<item><title>x</b></title><description>y</item>"
    path = tmp_path / "a.rss"
    head = '<!DOCTYPE rss [<!ENTITY a "b"><!ENTITY bogus SYSTEM "/etc/passwd">]><rss><channel>'
    path.write_text(f"{head}{''.join(items)}</channel></rss>")
    documents = ingest.read(path)
    assert errors(documents) == [None, None, "is not an item of a feed", None]
    assert documents["text"][1] == "A & B\n1 < 2\xa0©&bogus;"
    path.write_text("<rss><channel>" + "".join(items[:2]) + "<item><title>cut")
    assert ingest.read(path)["error"].to_list()[2] == "is cut off: the feed ends inside an item"
    path.write_text(f"<rss><channel>{'<item>' * 3}</channel></rss>")
    assert ingest.read(path).height == 3


def test_a_feed_is_read_in_bounded_memory_and_linear_time():
    def pieces(count):
        yield b"<rss><channel>"
        for n in range(count):
            yield b"<item><title>%d</title><!-- <item> -->" % n + b"x" * 100 + b"</item>"
        yield b"<item><![CDATA[" + b"y" * 100_000
        for _ in range(100):
            yield b"y" * 10_000
        yield b"]]></item><item><title>last</title></item>"

    feed = _Feed(10_000)
    most = count = 0
    for item in feed.read(pieces(20_000)):  # noqa: B007 (the last one is looked at)
        count += 1
        most = max(most, len(feed._text))
    assert count == 20_002
    assert most < 2_000_000
    assert "last" in str(item)


def test_parts_of_mhtml(tmp_path):
    path = tmp_path / "a.mht"
    path.write_bytes(made.mhtml().replace(b"text/html; charset", b"text/plain; charset"))
    assert ingest.read(path)["media_type"].to_list() == ["text/plain"]
    path.write_bytes(made.mhtml()[: made.mhtml().index(b"=D9") + 90])  # cut off: as far as it goes
    assert ingest.read(path)["error"].to_list() == [None]
    path.write_bytes(made.mhtml().replace(b"text/html", b"image/png"))
    assert ingest.read(path)["error"].to_list() == ["is MHTML without a part of HTML or text"]
    nested = made.mhtml().replace(b"MIME-Version: 1.0\r\n", b"")
    outer = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
    path.write_bytes(outer + nested + b"\r\n--o--\r\n")
    assert texts(ingest.read(path)) == [made.TEXTS[0]]


def test_arc_of_gzip_members_with_a_damaged_one(tmp_path):
    members = [gzip.compress(record) for record in made.arc_records()]
    path = tmp_path / "a.arc.gz"
    path.write_bytes(b"".join(members))
    parts = plan_slices([str(path)], shard_bytes=100)
    assert len(parts) > 1
    assert [r for frame in read_batches(parts, ReadConfig()) for r in texts(frame)] == list(
        made.TEXTS
    )
    members[1] = members[1][:40] + b"???" + members[1][43:]
    path.write_bytes(b"".join(members))
    documents = ingest.read(path)
    assert documents["error"].null_count() == 1
    assert documents["text"][-1] == made.TEXTS[1]


@pytest.mark.parametrize(
    "damage", [(b" 10.0.0.7 ", b" "), (b"text/html ", b"text/html 9"), (b"https", b"ht\0ps")]
)
def test_a_damaged_record_of_arc(tmp_path, damage):
    first, *others = made.arc_records()
    others[0] = others[0].replace(*damage, 1)
    (tmp_path / "a.arc").write_bytes(first + b"".join(others))
    documents = ingest.read(tmp_path)
    assert documents["text"].to_list() == [None, made.TEXTS[1]]


def test_the_reported_files(shared):
    folder = shared / "cases" / "reading"
    if not folder.is_dir():
        pytest.skip("no ../shared/cases/reading")
    pages = {"r01_scrapy": 4, "r07_rss": 2, "r09_warc": 2, "r14_wget": 8}
    for name, count in pages.items():
        documents = ingest.read(folder / name)
        assert documents["error"].null_count() == documents.height
        assert documents.height >= count, name
        assert documents["chars"].min() > 100, name


@pytest.mark.parametrize("ending", PACKS)
def test_a_name_of_a_compression_that_was_undone(tmp_path, ending):
    for name, data in (
        ("a.warc", made.warc()),
        ("a.html", made.html(made.TEXTS[0])),
        ("a.jl", b'{"text": "a"}'),
    ):
        (tmp_path / (name + ending)).write_bytes(data)
    assert ingest.read(tmp_path)["error"].to_list() == [None] * 4
    parts = plan_slices([str(tmp_path / ("a.warc" + ending))], shard_bytes=100)
    assert len(parts) == 2
