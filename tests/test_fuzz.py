"""For any file: no exception, no hang, and a row for each record."""

from __future__ import annotations

import gzip
import io
import json
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import ingest

sys.path.insert(0, str(Path(__file__).parent))  # helpers of tests are no package

import fuzz

LIMIT = f"has more than {1 << 26} bytes; read.max_record_bytes in a config file sets the limit"


@pytest.mark.parametrize("first", range(0, 400, 40))
def test_mutated_files(tmp_path, first):
    for seed in range(first, first + 40):
        name, data = fuzz.mutated(seed)
        path = tmp_path / name
        path.write_bytes(data)
        try:
            fuzz.check(path, deep=seed % 40 == 0)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        path.unlink()


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_a_damaged_record_does_not_affect_others(tmp_path, first):
    for seed in range(first, first + 100):
        (name, data), others = fuzz.one_damaged(seed)
        path = tmp_path / name
        path.write_bytes(data)
        try:
            fuzz.check_others(path, others)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def test_mutations_are_reproducible():
    assert [fuzz.mutated(n) for n in range(60)] == [fuzz.mutated(n) for n in range(60)]


NAMES = st.sampled_from(["a.warc", "a.warc.gz", "a.warc.zst", "a.html", "a.html.gz", "a.jsonl", "a.jsonl.gz",
                         "a.csv", "a.tsv", "a.parquet", "a.txt", "a.zst", "a"])  # fmt: skip
TOKENS = st.sampled_from([b"WARC/1.0\r\n", b"\r\n\r\n", b"Content-Length: 9\r\n", b'{"text": "', b'"}', b"\n",
                          b"<p>", b"<pre>", b"\r", b"<title>", b"&#13;", b"text,id\n", b'"', b"\t", b"\xff", b"\0",
                          b"PAR1", b"\x1f\x8b\x08\0", "نص".encode(), "نص".encode("utf-16"), b"\\ud800"])  # fmt: skip


@given(NAMES, st.lists(st.one_of(TOKENS, st.binary(max_size=20)), max_size=30))
def test_any_bytes_under_any_name(tmp_path_factory, name, parts):
    path = tmp_path_factory.mktemp("f") / name
    path.write_bytes(b"".join(parts))
    fuzz.check(path)


@given(st.sampled_from(range(len(fuzz.sound()))), st.data())
def test_a_sound_file_with_a_replaced_part(tmp_path_factory, number, data):
    name, whole = fuzz.sound()[number]
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, min(len(whole), start + 200)))
    path = tmp_path_factory.mktemp("f") / name
    path.write_bytes(
        whole[:start] + data.draw(st.one_of(TOKENS, st.binary(max_size=30))) + whole[stop:]
    )
    fuzz.check(path)


# extreme files


def seen(tmp_path, name, data, *, seconds=fuzz.SECONDS):
    """The rows of a file, each read within its time limit."""
    path = tmp_path / name
    path.write_bytes(data)
    began = time.thread_time()
    documents = ingest.read(path)
    assert time.thread_time() - began < seconds * max(documents.height, 1)
    fuzz.check_documents(documents)
    fuzz.check_segments(documents, ingest.segment(documents))
    return documents


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "text" + "</div>" * 100_000,
        "<b>text " * 100_000,
        "<table><tr><td>text" * 50_000,
        "<span><div>text</span>" * 50_000,
        "<x-a>text</span></p></div>" * 25_000,
        "<form><div>text</form>" * 50_000,
        "<div><textarea></div></textarea>text" * 25_000,
        "".join(f"<p><font a={n}>text</p>" for n in range(10_000)),
        "text" + "".join(f"<body a{n}=1>" for n in range(50_000)),
        "text" + "&#x" * 100_000 + "&amp" * 100_000 + "&" + "a" * 500_000,
        "text" + "<!--" * 100_000,
        "<svg><![CDATA[text" * 50_000,
        "text" + "<" * 500_000,
    ],
)  # fmt: skip
def test_extreme_nesting_and_markup(tmp_path, html):
    documents = seen(tmp_path, "a.html", html.encode())
    assert documents["error"].to_list() == [None]
    assert documents["blocks"].list.eval(pl.element().struct.field("block").str.len_chars()).list.max().item() in (
        None, *range(1025))  # fmt: skip


def test_an_attribute_of_50_megabytes(tmp_path):
    html = f'<p class="{"x" * 50_000_000}">first</p><p>second</p>'
    documents = seen(tmp_path, "a.html", html.encode())
    assert documents["text"].to_list() == ["first\nsecond"]


@pytest.fixture(scope="module")
def bombs():
    """100 MB of letters in each format. Gzip members can be concatenated."""
    letters = b"a" * (100 << 20)
    packed = gzip.compress(letters, 1)
    page = fuzz.record(fuzz.http(letters), "http://x/bomb")
    head, end = page[: page.index(b"aaa")], b"\r\n\r\n"
    first, last = fuzz.warc_records(2)
    return {
        "a.txt.gz": packed,
        "a.html.gz": gzip.compress(b"<p>") + packed,
        "a.txt.zst": zstandard.compress(letters),
        "a.warc.gz": gzip.compress(first) + gzip.compress(page, 1) + gzip.compress(last),
        "b.warc.gz": gzip.compress(first + head) + packed + gzip.compress(end + last),
        "a.jsonl.gz": gzip.compress(b'{"text": ""}\n{"text": "')
        + packed
        + gzip.compress(b'"}\n{"text": ""}'),
        "a.csv.gz": gzip.compress(b"text,id\na,1\n") + packed + gzip.compress(b"\nb,2\n"),
    }


