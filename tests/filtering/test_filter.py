"""Each rule of the filter, duplicates, and what must not change the result."""

from __future__ import annotations

import math
import random

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ingest
from ingest.config import Config, FilterConfig
from ingest.drop_reasons import RULES
from ingest.errors import ConfigError, FrameError, SourceError
from ingest.filtering import similar_pairs
from ingest.frames import PAIRS, TRANSLATED, schema
from ingest.minhash import text_signatures

GOOD = (
    "فتحت المكتبة أبوابها للزوار صباح اليوم",
    "The library opened its doors to visitors this morning",
)


def pairs(*rows, **columns) -> pl.DataFrame:
    """Make one pair per row, which gives the texts and any values that differ from the usual."""
    usual = {"source_lang": "ar", "target_lang": "en", "method": "aligned", "score": 0.9}
    records = [
        {"pair_id": f"{n:02}", "source_text": s, "target_text": t, **usual, **dict(*other)}
        for n, (s, t, *other) in enumerate(rows)
    ]
    return pl.DataFrame(records, {**schema(PAIRS), **columns})


def reasons(frame, **settings):
    return ingest.filter(frame, config=FilterConfig(**settings))["drop_reason"].to_list()


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        (*GOOD, None),
        ("", "A text", "empty"),
        (None, "A text", "empty"),
        ("\u200f \u0640", "A text", "empty"),
        ("… !", "A text", "empty"),
        ("The same words", "the  same WORDS", "copy"),
        ("٢٠٢٣ / ٢٠٢٤", "2023 / 2024", None),
        ("نعم", "Yes", "too short"),
        ("كلمة " * 201, "a word and " * 67, "too long"),
        ("جملة قصيرة", "A sentence that goes on and on, and on, far longer than the other side is", "length ratio"),
        ("Open the door", "Close the other door", "wrong script"),
        ("هذه جملة عربية", "وهذه جملة أخرى", "wrong script"),
    ],
)  # fmt: skip
def test_rules_of_texts(source, target, reason):
    assert reasons(pairs((source, target))) == [reason]


@pytest.mark.parametrize(
    "arabic",
    [
        "راجع https://example.org/a/long/path/to/the/page.html?query=value",
        "راجعhttps://example.org/a/long/path/to/the/page.html الآن",
        "زر www.a-long-name.example.org الآن",
        "راسل firstname.lastname@subdomain.example.org الآن",
        "نقل %(filecount)d ملف من %(sourcefolder)s إلى %(targetfolder)s",
        "نقل %1$s إلى %2$s و%@ ثم %-5.2f",
        "أهلا بك في {application_name} يا {user.first_name}",
        "أهلا بك في ${application_name} أو %{application_name}",
        "أهلا بك يا {{ object.customer.name or 'customer' }}",
        "نفذ الأمر `git commit --amend --no-edit` أولا",
        "انقر <a href='https://example.org/help'>هنا</a> أو <code>print(value)</code> فقط",
        "تابعوا #AnEnglishHashtag على @an_english_account",
        "شـــــــــــكـــــــــــرا جـــــــــــزيـــــــــــلا",
        "محاذاة إلى اليسار \\begin{flushleft} \\end{flushleft}",
        "الخيار --ignore-whitespace-changes مع /usr/share/doc/package",
        "قيمة a_long_variable_name أو module.function_name() صحيحة",
        "رقم&nbsp;&nbsp;واحد&lrm;&lrm;",
    ],
)
def test_what_is_the_same_in_every_language_has_no_script(arabic):
    assert reasons(pairs((arabic, "word")), min_words=0, max_ratio=0.0) == [None]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("see https://example.org today please", "see the page"),
        ("click <b>here</b> to open `file` with %s", "click here"),
        ("راجع الصفحة", "راجع https://example.org/a/long/path/to/the/page.html"),
        ("راجع الصفحة", "#وسم عربي {name} هنا"),
    ],
)
def test_text_of_another_script_beside_code_is_dropped(source, target):
    assert reasons(pairs((source, target)), min_words=0, max_ratio=0.0) == ["wrong script"]


def test_japanese_is_written_in_three_scripts():
    texts = ["図書館へ行きました", "図書館", "コンピューター", "the library"]
    frame = pairs(*((text, f"word {n}", {"source_lang": "ja"}) for n, text in enumerate(texts)))
    found = reasons(frame, min_words=0, max_ratio=0.0)
    assert found == [None, None, None, "wrong script"]


