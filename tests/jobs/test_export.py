"""Selection, direction and destination of an export, for all formats."""

from __future__ import annotations

import json
from importlib import import_module

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ingest.cli import main
from ingest.errors import ConfigError, FrameError, OutputError, SourceError, WriteError
from ingest.frames import PAIRS, schema
from ingest.jobs.export import FOLDERS, FORMATS, default_destination, export


def pairs(*rows, **columns) -> pl.DataFrame:
    """Make one pair per row, which gives the direction and any values that differ from the usual."""
    usual = {
        "source_text": "س", "target_text": "t", "source_doc": "d1", "target_doc": "d2",
        "source_segments": [1], "target_segments": [2, 3], "method": "aligned", "model": "m",
        "score": 0.5,
    }  # fmt: skip
    records = [
        {"pair_id": str(n), "source_lang": way[:2], "target_lang": way[3:], **usual, **other}
        for n, (way, other) in enumerate(rows)
    ]
    return pl.DataFrame(records, {**schema(PAIRS), **columns})


def exported(frame, tmp_path, **settings):
    report = export(frame, tmp_path / "o.parquet", format="parquet", overwrite=True, **settings)
    return pl.read_parquet(tmp_path / "o.parquet"), report


def test_only_kept_pairs_are_exported_and_others_are_counted(tmp_path):
    frame = pairs(
        ("ar-en", {"keep": True}),
        ("ar-en", {"keep": False, "drop_reason": "length"}),
        ("ar-en", {"keep": False, "drop_reason": "length"}),
        ("ar-en", {"keep": False}),
        ("ar-en", {"keep": None}),
        ("ar-en", {"keep": True, "target_text": None}),
        ("ar-en", {"keep": True, "method": None}),
        keep=pl.Boolean,
        drop_reason=pl.String,
    )
    got, report = exported(frame, tmp_path)
    assert_frame_equal(got, frame[:1])
    assert report["left_out"] == {
        "not kept": 2, "not kept: length": 2, "method is null": 1, "target_text is null": 1,
    }  # fmt: skip
    assert (report["read"], report["written"]) == (7, 1)


def test_min_score(tmp_path):
    frame = pairs(*(("ar-en", {"score": s}) for s in (0.7, 0.69, None, float("nan"), 1.0)))
    got, report = exported(frame, tmp_path, min_score=0.7)
    assert got["pair_id"].to_list() == ["0", "4"]
    assert report["left_out"] == {"without score": 2, "score under 0.7": 1}
    got, report = exported(frame, tmp_path)
    assert len(got) == 5
    assert report["left_out"] == {}


def test_langs_turn_pairs_around_and_leave_others_out(tmp_path):
    frame = pairs(("ar-en", {}), ("en-ar", {}), ("fr-ar", {}), ("ar-ar", {}), ("en-en", {}))
    frame = frame.with_columns(source_uri=pl.lit("a"), target_uri=pl.lit("b"))
    got, report = exported(frame, tmp_path, langs=("ar", "en"))
    assert got["source_lang"].to_list() == ["ar", "ar"]
    assert got["turned"].to_list() == [False, True]
    assert report["turned"] == 1
    assert report["left_out"] == {"other languages": 3}
    texts = got.select("source_text", "target_doc", "target_segments", "target_uri").row(1)
    assert texts == ("t", "d1", [1], "a")
    # turned once more, it is as it was
    back, _ = exported(got, tmp_path, langs=("en", "ar"))
    assert_frame_equal(back.drop("turned")[1], frame[1])
    assert back["turned"].to_list() == [True, False]


def test_scores_of_a_side_are_turned_with_it(tmp_path):
    scores = {"words_source": 0.25, "words_target": 1.0, "source_script": 0.5, "target_script": 1.0,
              "length_ratio": 2.0, "length": 0.5, "copy": 0.75, "quality": 0.125}  # fmt: skip
    frame = pairs(("en-ar", {}), ("ar-en", {}))
    frame = frame.with_columns(pl.lit(v, pl.Float32).alias(k) for k, v in scores.items())
    got, _ = exported(frame, tmp_path, langs=("ar", "en"))
    assert got.schema == {**frame.schema, "turned": pl.Boolean()}
    assert got.select(*scores).row(1, named=True) == scores
    assert got.select(*scores).row(0, named=True) == scores | {
        "words_source": 1.0, "words_target": 0.25, "source_script": 1.0, "target_script": 0.5,
        "length_ratio": 0.5, "length": 2.0,
    }  # fmt: skip
    back, _ = exported(got, tmp_path, langs=("en", "ar"))
    assert_frame_equal(back.drop("turned")[0], frame[0])


