"""What a crawler writes about its own work is no page: it is left out and counted."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

import ingest
from ingest.readers.crawler_records import describe_own_record

sys.path.insert(0, str(Path(__file__).parent))  # helpers of tests are no package

import made_files as made

LOG, DATA = "log or settings of the crawler", "data of the crawler about a page"
CRAWL, DNS, ROBOTS = "description of the crawl", "answer of a name server", "rules for crawlers"
OWN = [
    ("warcinfo", "", CRAWL), ("resource", "metadata://gnu.org/software/wget/warc/MANIFEST.txt", LOG),
    ("resource", "<metadata://gnu.org/software/wget/warc/wget_arguments.txt>", LOG),
    ("resource", "metadata://gnu.org/software/wget/warc/wget.log", LOG),
    ("resource", "urn:X-wpull:log", LOG), ("resource", "urn:X-other-tool:settings", LOG),
    ("resource", "urn:pageinfo:https://x.example/a", DATA), ("resource", "urn:text:https://x.example/", DATA),
    ("resource", "urn:thumbnail:https://x.example/", DATA), ("resource", "urn:view:https://x.example/", DATA),
    ("resource", "urn:fullPage:https://x.example/", DATA), ("conversion", "urn:summary:http://x.example", DATA),
    ("resource", "screenshot:http://x.example/", DATA), ("response", "dns:x.example", DNS),
    ("resource", "whois:x.example", DNS), ("response", "https://x.example/robots.txt", ROBOTS),
    ("response", "http://x.example:80/ROBOTS.TXT?a=1", ROBOTS),
]  # fmt: skip
OTHERS = [
    ("response", "https://x.example/"), ("response", "https://x.example/docs/robots.txt.html"),
    ("response", "https://x.example/a/robots.txt"), ("resource", "file:///a/b.html"),
    ("resource", "urn:isbn:0451450523"), ("resource", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"),
    ("response", "https://x.example/?q=dns:a"), ("resource", "ftp://x.example/a.txt"),
    ("conversion", "http://x.example/"), ("request", "dns:x.example"), ("metadata", "http://x.example/"),
    ("response", ""),
]  # fmt: skip


def record(kind, uri, content_type="text/plain", block=b"a line of text"):
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nContent-Type: {content_type}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n%b\r\n\r\n" % (len(block), block)


@pytest.mark.parametrize(("kind", "uri", "what"), OWN)
def test_a_record_of_the_crawler(kind, uri, what):
    assert describe_own_record({"warc-type": kind, "warc-target-uri": uri}) == what


@pytest.mark.parametrize(("kind", "uri"), OTHERS)
def test_other_records(kind, uri):
    assert describe_own_record({"warc-type": kind, "warc-target-uri": uri}) is None


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("workers", [1, 2])
def test_records_of_the_crawler_are_counted(tmp_path, pack, workers):
    data = b"".join(pack(record(kind, uri)) for kind, uri, _ in OWN)
    data += b"".join(
        pack(part) for part in (made.warc(), record("resource", "urn:isbn:0451450523"))
    )
    (tmp_path / "a.warc.gz").write_bytes(data)
    (tmp_path / "a.arc").write_bytes(b"".join(made.arc_records()))
    assert ingest.read(tmp_path).height == 5
    report = ingest.run(tmp_path, tmp_path / "out", workers=workers)
    assert report["counts"]["pages"] == 5
    assert report["counts"]["errors"] == 0
    assert report["left_out"] == {DNS: 3, DATA: 7, CRAWL: 2, LOG: 5, ROBOTS: 2}
    assert (
        json.loads((tmp_path / "out" / "run.json").read_bytes())["left_out"] == report["left_out"]
    )


def test_the_reported_files(shared):
    folder = shared / "cases" / "reading"
    if not folder.is_dir():
        pytest.skip("no ../shared/cases/reading")
    for name in ("r09_warc/wpull.warc", "r11_wget_warc"):
        urls = ingest.read(folder / name)["url"].to_list()
        assert urls
        assert all(url.startswith("http") for url in urls)
