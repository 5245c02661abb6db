"""Folders, archives and data sets, the splits that their names tell, and JSON in any layout."""

from __future__ import annotations

import json
import zipfile

import polars as pl
import pytest

from ingest.cli import main
from ingest.errors import ConfigError, SourceError
from ingest.jobs.import_pairs import import_files
from ingest.pairs.delimited import read_delimited
from ingest.pairs.tables import InvalidRow, Rows

AR = ["وصلت السفينة إلى المرفأ القديم.", "نسيت الكتاب في المقهى أمس.", "تشرق الشمس باكرا في الصيف."]
EN = ["The ship reached the old harbour.", "I left the book in the café.", "The sun rises early in summer."]  # fmt: skip
BOTH = list(zip(AR, EN, strict=True))
OBJECTS = [{"ar": a, "en": b} for a, b in BOTH]
VARIABLE = [{"language": ["ar", "en"], "translation": [a, b]} for a, b in BOTH]


def imported(tmp_path, *files, **options):
    out = tmp_path / "imported.parquet"
    result = import_files([str(file) for file in files], out, overwrite=True, **options)
    return pl.read_parquet(out), result


def texts(pairs):
    return pairs.select("source_text", "target_text").rows()


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opus(folder):
    write(folder / "C.ar-en.ar", "\n".join(AR) + "\n")
    write(folder / "C.ar-en.en", "\n".join(EN) + "\n")
    write(folder / "C.ar-en.ids", "a.xml\tb.xml\t1\t1\n" * 3)
    write(folder / "LICENSE", "free")
    write(folder / "README", "read me")
    return folder


def test_a_moses_corpus_of_opus_is_read_as_a_folder_as_files_and_as_an_archive(tmp_path):
    folder = opus(tmp_path / "opus")
    archive = tmp_path / "ar-en.txt.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.iterdir():
            file.write(path, path.name)
    for files in ([folder], sorted(folder.iterdir()), [archive]):
        pairs, result = imported(tmp_path, *files)
        assert texts(pairs) == BOTH
        assert result.messages == []
        turned, _ = imported(tmp_path, *files, langs=("en", "ar"))
        assert texts(turned) == [(b, a) for a, b in BOTH]


def test_damaged_and_empty_archives_are_named(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("README", "nothing")
    with pytest.raises(SourceError, match=r"a.zip: is a ZIP archive without files of pairs"):
        imported(tmp_path, archive)
    archive.write_bytes(archive.read_bytes()[:60])
    with pytest.raises(SourceError, match=r"a.zip: cannot be read as ZIP"):
        imported(tmp_path, archive)


def test_a_file_without_a_counterpart_is_named(tmp_path):
    folder = opus(tmp_path / "opus")
    write(folder / "D.ar", "x")
    pairs, result = imported(tmp_path, folder)
    assert texts(pairs) == BOTH
    assert result.messages == [f"{folder / 'D.ar'}: left out, since no file in another language has the same name"]  # fmt: skip


def test_two_of_several_languages_of_a_folder_are_chosen(tmp_path):
    for name, side in (("ara_Arab", AR), ("eng_Latn", EN), ("fra_Latn", EN)):
        for split in ("dev", "devtest"):
            write(tmp_path / "f" / split / f"{name}.{split}", "\n".join(side))
    with pytest.raises(ConfigError, match="choose two with --langs"):
        imported(tmp_path, tmp_path / "f")
    pairs, result = imported(tmp_path, tmp_path / "f", langs=("en", "ar"))
    assert dict(result.splits) == {"dev": 3, "test": 3}
    assert texts(pairs) == [(b, a) for a, b in BOTH] * 2


@pytest.mark.parametrize("write_arrow", ["write_ipc_stream", "write_ipc"])
@pytest.mark.parametrize("column", [OBJECTS, VARIABLE])
def test_a_data_set_saved_to_disk(write_arrow, column, tmp_path):
    for split in ("train", "validation", "test"):
        folder = tmp_path / "saved" / split
        folder.mkdir(parents=True)
        frame = pl.DataFrame({"id": [1, 2, 3], "translation": column})
        getattr(frame, write_arrow)(folder / "data-00000-of-00001.arrow")
        getattr(frame, write_arrow)(folder / "tmp-of-a-map.arrow")
        state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": split}
        write(folder / "state.json", json.dumps(state))
        write(folder / "dataset_info.json", "{}")
    write(tmp_path / "saved" / "dataset_dict.json", '{"splits": ["train"]}')
    pairs, result = imported(tmp_path, tmp_path / "saved")
    assert dict(result.splits) == {"train": 3, "dev": 3, "test": 3}
    assert texts(pairs) == BOTH * 3
    one, _ = imported(tmp_path, tmp_path / "saved" / "test" / "data-00000-of-00001.arrow")
    assert texts(one) == BOTH


@pytest.mark.parametrize("data", [b"", b"nothing", b"ARROW1\0\0cut", b"\xff\xff\xff\xffcut"])
def test_damaged_arrow_is_named(data, tmp_path):
    path = write(tmp_path / "d.arrow", data)
    with pytest.raises(SourceError, match=r"d.arrow: (is not an Arrow file|cannot be read as Arrow)"):  # fmt: skip
        imported(tmp_path, path)


def test_splits_come_from_the_names_of_files(tmp_path):
    names = ("train.tsv", "valid.tsv", "newstest2014.tsv", "more.tsv")
    paths = [write(tmp_path / name, "".join(f"{a}\t{b}\n" for a, b in BOTH)) for name in names]
    pairs, result = imported(tmp_path, *paths)
    assert pairs["split"].to_list() == ["train"] * 3 + ["dev"] * 3 + ["test"] * 3 + [None] * 3
    assert "in the splits that they come from: 3 dev, 3 in none, 3 test, 3 train" in str(result)
    assert "split" not in imported(tmp_path, paths[3])[0].columns


def test_splits_come_from_a_column(tmp_path):
    rows = [{**pair, "split": s} for pair, s in zip(OBJECTS, ("Train", "eval", "x"), strict=True)]
    path = write(tmp_path / "p.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    pairs, result = imported(tmp_path, path)
    assert pairs["split"].to_list() == ["train", "test", None]
    assert result.messages == [f"{path}: column 'split' has 'x', which is not train, dev or test; such pairs are in no split"]  # fmt: skip


def test_an_imported_test_set_is_still_one_after_all_steps(tmp_path, capsys):
    for name, start in (("train", 0), ("test", 90)):
        for lang, text in (("ar", "الجملة رقم {} في الكتاب {}"), ("en", "line {} of book {}")):
            lines = [text.format(n, n * n) for n in range(start, start + (90 if start == 0 else 9))]
            write(tmp_path / "c" / f"{name}.{lang}", "\n".join(lines))
    pairs, split = tmp_path / "p.parquet", tmp_path / "s.parquet"
    assert main(["import", str(tmp_path / "c"), "-o", str(pairs)]) == 0
    assert main(["split", str(pairs), "-o", str(split)]) == 0
    assert "9 test pairs stay in the split that they came with" in capsys.readouterr().err
    after = pl.read_parquet(pairs).select(before="split").hstack(pl.read_parquet(split)["split"].to_frame())  # fmt: skip
    assert set(after.filter(before="test")["split"]) == {"test"}
    assert set(after.filter(split="test")["before"]) == {"test"}


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=2),
        json.dumps([[a, b] for a, b in BOTH], indent=1),
        json.dumps({"version": 1, "data": OBJECTS}),
        json.dumps({"ar": AR, "en": EN}),
        json.dumps({"ar": dict(enumerate(AR)), "en": dict(enumerate(EN))}, indent=1),
        "".join(json.dumps({"translation": row}) + "\n" for row in VARIABLE),
        json.dumps([{"id": 1, "translations": row} for row in VARIABLE], indent=1),
        "".join(json.dumps([a, b]) + "\n" for a, b in BOTH),
    ],
)
@pytest.mark.parametrize("name", ["p.json", "p.jsonl"])
def test_json_in_any_layout(data, name, tmp_path):
    pairs, result = imported(tmp_path, write(tmp_path / name, data))
    assert texts(pairs) == BOTH
    assert result.messages == []