def test_a_score_without_its_twin_stays(tmp_path):
    frame = pairs(("en-ar", {})).with_columns(words_source=0.25, length=pl.lit("short"))
    got, _ = exported(frame, tmp_path, langs=("ar", "en"))
    assert got.select("words_source", "length").row(0) == (0.25, "short")


def test_without_langs_pairs_stay_as_they_are(tmp_path):
    frame = pairs(("ar-en", {}), ("en-ar", {}), ("fr-ar", {}))
    got, report = exported(frame, tmp_path)
    assert_frame_equal(got, frame)
    assert report["turned"] == 0


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_frame(format, tmp_path):
    export(pairs(), tmp_path / "o", format=format, langs=("ar", "en"))
    if format == "moses":
        assert (tmp_path / "o" / "pairs.ar").read_bytes() == b""


@pytest.mark.parametrize("format", FOLDERS)
def test_a_format_of_two_languages_asks_which(format, tmp_path):
    frame = pairs(("ar-en", {}), ("fr-ar", {}))
    with pytest.raises(ConfigError, match="pairs of ar-en, ar-fr; choose two with --langs"):
        export(frame, tmp_path / "o", format=format)
    with pytest.raises(ConfigError, match="no languages"):
        export(pairs(), tmp_path / "o", format=format)
    with pytest.raises(ConfigError, match="en with itself"):
        export(pairs(("en-en", {})), tmp_path / "o", format=format)
    assert list(tmp_path.iterdir()) == []


def test_moses_keeps_splits_and_machine_translation_apart(tmp_path):
    frame = pairs(
        ("ar-en", {"split": "train", "source_text": "ا"}),
        ("en-ar", {"split": "train", "source_text": "b"}),
        ("ar-en", {"split": "train", "method": "translated"}),
        ("ar-en", {"split": None}),
        split=pl.String,
    )
    report = export(frame, tmp_path / "o", format="moses")
    names = {"train", "train.translated"}
    files = {f"{name}.{end}" for name in names for end in ("ar", "en", "ids")} | {"export.json"}
    assert {p.name for p in (tmp_path / "o").iterdir()} == files == set(report["files"])
    assert (tmp_path / "o" / "train.ar").read_text(encoding="utf-8") == "ا\nt\n"
    assert (tmp_path / "o" / "train.en").read_text(encoding="utf-8") == "t\nb\n"
    stored_report = json.loads((tmp_path / "o" / "export.json").read_bytes())
    assert (stored_report["written"], stored_report["left_out"]) == (3, {"in no split": 1})


