"""One file of each format that scrapers and crawlers write, with the same two pages."""

from __future__ import annotations

import base64
import io
import json
import quopri
import zipfile

TEXTS = (
    "أغلقت البلدية الجسر القديم أمام السيارات حتى نهاية الشهر",
    "The old bridge is closed to cars until the end of the month",
)
ROWS = [{"url": f"https://x.example/{n}", "text": text} for n, text in enumerate(TEXTS)]


def html(text: str) -> bytes:
    return f"<!doctype html><meta charset=utf-8><p>{text}</p>".encode()


def http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body


def warc() -> bytes:
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: %s\r\nContent-Length: %d\r\n\r\n"
    blocks = [(row["url"].encode(), http(html(row["text"]))) for row in ROWS]
    return b"".join(head % (url, len(b)) + b + b"\r\n\r\n" for url, b in blocks)


def arc_records() -> list[bytes]:
    about = b"1 0 Crawler\nURL IP-address Archive-date Content-type Archive-length\n"
    blocks = [(b"filedesc://a.arc", b"0.0.0.0", b"text/plain", about)]
    blocks += [(r["url"].encode(), b"10.0.0.7", b"text/html", http(html(r["text"]))) for r in ROWS]
    blocks.insert(
        2, (b"dns:x.example", b"10.0.0.1", b"text/dns", b"20100203\nx.example 10.0.0.7\n")
    )
    return [
        b"%s %s 20100203040506 %s %d\n%s\n" % (url, ip, kind, len(block), block)
        for url, ip, kind, block in blocks
    ]


def mhtml(text: str = TEXTS[0], coding: str = "quoted-printable") -> bytes:
    page = html(text)
    coded = {"quoted-printable": quopri.encodestring, "base64": base64.encodebytes, "binary": bytes}
    lines = (
        "From: <Saved by a browser>", "Snapshot-Content-Location: https://x.example/0",
        "Subject: Bridge", "MIME-Version: 1.0", "Content-Type: multipart/related;",
        '\ttype="text/html";', '\tboundary="----=_Part"', "", "", "------=_Part",
        "Content-Type: text/html; charset=utf-8", f"Content-Transfer-Encoding: {coding}",
        "Content-Location: https://x.example/0", "", coded[coding](page).decode("latin-1"),
        "------=_Part", "Content-Type: image/gif", "Content-Transfer-Encoding: base64", "",
        "R0lGODlhAQABAAAAACw=", "------=_Part--", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode("latin-1")


def rss() -> bytes:
    items = "".join(
        f"<item><title>{n}</title><link>{row['url']}</link><description>Short</description>"
        f"<content:encoded><![CDATA[<p>{row['text']}</p>]]></content:encoded></item>"
        for n, row in enumerate(ROWS)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<?xml-stylesheet href="a.xsl"?>\n<!-- feed -->'
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>News</title><language>ar</language>{items}</channel></rss>"
    ).encode()


def atom() -> bytes:
    kinds = ("html", "xhtml")
    entries = "".join(
        f'<entry><title>{n}</title><link rel="edit" href="x"/><link href="{row["url"]}"/>'
        f'<summary>Short</summary><content type="{kind}">{_atom_text(row["text"], kind)}</content></entry>'
        for (n, row), kind in zip(enumerate(ROWS), kinds, strict=True)
    )
    head = '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>'
    return f"{head}{entries}</feed>".encode()


def _atom_text(text: str, kind: str) -> str:
    return f"<div><p>{text}</p></div>" if kind == "xhtml" else f"&lt;p&gt;{text}&lt;/p&gt;"


def wacz(packed: bytes, *, compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("datapackage.json", "{}")
        file.writestr("pages/pages.jsonl", '{"format": "json-pages-1.0"}\n')
        file.writestr("archive/data.warc.gz", packed, compression)
        file.writestr("indexes/index.cdx", "x")
    return stream.getvalue()


def json_forms() -> dict[str, str]:
    """The name and content of files of JSON with the two rows."""
    each = [json.dumps(row, ensure_ascii=n % 2 == 0) for n, row in enumerate(ROWS)]
    return {
        "items.jl": "\n".join(each) + "\n",
        "items.jsonlines": "\n".join(each),
        "array.json": json.dumps(ROWS),
        "pretty.json": json.dumps(ROWS, indent=2, ensure_ascii=False),
        "scrapy.json": "[\n" + ",\n".join(each) + "\n]",
        "appended.json": f"[\n{each[0]}\n][\n{each[1]}\n]",
        "joined.json": "".join(each),
        "joined-pretty.json": "\n".join(json.dumps(row, indent=4) for row in ROWS),
        "answer.json": json.dumps({"status": "ok", "totalResults": 2, "articles": ROWS}),
        "rest.json": json.dumps(
            [
                {"id": 1, "link": row["url"], "content": {"rendered": f"<p>{row['text']}</p>"}}
                for row in ROWS
            ]
        ),
        "no-suffix": json.dumps(ROWS, indent=1),
        "lines-no-suffix": "\n".join(each),
        "export.php?format=json": json.dumps(ROWS),
    }
