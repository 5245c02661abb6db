from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys

import polars as pl
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.config import Config, ReadConfig
from ingest.errors import SourceError
from ingest.readers import describe_guesses, plan_slices, read_records
from ingest.readers import document as page
from ingest.readers.columns import choose_columns
from ingest.readers.sources import reader_kind

SMALL = ReadConfig(max_record_bytes=10_000)
ARABIC = ["أعلنت الوزارة عن خطة جديدة", "قتل أربعة أشخاص أمس", "نص قصير من كلمات قليلة"]


def saved(tmp_path, data, name):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def read(path, config=SMALL, shard=1 << 62):
    return [
        r
        for part in plan_slices([str(path)], shard_bytes=shard)
        for r in read_records(part, config)
    ]


def seen(records):
    return [(r.record, r.content if r.error is None else "error") for r in records]


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# columns


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["title", "text"], (None, "text", None, None)),
        (["content", "body", "uri", "uuid"], (None, "content", "uri", "uuid")),
        (["Body", "Link", "ID"], (None, "Body", "Link", "ID")),
        (["html", "text", "url"], ("html", "text", "url", None)),
        (["raw_html"], ("raw_html", None, None, None)),
        ([" sentence "], (None, " sentence ", None, None)),
    ],
)
def test_columns_are_guessed_by_their_names(names, expected):
    assert choose_columns(tuple(names), ReadConfig(), tuple(names))[:4] == expected


def test_a_named_column_of_html_or_text_excludes_the_other():
    names = ("html", "text", "other")
    assert choose_columns(names, ReadConfig(text_column="other"), names)[:2] == (None, "other")
    assert choose_columns(names, ReadConfig(html_column="html"), names)[:2] == ("html", None)


@pytest.mark.parametrize("config", [ReadConfig(), ReadConfig(text_column="gone")])
def test_the_error_for_a_missing_column_lists_the_others(config):
    with pytest.raises(SourceError, match=r"columns are 'a', 'b'; choose one with --text-column"):
        choose_columns(("a", "b"), config, ("a", "b"))


def test_html_is_preferred_if_it_is_not_empty(tmp_path):
    rows = [{"html": "<p>h", "text": "t"}, {"html": "", "text": "t"}, {"html": None, "text": "t"}]
    records = read(saved(tmp_path, lines(*rows), "a.jsonl"))
    assert [(r.content, r.media_type) for r in records] == [
        ("<p>h", "text/html"),
        ("t", None),
        ("t", None),
    ]


def test_html_inside_a_text_column_is_html(tmp_path):
    path = saved(tmp_path, lines({"text": "<div><p>One</div>"}, {"text": "a < b"}), "a.jsonl")
    assert ingest.read(path)["media_type"].to_list() == ["text/html", "text/plain"]


def test_addresses_and_identifiers(tmp_path):
    rows = [{"id": 7, "url": " http://x/ ", "text": "a"}, {"id": "a\x1bb\u202e", "url": 5, "text": "a"},
            {"id": "k" * 999, "text": "a"}, {"id": None, "text": "a"}]  # fmt: skip
    documents = ingest.read(saved(tmp_path, lines(*rows), "a.jsonl"))
    assert documents["url"].to_list() == ["http://x/", None, None, None]
    names = [uri.partition("#")[2] for uri in documents["uri"]]
    assert names == ["7", "ab", "k" * 200, "3"]
    assert documents["record"].to_list() == [0, 1, 2, 3]
    assert documents["doc_id"].n_unique() == 4


# JSONL


