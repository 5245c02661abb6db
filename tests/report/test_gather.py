"""The data of a report, for runs of all kinds."""

from __future__ import annotations

import json
import math

import polars as pl
import pytest
from made_runs import HOSTILE, documents, pairs, segments, write

from ingest.errors import FrameError, SourceError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.report import pages as pages_module
from ingest.report import pairs as pairs_module
from ingest.report import sources
from ingest.report.gather import gather
from ingest.report.html_page import as_json, render
from ingest.report.segments import REASONS
from ingest.roles import KEPT_ROLES, ROLES


def test_every_segment_is_kept_or_has_one_reason(tmp_path):
    out = write(
        tmp_path / "out",
        documents=documents({}),
        segments=segments(
            {}, {"role": "nav", "article": 0, "keep": False},
            {"role": "nav", "role_by": "site", "article": 0, "keep": False},
            {"role": "headline", "article": 0, "keep": False},
            {"duplicate_of": 0, "keep": False}, {"role": "ad", "duplicate_of": 1, "keep": False},
            {"keep": False}, {"keep": None},
        ),
    )  # fmt: skip
    data = gather(out)["segments"]
    assert data["kept"] == 1
    counted = {drop["reason"]: drop["count"] for drop in data["drops"]}
    assert counted == {
        "nav": 1, "template": 1, "outside any article": 1, "repeated": 2, "damaged": 2,
    }  # fmt: skip
    assert data["funnel"][0]["in"] == 8
    assert data["funnel"][-1]["left"] == 1
    assert all(drop["examples"] for drop in data["drops"])


def test_every_role_that_is_not_content_is_a_reason():
    assert set(ROLES) - set(KEPT_ROLES) == set(REASONS) & set(ROLES)


def test_an_empty_run(tmp_path):
    empty = gather(
        write(tmp_path / "out", documents=documents(), segments=segments(), pairs=pairs())
    )
    assert empty["pages"]["pages"] == empty["segments"]["segments"] == empty["pairs"]["total"] == 0
    assert empty["views"]["pages"] == [] == empty["sources"]["rows"]
    assert render(empty)


def test_a_run_in_which_nothing_could_be_read(tmp_path):
    lost = {"error": "cannot be decoded", "text": None, "chars": None}
    data = gather(
        write(
            tmp_path / "out", documents=documents(lost, lost, {"text": " \n"}), segments=segments()
        )
    )
    assert data["pages"]["funnel"][-1] == {"rule": "without text", "in": 1, "took": 1, "left": 0}
    assert len(data["pages"]["in_error"]) == 2


def test_missing_files_are_fine(tmp_path):
    assert set(gather(write(tmp_path / "run", run={"version": "1"}))) >= {"name", "run"}
    assert "pairs" in gather(write(tmp_path / "pairs", pairs=pairs({})))
    assert "pages" in gather(write(tmp_path / "pages", documents=documents({})))
    assert "segments" in gather(write(tmp_path / "segments", segments=segments({})))


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(SourceError, match="is not a directory; give the OUT"):
        gather(tmp_path / "gone")
    with pytest.raises(SourceError, match="has no files of a run"):
        gather(tmp_path)
    with pytest.raises(SourceError, match=r"no\.parquet: is not a file"):
        gather(tmp_path, tmp_path / "no.parquet")


@pytest.mark.parametrize(
    "name", ["documents.parquet", "segments.parquet", "pairs.parquet", "run.json"]
)
def test_a_damaged_file_is_named(tmp_path, name):
    out = write(tmp_path / "out", documents=documents({}), segments=segments({}))
    (out / name).write_bytes(b"PAR1 nothing of the kind PAR1")
    with pytest.raises(SourceError, match=name.replace(".", r"\.")):
        gather(out)


def test_a_missing_column_is_named(tmp_path):
    out = write(tmp_path / "out", segments=segments({}).drop("role"))
    with pytest.raises(FrameError, match=r"segments\.parquet: column 'role' is missing"):
        gather(out)
    out = write(
        tmp_path / "out", segments=segments({}).with_columns(pl.col("lang").str.len_bytes())
    )
    with pytest.raises(FrameError, match="column 'lang' is UInt32, must be String"):
        gather(out)