def test_unknown_languages_may_have_any_script():
    assert reasons(pairs(("ord og ting", "text and things", {"source_lang": "xx"}))) == [None]


@pytest.mark.parametrize(
    ("score", "reason"),
    [(0.5, None), (0.49, "low score"), (None, "no score"), (math.nan, "no score")],
)
def test_scores(score, reason):
    frame = pairs((*GOOD, {"score": score}))
    assert reasons(frame) == [reason]
    assert reasons(frame, min_score=0.0) == [None]


@pytest.mark.parametrize("method", ["imported", "translated"])
def test_pairs_that_ingest_did_not_align_need_no_score(method):
    frame = pairs((*GOOD, {"score": None, "method": method}))
    assert reasons(frame) == [None]
    # after `score`, a missing quality still counts
    scored = frame.with_columns(quality=pl.lit(None, pl.Float32))
    assert reasons(scored) == ["no score"]


def test_min_score_does_not_apply_to_translated_pairs():
    assert reasons(pairs((*GOOD, {"score": 0.1, "method": "translated"}))) == [None]


@pytest.mark.parametrize(
    ("column", "good", "bad", "reason"),
    [
        ("quality", 0.5, 0.1, "low quality"),
        ("copy", 0.1, 0.9, "copy"),
        ("boilerplate", 0.0, 1.0, "boilerplate"),
        ("repetition", 0.0, 1.0, "repetition"),
    ],
)
def test_rules_apply_where_their_score_columns_exist(column, good, bad, reason):
    values = [good, bad, None, math.nan]
    frame = pairs(
        *(
            (f"{GOOD[0]} {word}", f"{GOOD[1]} {word}")
            for word in ("one two", "three four", "five six", "seven eight")
        )
    ).with_columns(pl.Series(column, values, pl.Float32))
    assert reasons(frame, near=0.0) == [None, reason, "no score", "no score"]


def test_quality_is_required_for_arabic_and_english_only():
    langs = [("fr", "en"), ("en", "ar"), ("ar", "en"), (None, "en")]
    frame = pairs(*((*GOOD, {"source_lang": s, "target_lang": t}) for s, t in langs))
    frame = frame.with_columns(
        pl.Series("source_text", ["La bibliothèque ouvre ses portes", GOOD[1], *[GOOD[0]] * 2]),
        pl.Series("target_text", ["The library opens its doors", GOOD[0], *[GOOD[1]] * 2]),
        quality=pl.lit(None, pl.Float32),
    )
    each = [reasons(one)[0] for one in frame.iter_slices(1)]
    assert each == [None, "no score", "no score", None]


def test_scored_pairs_of_other_languages_are_kept():
    frame = pairs(
        ("La bibliothèque a ouvert ses portes ce matin.", f"{GOOD[1]}.", {"source_lang": "fr"}),
        ("图书馆今天早上向读者开放了。", f"{GOOD[1]}!", {"source_lang": "zh"}),
    )
    scored = ingest.score(frame)
    assert scored["quality"].null_count() == 2
    assert reasons(scored) == [None, None]


@pytest.mark.parametrize(
    ("lang", "text", "reason"),
    [
        ("zh", "我昨天去了图书馆", None),
        ("zh", "你好", "too short"),
        ("ja", "コンピューターを買いました", None),
        ("th", "ผมไปห้องสมุดเมื่อวานนี้", None),
        ("km", "ខ្ញុំទៅបណ្ណាល័យ", None),
        ("my", "ကျွန်တော်စာကြည့်တိုက်သွားသည်", None),
        ("lo", "ຂ້ອຍໄປຫໍສະໝຸດ", None),
        ("zh", "我们去图书馆。" * 60, None),
        ("zh", "我们去图书馆。" * 70, "too long"),
        ("ko", "도서관에", "too short"),
    ],
)
def test_words_of_scripts_without_spaces(lang, text, reason):
    frame = pairs((text, "I went to the library", {"source_lang": lang}))
    assert reasons(frame, max_ratio=0.0) == [reason]


def test_the_language_of_either_side():
    frame = pairs(GOOD).with_columns(
        source_lang_right=pl.lit(0.9, pl.Float32), target_lang_right=pl.lit(0.1, pl.Float32)
    )
    assert reasons(frame) == ["wrong language"]


def test_a_configured_threshold_requires_its_column():
    with pytest.raises(
        FrameError, match=r"min_quality = 0.7 needs column 'quality', which ingest.score"
    ):
        reasons(pairs(GOOD), min_quality=0.7)
    assert reasons(pairs(GOOD), min_quality=0.0) == [None]


