from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import ingest
from ingest import scoring
from ingest.errors import FrameError, ModelError, OutputError, SourceError, WriteError
from ingest.frames import PAIRS, SCORED, schema
from ingest.jobs.score import score_file
from ingest.resources import model_dir
from ingest.scoring import meaning
from ingest.scoring.model import FILE, NAMES, load_model, predict_quality
from ingest.scoring.words import split_words
from lang_models.quality.damage import KINDS, damage

_SPEC = importlib.util.spec_from_file_location("score_pairs", Path(__file__).with_name("pairs.py"))
module = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(module)
OWN, STORE, frame, library = module.OWN, module.STORE, module.frame, module.library


def score_one(source: str | None, target: str | None, langs=("en", "ar")) -> dict:
    return ingest.score(frame([(source, target)], langs)).row(0, named=True)


def test_columns_and_ranges():
    pairs = frame(OWN)
    scored = ingest.score(pairs)
    assert scored.select(pairs.columns).equals(pairs)
    assert scored.select(schema(SCORED).names()).schema == schema(SCORED)
    assert scored.select(schema(SCORED).names()).null_count().sum_horizontal().item() == 0
    for name, dtype in schema(SCORED).items():
        if dtype == pl.Float32 and name != "length_ratio":
            assert scored[name].is_between(-1 if name == "similarity_margin" else 0, 1).all(), name
    assert (scored["length_ratio"] > 0).all()
    assert (scored["quality"] > 0.6).all()
    assert (scored["similarity"] > 0.4).all()


