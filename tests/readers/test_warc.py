from __future__ import annotations

import gzip
import io
import zlib

import pytest
import zstandard
from fastwarc.warc import WarcRecord, WarcRecordType
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import ReadConfig
from ingest.readers import document as page
from ingest.readers import warc
from ingest.readers.records import Slice

SMALL = ReadConfig(max_record_bytes=100_000)


def record(
    block,
    *,
    kind="response",
    ctype="application/http; msgtype=response",
    url="http://x/",
    length=None,
):
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <{url}>\r\n"
        f"Content-Type: {ctype}\r\nContent-Length: {len(block) if length is None else length}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def http(body, *, ctype="text/html", status="200 OK", more=""):
    head = f"HTTP/1.1 {status}\r\n" + (f"Content-Type: {ctype}\r\n" if ctype else "")
    return (head + more + "\r\n").encode() + body


def html(n, size=0):
    return record(http(f"<p>page {n}".encode() + b"x" * size), url=f"http://x/{n}")


def read(path, config=SMALL, **part):
    size = path.stat().st_size
    records = warc.read_records(Slice(str(path), "warc", 0, size, 0, size), config)
    return [record for record in records if record.left_out is None]


def in_slices(path, shard, config=SMALL):
    return [
        r for part in warc.cut_slices(str(path), shard) for r in warc.read_records(part, config)
    ]