def test_pages_of_jsonl_of_each_form(tmp_path):
    data = lines(*({"text": text} for text in ARABIC)).encode()
    forms = {
        "a.jsonl": data, "a.ndjson": b"\xef\xbb\xbf" + data, "b.jsonl": data.replace(b"\n", b"\r\n"),
        "c.jsonl": data[:-1], "a.jsonl.gz": gzip.compress(data[:9]) + gzip.compress(data[9:]),
        "a.jsonl.zst": zstandard.compress(data),
    }  # fmt: skip
    for name, form in forms.items():
        assert seen(read(saved(tmp_path, form, name))) == list(enumerate(ARABIC)), name


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "is not JSON"),
        (b"not json", "is not JSON"),
        (b'{"text": "a\0b"}', "is not JSON"),
        (b"[1, 2]", "is not a JSON object but list"),
        (b"null", "is not a JSON object but NoneType"),
        (b'{"text": ' + b"[" * 100_000, "more than 10000 bytes"),
        (b'{"text": ' + b"[" * 9_000, "nested too deep"),
        (b'{"text": "' + b"a" * 200_000 + b'"}', "more than 10000 bytes"),
        (b'{"text": ' + b"9" * 5_000 + b"}", "an integer of more than 4,300 digits"),
        (b'{"text": null}', "column 'text' is empty"),
        (b'{"text": 5}', "contains a value of type int"),
        (b'{"text": {"a": "b"}}', "contains a value of type dict"),
        (b'{"other": "b"}', "columns are 'other'"),
        (b"{}", "columns are none"),
        (bytes(99), "is not JSON"),
        (bytes(range(11, 256)), ""),
    ],
)
def test_a_bad_line_is_one_error(tmp_path, line, error):
    path = saved(tmp_path, b'{"text": "a"}\n' + line + b'\n\n{"text": "b"}', "a.jsonl")
    records = read(path)
    assert seen(records) == [(0, "a"), (1, "error"), (3, "b")]
    assert error in records[1].error
    assert ingest.read(path, config=Config(read=SMALL))["error"].is_null().sum() == 2


def test_an_empty_text_is_a_page(tmp_path):
    documents = ingest.read(saved(tmp_path, '{"text": ""}\n', "a.jsonl"))
    assert documents.select("text", "chars", "error").row(0) == ("", 0, None)


def test_invalid_bytes_and_escapes_are_counted(tmp_path):
    data = lines({"text": "قتل أربعة#", "url": "u"}).encode().replace(b"#", b"\xff")
    data += rb'{"text": "\ud83d\ude00 \ud800\u0000", "url": "\ud800", "id": "\udfff"}'
    documents = ingest.read(saved(tmp_path, data, "a.jsonl"))
    assert documents["text"].to_list() == ["قتل أربعة\ufffd", "😀 \ufffd\0"]
    assert documents["replaced"].to_list() == [1, 1]
    assert documents["encoding"].to_list() == [None, None]


def test_jsonl_in_another_encoding(tmp_path):
    data = lines({"text": ARABIC[0]}).encode("cp1256")
    assert seen(read(saved(tmp_path, data, "a.jsonl"))) == [(0, ARABIC[0])]


def test_a_nested_column(tmp_path):
    path = saved(
        tmp_path, lines({"data": {"text": "a"}}, {"data.text": "b"}, {"data": 5}), "a.jsonl"
    )
    records = read(path, ReadConfig(text_column="data.text"))
    assert seen(records) == [(0, "a"), (1, "b"), (2, "error")]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_records_before_the_cut_of_a_stream_are_read(tmp_path, pack):
    rows = [{"text": f"{n} {hash(str(n))}"} for n in range(20_000)]
    name = "a.jsonl.gz" if pack is gzip.compress else "a.jsonl.zst"
    records = read(saved(tmp_path, pack(lines(*rows).encode())[:-50_000], name))
    assert len(records) > 100
    assert "cut off" in records[-1].error
    assert [r.content for r in records[:-1]] == [row["text"] for row in rows[: len(records) - 1]]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_bomb_is_one_error(tmp_path, pack):
    data = pack(b'{"text": "' + b"a" * 50_000_000 + b'"}\n{"text": "b"}\n')
    name = "a.jsonl.gz" if pack is gzip.compress else "a.jsonl.zst"
    assert seen(read(saved(tmp_path, data, name))) == [(0, "error"), (1, "b")]


@given(st.lists(st.sampled_from(['{"text": "a"}', '{"text": "bbbbbbbbb"}', "", "x", " "])), st.integers(1, 60),
       st.booleans())  # fmt: skip
