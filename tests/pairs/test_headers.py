"""Which row is a header, and which columns have the texts."""

from __future__ import annotations

import json

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.errors import SourceError
from ingest.jobs.import_pairs import import_files, read_pair_files
from ingest.pairs.columns import find_text_columns

AR = ["وصلت السفينة إلى المرفأ القديم.", "نسيت الكتاب في المقهى أمس.", "تشرق الشمس باكرا في الصيف."]
EN = ["The ship reached the old harbour.", "I left the book in the café.", "The sun rises early in summer."]  # fmt: skip
BOTH = list(zip(AR, EN, strict=True))


def imported(tmp_path, name, text, **options):
    path, out = tmp_path / name, tmp_path / "out.parquet"
    path.write_text(text, encoding="utf-8")
    result = import_files([str(path)], out, overwrite=True, **options)
    return pl.read_parquet(out), result


def texts(pairs):
    return pairs.select("source_text", "target_text").rows()


@pytest.mark.parametrize(
    "header",
    [
        "ar en", "AR EN", "text_ar text_en", "ar_text en_text", "Source_text Target_text",
        "العربية الإنجليزية", "العربية English", "عربي انجليزي", "original translation",
        "المصدر الهدف", "Text Translation", "sentence1 sentence2", "ara_Arab eng_Latn",
        "sentence_ara_Arab sentence_eng_Latn", "textAr textEn", "Arabic-text English-text",
        "src tgt", "Source Reference", '"ar" "en"', "arabe anglais", "ar-SA en-GB",
        "source_ar target_en", "title_ar title_en", "\ufeffar en", '\ufeff"ar" "en"',
        "\ufeffالعربية الإنجليزية",
    ],
)  # fmt: skip
def test_a_header_is_no_pair(header, tmp_path):
    table = "\n".join(["\t".join(header.split()), *map("\t".join, BOTH)])
    pairs, result = imported(tmp_path, "p.tsv", table + "\n")
    assert texts(pairs) == BOTH
    assert set(pairs.select("source_lang", "target_lang").rows()) == {("ar", "en")}
    assert result.messages == []


@pytest.mark.parametrize("header", ["prompt\tcompletion", "0\t1", "العمود أ\tالعمود ب", "X\tY"])
def test_an_unknown_header_is_told_by_the_other_rows_and_named(header, tmp_path):
    pairs, result = imported(tmp_path, "p.tsv", "\n".join([header, *map("\t".join, BOTH)]))
    assert texts(pairs) == BOTH
    assert "the first row was taken as a header" in result.messages[0]


@pytest.mark.parametrize(
    "first",
    ["English\tالإنجليزية", "Arabic\tالعربية", "Source\tالمصدر", "Translation\tالترجمة", "UNESCO\tاليونسكو"],
)  # fmt: skip
def test_the_first_entry_of_a_dictionary_is_no_header(first, tmp_path):
    rows = "book\tكتاب\nhouse\tبيت\nriver\tنهر\ntree\tشجرة\n"
    pairs, _ = imported(tmp_path, "p.tsv", f"{first}\n{rows}", langs=("en", "ar"))
    assert texts(pairs)[0] == tuple(first.split("\t"))


@pytest.mark.parametrize(
    "header",
    ["id,text_ar,text_en", ",ar,en", "row,original,translation", "url,Arabic,English", "n,q,a"],
)
def test_other_columns_are_left_alone(header, tmp_path):
    rows = "".join(f'{n},"{a}","{b}"\n' for n, (a, b) in enumerate(BOTH))
    pairs, result = imported(tmp_path, "p.csv", f"{header}\n{rows}")
    assert texts(pairs) == BOTH
    assert len(result.ignored_columns) == 1


def test_a_table_without_a_header_is_read_by_its_content(tmp_path):
    rows = "".join(f"http://a/{n}\t{a}\t{b}\t0.9{n}\n" for n, (a, b) in enumerate(BOTH))
    pairs, result = imported(tmp_path, "p.tsv", rows)
    assert texts(pairs) == BOTH
    assert result.ignored_columns == ["1", "4"]
    turned, _ = imported(tmp_path, "p.tsv", rows, langs=("en", "ar"))
    assert texts(turned) == [(b, a) for a, b in BOTH]


def test_columns_can_be_named_or_numbered(tmp_path, capsys):
    rows = "".join(f'"{b}","{a}","{b}"\n' for a, b in BOTH)
    with pytest.raises(SourceError, match=r"p.csv: has 3 columns .*--source-column"):
        imported(tmp_path, "p.csv", rows)
    assert texts(imported(tmp_path, "p.csv", rows, columns=("2", "3"))[0]) == BOTH
    assert texts(imported(tmp_path, "p.csv", "x,y,z\n" + rows, columns=("y", "z"))[0]) == BOTH
    args = ["import", str(tmp_path / "p.csv"), "-o", str(tmp_path / "o.parquet")]
    assert main([*args, "--source-column", "y", "--target-column", "z"]) == 0
    assert main([*args, "--overwrite", "--source-column", "y"]) == 2
    assert "give --source-column and --target-column" in capsys.readouterr().err
    assert main([*args, "--overwrite", "--source-column", "y", "--target-column", "no"]) == 2
    assert "has no column 'no'; its columns are 'x', 'y', 'z'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "names", [["text", "source"], ["title_ar", "title_en", "body_ar", "body_en"], ["en", "en_2"]]
)
def test_unclear_names_are_not_guessed(names):
    assert find_text_columns(names, None) is None


@pytest.mark.parametrize("header", ["translation\n", "id,translation,split\n", "pair\n", ""])
@pytest.mark.parametrize("write", [repr, json.dumps])
def test_a_printed_translation_is_read(header, write, tmp_path):
    width = max(1, len(header.split(",")))
    cells = ['"' + write({"ar": a, "en": b}).replace('"', '""') + '"' for a, b in BOTH]
    rows = "".join(f"1,{cell},x\n" if width == 3 else f"{cell}\n" for cell in cells)
    pairs, _ = imported(tmp_path, "p.csv", header + rows)
    assert texts(pairs) == BOTH


def test_sides_in_the_other_language_are_exchanged_and_named(tmp_path, capsys):
    path = tmp_path / "p.tsv"
    path.write_text("".join(f"{b}\t{a}\n" for a, b in BOTH))
    out = tmp_path / "o.parquet"
    assert main(["import", str(path), "-o", str(out), "--langs", "ar,en"]) == 0
    assert "p.tsv: the sides are swapped: the first is en, the second ar" in capsys.readouterr().err
    assert texts(pl.read_parquet(out)) == BOTH
    pairs, result = imported(tmp_path, "n.tsv", "ar\ten\n" + path.read_text())
    assert texts(pairs) == BOTH
    assert "columns 'ar' and 'en'" in result.messages[0]
    with pytest.warns(UserWarning, match="the sides are swapped"):
        assert texts(ingest.read_pairs(pl.DataFrame({"ar": EN, "en": AR}))) == BOTH


def test_a_side_in_the_wrong_language_is_named(tmp_path):
    rows = "".join(f"{b}\t{c}\n" for b, c in zip(EN, EN[::-1], strict=True))
    pairs, result = imported(tmp_path, "p.tsv", rows, langs=("ar", "en"))
    assert len(pairs) == 3
    assert "p.tsv: the source looks like en, not ar" in result.messages[0]


def test_the_texts_of_any_file_can_be_read(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps({"ar": a, "en": b}) + "\n" for a, b in BOTH))
    assert texts(pl.concat(read_pair_files([str(path)]))) == BOTH