def test_masked_texts_take_the_place_of_the_texts(tmp_path):
    frame = pairs(
        ("ar-en", {"source_text": "٠٥٠", "source_masked": "<PHONE_1>"}),
        ("en-ar", {"source_text": "050", "target_text": "٠٥٠", "source_masked": "<PHONE_1>"}),
        ("ar-en", {"keep": False, "target_masked": "<IP_1>"}),
        source_masked=pl.String,
        target_masked=pl.String,
    ).with_columns(pl.lit([True, True, False]).explode().alias("keep"))
    got, report = exported(frame, tmp_path, langs=("ar", "en"))
    texts = got.select("source_text", "target_text").rows()
    assert texts == [("<PHONE_1>", "t"), ("٠٥٠", "<PHONE_1>")]
    assert not {"source_masked", "target_masked"} & set(got.columns)
    assert report["masked"] == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [("method", "human"), ("source_lang", "../ar"), ("target_lang", ""), ("split", "a/b")],
)
def test_invalid_values_are_refused(column, value, tmp_path):
    frame = pairs(("ar-en", {"split": "train", column: value}), split=pl.String)
    with pytest.raises(FrameError, match=f"column '{column}' has the value '{value}', must be"):
        export(frame, tmp_path / "o", format="moses")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(FrameError, match="export of the frame: column 'method' is missing"):
        export(pairs().drop("method"), tmp_path / "o", format="tsv")


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "xliff"},
        {"format": "tsv", "langs": ("ar",)},
        {"format": "tsv", "langs": ("ar", "ar")},
        {"format": "tsv", "langs": "ar-en"},
        {"format": "tsv", "min_score": float("nan")},
        {"format": "tsv", "min_score": 5},
        {"format": "tsv", "min_score": -0.1},
        {"format": "tsv", "langs": ("fr", "en")},
    ],
)
def test_a_wrong_setting(wrong, tmp_path):
    with pytest.raises(ConfigError):
        export(pairs(("ar-en", {})), tmp_path / "o", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_file_or_the_folder_that_holds_it(tmp_path):
    frame = pairs(("ar-en", {}))
    (tmp_path / "run").mkdir()
    with pytest.raises(SourceError, match=r"run: contains no pairs\.parquet"):
        export(tmp_path / "run", tmp_path / "o", format="tsv")
    with pytest.raises(SourceError, match="gone: no such file"):
        export(tmp_path / "gone", tmp_path / "o", format="tsv")
    path = tmp_path / "run" / "pairs.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        export(path, tmp_path / "o", format="tsv")
    frame.write_parquet(path)
    for n, source in enumerate((frame, path, str(path), tmp_path / "run")):
        export(source, tmp_path / str(n), format="tsv")
    assert len({(tmp_path / str(n)).read_bytes() for n in range(4)}) == 1


@pytest.mark.parametrize("format", FORMATS)
def test_existing_output_is_replaced_only_with_overwrite(format, tmp_path):
    dest = tmp_path / "deep" / "o"
    dest.parent.mkdir()
    export(pairs(("ar-en", {})), dest, format=format)
    with pytest.raises(OutputError, match="exists"):
        export(pairs(("ar-en", {})), dest, format=format)
    export(pairs(("ar-en", {}), ("ar-en", {})), dest, format=format, overwrite=True)
    assert [p.name for p in dest.parent.iterdir()] == ["o"]
    if format in FOLDERS:
        assert json.loads((dest / "export.json").read_bytes())["written"] == 2
        (dest / "mine.txt").touch()
        with pytest.raises(
            OutputError, match=r"contains files that export did not write \(mine\.txt\)"
        ):
            export(pairs(("ar-en", {})), dest, format=format, overwrite=True)
    else:
        dest.rename(tmp_path / "real")
        dest.symlink_to(tmp_path / "real")
        with pytest.raises(OutputError, match="is not a regular file"):
            export(pairs(("ar-en", {})), dest, format=format, overwrite=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"^\S+o: has no export\.json, which would say .* \(README\.md, data/train-"),
        ("", r"^\S+o/export\.json: is damaged, so it is unknown which"),
        ("[" * 100_000, r"^\S+o/export\.json: is damaged, so it is unknown which"),
    ],
)
def test_a_folder_that_has_lost_its_list_is_not_replaced(text, said, tmp_path):
    dest = tmp_path / "o"
    export(pairs(("ar-en", {})), dest, format="huggingface")
    (dest / "export.json").unlink()
    if text is not None:
        (dest / "export.json").write_text(text)
    with pytest.raises(OutputError, match=rf"{said}.*; choose another name, or move \S+.* away$"):
        export(pairs(("ar-en", {})), dest, format="huggingface", overwrite=True)
    dest.rename(tmp_path / "away")
    export(pairs(("ar-en", {})), dest, format="huggingface", overwrite=True)


def test_the_input_is_not_replaced(tmp_path):
    path = tmp_path / "pairs.parquet"
    pairs(("ar-en", {})).write_parquet(path)
    with pytest.raises(OutputError, match="is the input itself"):
        export(path, path, format="parquet", overwrite=True)


