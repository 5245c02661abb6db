"""Damage sound files reproducibly, and check what must hold for any damage."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import quopri
import random
import re
import time
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import polars as pl
import zstandard

import ingest
from ingest.config import ReadConfig
from ingest.frames import DOCUMENTS, schema
from ingest.io.streams import HEAD, compression
from ingest.readers import document as page
from ingest.readers import plan_slices, read_batches, read_records
from ingest.readers.formats import Format, detect_format
from ingest.readers.sniff import wide_encoding

ROOT = Path(__file__).resolve().parents[1]
READ = ReadConfig(max_record_bytes=1 << 18)
SECONDS = 2.0  # time limit of a record
_MAX_SIZE = 1 << 20  # bytes of a file
_ARABIC = [
    "أعلنت الوزارة عن خطة جديدة لدعم المزارعين",
    "قتل أربعة أشخاص أمس",
    "نص قصير من كلمات قليلة",
]
_ENGLISH = ["The plan sets a ceiling for both cabinets.", "Share this", "Prices rose on Monday."]
_NAMES = ("arc", "arc.gz", "json", "json.gz", "jl.bz2", "rss", "xml", "mht", "mhtml.xz", "wacz", "md",
          "warc", "warc.gz", "warc.zst", "html", "html.gz", "jsonl", "jsonl.gz", "jsonl.zst", "csv",
          "tsv", "csv.gz", "parquet", "txt", "txt.gz", "txt.zst", "gz", "bin")  # fmt: skip
_NASTY = [
    b"Content-Length: 99999999999\r\n", b"Content-Length: -1\r\n", b"WARC/1.0", b"WARC/1.1\r\n",
    b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 5\r\n\r\n", b"\r\n\r\n", b"\r", b"\n\n",
    b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: br\r\n", b"ffffffffffffff\r\n", b"<![CDATA[", b"<!--", b"<script>",
    b"<plaintext>", b"<title>", b"</body></html>", b"<textarea>", b"<svg><foreignObject>",
    b"&#x110000;", b"&#xD800;", b"&#0;", b"&#13;", b"&", b"&#", b"&lt", b"&" + b"a" * 5000,
    b"<item>", b"</item>", b"<entry", b"]]>", b"<!ENTITY a 'b'>", b"&a;", b"--b\r\n", b"=3D", b"=\r\n",
    b"}, {", b"]", b"sep=;\n", b"PK\x03\x04", b"\\\"", b"http://x 1.1.1.1 20100101000000 text/html 9\n",
    b"<meta charset=utf-16>", b"<meta charset=utf-7>", b"<meta charset=x-user-defined>",
    b"<a href='", b'<p class="', b"<p hidden", b"\\ud800", b"\\u0000", b'"', b'""', b'"' * 999,
    b"'", b"[" * 5000, b"{" * 3000, b'{"text":', b"9" * 6000, b"1e999", b"-" * 99, b"NaN", b"\t",
    b",,,", b";", b"\0", b"\0" * 4096, b"\xff" * 64, b"\xed\xa0\x80", b"\xed\xb0\x80\xed\xa0\xbd",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\x1b$B", b"\xf4\x90\x80\x80",
    b"\xe2\x80\xa8", b"\xc2\x85", b"\x0b\x0c\x1c\x1d\x1e\x1f", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd",
    b"\x5d\x2a\x4d\x18\xff\xff\xff\x7f", b"PAR1", "\u202e\u2066".encode(), "ـ".encode() * 999,
    "ü".encode().decode("latin-1").encode() * 50, "\u0301".encode() * 3000, "🏳️‍🌈".encode() * 20,
]  # fmt: skip
_MAGIC = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18")
_TAGS = [b"<table>", b"<b>", b"<div>", b"<a>", b"<font x>", b"<li>", b"<select>", b"<p a=b ", b"</"]


_A_PAGE = re.compile(rb"Content-Type: application/http\r\n[\s\S]+Content-Type: text/(html|plain)")


class Input(NamedTuple):
    """The name and content of a file."""

    name: str
    data: bytes


class Result(NamedTuple):
    """Counts for a file, and the seconds of its slowest record."""

    rows: int
    errors: int
    slowest: float


# sound files


def http(body: bytes, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{more}\r\n".encode() + body


def record(block: bytes, url: str, kind: str = "response") -> bytes:
    head = (f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\n"
            f"Content-Type: {'application/http' if kind == 'response' else 'text/plain'}\r\n"
            f"Content-Length: {len(block)}\r\n\r\n")  # fmt: skip
    return head.encode() + block + b"\r\n\r\n"


def pages(count: int) -> list[tuple[str, str]]:
    """(address, text) of small, distinct pages."""
    texts = [f"page {n} {_ARABIC[n % 3]} {_ENGLISH[n % 3]}" for n in range(count)]
    return [(f"http://x/{n}", text) for n, text in enumerate(texts)]


def warc_records(count: int) -> list[bytes]:
    return [record(http(f"<p>{text}</p>".encode()), url) for url, text in pages(count)]


def lines(count: int) -> list[bytes]:
    return [json.dumps({"id": n, "url": url, "text": text}, ensure_ascii=n % 2 == 0).encode()
            for n, (url, text) in enumerate(pages(count))]  # fmt: skip


def packed(parts: list[bytes]) -> bytes:
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


@cache
def sound() -> list[Input]:
    """One valid file of each format."""
    body = "".join(f"<p>{a}</p><div><a href=x>{e}</a></div>" for a in _ARABIC for e in _ENGLISH)
    html = f"<!doctype html><html lang=ar><title>{_ARABIC[0]}</title>{body}</html>".encode()
    coded = [
        record(http(gzip.compress(html, mtime=0), "Content-Encoding: gzip\r\n"), "http://x/gz"),
        record(http(b"%x\r\n%b\r\n0\r\n\r\n" % (len(html), html), "Transfer-Encoding: chunked\r\n"), "http://x/c"),
        record(_ARABIC[0].encode("cp1256"), "http://x/t", "conversion"),
        record(b"", "http://x/empty"),
        record(b"GET / HTTP/1.1\r\n\r\n", "http://x/r", "request"),
    ]  # fmt: skip
    warc = warc_records(4) + coded
    text = "\n".join(_ARABIC + _ENGLISH) + "\r\n\r\n" + " ".join(_ARABIC + _ENGLISH)
    rows = lines(6)
    table = [("id", "url", "text"), *((str(n), url, t) for n, (url, t) in enumerate(pages(6)))]
    csv = "".join(f'{i},{u},"{t}"\n' for i, u, t in table)
    tsv = "".join("\t".join(row) + "\r\n" for row in table)
    sheet = io.BytesIO()
    pl.DataFrame(table[1:], list(table[0]), orient="row").write_parquet(sheet, row_group_size=2)
    snappy = io.BytesIO()
    pl.DataFrame({"html": [html, None, html[:50]], "n": [1, 2, 3]}).write_parquet(
        snappy, compression="snappy"
    )
    wide = json.dumps({"html": html.decode(), "url": "u", "data": {"a": [1, 2]}}).encode()
    plain = sorted((ROOT / "corpora" / "scrapes").glob("*.txt"))[:3]
    samples = sorted((ROOT / "corpora" / "html").glob("*.html"), key=lambda p: p.stat().st_size)
    return [
        Input("a.warc", b"".join(warc)),
        Input("a.warc.gz", packed(warc)),
        Input("b.warc.gz", gzip.compress(b"".join(warc), mtime=0)),
        Input("a.warc.zst", b"".join(map(zstandard.compress, warc))),
        Input("b.warc.zst", zstandard.compress(b"".join(warc))),
        Input("a.jsonl", b"\n".join(rows)),
        Input("b.jsonl", b"\r\n".join([*rows, b"", wide, b"null"])),
        Input("a.jsonl.gz", gzip.compress(b"\n".join(rows), mtime=0)),
        Input("a.jsonl.zst", zstandard.compress(b"\n".join([*rows, wide]))),
        Input("a.csv", csv.encode()),
        Input("b.csv", csv.replace(",", ";").encode("cp1256")),
        Input("a.csv.gz", gzip.compress(csv.encode("utf-16"), mtime=0)),
        Input("a.tsv", tsv.encode("utf-8-sig")),
        Input("a.parquet", sheet.getvalue()),
        Input("b.parquet", snappy.getvalue()),
        Input("a.html", html),
        Input("b.html", html.replace(b"<title>", b"<meta charset=windows-1256><title>")
              .decode().encode("cp1256")),
        Input("a.html.gz", gzip.compress(html, mtime=0)),
        *(Input(f"{n}.html", path.read_bytes()) for n, path in enumerate(samples[:3])),
        *(Input(f"a-{name}.txt", text.encode(name))
          for name in ("utf-8", "cp1256", "utf-16", "utf-16-be", "utf-32", "iso8859-6")),
        *(Input(f"{n}.txt", path.read_bytes()) for n, path in enumerate(plain)),
        *other_formats(),
        Input("a.txt.gz", gzip.compress(text.encode(), mtime=0)),
        Input("a.txt.zst", zstandard.compress(text.encode())),
    ]  # fmt: skip


def other_formats() -> list[Input]:
    """One valid file of each format that scrapers and crawlers write besides WARC and tables."""
    rows = [{"url": url, "text": text} for url, text in pages(5)]
    array = json.dumps(rows, ensure_ascii=False)
    arc = [b"filedesc://a 0.0.0.0 20100101000000 text/plain 9\n1 0 fuzz\n\n"]
    for url, text in pages(4):
        block = http(f"<p>{text}</p>".encode())
        arc.append(
            b"%b 10.0.0.1 20100101000000 text/html %d\n%b\n" % (url.encode(), len(block), block)
        )
    items = [
        f"<item><title>{n}</title><link>{url}</link><description><![CDATA[<p>{text}</p>]]></description></item>"
        for n, (url, text) in enumerate(pages(4))
    ]
    rss = f'<?xml version="1.0"?><rss><channel><language>ar</language>{"".join(items)}</channel></rss>'
    entries = [
        f'<entry><title>{n}</title><link href="{url}"/><content type="xhtml"><div>{text}</div></content></entry>'
        for n, (url, text) in enumerate(pages(4))
    ]
    atom = f'<feed xml:lang="en">{"".join(entries)}</feed>'
    html = f"<!doctype html><meta charset=utf-8><p>{_ARABIC[0]}</p><p>{_ENGLISH[0]}</p>".encode()
    mhtml = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + quopri.encodestring(html) + b"\r\n--b\r\nContent-Type: image/gif\r\n\r\nGIF\r\n--b--\r\n"
    )  # fmt: skip
    return [
        Input("a.json", array.encode()),
        Input("b.json", json.dumps(rows, indent=1).encode("utf-16")),
        Input("c.json.gz", gzip.compress("\n".join(json.dumps(r, indent=1) for r in rows).encode(), mtime=0)),
        Input("a.jl.bz2", bz2.compress("\n".join(map(json.dumps, rows)).encode())),
        Input("a.arc", b"".join(arc)),
        Input("a.arc.gz", packed(arc)),
        Input("a.rss", rss.encode()),
        Input("a.xml", atom.encode()),
        Input("a.mht", mhtml),
        Input("a.mhtml.xz", lzma.compress(mhtml)),
        Input("a.wacz", wacz(packed(warc_records(4)), zipfile.ZIP_STORED)),
        Input("b.wacz", wacz(packed(warc_records(4)), zipfile.ZIP_DEFLATED)),
        Input("a.md", "\n\n".join(f"# {a}\n- [{e}](x)\n> **{a}**" for a in _ARABIC for e in _ENGLISH).encode()),
        Input("c.jsonl", json.dumps({"markdown": "# a\n\n*b* | c\n---|---\n" + array}).encode()),
        Input("c.csv", b"sep=;\nid;text\n" + "".join(f'{n};"\\"{t}\\" <b>x</b><br>"\n' for n, (_, t) in enumerate(pages(5))).encode()),
    ]  # fmt: skip


def wacz(archive: bytes, compression: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr(zipfile.ZipInfo("datapackage.json"), "{}")
        file.writestr(zipfile.ZipInfo("archive/a.warc.gz"), archive, compression)
    return stream.getvalue()


# damage


def _span(rng: random.Random, data: bytes, most: int = 400) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + int(rng.expovariate(1) * rng.choice((2, most))) + 1)


def _flip(rng: random.Random, data: bytes) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 20)) if damaged else 0):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _insert(rng: random.Random, data: bytes) -> bytes:
    at, _ = _span(rng, data)
    return data[:at] + rng.randbytes(rng.choice((1, 4, 100))) + data[at:]


def _delete(rng: random.Random, data: bytes) -> bytes:
    start, stop = _span(rng, data)
    return data[:start] + data[stop:]


def _duplicate(rng: random.Random, data: bytes) -> bytes:
    start, stop = _span(rng, data)
    return data[:stop] + data[start:]


def _swap(rng: random.Random, data: bytes) -> bytes:
    a, b, c, d = sorted((*_span(rng, data), *_span(rng, data)))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _cut(rng: random.Random, data: bytes) -> bytes:
    at, _ = _span(rng, data)
    return data[at:] if rng.random() < 0.2 else data[:at]


def _splice(rng: random.Random, data: bytes) -> bytes:
    other = rng.choice(sound()).data
    at, _ = _span(rng, data)
    start, stop = _span(rng, other, 2000)
    return data[:at] + other[start:stop] + (data[at:] if rng.random() < 0.7 else b"")


def _digits(rng: random.Random, data: bytes) -> bytes:
    numbers = list(re.finditer(rb"\d+", data))
    if not numbers:
        return data
    start, stop = rng.choice(numbers).span()
    new = rng.choice((b"0", b"-1", b"", b"9" * 20, str(rng.randrange(5000)).encode()))
    return data[:start] + new + data[stop:]


def _blank(rng: random.Random, data: bytes) -> bytes:
    start, stop = _span(rng, data)
    unit = rng.choice((b"\0", b"\xff", b"\xed\xa0\x80", b" ", b"\n", b"\x80"))
    return data[:start] + (unit * (stop - start))[: stop - start] + data[stop:]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    start, stop = _span(rng, data, 100)
    times = min(rng.choice((3, 100, 20_000)), (_MAX_SIZE - len(data)) // max(stop - start, 1))
    return data[:stop] + data[start:stop] * max(times, 0) + data[stop:]


def _nasty(rng: random.Random, data: bytes) -> bytes:
    token = rng.choice(_NASTY)
    if rng.random() < 0.2:
        token = rng.choice(_TAGS) * rng.choice((10, 600, 30_000))
    at, _ = _span(rng, data)
    if rng.random() < 0.3:  # at the start of a token
        at = data.find(rng.choice((b"\n", b">", b"<", b'"')), at) + 1
    return data[:at] + token + data[at:]


def _newlines(rng: random.Random, data: bytes) -> bytes:
    return data.replace(*rng.choice(((b"\n", b"\r\n"), (b"\r\n", b"\n"), (b"\n", b"\r"))))


_DAMAGE: list[Callable[[random.Random, bytes], bytes]] = [
    _flip, _insert, _delete, _duplicate, _swap, _cut, _splice, _digits, _blank, _repeat, _nasty,
    _nasty, _newlines,
]  # fmt: skip


def damage(rng: random.Random, data: bytes, most: int = 8) -> bytes:
    for _ in range(rng.randint(1, most)):
        data = rng.choice(_DAMAGE)(rng, data)[:_MAX_SIZE]
    return data


def mutated(seed: int) -> Input:
    """A damaged file, which depends only on the seed."""
    rng = random.Random(seed)
    name, data = sound()[seed % len(sound())]
    if name.endswith(".gz") and rng.random() < 0.5:  # damage the decompressed content
        data = gzip.compress(damage(rng, gzip.decompress(data)), 1, mtime=0)
    elif name.endswith((".bz2", ".xz")) and rng.random() < 0.5:
        module = bz2 if name.endswith("2") else lzma
        data = module.compress(damage(rng, module.decompress(data)))
    elif name.endswith(".zst") and rng.random() < 0.5:
        data = zstandard.compress(
            damage(rng, zstandard.ZstdDecompressor().decompressobj().decompress(data))
        )
    else:
        data = damage(rng, data)
    if rng.random() < 0.1:
        name = f"{name.partition('.')[0]}.{rng.choice(_NAMES)}"
    return Input(name, data)


class OneDamaged(NamedTuple):
    """A file with one damaged record, and the texts of the other records by address."""

    file: Input
    others: dict[str, str]


def one_damaged(seed: int) -> OneDamaged:
    """A WARC, a WARC of gzip members or a JSONL with one damaged record."""
    rng = random.Random(seed)
    count = rng.randint(2, 8)
    n = rng.randrange(count)
    form = ("warc", "warc.gz", "jsonl")[seed % 3]
    parts = {"warc": warc_records, "warc.gz": warc_records, "jsonl": lines}[form](count)
    if form == "jsonl":
        parts[n] = damage(rng, parts[n]).replace(b"\n", b" ")
        parts[n] = parts[n] if parts[n].strip() else b"{"
        is_lines = detect_format(parts[n], "a.jsonl") == Format("jsonl")
        if parts[n].startswith(_MAGIC) or not is_lines:  # would declare another form or format
            parts[n] = b"{" + parts[n]
        data = b"\n".join(parts)
    elif form == "warc.gz":
        stored = [gzip.compress(part, mtime=0) for part in parts]
        stored[n] = damage(rng, stored[n])
        if not stored[n].strip(b"\0"):  # zero padding between members is valid
            stored[n] = b"?"
        if stored[0].startswith(_MAGIC[1:]) or not compression("a.gz", stored[0][:HEAD]):
            stored[0] = b"?\0" + stored[0]  # else another form, or none, would be declared
        data = b"".join(stored)
    else:
        parts[n] = _damage_record(rng, parts[n])
        data = b"".join(parts)
    others = dict(pages(count))
    del others[f"http://x/{n}"]
    return OneDamaged(Input(f"a.{form}", data), others)


def _damage_record(rng: random.Random, sound: bytes) -> bytes:
    """Damage a WARC record, but not its types: a record of another type would not be a page."""
    head, body = sound.split(b"\r\n\r\n", 1)
    http_head, payload = body.split(b"\r\n\r\n", 1)
    match rng.randrange(4):
        case 0:
            length = rng.choice((b"x", b"", b"-5", b"0", b"7", b"9" * 15, b"9" * 30))
            head = re.sub(rb"(?<=Length: )\d+", length, head)
        case 1:
            head = rng.choice((b"X", b"\0", b"WARC/1.0\r\n")) + head[rng.choice((0, 1, 8)) :]
        case 2:
            return sound[: rng.randrange(1, len(sound) - 4)]
        case 3:
            payload = damage(rng, payload)
    return b"\r\n\r\n".join((head, http_head, payload))


# checks


def check(path: Path, *, deep: bool = False) -> Result:
    """Read a file in slices and as a whole, and segment it; if `deep`, label it as well.

    Raises:
        AssertionError: a check failed.
        Exception: whatever reading or segmenting raised.
    """
    size = path.stat().st_size
    parts = plan_slices([str(path)], shard_bytes=max(64, size // 3))
    documents = pl.concat(read_batches(parts, READ, batch_chars=2000))
    assert documents.schema == schema(DOCUMENTS)
    rows, slowest = timed(path)
    check_documents(documents)
    check_slices(path, documents, rows)
    check_count(path, documents)
    if deep:
        _warm()
    began = time.thread_time()
    segments = ingest.segment(documents)
    if deep:
        labelled = ingest.label(ingest.detect(segments))
        assert labelled.height == segments.height
        assert ingest.dedupe(labelled, documents).height == segments.height
    took = time.thread_time() - began
    most = SECONDS * (1 + documents.height + segments.height / 10_000)
    assert took < most, f"{took:.1f} s to segment and label"
    check_segments(documents, segments)
    return Result(documents.height, documents["error"].count(), slowest)


@cache
def _warm() -> None:
    """Load the models, so that their time is not measured."""
    ingest.label(ingest.detect(ingest.segment(ingest.read(ROOT / "corpora" / "html"))))


def timed(path: Path) -> tuple[list[dict], float]:
    """The rows of a file read as one slice, and the seconds of its slowest record."""
    rows: list[dict] = []
    slowest = 0.0
    began = time.thread_time()
    for part in plan_slices([str(path)], shard_bytes=1 << 62):
        for record in read_records(part, READ):
            rows.append(page.to_row(record))
            now = time.thread_time()
            slowest, began = max(slowest, now - began), now
    slowest = max(slowest, time.thread_time() - began)
    assert slowest < SECONDS, f"a record took {slowest:.1f} s"
    return rows, slowest


def check_documents(documents: pl.DataFrame) -> None:
    assert documents["doc_id"].is_unique().all(), "two rows have one doc_id"
    either = documents["text"].is_null() != documents["error"].is_null()
    assert either.all(), "a row has both or neither of text and error"
    for name, dtype in documents.schema.items():
        if dtype == pl.String:
            for value in documents[name].drop_nulls():
                value.encode()
    read = documents.filter(pl.col("text").is_not_null())
    for text, chars, media_type, blocks in read.select(
        "text", "chars", "media_type", "blocks"
    ).iter_rows():
        assert len(text) == chars
        if media_type == "text/html":
            assert len(blocks or ()) == (text.count("\n") + 1 if text else 0), (
                "blocks and lines differ in number"
            )
        else:
            assert blocks is None


def check_slices(path: Path, documents: pl.DataFrame, rows: list[dict]) -> None:
    """Slices give the same records as the whole file."""
    parquet = {part.kind for part in plan_slices([str(path)], shard_bytes=1 << 62)} == {"parquet"}
    if parquet and documents["error"].count():
        return  # each slice reports the first row that it cannot read
    for name in ("doc_id", "record", "url", "error", "text"):
        same = documents[name].to_list() == [row.get(name) for row in rows]
        assert same or nested(path.read_bytes()), f"slices differ from the whole in {name}"


def nested(data: bytes) -> bool:
    """Whether a gzip member contains the bytes of another, where a slice may start."""
    at = 0
    while (at := data.find(b"\x1f\x8b\x08", at)) >= 0:
        member = zlib.decompressobj(31)
        try:
            member.decompress(data[at:])
        except zlib.error:
            at += 1
            continue
        stop = len(data) - len(member.unused_data)
        if data.find(b"\x1f\x8b\x08", at + 1, stop) >= 0:
            return True
        at = stop
    return False


def check_count(path: Path, documents: pl.DataFrame) -> None:
    """Each file and each JSON line has a row, except WARC files without a page."""
    data = path.read_bytes()
    name = path.name
    kind = plan_slices([str(path)], shard_bytes=1 << 62)[0].kind
    is_plain = not compression(name, data[:HEAD]) and not wide_encoding(data)
    if kind == "jsonl" and is_plain:
        stored = [
            line for line in data.split(b"\n") if line.translate(None, b"\xef\xbb\xbf\x1e").strip()
        ]
        assert documents.height >= len(stored), "lines and rows differ in number"
    elif not documents.height and kind in ("arc", "feed", "wacz"):
        pass  # none of their records may be a page
    elif not documents.height and data.strip(b"\0"):  # padding without a member is valid gzip
        head = data.strip().splitlines()
        assert _is_warc(data) or (
            re.search(r"\.(jsonl|warc|parquet)\b", name)
            or (re.search(r"\.(csv|tsv)\b", name) and (len(head) == 1 or name.endswith("z")))
        ), "no row"
        if ".warc" in name or _is_warc(data):
            form = {"gz": gzip.decompress, "zst": _unzst}.get(name.rpartition(".")[2])
            inside = form(data) if data and form else data
            page_of = re.compile(rb"(?i)\AWARC/1\.\d\s[\s\S]*WARC-Type: (response|conversion)\r?\n")
            assert not page_of.match(inside[:200]) or not _A_PAGE.search(inside[:400]), "no row"


def _is_warc(data: bytes) -> bool:
    return data.startswith(b"WARC/")


def _unzst(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


def check_segments(documents: pl.DataFrame, segments: pl.DataFrame) -> None:
    """Segments match their offsets, and together contain all text of the page."""
    texts = dict(documents.select("doc_id", "text").drop_nulls().iter_rows())
    pieces: dict[str, list[str]] = {}
    before = ("", -1)
    for name, start, end, text in segments.select("doc_id", "start", "end", "text").iter_rows():
        assert texts[name][start:end] == text
        assert text
        assert before[0] != name or before[1] <= start, "segments overlap"
        before = (name, end)
        pieces.setdefault(name, []).append(text)
    for name, text in texts.items():
        joined = "".join(pieces.get(name, ()))
        assert "".join(joined.split()) == "".join(text.split()), "text was lost"


def check_others(path: Path, others: dict[str, str]) -> None:
    """All other records are read, and the damaged one has a row."""
    parts = plan_slices([str(path)], shard_bytes=300)
    documents = pl.concat(read_batches(parts, READ))
    valid = documents.filter(pl.col("error").is_null())
    texts: dict[str, list[str]] = {}
    for url, text in valid.select("url", "text").iter_rows():
        texts.setdefault(url, []).append(text)
    for url, text in others.items():
        assert text in texts.get(url, ()), f"{url} is lost"
    assert documents.height > len(others), "the damaged record has no row"