def test_a_damaged_array_gives_what_came_before(tmp_path):
    path = write(tmp_path / "p.json", json.dumps(OBJECTS, indent=1)[:-20])
    pairs, result = imported(tmp_path, path)
    assert texts(pairs) == BOTH[:2]
    assert result.messages[0].startswith(f"{path}, record 3: ")


@pytest.mark.parametrize("name", ["p.tsv", "p.csv", "p.jsonl", "p.json", "p.tmx", "p.parquet"])
def test_messages_name_the_file(name, tmp_path):
    for data in (bytes(range(256)) * 40, b""):
        path = write(tmp_path / name, data)
        with pytest.raises(SourceError, match=name):
            imported(tmp_path, path)


def test_lines_that_end_in_carriage_returns(tmp_path):
    moses = [write(tmp_path / f"c.{n}", "\r".join(s) + "\r") for n, s in (("ar", AR), ("en", EN))]
    table = write(tmp_path / "p.tsv", "".join(f"{a}\t{b}\r" for a, b in BOTH))
    assert texts(imported(tmp_path, *moses)[0]) == BOTH
    assert texts(imported(tmp_path, table)[0]) == BOTH


def test_subtitles_are_not_in_parallel(tmp_path):
    cue = "1\n00:00:01,000 --> 00:00:02,000\n"
    files = [write(tmp_path / f"f.{n}.srt", cue + s[0]) for n, s in (("ar", AR), ("en", EN))]
    with pytest.raises(SourceError, match=r"f.ar.srt: is a file of subtitles.*ingest align"):
        imported(tmp_path, *files)


def test_inner_quotes_of_csv_that_are_not_doubled_are_letters(tmp_path):
    rows = [
        ('قال المدير: "لن نغلق المدرسة".', 'The headmaster said: "We will not close"'),
        ('"نعم" قالت المعلمة للطلاب.', '"Yes" said the teacher to the pupils.'),
    ]
    data = "ar,en\n" + "".join(f'"{a}","{b}"\n' for a, b in rows)
    data += '"قالت ""نعم"" مرة أخرى","She said ""yes"" again" \n'
    data += '"قالت "نعم", ثم خرجت","She said yes and left"\n'
    path = tmp_path / "p.csv"
    path.write_text(data, encoding="utf-8")
    read = list(read_delimited(str(path), None))
    frames = [rows.frame for rows in read if isinstance(rows, Rows)]
    kept = [*rows, ('قالت "نعم" مرة أخرى', 'She said "yes" again ')]
    assert frames[0].rows() == kept
    invalid = [row for row in read if isinstance(row, InvalidRow)]
    assert [(row.number, row.problem) for row in invalid] == [(5, "has 3 of 2 fields")]