def test_slices_of_jsonl_give_the_same_records(tmp_path_factory, rows, shard, end):
    path = saved(tmp_path_factory.mktemp("j"), "\n".join(rows) + "\n" * end, "a.jsonl")
    assert read(path, shard=shard) == read(path)


def test_slices_of_jsonl_have_about_the_requested_size(tmp_path):
    path = saved(tmp_path, lines(*({"text": "a" * 90} for _ in range(100))), "a.jsonl")
    parts = plan_slices([str(path)], shard_bytes=1000)
    assert len(parts) == 10
    assert [p.first for p in parts] == list(range(0, 100, 10))
    assert sum(p.size for p in parts) == path.stat().st_size


# CSV


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "id,text\n1,one\n2,two\n"),
        ("a.csv", "\ufeffid;text\r\n1;one\r\n2;two"),
        ("a.csv", "id\ttext\n1\tone\n\n2\ttwo\n"),
        ("a.tsv", "id\ttext\n1\tone\n2\ttwo\n"),
        ("a.csv", 'id,"text"\n1,"one"\n"2","two"\n'),
        ("a.csv", "id,text\r1,one\r2,two\r"),
    ],
)
def test_csv(tmp_path, name, data):
    records = read(saved(tmp_path, data, name))
    assert [(r.record, r.key, r.content) for r in records] == [(0, "1", "one"), (1, "2", "two")]
    for pack, ending in ((gzip.compress, ".gz"), (zstandard.compress, ".zst")):
        packed = read(saved(tmp_path, pack(data.encode()), name + ending))
        assert [r.content for r in packed] == ["one", "two"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1256", "utf-16", "utf-16-le"])
def test_csv_in_each_encoding(tmp_path, encoding):
    data = "id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(ARABIC))
    assert seen(read(saved(tmp_path, data.encode(encoding), "a.csv"))) == list(enumerate(ARABIC))


def test_quotes_and_newlines_in_csv(tmp_path):
    data = 'text,id\n"a ""b"",\nc",1\n"",2\n,3\n"d" ,4\n'
    assert [r.content for r in read(saved(tmp_path, data, "a.csv"))] == ['a "b",\nc', "", "", "d "]


def test_quotes_in_tsv_without_quoting_are_characters(tmp_path):
    data = 'id\ttext\n1\t"He said\n2\tno\n3\tso" yes\n'
    assert [r.content for r in read(saved(tmp_path, data, "a.tsv"))] == [
        '"He said',
        "no",
        'so" yes',
    ]
    data = 'id\ttext\n1\t"two\nlines"\n2\tno\n'
    assert [r.content for r in read(saved(tmp_path, data, "a.tsv"))] == ["two\nlines", "no"]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("1", "has 1 of 2 fields"),
        ("1,b,c", "has 3 of 2 fields"),
        ("1," + "x" * 20_000, "more than 10000 bytes"),
        ("x" * 200_000, "more than 10000 bytes"),
    ],
)
def test_a_broken_row_is_one_error(tmp_path, row, error):
    records = read(saved(tmp_path, f"id,text\n0,a\n{row}\n2,b\n", "a.csv"))
    assert seen(records) == [(0, "a"), (1, "error"), (2, "b")]
    assert error in records[1].error


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n1,2\n", "columns are 'a', 'b'"),
        (bytes(range(256)), "not text"),
    ],
)
def test_a_csv_that_cannot_be_read_is_one_error(tmp_path, data, error):
    (failed,) = read(saved(tmp_path, data, "a.csv"))
    assert failed.record is None
    assert error in failed.error


