"""Test sets in every format: all their texts are read."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import polars as pl
import pytest

import ingest
from ingest.errors import SourceError
from ingest.filtering.reference_files import read_texts

ENGLISH = ["The harbour opens at six.", 'She said "no" & left.', "A <new> bridge was built."]
ARABIC = ["يفتح الميناء في السادسة.", "قالت «لا» ثم غادرت.", "بني جسر جديد."]
ROWS = [*zip(ENGLISH, ARABIC, strict=True)]
ALL = sorted([*ENGLISH, *ARABIC])


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def units(tag):
    return "".join(f"<{tag}>{escaped(a)}</{tag}>\n<{tag}>{b}</{tag}>\n" for a, b in ROWS)


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def frame():
    columns = {"id": [1, 2, 3], "domain": "news", "english": ENGLISH}
    return pl.DataFrame({**columns, "translations": [[{"text": text}] for text in ARABIC]})


def in_memory(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def zipped():
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("LICENSE", "Do what you want with it.")
        archive.writestr("C.ar-en.ids", "a.xml b.xml 1 1")
        archive.writestr("C.ar-en.en", "\n".join(ENGLISH))
        archive.writestr("C.ar-en.ar", "\n".join(ARABIC))
    return buffer.getvalue()


TSV = "".join(f"{n}\tnews\t{a}\t{b}\n" for n, (a, b) in enumerate(ROWS))
JSON = [{"id": "a-1", "lang": "en", "translation": {"en": a, "ar": b}} for a, b in ROWS]
TMX = f"<tmx><body><tu><tuv>{units('seg')}</tuv></tu></body></tmx>"
FILES = {
    "a.txt": "\n".join([*ENGLISH, *ARABIC]),
    "windows.txt": "\r\n".join([*ENGLISH, *ARABIC]),
    "old-mac.txt": "\r".join([*ENGLISH, *ARABIC]),
    "utf16.txt": "\n".join([*ENGLISH, *ARABIC]).encode("utf-16"),
    "a.txt.gz": gzip.compress("\n".join([*ENGLISH, *ARABIC]).encode()),
    "header.tsv": "id\tdomain\ten\tar\n" + TSV,
    "a.tsv": TSV,
    "no-suffix": TSV,
    "a.csv": "".join(f"{n},news,{quoted(a)},{quoted(b)}\r\n" for n, (a, b) in enumerate(ROWS)),
    "semicolons.csv": "".join(f"{n};{quoted(a)};{quoted(b)}\n" for n, (a, b) in enumerate(ROWS)),
    "a.jsonl": "\n".join(map(json.dumps, JSON)),
    "a.json": json.dumps(JSON),
    "pretty.json": json.dumps({"data": JSON}, indent=2, ensure_ascii=False),
    "a.tmx": TMX,
    "cut.tmx": TMX.removesuffix("</tuv></tu></body></tmx>") + "<tu><tuv>& <b",
    "utf16.tmx": ('<?xml version="1.0" encoding="utf-8"?>' + TMX).encode("utf-16"),
    "a.sgm": f"<refset><doc><p>{units('seg id=1')}".replace("</seg id=1>", "</seg>"),
    "wmt.xml": f"<dataset><doc><src><p>{units('SEG')}</p></src></doc></dataset>",
    "a.parquet": in_memory(frame().write_parquet),
    "a.arrow": in_memory(frame().write_ipc),
    "stream.arrow": in_memory(frame().write_ipc_stream),
    "opus.zip": zipped(),
}


@pytest.mark.parametrize("name", FILES)
def test_all_texts_are_read(name, tmp_path):
    content = FILES[name]
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert sorted(read_texts(str(file))) == ALL


def test_damaged_json_and_text_that_looks_like_json(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text("\n".join(json.dumps(row).removesuffix("}") for row in JSON))
    assert set(read_texts(str(file))) > set(ALL)
    file.write_text('[The crowd cheers]\nHe said "no way" and left.')
    assert set(read_texts(str(file))) >= {"[The crowd cheers]", 'He said "no way" and left.'}


def test_sgm_is_not_xml(tmp_path):
    file = tmp_path / "test.sgm"
    file.write_text("<srcset>\n<seg id=1> AT&T said\nso. </seg>\n<seg id=2>2 < 3 is true</seg>")
    assert [text.split() for text in read_texts(str(file))] == [
        ["AT&T", "said", "so."],
        ["2", "<", "3", "is", "true"],
    ]


def test_inline_codes_are_no_text(tmp_path):
    file = tmp_path / "a.tmx"
    file.write_text("<tmx><seg>Press <ph x='1'>{name}</ph><hi>Save</hi> now</seg></tmx>")
    assert read_texts(str(file))[0].split() == ["Press", "Save", "now"]


def test_all_files_of_a_folder_are_read(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "test.en").write_text("\n".join(ENGLISH))
    (tmp_path / "deep" / "test.ar").write_text("\n".join(ARABIC))
    (tmp_path / "README.md").write_text("This is a data set.")
    assert sorted(read_texts(str(tmp_path))) == ALL
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="folder without"):
        read_texts(str(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"PAR1 and no more"),
        ("a.arrow", b"ARROW1\0\0 and no more"),
        ("a.zip", b"PK\x03\x04 and no more"),
        ("a.txt", bytes(range(256)) * 8),
        ("none", None),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(name, content, tmp_path):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SourceError, match=name):
        read_texts(str(file))


def test_sentences_within_longer_texts_are_excluded(tmp_path):
    (tmp_path / "test.tsv").write_text(
        "The ferry to the island leaves every morning at seven\tتغادر العبارة إلى الجزيرة كل صباح في السابعة\n"
        "Open the door\tافتح الباب\n"
    )
    texts = [
        (
            "وتغادر العبارة إلى الجزيرة كل صباح في السابعة، كما قال المسؤول أمس لوكالة الأنباء.",
            "x y",
        ),
        ("أ ب", "We knew that the ferry to the island leaves every morning at eight, if at all."),
        ("أ ب", "You may open the door of the boat only when it has come to a full stop."),
        ("غادرت السفينة الميناء كل صباح", "The ship leaves the port every morning at seven."),
        ("أ ب", "every morning at seven the boat is full"),
        ("قال إن العبارة إلى الجزيرة بيعت", "The ferry to the island has been sold, he said."),
    ]
    frame = pl.DataFrame(texts, ["ar", "en"], orient="row")
    settings = ingest.FilterConfig(
        max_ratio=0.0, min_words=0, near=0.0, max_sources=0, max_targets=0
    )
    filtered = ingest.filter(
        ingest.read_pairs(frame), exclude=[tmp_path / "test.tsv"], config=settings
    )
    assert filtered["drop_reason"].to_list() == ["excluded", "excluded", None, None, None, None]