def test_pairs_with_only_the_required_columns(tmp_path):
    bare = pairs({}, {}).select("source_lang", "target_lang", "source_text", "target_text")
    data = gather(write(tmp_path / "out", pairs=bare))["pairs"]
    assert (data["total"], data["scores"], data["lead"], data["kept"]) == (2, [], None, None)
    assert render({**gather(tmp_path / "out")})


def test_scores_that_are_not_numbers(tmp_path):
    frame = pairs(*({"score": s} for s in (math.nan, None, math.inf, -math.inf, 0.0, 1.0)))
    frame = frame.with_columns(quality=pl.lit(math.nan, pl.Float32), text=pl.lit("no number"))
    data = gather(write(tmp_path / "out", pairs=frame))["pairs"]
    quality, score = data["scores"]
    assert (score["count"], score["missing"], score["median"]) == (2, 4, 0.5)
    assert (score["bins"][0], score["bins"][-1], sum(score["bins"])) == (1, 1, 2)
    assert (quality["count"], quality["missing"], quality["median"]) == (0, 6, None)
    assert data["values"]["score"] == [None, None, None, None, 0.0, 1.0]
    assert "NaN" not in as_json(data)


def test_a_value_on_an_edge_is_in_the_upper_bin(tmp_path):
    frame = pairs(*({"score": n / 20} for n in range(20)))
    data = gather(write(tmp_path / "out", pairs=frame))["pairs"]
    assert data["scores"][0]["bins"] == [1] * 20


def test_numbers_too_large_for_json(tmp_path):
    out = write(tmp_path / "out", documents=documents({}), segments=segments({}))
    (out / "run.json").write_text('{"seconds": {"read": 1e999, "write": NaN}}')
    assert "Infinity" not in as_json(gather(out))


def test_scores_outside_0_to_1_have_their_own_range(tmp_path):
    frame = pairs({}, {}, {}).with_columns(length=pl.Series([0.5, 2.5, 1.5]))
    score = gather(write(tmp_path / "out", pairs=frame))["pairs"]["scores"][1]
    assert (score["low"], score["high"], sum(score["bins"])) == (0.5, 2.5, 3)
    same = frame.with_columns(length=pl.lit(7.0))
    score = gather(write(tmp_path / "out", pairs=same))["pairs"]["scores"][1]
    assert (score["low"], score["high"], score["bins"][0]) == (7.0, 7.0, 3)


def test_the_funnel_of_pairs_is_in_the_order_of_the_rules(tmp_path):
    frame = pairs(*[{}] * 6).with_columns(
        keep=pl.Series([False, False, False, False, True, None]),
        drop_reason=pl.Series(["length", "copy", "length", None, None, None]),
    )
    steps = [
        {"rule": r, "came_in": 9, "took": t, "left": 9 - t}
        for r, t in (("copy", 1), ("length", 1), ("x", 0))
    ]
    data = gather(write(tmp_path / "out", pairs=frame, run={"filter": {"funnel": steps}}))["pairs"]
    assert [(step["rule"], step["took"], step["left"]) for step in data["funnel"]] == [
        ("copy", 1, 5), ("length", 2, 3), ("no reason given", 2, 1),
    ]  # fmt: skip
    assert data["kept"] == 1
    assert data["columns"]["why"] == [
        "length",
        "copy",
        "length",
        "no reason given",
        None,
        "no reason given",
    ]


def test_the_funnel_of_run_json_alone(tmp_path):
    rows = [{"rule": "copy", "came_in": 3, "took": 1, "left": 2}, {"rule": "nothing"}, "damaged"]
    run = {"filter": {"funnel": rows}}
    out = write(tmp_path / "out", pairs=pairs({}, {}), run=run)
    assert gather(out)["pairs"]["funnel"] == [{"rule": "copy", "in": 3, "took": 1, "left": 2}]
    whole = write(tmp_path / "whole", pairs=pairs({}, {}, {}), run=run)  # unfiltered pairs
    assert gather(whole)["pairs"]["funnel"] == []
    kept = pairs({}, {}).with_columns(keep=pl.lit(value=True))  # a filter that removed nothing
    assert gather(write(tmp_path / "kept", pairs=kept, run=run))["pairs"]["funnel"] == []