@pytest.fixture(scope="module")
def sound():
    """Sound pairs, and the quality of each."""
    good = [*OWN, *library()]
    return good, dict(zip(good, ingest.score(frame(good))["quality"], strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_damage_lowers_quality(sound, kind: str):
    rng = random.Random(7)
    good, quality = sound
    pairs = []
    for at, pair in enumerate(good):
        beside = good[at - 1]
        for _ in range(4):
            damaged = damage(kind, pair, beside, _with_stems(), rng)
            if damaged:
                pairs.append((pair, damaged))
    assert len(pairs) >= 8
    whole = np.array([quality[pair] for pair, _ in pairs])
    damaged = ingest.score(frame([pair for _, pair in pairs]))["quality"].to_numpy()
    assert (damaged < whole).mean() >= 0.85
    assert whole.mean() - damaged.mean() > 0.25


def _with_stems():
    from dataclasses import replace

    from ingest.encoder.lexicon import lexicon

    return replace(STORE, by_number=list(lexicon().stems))


def test_the_order_of_sides_does_not_matter():
    there = ingest.score(frame(OWN))
    back = ingest.score(frame([(a, e) for e, a in OWN], ("ar", "en")))
    same = ["quality", "similarity", "similarity_margin", "numbers_kept", "names_kept", "brackets",
            "punctuation", "repetition", "boilerplate"]  # fmt: skip
    assert_frame_equal(there.select(same), back.select(same))
    assert there["words_source"].equals(back["words_target"])
    np.testing.assert_allclose(there["length_ratio"] * back["length_ratio"], 1, rtol=1e-5)


TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from([text for pair in OWN for text in pair]),
    st.lists(
        st.sampled_from([word for pair in OWN for text in pair for word in text.split()]),
        max_size=12,
    ).map(" ".join),
)


@settings(max_examples=settings.default.max_examples // 4)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_a_score_does_not_depend_on_other_pairs(pairs, random):
    scored = schema(SCORED).names()
    whole = ingest.score(frame(pairs)).select(scored)
    order = list(range(len(pairs)))
    random.shuffle(order)
    mixed = ingest.score(frame([pairs[i] for i in order])).select(scored)
    assert_frame_equal(mixed, whole[order], check_exact=True)
    for at, pair in enumerate(pairs):
        alone = ingest.score(frame([pair])).select(scored)
        assert_frame_equal(alone, whole[at], check_exact=True)


def test_the_size_of_batches_does_not_matter(monkeypatch):
    pairs = frame(OWN)
    whole = ingest.score(pairs)
    monkeypatch.setattr(scoring, "_MAX_PAIRS", 5)
    monkeypatch.setattr(meaning, "_MAX_NUMBERS", 1)
    assert_frame_equal(ingest.score(pairs), whole, check_exact=True)
    monkeypatch.setattr(scoring, "_MAX_CHARS", 1)
    assert_frame_equal(ingest.score(pairs), whole, check_exact=True)


def test_numbers():
    assert score_one("It cost 1,500 in 2024.", "كلف ١٬٥٠٠ في عام ٢٠٢٤.")["numbers_kept"] == 1
    assert score_one("It cost 1,500 in 2024.", "كلف ١٬٦٠٠ في عام ٢٠٢٤.")["numbers_kept"] == 0.5
    assert score_one("no number", "لا رقم")["numbers_kept"] == 1


@pytest.mark.parametrize(
    ("english", "arabic"),
    [
        ("3,125,000 people", "3.125 مليون نسمة"),
        ("$1,234 million", "1.234 مليار دولار"),
        ("$1.234 billion", "١٢٣٤ مليون دولار"),
        ("2.125 thousand", "٢٬١٢٥"),
        ("3.125 million", "٣٫١٢٥ ملايين"),
        ("1,234.5 million", "1234.5 مليون"),
    ],
)
def test_numbers_before_a_magnitude(english, arabic):
    assert score_one(f"It is {english} now.", f"هذا {arabic} الآن.")["numbers_kept"] == 1


@pytest.mark.parametrize(
    ("english", "arabic", "kept"),
    [
        ("00:00:12,840", "00:00:12,840", 1),
        ("00:00:12,840", "00:00:21,840", 0),
        ("1.1.1.1", "١.١.١.١", 1),
        ("1.1.1.1", "1.1.1", 0),
        ("03/14/2021", "١٤/٣/٢٠٢١", 1),
        ("14/03/2021", "15/03/2021", 0),
        ("7:30", "7.30", 1),
        ("2.14.3", "2.14.4", 0),
        ("1990-1995", "1990 إلى 1995", 1),
        ("25%", "٪٢٥", 1),
    ],
)
def test_a_time_a_date_or_an_address_is_one_number(english, arabic, kept):
    assert score_one(f"It is {english} now.", f"هذا {arabic} الآن.")["numbers_kept"] == kept


def test_other_digits_before_a_magnitude_do_not_change():
    texts = pl.Series(["1.2345 million", "1.234.567 million"])
    assert set(split_words(texts, texts).distinct) == {"1", "2345", "234", "567", "million"}


def test_names():
    right, wrong = (
        score_one("Yesterday Layla Haddad went to Beirut.", text)["names_kept"]
        for text in ("ذهبت ليلى حداد أمس إلى بيروت.", "ذهبت سامية منصور أمس إلى تونس.")
    )
    assert right > 0.9
    assert wrong < 0.2


def test_languages_and_scripts():
    text = OWN[0][0]
    row = score_one(text, STORE.texts["fa"][0])
    assert row["source_lang_right"] > 0.9
    assert row["target_lang_right"] < 0.1
    assert row["target_script"] == 1
    row = score_one(text, text)
    assert row["target_script"] == 0
    assert row["target_lang_right"] < 0.1
    assert row["copy"] == 1
    assert score_one("2024", "٢٠٢٤")["source_lang_right"] == 0.5
    mixed = score_one("Hello", "قال Hello")
    assert 0 < mixed["target_script"] < 1
    assert mixed["copy"] == 0.5


def test_repetition_marks_and_machine():
    assert score_one("no no no no no", "لا")["repetition"] > 0.7
    assert score_one(*OWN[0])["repetition"] == 0
    assert score_one("Is it (really) so?", "أهو (حقا) كذلك؟")["brackets"] == 1
    assert score_one("Is it (really) so?", "أهو حقا) كذلك؟")["brackets"] < 1
    assert score_one("Is it so?", "أهو كذلك؟")["punctuation"] == 1
    assert score_one("Is it so?", "هو كذلك.")["punctuation"] < 0.5
    machine = frame(OWN[:2]).with_columns(method=pl.Series(["aligned", "translated"]))
    assert ingest.score(machine)["machine"].to_list() == [False, True]


def test_boilerplate():
    assert score_one("Subscribe to our newsletter", "اشترك في نشرتنا")["boilerplate"] > 0.7
    assert score_one(*OWN[2])["boilerplate"] < 0.3


def test_a_missing_column_and_one_of_another_type():
    with pytest.raises(FrameError, match=r"score: column 'target_text' is missing; ingest.align"):
        ingest.score(frame(OWN).drop("target_text"))
    with pytest.raises(FrameError, match="'score' is String, must be Float32"):
        ingest.score(frame(OWN).with_columns(pl.lit("high").alias("score")))


def test_extra_columns_are_kept_and_old_scores_replaced():
    pairs = frame(OWN[:3]).with_columns(mine=pl.lit(1), quality=pl.lit("high"))
    scored = ingest.score(pairs)
    assert scored["mine"].to_list() == [1, 1, 1]
    assert scored["quality"].dtype == pl.Float32
    assert_frame_equal(ingest.score(scored), scored)


def test_an_empty_frame():
    scored = ingest.score(pl.DataFrame(schema=schema(PAIRS)))
    assert len(scored) == 0
    assert scored.schema == schema(PAIRS, SCORED)


def test_empty_null_and_nan():
    texts = [(None, None), ("", "نص"), ("text", None), (" ", "\u200f"), ("…", "!"), OWN[0]]
    scored = ingest.score(frame(texts).with_columns(score=pl.lit(float("nan"), pl.Float32)))
    assert scored["quality"].to_list()[:4] == [0, 0, 0, 0]
    assert scored["quality"][5] > 0.6
    floats = scored.select(pl.col(name) for name, kind in schema(SCORED).items() if kind.is_float())
    assert floats.select(pl.all().is_finite().all()).row(0) == (True,) * floats.width
    nothing = pl.DataFrame(
        {name: pl.Series([None], dtype=dtype) for name, dtype in schema(PAIRS).items()}
    )
    assert ingest.score(nothing)["quality"].to_list() == [None]
    assert ingest.score(nothing)["machine"].to_list() == [False]


def test_other_languages_have_no_quality():
    row = score_one("Der Zug kommt.", "Le train arrive.", ("de", "fr"))
    assert row["quality"] is None
    assert row["similarity"] is not None
    assert score_one("The train.", "القطار.", ("en", None))["quality"] is None
    assert score_one("Один", "واحد", ("ru", "ar"))["source_script"] == 1


def test_long_and_unusual_texts():
    long = " ".join(e for e, _ in OWN * 400), " ".join(a for _, a in OWN * 400)
    unusual = [("x" * 200_000, "ا" * 200_000), ("\0\u202e\ufeff", "\U0001f600 \u0640"), long]
    scored = ingest.score(frame(unusual))
    assert scored["quality"].is_between(0, 1).all()
    assert scored["similarity"][2] > 0.6


def test_a_file(tmp_path: Path):
    pairs = frame(OWN * 2)
    pairs.write_parquet(tmp_path / "pairs.parquet")
    seen = []
    result = score_file(
        tmp_path, tmp_path / "out.parquet", progress=lambda done, of: seen.append((done, of))
    )
    assert result.pairs == len(pairs) == seen[-1][0] == seen[-1][1]
    assert result.good == len(pairs)
    assert_frame_equal(pl.read_parquet(tmp_path / "out.parquet"), ingest.score(pairs))
    with pytest.raises(OutputError, match="exists already"):
        score_file(tmp_path, tmp_path / "out.parquet")
    with pytest.raises(OutputError, match="input itself"):
        score_file(tmp_path, tmp_path / "pairs.parquet", overwrite=True)
    with pytest.raises(WriteError, match="no folder"):
        score_file(tmp_path, tmp_path / "none" / "out.parquet")
    score_file(tmp_path, tmp_path / "out.parquet", overwrite=True)


def test_files_that_cannot_be_scored(tmp_path: Path):
    with pytest.raises(SourceError):
        score_file(tmp_path / "none.parquet", tmp_path / "out.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    with pytest.raises(SourceError):
        score_file(tmp_path / "bad.parquet", tmp_path / "out.parquet")
    frame(OWN).drop("method").write_parquet(tmp_path / "part.parquet")
    with pytest.raises(FrameError, match="method"):
        score_file(tmp_path / "part.parquet", tmp_path / "out.parquet")
    pl.DataFrame(schema=schema(PAIRS)).write_parquet(tmp_path / "empty.parquet")
    assert score_file(tmp_path / "empty.parquet", tmp_path / "out.parquet").pairs == 0
    assert pl.read_parquet(tmp_path / "out.parquet").schema == schema(PAIRS, SCORED)


def test_the_model_file(tmp_path: Path):
    path = model_dir("quality") / FILE
    assert path.stat().st_size < 1_000_000
    model = load_model(path)
    assert model.names == list(NAMES)
    with pytest.raises(ModelError, match="other evidence"):
        predict_quality(model._replace(names=["one"]), np.zeros((1, len(NAMES)), np.float32))
    (tmp_path / FILE).write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(tmp_path / FILE)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_model(tmp_path / "none.npz")
