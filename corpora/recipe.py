"""Write crawl/ from html/ and scrapes/: the same pages in formats of crawlers and data sets.

python corpora/recipe.py
"""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
_DATE = "2026-01-01T00:00:00Z"


def warc_record(kind: str, uri: str, block: bytes, content_type: str) -> bytes:
    """One WARC 1.1 record as a gzip member, without a timestamp so that the bytes are stable."""
    header = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Date: {_DATE}",
        f"WARC-Target-URI: {uri}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(block)}",
    ]
    return gzip.compress("\r\n".join(header).encode() + b"\r\n\r\n" + block + b"\r\n\r\n", mtime=0)


def warc(pages: list[Path]) -> bytes:
    """A request and a response for each page; pages named `gov-*` are in windows-1256."""
    records = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        charset = "windows-1256" if page.stem.startswith("gov-") else "utf-8"
        body = text.encode(charset, "xmlcharrefreplace")
        http = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset={charset}\r\n\r\n"
        uri = f"https://{page.stem}.example/"
        records += [
            warc_record("request", uri, b"GET / HTTP/1.1\r\n\r\n", "application/http"),
            warc_record("response", uri, http.encode() + body, "application/http"),
        ]
    return b"".join(records)


def main() -> None:
    """Write the four files."""
    out = HERE / "crawl"
    out.mkdir(exist_ok=True)
    html = sorted((HERE / "html").glob("*.html"))
    (out / "pages.warc.gz").write_bytes(warc(html))
    texts = sorted((HERE / "scrapes").glob("*.txt"))
    table = pl.DataFrame(
        {
            "id": [path.stem for path in texts],
            "url": [f"https://samples.example/{path.stem}" for path in texts],
            "text": [path.read_bytes().decode("utf-8", "replace") for path in texts],
        }
    )
    table[::17].write_ndjson(out / "pages.jsonl")
    table[1::17].write_csv(out / "pages.csv")
    table[2::17].write_parquet(out / "pages.parquet", compression="zstd")


if __name__ == "__main__":
    main()