def test_machine_text_and_its_flags():
    frame = pairs(
        (*GOOD, {"method": "translated"}),
        ("نص آخر تماما", "Another text altogether", {"method": "translated", "flags": ["length"]}),
        **schema(TRANSLATED),
    )
    assert reasons(frame) == [None, "flagged translation"]
    assert reasons(frame, flagged=True) == [None, None]
    assert reasons(frame, machine=False) == ["machine text", "machine text"]


def test_the_drop_reason_is_the_first_rule_that_fails():
    assert reasons(
        pairs(("نعم", "A very long answer to it indeed, as it seems", {"score": 0.0}))
    ) == ["too short"]


def test_the_best_of_equal_pairs_is_kept():
    source, target = GOOD
    frame = pairs(
        (source, target, {"score": 0.6}),
        (source, target, {"score": 0.8}),
        (source, target, {"score": 0.9, "method": "translated"}),
        (source + "!", target.upper(), {"score": 0.7}),
        (source, target.replace("this morning", "this evening"), {"score": 0.65}),
    )
    assert reasons(frame) == ["duplicate", None, "duplicate", "same but for form", "near-duplicate"]
    assert reasons(frame, near=0.0)[4] is None


def test_the_first_of_pairs_that_are_as_good_is_kept():
    source, target = GOOD
    texts = [(source, target), (source, target.lower())]
    for first, second in (texts, texts[::-1]):
        frame = pairs(first, second).with_columns(quality=pl.Series([0.9001, 0.9004]))
        assert reasons(frame, near=0.0) == [None, "same but for form"]


def chained(pages, seed=2):
    """Pairs of which each is the one before with another word on both sides."""
    rnd = random.Random(seed)
    rows = []
    for page in range(pages):
        source, target = ([f"{letter}{page}q{n}" for n in range(12)] for letter in "سx")
        for step in range(13):
            rows.append((" ".join(source), " ".join(target), {"score": rnd.uniform(0.5, 1)}))
            source[step % 12], target[step % 12] = f"ص{page}w{step}", f"z{page}w{step}"
    return pairs(*rows)


@pytest.mark.parametrize("first", [256, 1])
def test_a_near_duplicate_is_similar_to_a_kept_pair(monkeypatch, first):
    monkeypatch.setattr(similar_pairs, "_ROUNDS", first)
    frame = chained(7)
    values = text_signatures(frame["source_text"], frame["target_text"])
    alike = (values[:, None] == values[None]).mean(axis=2) >= FilterConfig().near
    kept: list[int] = []
    for row in np.lexsort((frame["pair_id"], -frame["score"])).tolist():
        if not alike[row, kept].any():
            kept.append(row)
    filtered = ingest.filter(frame)
    mixed = ingest.filter(frame.sample(fraction=1, shuffle=True, seed=3)).sort("pair_id")
    assert_frame_equal(filtered, mixed)
    assert set(filtered["drop_reason"]) == {None, "near-duplicate"}
    stay = filtered["keep"].arg_true().to_numpy()
    assert alike[:, stay].any(axis=1).all()
    if first > 1:
        assert stay.tolist() == sorted(kept)


def test_pairs_of_the_opposite_direction_are_duplicates():
    there = {"source_lang": "en", "target_lang": "ar", "score": 0.7}
    assert reasons(pairs(GOOD, (GOOD[1], GOOD[0], there))) == [None, "duplicate"]


def test_many_to_one_is_capped_on_either_side():
    words = "شمس قمر نجم بحر نهر جبل".split()
    rows = [(f"رأيت {w} {w}", "I saw it", {"score": 0.9 - n / 100}) for n, w in enumerate(words)]
    rows += [("قال ذلك", f"{w} said {w}", {"score": 0.9}) for w in ("Ann", "Bob", "Cid", "Dan")]
    got = reasons(pairs(*rows), near=0.0)
    assert got == [None] * 3 + ["many to one"] * 3 + [None] * 3 + ["many to one"]
    assert set(reasons(pairs(*rows), near=0.0, max_sources=0, max_targets=0)) == {None}


def test_the_order_of_rows_does_not_matter():
    rows = [
        (f"{s} {n % 7}", f"{t} {n % 5}", {"score": 0.5 + n / 100})
        for n in range(40)
        for s, t in (GOOD, ("زار الوفد المدينة القديمة", "The delegation visited the old city"))
    ]
    frame = pairs(*rows)
    filtered = ingest.filter(frame)
    shuffled = ingest.filter(frame.sample(fraction=1, shuffle=True, seed=3)).sort("pair_id")
    assert_frame_equal(filtered.sort("pair_id"), shuffled)
    assert 0 < filtered["keep"].sum() < len(filtered)


