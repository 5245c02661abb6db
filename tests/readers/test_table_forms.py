"""Tables as tools write them: Excel, Spark, Hugging Face, crawlers, scrapers."""

from __future__ import annotations

import json

import polars as pl
import pytest

import ingest
from ingest.config import Config, ReadConfig
from ingest.errors import SourceError
from ingest.readers import plan_slices, read_batches
from ingest.readers.columns import choose_columns

ARABIC = "أعادت الجامعة فتح المكتبة بعد الترميم"
ENGLISH = "The university reopened the library"


def read(tmp_path, data, name="a.csv", **columns):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return ingest.read(path, config=Config(read=ReadConfig(**columns)))


def texts(documents):
    return documents["text"].to_list()


def lines(*rows, **options):
    return "".join(json.dumps(row, ensure_ascii=False, **options) + "\n" for row in rows)


# sep=


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("first", "delimiter"), [("sep=;", ";"), ("SEP=|", "|"), ('"sep=,"', ","),
                                                  ("sep=\t", "\t")])  # fmt: skip
def test_a_declared_delimiter(tmp_path, mark, end, first, delimiter):
    rows = (first, f"id{delimiter}text", f'7{delimiter}"{ARABIC}, a;b|c"', "")
    for data in ((mark + end.join(rows)).encode(), end.join(rows).encode("utf-16")):
        documents = read(tmp_path, data)
        assert texts(documents) == [f"{ARABIC}, a;b|c"]
        assert documents["uri"][0].endswith("#7")


def test_a_first_line_that_declares_nothing(tmp_path):
    assert texts(read(tmp_path, "sep=,text\n1,a\n")) == ["a"]


# quotes escaped by a backslash


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (r'"He said \"yes\", then left"', 'He said "yes", then left'),
        (r'"\"No\" is all he said"', '"No" is all he said'),
        (r'"He said \"no\""', 'He said "no"'),
        (r'"one line\nof two, \"quoted\""', r'one line\nof two, "quoted"'),
        ('"two lines\nof \\"text\\", quoted"', 'two lines\nof "text", quoted'),
        (r'"a ""doubled"" one"', 'a "doubled" one'),
        ("plain", "plain"),
    ],
)
def test_spark_and_mysql_escape_quotes_by_a_backslash(tmp_path, row, text):
    table = f'id,text\n1,"\\"a\\", b"\n2,{row}\n3,last\n'
    assert texts(read(tmp_path, table)) == ['"a", b', text, "last"]


@pytest.mark.parametrize("field", [r'"C:\pages\",x', r'"ends with \",x', r'"a \""b"" c",x'])
def test_a_backslash_before_a_closing_quote(tmp_path, field):
    table = f'text,id\n{field}\n"plain",y\n{field}\n'
    assert read(tmp_path, table)["error"].to_list() == [None] * 3
    assert texts(read(tmp_path, table))[0].count("\\") == field.count("\\")


# JSON lines in wide encodings, with marks inside


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_json_lines_in_unicode_encodings(tmp_path, coding):
    data = lines({"id": 1, "text": ARABIC}, {"id": 2, "text": ENGLISH}).encode(coding)
    for name in ("a.jsonl", "a.json", "a"):
        assert texts(read(tmp_path, data, name)) == [ARABIC, ENGLISH]
        parts = plan_slices([str(tmp_path / name)], shard_bytes=20)
        assert pl.concat(read_batches(parts, ReadConfig()))["text"].to_list() == [ARABIC, ENGLISH]


def test_byte_order_marks_inside_json_lines(tmp_path):
    mark, line = b"\xef\xbb\xbf", lines({"text": ARABIC}).encode()
    data = mark + line + mark + line + line + b" " + mark + mark + line + mark + b"\n\x1e" + line
    documents = read(tmp_path, data, "a.jsonl")
    assert texts(documents) == [ARABIC] * 5
    assert documents["record"].to_list() == [0, 1, 2, 3, 5]


# names of columns


@pytest.mark.parametrize(
    "name",
    ["maintext", "main_text", "mainText", "Main Text", "plain_text", "plaintext", "message",
     "body_text", "content_text", "article_text", "articleBody", "full_text", "textContent",
     "cleaned_text", "raw_content", "news_content", "post_text", "selftext", "النص", "نص",
     "المحتوى", "نص المقال", "نص_الخبر", "النَّص"],
)  # fmt: skip
def test_names_that_tools_give_the_text(tmp_path, name):
    row = {"title": "a", "description": "b", name: ARABIC}
    assert texts(read(tmp_path, lines(row), "a.jsonl")) == [ARABIC]
    assert texts(read(tmp_path, f"title,description,{name}\na,b,{ARABIC}\n")) == [ARABIC]
    pl.DataFrame(row).write_parquet(tmp_path / "a.parquet")
    assert texts(ingest.read(tmp_path / "a.parquet")) == [ARABIC]


@pytest.mark.parametrize("name", ["title", "description", "image", "textile", "bodyguard", "عنوان"])
def test_names_of_other_columns(name):
    with pytest.raises(SourceError, match="no column that is known to contain text"):
        choose_columns((name,), ReadConfig(), (name,))