@pytest.mark.parametrize("format", FORMATS)
def test_a_failed_export_leaves_nothing_behind(format, tmp_path, monkeypatch):
    path = tmp_path / "pairs.parquet"
    rows = [("ar-en", {"method": m}) for m in ("aligned", "translated") * 5]
    pairs(*rows).write_parquet(path)
    monkeypatch.setattr(import_module("ingest.writers.selection"), "_READ_ROWS", 4)
    from ingest.writers.selection import Selection

    count = Selection._count

    def change(self):
        count(self)
        path.write_bytes(path.read_bytes())

    monkeypatch.setattr(Selection, "_count", change)
    with pytest.raises(SourceError, match="was changed while it was read"):
        export(path, tmp_path / "o", format=format)
    assert [p.name for p in tmp_path.iterdir()] == ["pairs.parquet"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_destination_that_cannot_be_written(format, tmp_path):
    (tmp_path / "file").touch()
    for parent in ("file", "none"):
        with pytest.raises(WriteError, match=f"cannot be written: there is no folder .*{parent}"):
            export(pairs(("ar-en", {})), tmp_path / parent / "o", format=format)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_pairs_make_the_same_bytes(format, tmp_path, monkeypatch):
    frame = pairs(*(("ar-en", {"source_text": f"{n}\n"}) for n in range(20)))
    export(frame, tmp_path / "a", format=format)
    monkeypatch.setattr(import_module("ingest.writers.selection"), "_READ_ROWS", 3)
    export(frame, tmp_path / "b", format=format)
    names = export(frame, tmp_path / "c", format=format)["files"] if format in FOLDERS else [""]
    for name in names:
        contents = {(tmp_path / at / name).read_bytes() for at in "abc" if (tmp_path / at).exists()}
        assert len(contents) == 1


def test_default_destination(tmp_path):
    (tmp_path / "run").mkdir()
    assert default_destination(tmp_path / "run/", "tmx") == tmp_path / "run.tmx"
    assert default_destination("pairs.parquet", "huggingface").name == "pairs.huggingface"


def test_langs_without_any_pairs_are_an_error(tmp_path):
    frame = pairs(("ar-en", {}), ("en-ar", {}), ("ar-fr", {"keep": False}), keep=pl.Boolean)
    with pytest.raises(ConfigError, match="no pairs of fr-en, only of ar-en, ar-fr, en-ar"):
        export(frame, tmp_path / "o", format="tsv", langs=("fr", "en"))
    # there are some, though none is kept
    assert export(frame, tmp_path / "o", format="tsv", langs=("fr", "ar"))["written"] == 0


def test_a_later_file_of_the_folder_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    frame = pairs(("ar-en", {}))

    def first_line(*call) -> str:
        assert main([*call, "--overwrite"]) == 0
        return capsys.readouterr().out.splitlines()[0]

    frame.write_parquet("out/pairs.parquet")
    export_ = ("export", "out", "--format", "tsv", "-o", "o.tsv")
    filter_, split = (("filter", "out", "-o", "f.parquet"), ("split", "out", "-o", "s.parquet"))
    assert first_line(*export_) == "1 of 1 pairs"
    for name, who in (
        ("scored", (export_, filter_, split)), ("filtered", (export_, split)), ("split", (export_,)),
    ):  # fmt: skip
        frame.write_parquet(f"out/{name}.parquet")
        for call in who:
            assert first_line(*call) == (
                f"using out/pairs.parquet; out/{name}.parquet also exists: give it to use that instead"
            )
    assert "out/scored.parquet also exists" in first_line(*filter_)
    assert first_line("export", "out/pairs.parquet", *export_[2:]) == "1 of 1 pairs"


def test_the_command(call, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    rows = [("ar-en", {}), ("en-ar", {"source_text": "a\u2028b"}), ("ar-en", {"score": 0.1})]
    pairs(*rows).write_parquet(tmp_path / "out" / "pairs.parquet")
    monkeypatch.chdir(tmp_path)
    command = ["export", "out", "--format", "moses", "--langs", "ar,en", "--min-score", "0.5"]
    done = call(*command)
    assert done.status == 0, done.err
    assert done.out.splitlines() == [
        "2 of 3 pairs",
        "  1 aligned, ar-en",
        "  1 aligned, en-ar",
        "left out: 1 score under 0.5",
        "turned around: 1",
        "line breaks and control characters became spaces: in 1 pairs",
        "written to out.moses",
    ]
    again = call(*command)
    assert again.status == 2
    assert again.err == (
        "ingest: out.moses: exists already; choose another name, or give --overwrite\n"
    )


def test_translations_with_flags_are_left_out(tmp_path, capsys):
    frame = pairs(
        ("ar-en", {"method": "translated", "flags": []}),
        ("ar-en", {"method": "translated", "flags": ["cut", "low_score"]}),
        ("ar-en", {"method": "translated", "flags": ["low_score"]}),
        ("ar-en", {"method": "translated", "flags": None}),
        ("ar-en", {"method": "imported", "flags": ["low_score"]}),
        flags=pl.List(pl.String),
    )
    got, report = exported(frame, tmp_path)
    assert got["pair_id"].to_list() == ["0", "3", "4"]
    assert report["left_out"] == {"flagged: cut": 1, "flagged: low_score": 1}
    got, report = exported(frame, tmp_path, flagged=True)
    assert (len(got), report["left_out"]) == (5, {})
    frame.write_parquet(tmp_path / "pairs.parquet")
    command = ["export", str(tmp_path / "pairs.parquet"), "--format", "jsonl", "-o"]
    assert main([*command, str(tmp_path / "a.jsonl")]) == 0
    summary = capsys.readouterr().out
    assert "left out: 1 flagged: low_score" in summary
    assert "to export translations with flags too: --flagged" in summary
    assert main([*command, str(tmp_path / "b.jsonl"), "--flagged"]) == 0
    assert "flagged" not in capsys.readouterr().out
    for flagged, words in ((False, "were left out"), (True, "are part of the data")):
        export(frame, tmp_path / words, format="huggingface", flagged=flagged)
        card = (tmp_path / words / "README.md").read_text(encoding="utf-8")
        assert f"Translations in which a fault is suspected (`flags`) {words}." in card
        assert ("--flagged" in card) == flagged
        assert ("flagged: low_score" in card) != flagged