def saved(tmp_path, data, name="a.warc"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def contents(records):
    return [r.content if r.error is None else f"error: {r.error}" for r in records]


FORMS = {
    "plain": ("a.warc", b"".join),
    "members": ("a.warc.gz", lambda parts: b"".join(map(gzip.compress, parts))),
    "one member": ("a.warc.gz", lambda parts: gzip.compress(b"".join(parts), mtime=0)),
    "frames": ("a.warc.zst", lambda parts: b"".join(map(zstandard.compress, parts))),
    "one frame": ("a.warc.zst", lambda parts: zstandard.compress(b"".join(parts))),
    "wrong suffix": ("a.warc", lambda parts: b"".join(map(gzip.compress, parts))),
}
PARTS = [
    record(b"software: x\r\n", kind="warcinfo", ctype="application/warc-fields"),
    html(0),
    record(b"GET / HTTP/1.1\r\n\r\n", kind="request", ctype="application/http; msgtype=request"),
    html(1),
    record(http(b"\x89PNG\r\n", ctype="image/png")),
    record(http(b"plain", ctype="text/plain; charset=windows-1256")),
    record(b"fetchTimeMs: 1", kind="metadata", ctype="application/warc-fields"),
    record("نص".encode(), kind="conversion", ctype="text/plain"),
]


@pytest.mark.parametrize("form", FORMS)
def test_pages_of_each_form(tmp_path, form):
    name, pack = FORMS[form]
    records = read(saved(tmp_path, pack(PARTS), name))
    assert contents(records) == [b"<p>page 0", b"<p>page 1", b"plain", "نص".encode()]
    assert [r.url for r in records] == ["http://x/0", "http://x/1", "http://x/", "http://x/"]
    assert [r.media_type for r in records] == ["text/html", "text/html", "text/plain", "text/plain"]
    assert records[2].charset == "windows-1256"
    assert len({r.record for r in records}) == 4


def test_record_is_the_offset_in_the_file_as_stored(tmp_path):
    for form, stored in (("plain", PARTS), ("members", [gzip.compress(p, mtime=0) for p in PARTS])):
        name, _ = FORMS[form]
        path = saved(tmp_path, b"".join(stored), name)
        starts = [sum(map(len, stored[:n])) for n in (1, 3, 5, 7)]
        assert [r.record for r in read(path)] == starts


def test_a_file_of_another_writer(tmp_path):
    stream = io.BytesIO()
    for n in range(3):
        written = WarcRecord()
        written.init_headers(WarcRecordType.response)
        written.is_http = True
        written.set_bytes_content(http(f"<p>page {n}".encode()))
        written.write(stream)
    assert contents(read(saved(tmp_path, stream.getvalue()))) == [
        b"<p>page 0",
        b"<p>page 1",
        b"<p>page 2",
    ]


def test_a_zst_file_with_its_dictionary(tmp_path):
    words = zstandard.train_dictionary(2000, [html(n, n) for n in range(300)])
    packed = zstandard.compress(words.as_bytes())
    frames = [zstandard.ZstdCompressor(dict_data=words).compress(html(n)) for n in range(3)]
    for stored in (packed, words.as_bytes()):
        head = b"\x5d\x2a\x4d\x18" + len(stored).to_bytes(4, "little") + stored
        assert len(read(saved(tmp_path, head + b"".join(frames), "a.warc.zst"))) == 3


CHUNKED = b"4\r\n<p>a\r\n3;x=y\r\nbcd\r\n0\r\n\r\n"


def coded(coding, body, more=""):
    return http(body, more=f"Content-Encoding: {coding}\r\n{more}")


@pytest.mark.parametrize(
    "block",
    [
        coded("gzip", gzip.compress(b"<p>abcd", mtime=0)),
        coded("deflate", zlib.compress(b"<p>abcd")),
        coded("deflate", zlib.compress(b"<p>abcd")[2:-4]),
        coded("zstd", zstandard.compress(b"<p>abcd")),
        coded("br", b"\x0b\x03\x80<p>abcd\x03"),
        coded("br", b"<p>abcd"),  # stored decoded, beside the header that it came with
        coded("gzip", b"<p>abcd"),
        coded("unknown", b"<p>abcd"),
        http(CHUNKED, more="Transfer-Encoding: chunked\r\n"),
        http(b"<p>abcd", more="Transfer-Encoding: chunked\r\n"),
        http(b"7\r\n<p>abcd", more="Transfer-Encoding: chunked\r\n"),
        coded("gzip", b"1b\r\n" + gzip.compress(b"<p>abcd", mtime=0)[:27] + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n"),
        b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n<p>abcd",
        b"HTTP/2 200\r\ncontent-type: TEXT/HTML; charset=x\r\n\r\n<p>abcd",
    ],
)  # fmt: skip
def test_http(tmp_path, block):
    assert contents(read(saved(tmp_path, record(block)))) == [b"<p>abcd"]


@pytest.mark.parametrize(
    ("block", "error"),
    [
        (http(b"no", status="404 Not Found"), "HTTP status 404"),
        (http(b"", status="301 Moved"), "HTTP status 301"),
        (
            coded("gzip", gzip.compress(bytes(range(256)) * 9, mtime=0)[:-30]),
            "cannot be decompressed",
        ),
        (coded("gzip", gzip.compress(b"a" * 200_000, mtime=0)), "more than 100000 bytes"),
        (coded("deflate", zlib.compress(b"<p>abcd" * 9_999)[:-9]), "the file is cut off"),
        (coded("deflate", zlib.compress(b"<p>abcd" * 9_999)[2:-9]), "the file is cut off"),
        (coded("deflate", zlib.compress(b"a" * 200_000)), "more than 100000 bytes"),
        (coded("br", bytes(range(256))), "cannot be decompressed"),
        (http(b"3\r\nabc\r\nzz\r\n", more="Transfer-Encoding: chunked\r\n"), "chunk"),
        (b"no header", "has no HTTP header"),
    ],
)
def test_a_page_that_cannot_be_decoded_is_an_error(tmp_path, block, error):
    (bad, good) = read(saved(tmp_path, record(block) + html(1)))
    assert error in bad.error
    assert bad.content is None
    assert good.content == b"<p>page 1"


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (http(b"<p>x", ctype=""), [None]),
        (http(b"<p>x", ctype="application/octet-stream"), [None]),
        (http(bytes(range(256)), ctype="application/octet-stream"), []),
        (http(b"%PDF", ctype="application/pdf"), []),
        (http(b"{}", ctype="application/json"), []),
        (http(b"a{}", ctype="text/css"), []),
        (http(b"<rss>", ctype="text/xml"), []),
        (http(b"<?xml version='1.0'?><html >", ctype="application/xml"), ["text/html"]),
        (http(b"<html >", ctype="application/xhtml+xml"), ["text/html"]),
        (http(b"x", ctype="image/png", status="404 No"), []),
        (http(b""), ["text/html"]),
        (b"", [None]),
    ],
)
def test_which_records_are_pages(tmp_path, block, expected):
    records = read(saved(tmp_path, record(block)))
    assert [r.media_type for r in records] == expected
    assert all(r.error is None for r in records)


def test_an_empty_payload_is_a_page_without_text(tmp_path):
    for block in (b"", http(b"")):
        row = page.to_row(read(saved(tmp_path, record(block)))[0])
        assert (row["error"], row["text"]) == (None, "")


def broken(parts, n, how):
    return [*parts[:n], how(parts[n]), *parts[n + 1 :]]


