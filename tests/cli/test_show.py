"""The command `show`: which segments it prints."""

from __future__ import annotations

import re

import polars as pl
import pytest

import ingest
from ingest.drop_reasons import SEGMENT_REASONS, segment_reason
from ingest.jobs.show import most_similar, open_run

NAMES = ("ar_chrome_en_news_1.txt", "ar_chrome_en_news_2.txt")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("show")
    for name in NAMES:
        (folder / name).write_bytes((ingest.samples() / name).read_bytes())
    (folder / "empty.txt").write_text("")
    (folder / "broken.txt").write_bytes(bytes(range(256)))
    ingest.run(folder, folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def segments(out):
    return pl.read_parquet(out / "segments.parquet").with_columns(segment_reason())


def rows(text):
    """Return the line, language, role and decision of each printed segment."""
    pattern = r"^ *(\d+)  (\S+) +(\S+) +\S+ +\S+  (keep|drop)  (.{12}) "
    matches = re.findall(pattern, text, re.MULTILINE)
    return [(int(line), *values, reason.strip()) for line, *values, reason in matches]


def expected(segments):
    first = segments.select("doc_id", duplicate_of="segment", first="line")
    return (
        segments.join(first, on=["doc_id", "duplicate_of"], how="left", maintain_order="left")
        .select(
            "line", "lang", "role",
            keep=pl.when("keep").then(pl.lit("keep")).otherwise(pl.lit("drop")),
            why=pl.coalesce(pl.format("= line {}", "first"), "reason", pl.lit("content")),
        )
        .rows()
    )  # fmt: skip


def test_without_filters_all_pages_are_shown(out, segments, call):
    status, text, err = call("show", out)
    assert (status, err) == (3, "")
    assert rows(text) == expected(segments)
    assert "no text" in text
    assert "broken.txt  " in text


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (("--role", "nav, body"), pl.col("role").is_in(["nav", "body"])),
        (("--lang", "ar"), pl.col("lang") == "ar"),
        (("--dropped",), ~pl.col("keep")),
        (("--reason", "repeated"), pl.col("duplicate_of").is_not_null()),
        (
            ("--dropped", "--role", "body", "--lang", "en"),
            ~pl.col("keep") & (pl.col("role") == "body") & (pl.col("lang") == "en"),
        ),
    ],
)
def test_conditions_apply_together(options, chosen, out, segments, call):
    keys = expected(segments.with_row_index())
    numbers = segments.with_row_index().filter(chosen)["index"]
    status, text, err = call("show", out, *options)
    assert rows(text) == [keys[n] for n in numbers]
    assert status == 3
    assert ("no segment" in err) == numbers.is_empty()
    assert "no text" not in text


def test_one_page_by_part_of_its_uri_or_by_id(out, segments, call):
    documents = pl.read_parquet(out / "documents.parquet")
    page = documents.filter(pl.col("uri").str.ends_with(NAMES[1])).row(0, named=True)
    of_page = expected(segments.filter(doc_id=page["doc_id"]))
    for name in (NAMES[1], page["uri"], page["doc_id"]):
        status, text, err = call("show", out, "--page", name)
        assert (status, err) == (0, "")
        assert rows(text) == of_page
    assert call("show", out, "--page", "broken").status == 3


def test_a_page_that_does_not_occur_is_answered_with_similar_ones(out, call):
    status, text, err = call("show", out, "--page", "chrome_news_2.txt")
    assert (status, text) == (2, "")
    assert "has no page 'chrome_news_2.txt'; similar: " in err
    assert err.index(NAMES[1]) < err.index(NAMES[0])
    assert most_similar("x", pl.Series(["a", "b"])) == []
    assert most_similar("x", pl.Series([], dtype=pl.String)) == []


@pytest.mark.parametrize(
    ("option", "value", "known"),
    [
        ("--role", "menu", "headline, "),
        ("--lang", "tlh", "ar, "),
        ("--reason", "bad", "repeated, "),
    ],
)
def test_unknown_values_are_answered_with_the_known_ones(option, value, known, out, call):
    status, text, err = call("show", out, option, value)
    assert (status, text) == (2, "")
    assert f"{value!r} is unknown; use one of " in err
    assert known in err


@pytest.mark.parametrize("limit", ["-1", "x", "", "1.5"])
def test_a_limit_is_a_whole_number(limit, out, call):
    assert call("show", out, f"--limit={limit}").status == 2


def test_limits_say_how_to_see_more(out, segments, call, monkeypatch):
    _, text, err = call("show", out, "--limit", "5")
    assert rows(text) == expected(segments)[:5]
    assert f"only the first 5 of {len(segments):,} segments" in err
    assert "--limit 0" in err
    assert call("show", out, "--limit", "5", "-q").err == ""
    assert call("show", out, "--limit", len(segments)).err == ""
    monkeypatch.setattr("ingest.cli.show._RUN_LIMIT", 7)
    assert len(rows(call("show", out).out)) == 7
    monkeypatch.setattr("ingest.jobs.show._BATCH_ROWS", 3)
    everything = call("show", out, "--limit", "0")
    assert rows(everything.out) == expected(segments)
    assert everything.err == ""


def test_text_is_compared_without_case_and_arabic_marks(tmp_path, call):
    page = tmp_path / "a.txt"
    page.write_text("The Harbour opens\n\nقال مُحَمَّد إن المـيناء مفتوح\n", encoding="utf-8")
    assert len(rows(call("show", page, "--grep", "harbour").out)) == 1
    shown = call("show", page, "--grep", "محمد إن الميناء").out
    assert "مُحَمَّد إن المـيناء" in shown
    assert len(rows(shown)) == 1
    status, shown, err = call("show", page, "--grep", "[.*")
    assert (status, shown) == (0, "")
    assert "no segment meets all conditions" in err


def test_the_help_names_no_empty_default(call):
    text = " ".join(call("show", "--help").out.split())
    assert "(default: )" not in text
    assert "(default: ())" not in text


def test_single_pages_point_to_what_a_run_would_know(page, call):
    assert "also finds template lines" in call("show", page).err
    assert call("show", page, "-q").err == ""
    assert (
        call("show", *sorted(ingest.samples().glob("*.txt"))[:3], "--limit", "1").err.count("\n")
        == 1
    )


def test_every_dropped_segment_has_a_reason(sample_segments):
    why = sample_segments.with_columns(segment_reason())
    assert why.filter(pl.col("keep") != pl.col("reason").is_null()).is_empty()
    assert set(why["reason"].drop_nulls()) <= set(SEGMENT_REASONS)


def test_reasons_follow_the_roles_that_the_run_kept(tmp_path):
    config = ingest.Config(label=ingest.LabelConfig(keep=("headline",)))
    ingest.run(ingest.samples() / NAMES[0], tmp_path / "out", config=config)
    pages = open_run(str(tmp_path / "out"))
    assert pages.kept_roles == ("headline",)
    reasons = pages.segments.filter(pl.col("role") == "body").select(
        segment_reason(pages.kept_roles)
    )
    assert "damaged" not in reasons.collect()["reason"].to_list()
