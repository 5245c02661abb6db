"""`ingest export --word-alignments`: the links fit the texts as each format writes them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.frames import PAIRS, schema
from ingest.jobs.export import FORMATS, UNALIGNED

ROWS = [
    # direction, source, target, words that must be linked (English, Arabic)
    (
        "ar-en",
        "البيت الأحمر\nفي لندن",
        "the red house is in London",
        {("red", "الأحمر"), ("in", "في")},
    ),
    ("en-ar", "and the book", "\tوالكتاب  ", {("and", "والكتاب")}),
    ("ar-en", "كتاب", "", set()),
    ("en-ar", "10\xa0km 'book'", "كتاب ١٠\xa0km", {("'book'", "كتاب"), ("10\xa0km", "١٠\xa0km")}),
]
SETTINGS = {"word_alignments": True, "overwrite": True}


def pairs(rows=ROWS, **columns) -> pl.DataFrame:
    usual = dict.fromkeys(schema(PAIRS)) | {"method": "aligned", "score": 0.5}
    records = [
        usual
        | {"pair_id": f"{n}", "source_lang": way[:2], "target_lang": way[3:]}
        | {"source_text": source, "target_text": target}
        for n, (way, source, target, *_) in enumerate(rows)
    ]
    return pl.DataFrame(records, schema(PAIRS)).with_columns(**columns)


def tokens(text: str) -> list[str]:
    return [token for token in re.split("[\0-\x20\x7f-\x9f\u2028\u2029]", text) if token]


def assert_linked(source_lang: str, source: str, target: str, links: str, expected) -> None:
    found = set()
    for link in links.split():
        i, j = map(int, link.split("-"))
        linked = tokens(source)[i], tokens(target)[j]
        found.add(linked if source_lang == "en" else linked[::-1])
    assert expected <= found


@pytest.mark.parametrize("langs", [None, ("ar", "en"), ("en", "ar")])
@pytest.mark.parametrize("format", ["parquet", "jsonl", "tsv", "huggingface", "tmx"])
def test_a_column_in_other_formats(tmp_path, format, langs):
    ingest.export(pairs(), tmp_path / "out", format=format, langs=langs, **SETTINGS)
    if format == "parquet":
        rows = pl.read_parquet(tmp_path / "out").to_dicts()
    elif format == "jsonl":
        rows = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    elif format == "tsv":
        head, *lines = (tmp_path / "out").read_text().split("\n")[:-1]
        rows = [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]
    elif format == "huggingface":
        rows = pl.read_parquet(tmp_path / "out/data").to_dicts()
        for row in rows:
            row |= {
                f"{side}_text": row["translation"][row[f"{side}_lang"]]
                for side in ("source", "target")
            }
    else:
        rows = []
        for unit in ET.parse(tmp_path / "out").iter("tu"):
            source, target = (seg.text or "" for seg in unit.iter("seg"))
            props = {prop.get("type"): prop.text or "" for prop in unit.findall("prop")}
            rows.append(
                props
                | {"source_lang": unit.get("srclang"), "source_text": source, "target_text": target}
            )
    assert len(rows) == len(ROWS)
    for row, (*_, expected) in zip(rows, ROWS, strict=True):
        assert langs is None or row["source_lang"] == langs[0]
        values = (
            row[name] for name in ("source_lang", "source_text", "target_text", "word_alignment")
        )
        assert_linked(*values, expected)


@pytest.mark.parametrize("langs", [None, ("ar", "en"), ("en", "ar")])
def test_a_file_of_its_own_in_moses(tmp_path, langs):
    report = ingest.export(pairs(), tmp_path / "out", format="moses", langs=langs, **SETTINGS)
    first, second = langs or ("ar", "en")
    lines = [
        (tmp_path / "out" / f"pairs.{end}").read_text().split("\n")[:-1]
        for end in (first, second, f"{first}-{second}.align")
    ]
    assert f"pairs.{first}-{second}.align" in report["files"]
    assert "word_alignment" not in report["ids_columns"]
    assert [len(column) for column in lines] == [len(ROWS)] * 3
    for source, target, links, (*_, expected) in zip(*lines, ROWS, strict=True):
        assert_linked(first, source, target, links, expected)
    assert lines[2][2] == ""
    ingest.export(pairs(), tmp_path / "out", format="moses", langs=langs, overwrite=True)
    assert not list((tmp_path / "out").glob("*.align"))


def test_masked_texts_are_what_is_aligned(tmp_path):
    frame = pairs(
        [("en-ar", "call 0 1 2 3 4 5 doctor", "طبيب")],
        source_masked=pl.lit("call <PHONE_1> doctor"),
    )
    ingest.export(frame, tmp_path / "out", format="parquet", **SETTINGS)
    assert pl.read_parquet(tmp_path / "out")["word_alignment"].to_list() == ["2-0"]


def test_alignments_that_pairs_already_have(tmp_path):
    frame = pairs(word_alignment=pl.Series(["0-1 1-0 1-2", "0-0", "", None]))
    frame = frame.with_columns(source_masked=pl.when(pl.col("pair_id") == "1").then(pl.lit("x")))
    frame = frame.with_columns(target_masked=pl.lit(None, pl.String))
    for langs, expected in ((("ar", "en"), "0-1 1-0 1-2"), (("en", "ar"), "0-1 1-0 2-1")):
        ingest.export(frame, tmp_path / "out", format="parquet", langs=langs, overwrite=True)
        got = pl.read_parquet(tmp_path / "out")["word_alignment"].to_list()
        assert got == [
            expected,
            None,
            "",
            None,
        ]  # links of an unmasked text do not fit the masked one
    ingest.export(frame, tmp_path / "out", format="parquet", **SETTINGS)
    assert pl.read_parquet(tmp_path / "out")["word_alignment"][0] != "0-1 1-0 1-2"


@pytest.mark.parametrize("format", FORMATS)
def test_pairs_that_cannot_be_aligned_are_counted(tmp_path, format):
    rows = [("fr-de", "livre", "Buch"), ("fr-de", "livre", "Buch")]
    report = ingest.export(pairs(rows), tmp_path / "out", format=format, **SETTINGS)
    assert report["changed"] == {UNALIGNED: 2}
    empty = ingest.export(
        pairs()[:0], tmp_path / "none", format=format, langs=("ar", "en"), **SETTINGS
    )
    assert empty["changed"] == {}


def test_command(tmp_path, capsys):
    pairs([*ROWS, ("ar-en", "كتاب", "book " * 1001)]).write_parquet(tmp_path / "p.parquet")
    command = ["export", str(tmp_path / "p.parquet"), "--format", "moses", "--word-alignments"]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    assert f"{UNALIGNED}: in 1 pairs" in capsys.readouterr().out
    assert (tmp_path / "out/pairs.ar-en.align").read_text().endswith("\n\n")


def test_the_card_names_the_option_and_the_column(tmp_path):
    ingest.export(pairs(), tmp_path / "out", format="huggingface", **SETTINGS)
    card = (tmp_path / "out/README.md").read_text()
    assert "ingest export PAIRS --format huggingface --word-alignments" in card
    assert "| `word_alignment` | links i-j between tokens" in card