PAGES = [html(n, 50) for n in range(5)]
GOOD = [f"<p>page {n}".encode() + b"x" * 50 for n in range(5)]
DAMAGE = {
    "too long": (lambda p: p.replace(b"Content-Length: 1", b"Content-Length: 2"), "no record follows"),
    "far too long": (lambda p: p.replace(b"Content-Length: ", b"Content-Length: 9"), ""),
    "too short": (lambda p: p.replace(b"Content-Length: 1", b"Content-Length: "), "no record follows"),
    "no number": (lambda p: p.replace(b"Content-Length: ", b"Content-Length: x"), "no numeric Content-Length"),
    "negative": (lambda p: p.replace(b"Content-Length: ", b"Content-Length: -"), "no numeric Content-Length"),
    "huge": (lambda p: p.replace(b"Content-Length: ", b"Content-Length: 99999999999999"), ""),
    "no length": (lambda p: p.replace(b"Content-Length", b"Content-Strength"), "no numeric Content-Length"),
    "cut": (lambda p: p[:-40], "no record follows"),
    "cut in its header": (lambda p: p[:50], ""),
    "no version": (lambda p: b"X" + p[1:], "no WARC record"),
    "junk before": (lambda p: b"junk\0\n" * 9 + p, None),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("n", range(4))
@pytest.mark.parametrize("form", ["plain", "members", "one member", "one frame"])
def test_damage_affects_only_its_record(tmp_path, name, n, form):
    how, error = DAMAGE[name]
    file, pack = FORMS[form]
    path = saved(tmp_path, pack(broken(PAGES, n, how)), file)
    records = read(path)
    bad = [r for r in records if r.error]
    assert bad
    good = [r.content for r in records if not r.error]
    others = GOOD if error is None else GOOD[:n] + GOOD[n + 1 :]
    # a record that is cut off affects at most the one that follows it directly
    assert [g for g in good if g in others] == good
    assert len(good) >= len(others) - (name == "cut in its header")
    if error:
        assert error in bad[0].error or "cut off" in bad[0].error
    assert len({r.record for r in records}) == len(records)
    for shard in (1, 100, 777):
        assert in_slices(path, shard) == records


def test_a_length_that_ends_at_a_blank_line_of_the_next_record(tmp_path):
    head = html(1).index(b"\r\n\r\n")  # where the blank line of the next header stands
    cut = record(b"HTTP/1.1 2", length=10 + head, url="http://x/cut")[:-4]
    records = read(saved(tmp_path, html(0) + cut + html(1) + html(2)))
    assert [r.error is None for r in records] == [True, False, True, True]
    damaged = b"X" + html(1)[1:]
    records = read(saved(tmp_path, html(0) + damaged + html(2)))
    assert contents(records)[::2] == [b"<p>page 0", b"<p>page 2"]


MEMBERS = [gzip.compress(p, mtime=0) for p in PAGES]
GZIP_DAMAGE = {
    "cut": lambda m: m[:-20],
    "no end": lambda m: m[:-4],
    "bad sum": lambda m: m[:-8] + b"abcd" + m[-4:],
    "bad magic": lambda m: b"\0" + m[1:],
    "flipped": lambda m: m[:40] + bytes([m[40] ^ 255]) + m[41:],
    "no gzip": lambda _m: b"something else\n",
    "no record": lambda _m: gzip.compress(b"hello", mtime=0),
}


@pytest.mark.parametrize("name", GZIP_DAMAGE)
@pytest.mark.parametrize("n", range(5))
def test_a_damaged_member_affects_only_one_page(tmp_path, name, n):
    path = saved(tmp_path, b"".join(broken(MEMBERS, n, GZIP_DAMAGE[name])), "a.warc.gz")
    records = read(path)
    assert [r.content for r in records if not r.error] == GOOD[:n] + GOOD[n + 1 :]
    assert sum(r.error is not None for r in records) >= (name != "bad magic")
    for shard in (1, 150, 400):
        assert in_slices(path, shard) == records


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_is_cut_off_anywhere(tmp_path, form):
    file, pack = FORMS[form]
    data = pack(PAGES)
    for stop in range(12, len(data) - 4, 37):
        path = saved(tmp_path, data[:stop], file)
        records = read(path)
        good = [r.content for r in records if not r.error]
        assert good == GOOD[: len(good)]
        assert len(records) <= len(good) + 1
        whole = sum(
            len(p) for p in (MEMBERS if form in ("members", "wrong suffix") else PAGES)[: len(good)]
        )
        if form in ("plain", "members", "wrong suffix") and stop != whole:
            assert records[-1].error or form == "plain"
        assert in_slices(path, 200) == records


def test_a_first_member_that_looks_like_more_records(tmp_path):
    first = gzip.compress(PAGES[0][:60] + PAGES[0] * 2, mtime=0)
    path = saved(tmp_path, first[:-8] + b"abcd" + first[-4:] + b"".join(MEMBERS[1:]), "a.warc.gz")
    records = read(path)
    assert [r.content for r in records if not r.error][-4:] == GOOD[1:]
    assert records[0].error
    assert in_slices(path, 300) == records
    sound = gzip.compress(PAGES[0][:60] + b"".join(PAGES), mtime=0)
    assert contents(read(saved(tmp_path, sound, "a.warc.gz")))[1:] == GOOD


def test_padding_and_trailing_newlines_are_not_damage(tmp_path):
    assert contents(read(saved(tmp_path, b"".join(PAGES) + b"\r\n" * 9))) == GOOD
    assert contents(read(saved(tmp_path, b"".join(MEMBERS) + bytes(999), "a.warc.gz"))) == GOOD
    assert contents(read(saved(tmp_path, b"".join(PAGES)[:-4]))) == GOOD


def test_identical_records_are_separate_pages(tmp_path):
    for name, pack in FORMS.values():
        records = read(saved(tmp_path, pack([PAGES[0]] * 5), name))
        assert contents(records) == [GOOD[0]] * 5
        assert len({page.to_row(r)["doc_id"] for r in records}) == 5


def test_a_large_record_is_an_error_and_is_skipped(tmp_path):
    large = [html(0), html(1, 300_000), html(2)]
    image = [html(0), record(http(b"x" * 300_000, ctype="image/png")), html(2)]
    for name, pack in FORMS.values():
        good, bad, last = read(saved(tmp_path, pack(large), name))
        assert "more than 100000 bytes" in bad.error
        assert bad.url == "http://x/1"
        assert (good.content, last.content) == (b"<p>page 0", b"<p>page 2")
        assert contents(read(saved(tmp_path, pack(image), name))) == [b"<p>page 0", b"<p>page 2"]


def test_a_gzip_bomb_is_an_error(tmp_path):
    bomb = record(http(bytes(50_000_000)), length=60_000_000)
    path = saved(
        tmp_path,
        gzip.compress(html(0), mtime=0) + gzip.compress(bomb) + gzip.compress(html(1)),
        "a.warc.gz",
    )
    assert [r.error is None for r in read(path)] == [True, False, True]


def test_a_member_with_several_records(tmp_path):
    mixed = [
        gzip.compress(PAGES[0], mtime=0),
        gzip.compress(b"".join(PAGES[1:4])),
        gzip.compress(PAGES[4]),
    ]
    records = read(saved(tmp_path, b"".join(mixed), "a.warc.gz"))
    assert contents(records) == GOOD
    assert len({r.record for r in records}) == 5


def test_a_header_without_end(tmp_path):
    path = saved(tmp_path, html(0) + b"WARC/1.0\r\n" + b"X: y\r\n" * 50_000 + html(1))
    records = read(path)
    assert records[1].error == "its header has no end"
    assert records[-1].content == b"<p>page 1"


@pytest.mark.parametrize(
    "data", [b"", b"no WARC", b"WARC/1.0", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", bytes(99)]
)
@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz", "a.warc.zst"])
def test_a_file_of_another_format(tmp_path, data, name):
    path = saved(tmp_path, data, name)
    records = read(path)
    assert all(r.error for r in records)
    assert bool(records) == bool(data.strip(b"\0") or (data and name != "a.warc.gz"))
    assert in_slices(path, 3) == records


def test_a_missing_file(tmp_path):
    (gone,) = warc.cut_slices(str(tmp_path / "a.warc"), 10)
    assert [r.error for r in warc.read_records(gone, SMALL)] == [
        "cannot be read: no such file or directory"
    ]


BLOCKS = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from(["page", "request", "broken", "junk"])),
    max_size=12,
)