def test_a_bad_byte_in_csv_is_counted(tmp_path):
    data = b"id,text\n" + "".join(f"{n},{t}\n" for n, t in enumerate(ARABIC)).encode() + b"9,\xff\n"
    rows = [page.to_row(r) for r in read(saved(tmp_path, data, "a.csv"))]
    assert [r["replaced"] for r in rows] == [0, 0, 0, 1]
    assert rows[0]["text"] == ARABIC[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("damage", [b"\0\xd8", b"\xd8\0", b"\0", b"\xff\xff\xff"])
def test_damage_in_csv_of_wide_characters_is_counted(tmp_path, encoding, damage):
    data = ("id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(ARABIC))).encode(
        encoding
    )
    path = saved(tmp_path, data + damage, "a.csv")
    rows = [page.to_row(r) for r in read(path)]
    assert [row["text"] for row in rows[:3]] == ARABIC
    assert any(row.get("replaced") or row["error"] for row in rows[3:])


def test_an_unclosed_quote_in_a_long_tsv(tmp_path):
    data = 'id\ttext\n1\t"one\n' + f"2\t{'x' * 100}\n" * 2_000
    assert len(read(saved(tmp_path, data, "a.tsv"))) == 2_001


def test_a_csv_that_is_cut_off_in_an_overlong_line(tmp_path):
    path = saved(tmp_path, gzip.compress(b"id,text\n1,a\n2," + b"x" * 3_000_000)[:-8], "a.csv.gz")
    records = read(path)
    assert seen(records) == [(0, "a"), (1, "error"), (2, "error")]
    assert "more than 10000 bytes" in records[1].error
    assert "cut off" in records[2].error


def test_a_csv_that_is_cut_off(tmp_path):
    data = "id,text\n" + "".join(f"{n},{hash(str(n))}\n" for n in range(80_000))
    records = read(saved(tmp_path, gzip.compress(data.encode())[:-200_000], "a.csv.gz"))
    assert len(records) > 1000
    assert "cut off" in records[-1].error
    assert all(r.error is None for r in records[:-1])


@pytest.mark.parametrize("line", ['2,"stray', '2,"stray,', '"', '2,"a ""b""'])
@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_an_unclosed_quote_affects_only_its_line(tmp_path, line, rows):
    after = "".join(f'{n},row ""{n}""\n' for n in range(3, 3 + rows))
    records = read(saved(tmp_path, f'id,text\n1,"ok"\n{line}\n{after}', "a.csv"), ReadConfig())
    expected = [(0, "ok"), (1, "error"), *((n + 2, f'row ""{n + 3}""') for n in range(rows))]
    assert seen(records) == expected
    assert records[1].error == "opens a quote that is not closed"


@pytest.mark.parametrize("after", ['3,"c"', '"3","c"', '"3",c', '3," c"'])
def test_an_unclosed_quote_before_another_quote_affects_only_its_line(tmp_path, after):
    data = f'id,text\n1,"two\nlines"\n2,"stray\n2,"stray\n2,b\n{after}\n4,"d\n,"\n'
    records = read(saved(tmp_path, data, "a.csv"))
    values = [(r.record, r.error and "error", r.content and r.content.strip()) for r in records]
    assert values == [
        (0, None, "two\nlines"), (1, "error", None), (2, "error", None), (3, None, "b"),
        (4, None, "c"), (5, None, "d\n,"),
    ]  # fmt: skip


@given(
    st.lists(st.tuples(*2 * [st.text(alphabet='a",;\t\n\r é', max_size=9)]), min_size=1),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
)
def test_correctly_quoted_csv_round_trips(tmp_path_factory, rows, quoting):
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=quoting)
    writer.writerows([("text", "url"), *rows])
    path = saved(tmp_path_factory.mktemp("c"), stream.getvalue(), "a.csv")
    records = [(r.content, r.url or "") for r in read(path)]
    assert records == [(text, url.strip()) for text, url in rows]


def test_quoted_words_inside_a_multiline_cell(tmp_path):
    data = 'text,id\n"one\nHe said ""hi"", ""and"", left","1"\n"one\ntwo" ,2\n"a\n""b""",3\n'
    contents = [r.content for r in read(saved(tmp_path, data, "a.csv"))]
    assert contents == ['one\nHe said "hi", "and", left', "one\ntwo ", 'a\n"b"']