def test_all_pairs_dropped(tmp_path):
    frame = pairs({}, {}).with_columns(keep=pl.lit(value=False), drop_reason=pl.lit("copy"))
    data = gather(write(tmp_path / "out", pairs=frame))["pairs"]
    assert (data["kept"], data["funnel"][-1]["left"]) == (0, 0)


def test_aligned_and_translated_pairs_are_combined(tmp_path):
    machine = pairs({"method": "translated", "target_doc": None, "target_segments": None})
    out = write(
        tmp_path / "out",
        pairs=pairs({}).with_columns(**{c: pl.lit(None, t) for c, t in schema(ALIGNED).items()}),
        translated=machine.with_columns(flags=pl.lit(["copied"])),
    )
    data = gather(out)["pairs"]
    assert data["files"] == ["pairs.parquet", "translated.parquet"]
    assert data["columns"]["method"] == ["aligned", "translated"]
    assert data["columns"]["flags"] == [None, ["copied"]]
    machine.write_parquet(tmp_path / "other.parquet")
    assert gather(out, tmp_path / "other.parquet")["pairs"]["total"] == 1


def test_a_large_run_is_sampled_and_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr(pages_module, "MAX_PAGES_BYTES", 40_000)
    monkeypatch.setattr(pages_module, "MAX_PAGE_BYTES", 4_000)
    monkeypatch.setattr(sources, "MAX_SOURCES", 20)
    monkeypatch.setattr(pairs_module, "MAX_PAIRS_BYTES", 100_000)
    pages, of_each = 300, 30
    rows = [{"doc_id": f"{n:016x}", "segment": k, "text": "نص " * (400 if n == 7 else 20)}
            for n in range(pages) for k in range(of_each)]  # fmt: skip
    many = pairs(*({"score": n / 3000, "source_text": "<" * 30} for n in range(3000)))
    out = write(
        tmp_path / "out", documents=documents(*[{}] * pages), segments=segments(*rows), pairs=many
    )
    data = gather(out)
    assert data["views"]["total"] == pages
    assert 5 < len(data["views"]["pages"]) < pages
    assert all(len(as_json(view["rows"]).encode()) < 6_000 for view in data["views"]["pages"])
    assert len(data["sources"]["rows"]) == 20
    assert data["sources"]["total"] == pages
    assert data["sources"]["rest"][0] == pages - 20
    assert data["segments"]["segments"] == pages * of_each
    assert data["pairs"]["total"] == 3000 > data["pairs"]["rows"] > 100
    tenths = {int(10 * score) for score in data["pairs"]["values"]["score"]}
    assert tenths >= set(range(10))
    assert len(render(data).encode()) < 400_000
    assert render(data) == render(gather(out))


def test_texts_are_cut_and_names_cleaned(tmp_path):
    name = "in/" + HOSTILE + "x" * 500
    out = write(
        tmp_path / "out",
        documents=documents({"uri": name, "source": name, "title": HOSTILE}),
        segments=segments({"text": "a" * 9000}),
    )
    view = gather(out)["views"]["pages"][0]
    assert len(view["rows"][0][-1]) == 2001
    assert len(view["uri"]) <= 300
    assert not set("\u202e\x00\x1b") & set(view["uri"] + view["title"])


def test_data_cannot_end_its_element():
    encoded = as_json({"a": [HOSTILE]})
    assert not set("<>&\u2028\u2029\x00") & set(encoded)
    assert json.loads(encoded) == {"a": [HOSTILE]}


@pytest.mark.parametrize("run", [
    {"config": 3, "seconds": [1], "counts": "x", "elapsed": "long", "filter": 7, "version": {}},
    {"config": {"read": None}, "seconds": {"a": None}, "counts": {"articles": "2"}},
    {"version": "\ud800"}, {"seconds": {"a": float("nan")}, "config": {"a": {"b": float("inf")}}},
])  # fmt: skip
def test_a_run_json_with_unexpected_types(tmp_path, run):
    data = gather(write(tmp_path / "out", run=run, documents=documents({})))
    assert data["articles"] is None
    assert render(data).encode()


def test_every_column_of_pairs_has_a_meaning():
    assert set(schema(PAIRS, ALIGNED)) <= set(pairs_module.column_meanings())