@given(BLOCKS, st.integers(1, 3000), st.sampled_from(["plain", "members"]))
def test_slices_give_the_same_records(tmp_path_factory, blocks, shard, form):
    members = []
    for n, (size, kind) in enumerate(blocks):
        whole = html(n, size) if kind != "request" else record(bytes(size), kind="request")
        if kind == "broken":
            whole = whole.replace(b"Content-Length: ", b"Content-Length: 1")
        members.append(b"junk" * size if kind == "junk" else whole)
    name, pack = FORMS[form]
    path = saved(tmp_path_factory.mktemp("w"), pack(members), name)
    records = read(path)
    assert in_slices(path, shard) == records
    assert sum(r.error is None for r in records) >= sum(k == "page" for _, k in blocks) - sum(
        k in ("broken", "junk") for _, k in blocks
    )


@given(st.binary(max_size=400), st.integers(0, 2000), st.sampled_from(list(FORMS)))
def test_any_bytes_anywhere_never_raise(tmp_path_factory, junk, at, form):
    name, pack = FORMS[form]
    data = pack(PAGES)
    path = saved(tmp_path_factory.mktemp("w"), data[:at] + junk + data[at + len(junk) // 2 :], name)
    records = read(path)
    assert len({r.record for r in records}) == len(records)
    assert in_slices(path, 300) == records
