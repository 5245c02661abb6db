from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.review.audit import Stratum, draw, estimate, wilson


def make_segments(count: int) -> pl.LazyFrame:
    langs = [("ar", "en", "fr", None)[n % 4] for n in range(count)]
    return pl.LazyFrame({"lang": langs, "keep": [n % 3 > 0 for n in range(count)]})


def test_strata_of_segments_are_kept_or_dropped_in_three_groups_of_languages():
    strata = draw(make_segments(1200), None, 60)
    assert [s.name for s in strata] == [
        f"{state}, {lang}" for state in ("kept", "dropped") for lang in ("ar", "en", "other")
    ]
    assert [s.population for s in strata] == [200, 200, 400, 100, 100, 200]
    assert sum(len(s.rows) for s in strata) == 60
    assert all(len(s.rows) >= 7 for s in strata)  # a fair number of each
    frame = make_segments(1200).collect()
    kept_ar = next(s for s in strata if s.name == "kept, ar")
    assert set(frame[kept_ar.rows].rows()) == {("ar", True)}


def test_strata_of_pairs_are_fifths_of_quality_and_reasons():
    quality = [n / 100 for n in range(100)]
    pairs = pl.LazyFrame(
        {
            "quality": quality,
            "keep": [q >= 0.5 for q in quality],
            "drop_reason": [
                None if q >= 0.5 else "copy" if q < 0.1 else "low quality" for q in quality
            ],
        }
    )
    strata = draw(None, pairs, 35)
    assert {s.name: s.population for s in strata} == {
        **{f"kept, fifth {n} of quality": 10 for n in range(1, 6)},
        "dropped, copy": 10,
        "dropped, low quality": 40,
    }
    assert sum(len(s.rows) for s in strata) == 35
    assert all(50 <= row < 60 for row in strata[0].rows)


def test_pairs_without_filter_or_scores():
    pairs = pl.LazyFrame({"pair_id": ["a", "b"]})
    assert [(s.name, s.population) for s in draw(None, pairs, 5)] == [("kept, no score", 2)]
    scored = pl.LazyFrame({"score": [0.5, None, math.nan, 0.5]})
    assert [s.population for s in draw(None, scored, 5)] == [2, 2]


def test_the_same_seed_draws_the_same_rows_and_another_one_others():
    segments = make_segments(5000)
    assert draw(segments, None, 50) == draw(segments, None, 50)
    assert draw(segments, None, 50) != draw(segments, None, 50, seed=2)


@given(
    st.lists(st.tuples(st.sampled_from(["ar", "en", "de"]), st.booleans()), max_size=60),
    st.integers(0, 80),
)
def test_a_draw_has_as_many_rows_as_wanted_if_there_are_as_many(rows, n):
    frame = pl.LazyFrame(rows, {"lang": pl.String, "keep": pl.Boolean}, orient="row")
    strata = draw(frame, None, n)
    drawn = [row for s in strata for row in s.rows]
    assert len(drawn) == len(set(drawn)) == min(n, len(rows))
    assert sum(s.population for s in strata) == len(rows)
    assert all(s.rows == sorted(s.rows) for s in strata)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # published values of the Wilson interval
    [
        (9, 10, 0.5958, 0.9821),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson(right, n, low, high):
    assert wilson(right / n, n) == pytest.approx((low, high), abs=1e-4)


def test_estimate_weights_strata_and_leaves_out_those_without_a_judgement():
    strata = [
        Stratum("kept, ar", "segment", 900, []),
        Stratum("kept, en", "segment", 100, []),
        Stratum("kept, other", "segment", 5000, []),
        Stratum("dropped, ar", "segment", 500, []),
    ]
    judged = [("kept, ar", 8, 2), ("kept, en", 10, 0), ("dropped, ar", 1, 3), ("unknown", 1, 0)]
    rows = [(name, True) for name, right, _ in judged for _ in range(right)]
    rows += [(name, False) for name, _, wrong in judged for _ in range(wrong)]
    judgements = pl.DataFrame(rows, ["stratum", "right"], orient="row").with_columns(
        unit=pl.lit("segment")
    )
    table = estimate(judgements, strata)
    overall = table.filter(pl.col("stratum").is_null()).row(0, named=True)
    assert overall["precision"] == pytest.approx(0.9 * 0.8 + 0.1 * 1.0)
    size = 1 / (0.9**2 / 10 + 0.1**2 / 10)
    assert (overall["low"], overall["high"]) == pytest.approx(wilson(overall["precision"], size))
    assert (overall["population"], overall["judged"]) == (1000, 20)
    assert table.filter(stratum="kept, other").select("judged", "precision").row(0) == (0, None)
    assert table.filter(stratum="dropped, ar")["precision"].item() == 0.25


def test_a_draw_covers_all_rows_equally_often():
    counts = np.zeros(40)
    segments = pl.LazyFrame({"lang": ["ar"] * 40, "keep": [True] * 40})
    for seed in range(200):
        counts[draw(segments, None, 10, seed=seed)[0].rows] += 1
    assert counts.min() > 25
    assert counts.max() < 80