# Markdown


def test_columns_of_markdown(tmp_path):
    text = f"# {ARABIC}\n\n{ENGLISH} [here](https://x.example)\nagain\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |"
    for name in ("markdown", "content_markdown", "fit_markdown"):
        documents = read(tmp_path, lines({"url": "u", name: text}), "a.jsonl")
        assert texts(documents)[0].split("\n")[:5] == [
            ARABIC,
            f"{ENGLISH} here",
            "again",
            "one",
            "two",
        ]
        assert "/h1[1]" in documents["blocks"][0][0]["block"]
        assert documents["blocks"][0][1]["links"] > 0
    documents = read(tmp_path, text, "page.md")
    assert documents["media_type"].item() == "text/html"
    assert texts(read(tmp_path, lines({"text": text}), "a.jsonl")) == [text]


# lists and objects


def test_a_list_of_paragraphs(tmp_path):
    paragraphs = [ARABIC, ENGLISH]
    rows = [{"text": paragraphs}, {"text": []}, {"text": [ARABIC, None]}, {"text": [1, 2]}]
    documents = read(tmp_path, lines(*rows), "a.jsonl")
    assert texts(documents) == ["\n".join(paragraphs), "", ARABIC, None]
    assert documents["error"][3] == "has no text: column 'text' contains a value of type list"
    frame = pl.DataFrame({"text": [paragraphs, [], None], "id": [1, 2, 3]})
    frame.write_parquet(tmp_path / "a.parquet")
    for documents in (ingest.read(tmp_path / "a.parquet"), ingest.read(frame)):
        assert texts(documents) == ["\n".join(paragraphs), "", None]


def test_a_list_of_objects(tmp_path):
    content = [{"type": "p", "text": ARABIC}, {"type": "h2", "text": ENGLISH}, ["a", ["b"]]]
    documents = read(tmp_path, lines({"content": content}), "a.jsonl")
    assert texts(documents) == [f"{ARABIC}\n{ENGLISH}\na\nb"]
    frame = pl.DataFrame({"content": [content[:2]]})
    assert texts(ingest.read(frame)) == [f"{ARABIC}\n{ENGLISH}"]


NESTED = {
    "article": {"article": {"body": ARABIC, "url": "u"}, "image": {"text": "alt", "url": "no"}},
    "rendered": {"id": 4, "link": "u", "content": {"rendered": f"<p>{ARABIC}</p>", "protected": False}},
    "source": {"_index": "i", "_source": {"url": "u", "content": ARABIC}},
    "metadata": {"text": ARABIC, "metadata": {"url": "u"}, "image": {"url": "no"}},
}  # fmt: skip


@pytest.mark.parametrize("name", NESTED)
def test_text_inside_objects_is_found(tmp_path, name):
    row = NESTED[name]
    frame = pl.DataFrame([row])
    frame.write_parquet(tmp_path / "a.parquet")
    for documents in (
        read(tmp_path, lines(row), "a.jsonl"), read(tmp_path, json.dumps([row]), "a.json"),
        ingest.read(tmp_path / "a.parquet"), ingest.read(frame),
    ):  # fmt: skip
        assert texts(documents) == [ARABIC]
        assert documents["url"].to_list() == ["u"]


def test_a_dotted_path_that_is_named(tmp_path):
    row = {"text": "no", "data": {"a": {"b": ARABIC}, "link": {"to": "u"}}}
    columns = {"text_column": "data.a.b", "url_column": "data.link.to"}
    frame = pl.DataFrame([row])
    frame.write_parquet(tmp_path / "a.parquet")
    config = Config(read=ReadConfig(**columns))
    for documents in (
        read(tmp_path, lines(row), "a.jsonl", **columns),
        ingest.read(tmp_path / "a.parquet", config=config),
        ingest.read(frame, config=config),
    ):
        assert documents.select("text", "url").rows() == [(ARABIC, "u")]
    with pytest.raises(ingest.FrameError, match=r"no column 'data.c'"):
        ingest.read(frame, config=Config(read=ReadConfig(text_column="data.c")))


def test_a_missing_text_is_not_looked_for_in_other_objects(tmp_path):
    rows = [{"text": ARABIC, "image": {"text": "alt"}}, {"text": None, "image": {"text": "alt"}}]
    documents = read(tmp_path, lines(*rows), "a.jsonl")
    assert documents["error"].to_list() == [None, "has no text: column 'text' is empty"]


def test_the_reported_files(shared):
    folder = shared / "cases" / "reading"
    if not folder.is_dir():
        pytest.skip("no ../shared/cases/reading")
    pages = {"r02_sep": 2, "r17_columns": 2, "r20_tables": 2, "r25_spark": 4, "r26_bom": 4}
    for name, count in pages.items():
        documents = ingest.read(folder / name)
        assert documents["error"].null_count() == documents.height
        assert documents.height >= count, name
    spark = ingest.read(folder / "r25_spark")["text"]
    assert spark[1] == 'He said "yes", then left'
