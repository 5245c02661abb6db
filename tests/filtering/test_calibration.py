"""Thresholds from clean pairs: how many other clean pairs pass, and what stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import ingest
from ingest.config import FilterConfig
from ingest.filtering.calibration import SHARE, calibrate
from ingest.frames import PAIRS, schema

OFF = {"near": 0.0, "max_sources": 0, "max_targets": 0}


def sample(pairs, seed, **columns):
    """Pairs of random texts with random scores, as of one clean domain."""
    rng = np.random.default_rng(seed)
    words = rng.integers(3, 30, pairs)
    texts = {
        "source_text": [" ".join(["كلمة"] * n + [f"ر{i}"]) for i, n in enumerate(words)],
        "target_text": [
            " ".join(["word"] * max(2, n + d) + [f"n{i}"])
            for i, (n, d) in enumerate(zip(words, rng.integers(-1, 3, pairs), strict=True))
        ],
    }
    scores = {
        "quality": rng.beta(8, 2, pairs),
        "copy": rng.beta(1, 20, pairs),
        "repetition": np.where(rng.random(pairs) < 0.9, 0.0, rng.random(pairs) / 3),
        "boilerplate": np.zeros(pairs),
        "source_lang_right": rng.beta(20, 1, pairs),
        "target_lang_right": rng.beta(20, 1, pairs),
    } | columns
    usual = {
        "pair_id": [str(n) for n in range(pairs)], "source_lang": "ar", "target_lang": "en",
        "method": "imported",
    }  # fmt: skip
    types = schema(PAIRS)
    present = {**usual, **texts}
    frame = pl.DataFrame(present, {name: types[name] for name in present})
    frame = frame.with_columns(
        pl.lit(None, d).alias(n) for n, d in types.items() if n not in present
    )
    return frame.with_columns(pl.Series(name, v, pl.Float32) for name, v in scores.items())


def dropped(pairs, config):
    return ingest.filter(pairs, config=config)["drop_reason"].count() / len(pairs)


@pytest.mark.parametrize("share", [SHARE, 0.1])
def test_about_the_share_of_other_clean_pairs_is_dropped(share):
    shares = []
    for seed in range(3):
        settings = calibrate(sample(1000, seed), FilterConfig(), share=share)
        config = replace(FilterConfig(**OFF), **settings)
        assert dropped(sample(1000, seed), config) <= share
        shares.append(dropped(sample(1000, 100 + seed), config))
    assert share / 2 < np.mean(shares) < 1.5 * share


def test_thresholds_are_as_strict_as_the_clean_pairs_allow():
    clean = sample(1000, 1)
    strict = calibrate(clean, FilterConfig())
    assert strict["min_quality"] > FilterConfig().min_quality
    assert strict["max_copy"] < FilterConfig().max_copy
    noisy = clean.with_columns(quality=pl.col("quality") * 0.1)
    assert 0 < calibrate(noisy, FilterConfig())["min_quality"] < FilterConfig().min_quality


def test_what_stays_as_it_is():
    clean = sample(500, 1)
    settings = calibrate(clean, FilterConfig(max_words=0), fixed=["min_quality", "max_ratio"])
    # switched off, given, no clean pair has any, no pair has a score, not about single pairs
    untouched = {"max_words", "min_quality", "max_ratio", "max_boilerplate", "min_score", *OFF}
    assert not settings.keys() & untouched
    unscored = calibrate(clean.select(schema(PAIRS).names()), FilterConfig())
    assert unscored.keys() == {"min_words", "max_words", "max_ratio", "min_script"}


def test_the_score_of_aligned_pairs_is_calibrated():
    scores = np.random.default_rng(1).beta(40, 1, 500)
    clean = sample(500, 1, score=scores).with_columns(method=pl.lit("aligned"))
    assert calibrate(clean, FilterConfig())["min_score"] > FilterConfig().min_score


def test_few_pairs_and_equal_pairs_pass_themselves():
    for pairs in (1, 2, 30):
        clean = sample(pairs, 1)
        config = replace(FilterConfig(**OFF), **calibrate(clean, FilterConfig()))
        assert dropped(clean, config) == 0
    assert calibrate(sample(0, 1), FilterConfig()) == {}
    missing = sample(50, 1).with_columns(quality=pl.lit(None, pl.Float32))
    assert "min_quality" not in calibrate(missing, FilterConfig())


def test_the_order_of_values_with_ties_does_not_matter():
    clean = sample(400, 3)
    assert calibrate(clean, FilterConfig()).keys() == calibrate(clean[::-1], FilterConfig()).keys()
