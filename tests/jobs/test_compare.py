"""Compare two runs."""

from __future__ import annotations

import shutil

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.errors import SourceError
from ingest.jobs.compare import ABSENT, EDITED, KEPT, NO_PAIR, compare_runs

NAMES = ("ar_chrome_en_news_1.txt", "ar_chrome_en_news_2.txt")


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    for name in NAMES:
        (folder / name).write_bytes((ingest.samples() / name).read_bytes())
    ingest.run(folder, folder / "before")
    return folder / "before"


@pytest.fixture
def after(before, tmp_path):
    return shutil.copytree(before, tmp_path / "after")


def change(run, name, *columns, **named):
    path = run / name
    pl.read_parquet(path).with_columns(*columns, **named).write_parquet(path)


def test_equal_runs_differ_in_nothing(before, after):
    same = compare_runs(str(before), str(after))
    assert same.lines.is_empty()
    assert same.pair_changes.is_empty()
    assert same.pages == (2, 2)
    assert same.shared_pages == 2
    assert same.kept[0] == same.kept[1] > 0


def test_lines_are_grouped_by_what_the_runs_say(before, after):
    segments = pl.read_parquet(before / "segments.parquet").with_row_index()
    bodies = segments.filter(pl.col("keep") & (pl.col("role") == "body"))
    gone, dropped = bodies["index"][0], bodies["index"][1:3]
    changed = segments.with_columns(
        keep=pl.col("keep") & ~pl.col("index").is_in(dropped.implode()),
        role=pl.when(pl.col("index").is_in(dropped.implode()))
        .then(pl.lit("nav"))
        .otherwise("role"),
    )
    changed = changed.filter(pl.col("index") != gone).drop("index")
    changed.write_parquet(after / "segments.parquet")
    lines = compare_runs(str(before), str(after)).lines
    assert lines.drop("uri", "text").rows() == [
        ("body", KEPT, "nav", "not content", 2), ("body", KEPT, "-", ABSENT, 1),
    ]  # fmt: skip
    texts = segments["text"]
    assert lines["text"].to_list() == [texts[dropped[0]], texts[gone]]
    assert all(uri.endswith(NAMES) for uri in lines["uri"])
    back = compare_runs(str(after), str(before)).lines
    assert back.select("before", "after", "lines").rows() == [
        ("not content", KEPT, 2), (ABSENT, KEPT, 1),
    ]  # fmt: skip


def test_equal_lines_of_a_page_are_compared_in_order(before, after):
    segments = pl.read_parquet(after / "segments.parquet")
    line = segments.filter("keep").head(1)
    for run, keep in ((before, [True, False]), (after, [True, True])):
        frame = pl.concat([line, line]).with_columns(
            keep=pl.Series(keep), segment=pl.Series([0, 1])
        )
        frame.write_parquet(after / f"{run.name}.parquet")
    first = shutil.copytree(after, after.parent / "first")
    shutil.copy(after / "before.parquet", first / "segments.parquet")
    shutil.copy(after / "after.parquet", after / "segments.parquet")
    lines = compare_runs(str(first), str(after)).lines
    assert lines.select("before", "after", "lines").rows() == [("damaged", KEPT, 1)]


def test_pairs_are_compared_in_the_last_file_that_both_have(before, after, tmp_path):
    first = shutil.copytree(before, tmp_path / "first")
    pairs = pl.DataFrame(
        {"source_text": ["a", "b", "c"], "target_text": ["A", "B", "C"],
         "source_lang": "ar", "target_lang": "en"}
    )  # fmt: skip
    pairs.write_parquet(first / "pairs.parquet")
    pairs.head(2).write_parquet(after / "pairs.parquet")
    compared = compare_runs(str(first), str(after))
    assert (compared.pairs_file, compared.pairs) == ("pairs.parquet", (3, 2))
    assert compared.pair_changes.rows() == [(KEPT, NO_PAIR, 1, "c", "C")]
    for run, reasons in ((first, [None, "copy", None]), (after, [None, None, "too short"])):
        reason = pl.Series("drop_reason", reasons, pl.String)
        pairs.with_columns(reason, keep=reason.is_null()).write_parquet(run / "filtered.parquet")
    compared = compare_runs(str(first), str(after))
    assert compared.pairs_file == "filtered.parquet"
    assert compared.pair_changes.rows() == [
        ("copy", KEPT, 1, "b", "B"), (KEPT, "too short", 1, "c", "C"),
    ]  # fmt: skip


def test_equal_pairs_count_and_an_edit_is_one_change(before, after, tmp_path, capsys):
    first = shutil.copytree(before, tmp_path / "first")
    pairs = pl.DataFrame(
        {"source_text": ["a", "a", "b"], "target_text": ["A", "A", "B"],
         "source_lang": "ar", "target_lang": "en"}
    )  # fmt: skip
    pairs.write_parquet(first / "pairs.parquet")
    no_text = pl.lit(None, pl.String)
    edited = pairs.with_columns(original_source_text=no_text, original_target_text=no_text)
    edited[2, "target_text"], edited[2, "original_target_text"] = "New", "B"
    edited.write_parquet(after / "pairs.parquet")
    compared = compare_runs(str(first), str(after))
    assert compared.pairs == (3, 3)
    assert compared.pair_changes.rows() == [(KEPT, EDITED, 1, "b", "New")]
    assert compare_runs(str(after), str(first)).pair_changes["before"].to_list() == [EDITED]
    assert compare_runs(str(after), str(after)).pair_changes.is_empty()
    (after / "pairs.parquet").unlink()
    assert compare_runs(str(first), str(after)).pairs == (3, None)
    assert main(["report", str(after), "--against", str(first)]) == 0
    printed = capsys.readouterr().out
    assert next(line.split() for line in printed.splitlines() if line.startswith("pairs ")) == ["pairs", "3", "n/a", "n/a"]  # fmt: skip
    assert f"pairs not compared ({after}: no pairs)" in printed


def test_bad_input_is_named(before, after, tmp_path):
    with pytest.raises(SourceError, match="is not the folder of a run"):
        compare_runs(str(before), str(tmp_path))
    change(after, "documents.parquet", doc_id=pl.lit("x"))
    with pytest.raises(SourceError, match="have no page in common"):
        compare_runs(str(before), str(after))
    (after / "segments.parquet").write_bytes(b"no Parquet")
    with pytest.raises(SourceError, match="cannot be read"):
        compare_runs(str(before), str(after))


def test_report_against_prints_the_changes_and_writes_nothing(before, after, capsys):
    change(after, "segments.parquet", pl.col("keep") & (pl.col("role") != "headline"))
    files = sorted(after.iterdir())
    assert main(["report", str(after), "--against", str(before)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\n0 lines kept now\n" in out
    assert " no longer kept\n" in out
    assert "headline → headline (" in out
    assert "␊" not in out
    assert sorted(after.iterdir()) == files
    assert main(["report", str(after), "--against", str(before), "-o", "x.html"]) == 2
    assert "leave out -o" in capsys.readouterr().err