def test_a_quote_that_is_not_closed_within_the_limit(tmp_path):
    rows = "".join(f"{n},{'x' * 90}\n" for n in range(1000))
    records = read(saved(tmp_path, f'id,text\n0,"stray\n{rows}', "a.csv"))
    assert [r.record for r in records] == list(range(1001))
    assert [r.error for r in records[1:]] == [None] * 1000
    assert records[0].error.startswith("opens a quote that is not closed, or has more than 10000")
    long = f'id,text\n0,"stray\n1,a\n2,{"x" * 20_000}\n3,c\n'
    assert seen(read(saved(tmp_path, long, "a.csv"))) == [
        (0, "error"),
        (1, "a"),
        (2, "error"),
        (3, "c"),
    ]


def test_a_quote_that_is_not_closed_when_the_stream_is_cut_off(tmp_path):
    rows = "".join(f"{n},{hash(str(n))}\n" for n in range(20_000))
    data = gzip.compress(f'id,text\n0,"stray\n{rows}'.encode())[:-50_000]
    records = read(saved(tmp_path, data, "a.csv.gz"), ReadConfig())
    assert len(records) > 1000
    assert "quote" in records[0].error
    assert "cut off" in records[-1].error
    assert all(r.error is None for r in records[1:-1])


def test_an_unclosed_quote_in_the_header(tmp_path):
    (failed,) = read(saved(tmp_path, 'id,"text\n1,a\n', "a.csv"))
    assert (failed.record, failed.error) == (None, "opens a quote that is not closed")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1256", "cp1252"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_encoding_is_detected_at_the_first_non_ascii_bytes(tmp_path, encoding, pack):
    word = "l'été où" if encoding == "cp1252" else ARABIC[0]
    data = "id,text\n" + f"1,{'x' * 998}\n" * 1_500 + f"2,{word}\n" * 50
    name = "a.csv" if pack is bytes else "a.csv.gz"
    records = read(saved(tmp_path, pack(data.encode(encoding)), name))
    assert [r.content for r in records[-50:]] == [word] * 50


def test_non_ascii_bytes_at_the_start_of_a_piece(tmp_path):
    for size in range((1 << 20) + 65_530, (1 << 20) + 65_550):
        data = b"id,text\n1," + b"x" * (size - 12) + b"\n" + "éé,éé\n".encode() * 9
        records = read(saved(tmp_path, data, "a.csv"), ReadConfig())
        assert [r.content for r in records[1:]] == ["éé"] * 9


def test_binary_data_after_a_megabyte_of_text(tmp_path):
    data = (
        b"id,text\n" + (b"1," + b"a" * 108 + b"\n") * 10_000 + bytes(range(128, 256)) + bytes(9999)
    )
    records = read(saved(tmp_path, data + b"\n2,b\n", "a.csv"))
    assert len(records) == 10_002
    assert records[-1].content == "b"


@pytest.mark.parametrize("letter", ["é", "ع", "€", "😀"])
def test_the_sample_of_a_csv_may_end_inside_a_character(tmp_path, letter):
    size = 1 << 20
    for over in range(1, len(letter.encode()) + 1):
        rows = b"1," + b"The words of a line told in English. " * 10 + b"\n"
        data = b"id,text\n" + rows * 2_700 + b"2," + b"a " * size
        data = data[: size - over] + f"{letter} caf\n".encode() + f"3,{letter} caf\n".encode() * 9
        records = read(saved(tmp_path, data, "a.csv"), ReadConfig())
        assert records[2_700].content.endswith(f"{letter} caf")
        assert [r.content for r in records[2_701:]] == [f"{letter} caf"] * 9


def test_invalid_bytes_are_counted_at_any_position(tmp_path):
    row = f"1,{ARABIC[0]}".encode() + b"\xff\n"
    rows = [page.to_row(r) for r in read(saved(tmp_path, b"id,text\n" + row * 5_000, "a.csv"))]
    assert len(rows) == 5_000
    assert {(r["text"], r["replaced"]) for r in rows} == {(ARABIC[0] + "\ufffd", 1)}


@given(st.text(alphabet='a",;\t\n\r\0é', max_size=200))
def test_any_csv_ends_and_never_raises(tmp_path_factory, text):
    path = saved(tmp_path_factory.mktemp("c"), "id,text\n" + text, "a.csv")
    records = read(path)
    assert [r.record for r in records] == list(range(len(records)))