def test_rows_and_columns_stay():
    frame = pairs(GOOD, ("", "")).with_columns(
        mine=pl.lit(7), excluded=pl.lit("x"), words_in_source=1
    )
    filtered = ingest.filter(frame)
    assert_frame_equal(filtered.select(frame.columns), frame)
    assert filtered.columns[len(frame.columns) :] == ["keep", "drop_reason", "pii"]
    assert_frame_equal(ingest.filter(filtered), filtered)


def test_personal_data_is_reported():
    filtered = ingest.filter(
        pairs((f"{GOOD[0]} على ٠٥٠١٢٣٤٥٦٧", f"{GOOD[1]} on 0501234567, a@b.org"))
    )
    assert filtered["pii"].to_list() == [["phone", "email"]]


def test_excluded_texts(tmp_path):
    file = tmp_path / "test.en"
    file.write_text(
        "The committee will publish its final report next week.\n\nYes.\n"
        "THE MUSEUM closes at five on Fridays!\n"
    )
    other = "نص لا علاقة له بالأمر على الإطلاق"
    texts = [
        "The committee will publish its final report next week",
        "The committee will publish its final report next month.",
        "Officials said that the committee will publish its final report next week, at last.",
        "the museum closes at five on fridays",
        "The committee met.",
        "Yes, the garden is open to all of us today.",
    ]
    frame = pairs(*((f"{other} {n} {n}", text) for n, text in enumerate(texts)))
    filtered = ingest.filter(frame, exclude=[file], config=FilterConfig(near=0.0, max_ratio=0.0))
    assert filtered["drop_reason"].to_list() == ["excluded"] * 4 + [None] * 2
    with pytest.raises(SourceError, match="none"):
        ingest.filter(frame, exclude=[tmp_path / "none"])
    file.write_text("\n\n")
    assert ingest.filter(frame, exclude=[file])["keep"].all()


def test_the_funnel():
    frame = pairs(GOOD, GOOD, ("", "x"), ("نعم", "Yes"), ("لا", "No"))
    table = ingest.funnel(ingest.filter(frame))
    assert table["rule"].to_list() == list(RULES)
    assert table.filter(pl.col("took") > 0).rows() == [
        ("empty", 5, 1, 4), ("too short", 4, 2, 2), ("duplicate", 2, 1, 1),
    ]  # fmt: skip
    unknown_rule = pl.DataFrame({"keep": [False], "drop_reason": ["my own"]})
    assert ingest.funnel(unknown_rule).row(-1) == ("my own", 1, 1, 0)
    with pytest.raises(FrameError, match="drop_reason"):
        ingest.funnel(frame.with_columns(keep=True))


def test_no_pairs_and_none_kept():
    filtered = ingest.filter(pairs())
    assert len(filtered) == 0
    assert filtered.schema["keep"] == pl.Boolean
    assert ingest.funnel(filtered)["left"].to_list() == [0] * len(RULES)
    assert not ingest.filter(pairs(("", "")))["keep"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop("score"), "filter: column 'score' is missing; ingest.align makes it"),
        (lambda f: f.with_columns(score=pl.lit("x")), "'score' is String, must be Float32"),
        (lambda f: f.with_columns(flags=pl.lit("x")), "'flags' is String"),
        (lambda f: f.with_columns(quality=pl.lit("x")), "'quality' is String"),
    ],
)
def test_invalid_frames(change, message):
    with pytest.raises(FrameError, match=message):
        ingest.filter(change(pairs(GOOD)))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"min_quality": 1.5}, "filter.min_quality: 1.5 is not in 0…1"),
        ({"min_score": float("nan")}, "min_score: nan"),
        ({"min_words": -1}, "min_words: -1 is not 0 or more"),
        ({"max_words": 1}, "max_words: 1 is less than min_words"),
        ({"max_ratio": 0.5}, "max_ratio: 0.5 is less than 1"),
        ({"min_qualty": 0.5}, "filter.min_qualty: unknown setting"),
    ],
)
def test_invalid_settings(table, message):
    with pytest.raises(ConfigError, match=message):
        Config.from_dict({"filter": table})


def test_thresholds_do_not_change_the_fingerprint_of_a_run():
    assert Config(filter=FilterConfig(min_words=9)).fingerprint() == Config().fingerprint()