FORMS = ["a.txt.gz", "a.html.gz", "a.txt.zst", "a.warc.gz", "b.warc.gz", "a.jsonl.gz", "a.csv.gz"]


@pytest.mark.parametrize("name", FORMS)
def test_a_bomb_is_an_error_that_names_the_limit(tmp_path, bombs, name):
    documents = seen(tmp_path, name, bombs[name])
    whole = name.endswith((".txt.gz", ".html.gz", ".txt.zst"))
    assert documents["error"].to_list() == ([LIMIT] if whole else [None, LIMIT, None])


def test_a_bomb_inside_a_record(tmp_path):
    packed = gzip.compress(b"a" * (100 << 20), 1)
    first, last = fuzz.warc_records(2)
    block = fuzz.http(packed, "Content-Encoding: gzip\r\n")
    documents = seen(tmp_path, "a.warc", first + fuzz.record(block, "http://x/bomb") + last)
    assert documents["error"].to_list() == [None, LIMIT, None]


@pytest.mark.parametrize("name", ["a.warc.gz", "a.jsonl.gz", "a.csv.gz", "a.txt.gz", "a.html.gz"])
def test_a_truncated_gzip(tmp_path, name):
    whole = {"a.warc.gz": fuzz.packed(fuzz.warc_records(9)),
             "a.jsonl.gz": gzip.compress(b"\n".join(fuzz.lines(999))),
             "a.csv.gz": gzip.compress(b"id,text\n" + b"".join(b"%d,%d\n" % (n, n**9) for n in range(19_999)))
             }.get(name, gzip.compress(b"<p>text"))  # fmt: skip
    documents = seen(tmp_path, name, whole[:-9])
    assert "cut off" in documents["error"][-1]
    assert documents["error"][:-1].null_count() == documents.height - 1
    assert documents.height >= {"a.warc.gz": 9, "a.jsonl.gz": 500, "a.csv.gz": 999}.get(name, 1)


def test_wrong_lengths(tmp_path):
    parts = fuzz.warc_records(12)
    for n, length in enumerate((b"0", b"-1", b"x", b"99999999999999999999", b"3")):
        head, body = parts[2 * n + 1].split(b"Content-Length: ", 1)
        parts[2 * n + 1] = head + b"Content-Length: " + length + body[body.index(b"\r\n") :]
    documents = seen(tmp_path, "a.warc", b"".join(parts))
    good = documents.filter(pl.col("error").is_null())
    assert {f"http://x/{n}" for n in (0, 2, 4, 6, 8, 10, 11)} <= set(good["url"])
    assert documents.height >= 12


def test_empty_records(tmp_path):
    empty = [
        fuzz.record(b"", f"http://x/{n}", kind) for n, kind in enumerate(("response", "conversion"))
    ]
    assert seen(tmp_path, "a.warc", b"".join(empty))["text"].to_list() == ["", ""]
    assert seen(tmp_path, "a.warc.gz", fuzz.packed(empty))["text"].to_list() == ["", ""]
    assert seen(tmp_path, "a.jsonl", b'{"text": ""}\n{"html": ""}\n')["text"].to_list() == ["", ""]
    assert seen(tmp_path, "a.csv", b'text,id\n"",1\n,2\n')["text"].to_list() == ["", ""]
    sheet = io.BytesIO()
    pl.DataFrame({"text": ["", ""]}).write_parquet(sheet)
    assert seen(tmp_path, "a.parquet", sheet.getvalue())["text"].to_list() == ["", ""]
    for name in ("a.txt", "a.html", "a"):
        assert seen(tmp_path, name, b"")["text"].to_list() == [""]


def test_duplicates_are_separate_rows(tmp_path):
    for name, data in (
        ("a.warc", fuzz.warc_records(1)[0] * 5),
        ("a.warc.gz", fuzz.packed(fuzz.warc_records(1) * 5)),
        ("a.jsonl", b"\n".join(fuzz.lines(1) * 5)),
    ):
        documents = seen(tmp_path, name, data)
        assert documents.height == 5
        assert documents["text"].n_unique() == 1
        assert documents["doc_id"].n_unique() == 5


def test_lone_surrogates_and_nul(tmp_path):
    row = rb'{"text": "a\ud800b\u0000c", "url": "\udfff", "id": "\ud800"}' + b"\n"
    documents = seen(tmp_path, "a.jsonl", row + b'{"text": "a\xed\xa0\x80b"}\n')
    assert documents["text"][0] == "a\ufffdb\0c"
    assert documents["text"][1].strip("ab\ufffd") == ""
    assert documents["replaced"].min() > 0
    text = "نص " * 20
    damaged = f"<p>a&#xD800;b&#0;{text}".encode() + b"c\xed\xa0\x80d\0e"
    documents = seen(tmp_path, "a.html", damaged)
    assert documents["text"].item().startswith("a\ufffdb")
    assert "c\ufffdd" in documents["text"].item()
    data = text.encode("utf-16") + b"\0\xd8" + "b".encode("utf-16-le")
    assert seen(tmp_path, "a.txt", data)["text"].to_list() == [f"{text}\ufffdb"]
    sheet = io.BytesIO()
    pl.DataFrame({"text": [f"{text}a".encode() + b"\xed\xa0\x80b", b"a\0b"]}).write_parquet(sheet)
    documents = seen(tmp_path, "a.parquet", sheet.getvalue())
    assert documents["replaced"][0] == 1
    assert documents.height == 2


def test_deeply_nested_json(tmp_path):
    data = b'{"text": ' + b"[" * 1_000_000 + b"\n" + json.dumps({"text": "a"}).encode()
    documents = seen(tmp_path, "a.jsonl", data)
    assert documents["error"].to_list() == ["is nested too deeply", None]