# named columns that are missing


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
@pytest.mark.parametrize("what", ["text", "html", "url", "id"])
def test_a_named_column_that_is_missing_is_an_error(tmp_path, name, what):
    frame = pl.DataFrame({"text": ["a"], "url": ["u"]})
    (frame.write_csv if name == "a.csv" else frame.write_parquet)(tmp_path / name)
    (failed,) = read(tmp_path / name, ReadConfig(**{f"{what}_column": "gone"}))
    assert failed.record is None
    assert failed.error == (
        f"has no column 'gone'; its columns are 'text', 'url'; choose one with --{what}-column"
    )


def test_only_some_rows_of_jsonl_may_lack_an_address(tmp_path):
    rows = [{"text": "a"}, {"text": "b", "link": "u", "in": {"key": 7}}, {"text": "c"}]
    path = saved(tmp_path, lines(*rows), "a.jsonl")
    config = ReadConfig(url_column="link", id_column="in.key")
    assert [(r.content, r.url, r.key) for r in read(path, config)] == [
        ("a", None, None), ("b", "u", "7"), ("c", None, None)
    ]  # fmt: skip
    message = f"{path}: text from column `text`"
    assert describe_guesses(plan_slices([str(path)], shard_bytes=99), config) == [message]
    config = ReadConfig(url_column="lnk", id_column="key", text_column="text")
    assert describe_guesses(plan_slices([str(path)], shard_bytes=99), config) == [
        f"{path}: url column `lnk` in none of the first rows, "
        "id column `key` in none of the first rows"
    ]


# Parquet


@pytest.fixture
def parquet(tmp_path):
    frame = pl.DataFrame(
        {"n": range(1000), "text": [f"page {n}" for n in range(1000)], "url": ["u"] * 1000}
    )
    path = tmp_path / "a.parquet"
    frame.write_parquet(path, row_group_size=100)
    return path


def test_pages_of_parquet(parquet):
    records = read(parquet)
    assert seen(records) == [(n, f"page {n}") for n in range(1000)]
    assert records[0].url == "u"


@pytest.mark.parametrize("shard", [1, 333, 1000, 10_000])
def test_slices_of_parquet_give_the_same_records(parquet, shard):
    parts = plan_slices([str(parquet)], shard_bytes=shard)
    assert len(parts) > 1 or shard == 10_000
    assert [r for part in parts for r in read_records(part, SMALL)] == read(parquet)


def test_a_parquet_without_text_is_one_error(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"n": range(1000)}).write_parquet(path, row_group_size=100)
    (failed,) = read(path, shard=100)
    assert (failed.record, "columns are 'n'" in failed.error) == (None, True)


def test_other_types_in_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"content": [ARABIC[0].encode("cp1256"), None, b""]}).write_parquet(path)
    documents = ingest.read(path)
    assert documents["text"].to_list() == [ARABIC[0], None, ""]
    assert documents["encoding"].to_list() == ["cp1256", None, "utf-8"]
    pl.DataFrame({"text": ["a", "b"]}, {"text": pl.Categorical}).write_parquet(path)
    assert seen(read(path)) == [(0, "a"), (1, "b")]
    pl.DataFrame({"text": [1], "body": ["b"]}).write_parquet(path)
    assert seen(read(path)) == [(0, "b")]
    pl.DataFrame({"text": []}, {"text": pl.String}).write_parquet(path)
    assert read(path) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d[:-9],
        lambda _d: b"",
        lambda _d: b"text",
        lambda d: d[:4] + bytes(3000) + d[3004:],
    ],
)
def test_a_damaged_parquet_is_an_error(parquet, damage):
    parquet.write_bytes(damage(parquet.read_bytes()))
    records = read(parquet)
    errors = [r.error for r in records if r.error]
    good = [r for r in records if not r.error]
    assert errors
    assert len(good) in (0, 1_000 - 100 * len(errors))  # one error for each row group of 100 rows
    assert all(r.content for r in good)


