from __future__ import annotations

import hashlib
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.config import FilterConfig
from ingest.drop_reasons import REJECTED
from ingest.errors import FrameError
from ingest.frames import EDITED, FILTERED, PAIRS, schema
from ingest.review.corrections import Corrections, parse_corrections
from ingest.review.pairs import correct_pairs, find_pair_changes

TEXTS = [("قرأت كتابا جديدا في المدرسة", "I read a new book at school"), ("مَرْحَبًا\u200f بكم", "Welcome"),
         ("ذهبنا إلى البحر مع الأصدقاء", "We went to the sea with friends")]  # fmt: skip


def make_pairs() -> pl.DataFrame:
    rows = [{"pair_id": str(n), "source_text": s, "target_text": t, "source_lang": "ar",
             "target_lang": "en", "method": "imported", "score": 0.9} for n, (s, t) in enumerate(TEXTS)]  # fmt: skip
    return pl.DataFrame(rows, schema(PAIRS))


PAIRS_FRAME = make_pairs()


def said(number: int, **fields) -> dict:
    sha = hashlib.sha256("\n".join(TEXTS[number]).encode()).hexdigest()[:16]
    return {"kind": "pair", "pair_id": str(number), "sha": sha, **fields}


def corrections(*records) -> Corrections:
    parsed = parse_corrections("".join(json.dumps(r) + "\n" for r in records).encode())
    assert not parsed.damaged
    return parsed


def apply(pairs: pl.DataFrame, *records) -> pl.DataFrame:
    result = correct_pairs(pairs, corrections(*records))
    assert correct_pairs(result, corrections(*records)).equals(result)
    assert result["pair_id"].equals(pairs["pair_id"])
    return result


def test_a_wrong_pair_is_rejected_and_the_others_are_kept():
    pairs = apply(PAIRS_FRAME, said(1, verdict="wrong"))
    assert pairs.columns == [*schema(PAIRS).names(), "keep", "drop_reason"]
    assert pairs.select("keep", "drop_reason").rows() == [
        (True, None),
        (False, REJECTED),
        (True, None),
    ]
    assert pairs.drop("keep", "drop_reason").equals(PAIRS_FRAME)


def test_an_edited_pair_keeps_its_original_and_its_id():
    new = "مرحبًا بكم جميعا"
    pairs = apply(PAIRS_FRAME, said(1, new_source_text=new, verdict="wrong"))
    assert pairs.columns == [*schema(PAIRS).names(), *schema(EDITED).names()]
    names = ("source_text", "target_text", "original_source_text", "original_target_text")
    assert pairs.select(names).rows() == [(*TEXTS[0], None, None), (new, "Welcome", TEXTS[1][0], None),
                                          (*TEXTS[2], None, None)]  # fmt: skip


def test_right_and_an_edit_that_changes_nothing_add_no_columns():
    assert apply(PAIRS_FRAME, said(0, verdict="right")).equals(PAIRS_FRAME)
    assert apply(PAIRS_FRAME, said(0, new_target_text=TEXTS[0][1])).equals(PAIRS_FRAME)


def test_a_correction_that_is_taken_back():
    pairs = apply(PAIRS_FRAME, said(0, new_target_text="New"), said(1, verdict="wrong"))
    pairs = apply(pairs, said(0, new_target_text="Newer"), said(1, verdict="right"))
    assert pairs["target_text"].to_list() == ["Newer", TEXTS[1][1], TEXTS[2][1]]
    assert pairs["keep"].to_list() == [True] * 3
    pairs = apply(pairs, said(0, verdict="right"))
    assert pairs.select(PAIRS_FRAME.columns).equals(PAIRS_FRAME)
    assert pairs["original_target_text"].null_count() == 3


def test_a_pair_with_other_texts_or_another_id_is_not_meant():
    assert apply(PAIRS_FRAME, said(0, verdict="wrong") | {"pair_id": "1"}).equals(PAIRS_FRAME)
    changes = find_pair_changes(
        [PAIRS_FRAME[:1], PAIRS_FRAME[1:]],
        PAIRS_FRAME.schema,
        corrections(said(2, verdict="wrong")),
    )
    assert changes.rows.select("row", "changed").rows() == [(2, True)]


def test_the_reason_of_a_filter_gives_way_and_its_columns_stay():
    filtered = ingest.filter(PAIRS_FRAME, config=FilterConfig(min_words=2))
    assert filtered["drop_reason"].to_list() == [None, "too short", None]
    pairs = apply(filtered, said(1, verdict="wrong"), said(2, verdict="right"))
    assert pairs.columns == filtered.columns
    assert pairs["drop_reason"].to_list() == [None, REJECTED, None]