def test_rows_that_polars_drops_silently_are_an_error(tmp_path):
    path = tmp_path / "a.parquet"
    for seed in range(150):
        pl.DataFrame({"text": [f"page {n} {hash(n)}" for n in range(6)]}).write_parquet(
            path, row_group_size=2
        )
        data = path.read_bytes()
        at = seed * (len(data) - 1000) // 150 + 4
        path.write_bytes(data[:at] + data[at + 1 :])
        for shard in (len(data) // 3, 1 << 62):
            records = read(path, shard=shard)
            assert len(records) == 6 or any(r.error for r in records)


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are always UTF-8 there")
def test_a_parquet_file_whose_name_is_not_utf8(parquet):
    path = parquet.with_name(os.fsdecode(b"\xe9.parquet"))
    parquet.rename(path)
    parts = plan_slices([str(path)], shard_bytes=2000)
    assert len(parts) > 1
    records = [r for part in parts for r in read_records(part, SMALL)]
    assert seen(records) == [(n, f"page {n}") for n in range(1000)]
    assert describe_guesses(parts, SMALL)
    path.write_bytes(b"PAR1 and more")
    assert read(path)[0].error


@pytest.mark.parametrize("name", ["a.parquet.gz", "a.parquet.zst", "packed"])
def test_a_compressed_parquet_file(parquet, tmp_path, name):
    pack = zstandard.compress if name.endswith("zst") else gzip.compress
    (failed,) = read(saved(tmp_path, pack(parquet.read_bytes()), name))
    assert failed.error == "is Parquet inside a compressed file; decompress it first"
    assert len(read(parquet.rename(tmp_path / "b.parquet.gz"))) == 1000  # but by its name


def test_a_row_that_is_too_large_in_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"text": ["a", "b" * 20_000, "c"]}).write_parquet(path)
    assert seen(read(path)) == [(0, "a"), (1, "error"), (2, "c")]


# all formats


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.jsonl.gz", "a.csv.zst"])
def test_a_missing_file(tmp_path, name):
    (failed,) = read(tmp_path / name)
    assert failed.error == "cannot be read: no such file or directory"


def test_guesses_are_reported_once_for_similar_files(tmp_path):
    for name in ("a.jsonl", "b.jsonl"):
        saved(tmp_path, "bad\n" + lines({"link": "u", "content": "c"}), name)
    saved(tmp_path, "id;html\n1;<p>\n", "c.csv")
    pl.DataFrame({"text": ["a"]}).write_parquet(tmp_path / "d.parquet")
    saved(tmp_path, "x\n", "e.csv")
    saved(tmp_path, "text", "f.txt")
    parts = plan_slices(sorted(map(str, tmp_path.iterdir())), shard_bytes=10)
    assert describe_guesses(parts, ReadConfig()) == [
        f"{tmp_path}/a.jsonl and 1 more: text from column `content`, url from column `link`",
        f"{tmp_path}/c.csv: HTML from column `html`, id from column `id`",
        f"{tmp_path}/d.parquet: text from column `text`",
    ]
    assert describe_guesses(parts[-2:-1], ReadConfig(text_column="text")) == []


def test_kinds(tmp_path):
    names = {"a.jsonl.gz": "jsonl", "A.NDJSON": "jsonl", "a.csv.zst": "csv", "a.tsv": "csv",
             "a.parquet": "parquet", "a.warc.wet.gz": "warc", "a.warc.zst": "warc"}  # fmt: skip
    assert {name: reader_kind(name) for name in names} == names
    assert reader_kind(str(saved(tmp_path, b"WARC/1.0\r\n", "no-suffix"))) == "warc"
    assert reader_kind(str(saved(tmp_path, b"PAR1", "data"))) == "parquet"
    warc = b"WARC/1.0\r\n" + b"x" * 99
    assert reader_kind(str(saved(tmp_path, gzip.compress(warc), "CC-1.gz"))) == "warc"
    assert reader_kind(str(saved(tmp_path, zstandard.compress(warc), "CC-2"))) == "warc"
    for data in (b"", b"text", gzip.compress(warc)[:9], gzip.compress(b"text")):
        assert reader_kind(str(saved(tmp_path, data, "CC-1.gz"))) == "file"