def test_the_filter_asks_no_other_rule_about_a_rejected_pair():
    rejected = apply(PAIRS_FRAME, said(1, verdict="wrong"))
    filtered = ingest.filter(rejected, config=FilterConfig(min_words=2))
    assert filtered["drop_reason"].to_list() == [None, REJECTED, None]
    funnel = ingest.funnel(filtered)
    assert funnel.row(0) == (REJECTED, 3, 1, 2)
    assert filtered.schema["drop_reason"] == schema(FILTERED)["drop_reason"]
    # a reason of an earlier filter is not a person's
    again = ingest.filter(filtered.with_columns(drop_reason=pl.lit("copy")))
    assert "copy" not in again["drop_reason"]


def test_missing_columns():
    with pytest.raises(FrameError, match="correct: column 'score' is missing"):
        correct_pairs(PAIRS_FRAME.drop("score"), Corrections())
    assert correct_pairs(PAIRS_FRAME.clear(), corrections(said(0, verdict="wrong"))).is_empty()


def test_a_pair_kept_by_hand_passes_all_rules_but_two(tmp_path):
    config = FilterConfig(min_words=3)
    assert ingest.filter(PAIRS_FRAME, config=config)["keep"].to_list() == [True, False, True]
    pairs = apply(PAIRS_FRAME, said(1, keep=True))
    assert pairs.columns == [*schema(PAIRS).names(), "kept_by_hand"]
    filtered = ingest.filter(pairs, config=config)
    assert filtered.select("keep", "drop_reason").rows() == [(True, None)] * 3
    # files that are made from it follow it, also when it is filtered again
    assert ingest.filter(filtered, config=config)["keep"].all()
    # a test set wins
    (tmp_path / "test.txt").write_text("welcome!\n")
    excluded = ingest.filter(pairs, exclude=[tmp_path / "test.txt"], config=config)
    assert excluded["drop_reason"].to_list() == [None, "excluded", None]
    # of equal pairs, the one that is kept by hand is the best; the others are not needed
    better = pairs.with_columns(
        score=pl.lit(1.0, pl.Float32), kept_by_hand=pl.lit(None, pl.Boolean)
    )
    twice = pl.concat([better, pairs.with_columns(pair_id=pl.lit("x"))])
    reasons = ingest.filter(twice, config=FilterConfig(min_words=1))["drop_reason"].to_list()
    assert reasons == [None, "duplicate", None, "duplicate", None, "duplicate"]
    # but one that is the same but for its form stays
    other = pairs.with_columns(pl.lit("WELCOME").alias("target_text"))[1:2]
    assert ingest.filter(pl.concat([pairs, other]), config=config)["keep"].all()


def test_keep_says_what_happens_to_a_pair_and_the_verdict_what_it_is():
    pairs = apply(PAIRS_FRAME, said(0, keep=False, new_target_text="New"), said(1, keep=False))
    assert pairs["drop_reason"].to_list() == [REJECTED, REJECTED, None]
    pairs = apply(pairs, said(0, keep=True, verdict="wrong"), said(1, withdrawn=True))
    assert pairs.select("keep", "drop_reason", "kept_by_hand").rows() == [
        (True, None, True),
        (True, None, None),
        (True, None, None),
    ]
    # what a filter has dropped stays so until it runs again: it may be excluded as well
    filtered = ingest.filter(PAIRS_FRAME, config=FilterConfig(min_words=3))
    marked = apply(filtered, said(1, keep=True))
    assert marked["drop_reason"].to_list() == [None, "too short", None]
    assert ingest.filter(marked, config=FilterConfig(min_words=3))["keep"].all()


def test_without_a_hash_the_id_alone_counts():
    record = said(1, keep=False) | {"sha": None}
    assert apply(PAIRS_FRAME, record)["drop_reason"].to_list() == [None, REJECTED, None]


texts = st.text(min_size=1).filter(str.strip)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.fixed_dictionaries(
                {"verdict": st.sampled_from(["right", "wrong"])},
                optional={
                    "keep": st.booleans(),
                    "new_source_text": texts,
                    "new_target_text": texts,
                },
            ),
        ),
        max_size=4,
    )
)
def test_other_pairs_and_columns_never_change(given_corrections):
    records = [said(number, **fields) for number, fields in given_corrections]
    pairs = apply(PAIRS_FRAME, *records)
    about = {number for number, _ in given_corrections}
    others = [n for n in range(3) if n not in about]
    assert pairs[others].select(PAIRS_FRAME.columns).equals(PAIRS_FRAME[others])
    same = [name for name in PAIRS_FRAME.columns if not name.endswith("_text")]
    assert pairs.select(same).equals(PAIRS_FRAME.select(same))
    if "original_source_text" in pairs.columns:
        original = pairs.select(pl.coalesce("original_source_text", "source_text")).to_series()
        assert original.to_list() == PAIRS_FRAME["source_text"].to_list()
