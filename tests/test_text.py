from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.codepoints import CodePoints
from ingest.minhash import text_keys, text_signatures
from ingest.text import comparable, printable, scrub, spell_out


def word_key(word: str) -> int:
    return int(CodePoints(pl.Series([word])).words().key[0])


def comparable_of(text: str) -> str:
    return pl.select(comparable(pl.lit(text))).item()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("مُحَمَّدٌ", "محمد"),
        ("الســـلام", "السلام"),
        ("ﻣﺮﺣﺒﺎ", "مرحبا"),
        ("\u202babc\u202c  d ", "abc d"),
        ("ﬁne\u00a0print", "fine print"),
        ("ﻻ ﺇﻟﻪ ﺇﻻ ﷲ", "لا إله إلا الله"),
        ("ﻣﺮﺣﺒﺎﹰ ﺑﻜﻢ", "مرحبا بكم"),
    ],
)
def test_spellings_of_the_same_text(one, other):
    assert comparable_of(one) == comparable_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﻭﻻ ﺃﺣﺪ ﻓﻲ ﺍﻷﺳﻮﺍﻕ", "ولا أحد في الأسواق"),
        ("ﻗﺎﻝ ﷴ ﷺ ﻟﻬﻢ ﻣﺮﺣﺒﺎﹰ", "قال محمد صلى الله عليه وسلم لهم مرحباً"),
        ("the ﬁrst oﬃce oﬀers ﬂowers and ĳs", "the first office offers flowers and ijs"),
    ],
)
def test_ligatures_have_the_words_of_a_text_without_them(one, other):
    assert text_keys(pl.Series([one]))[0] == text_keys(pl.Series([other]))[0]
    assert (text_signatures(pl.Series([one])) == text_signatures(pl.Series([other]))).all()


@given(st.text("سوقا ﻻﷲﺔabﬁ²½ ", min_size=1))
def test_only_ligatures_are_spelled_out(text):
    spelled = spell_out(pl.Series([text])).item()
    assert comparable_of(spelled) == comparable_of(text)
    if not any(c in text for c in "ﻻﷲﺔﬁ"):
        assert spelled == text


def test_case_is_significant():
    assert comparable_of("RADIO") != comparable_of("Radio")


@given(st.text())
def test_comparable_is_idempotent(text):
    once = comparable_of(text)
    assert comparable_of(once) == once


@given(st.text(st.characters()))
def test_scrubbed_text_can_be_stored(text):
    assert len(pl.Series([scrub(text)])) == 1
    if not any(0xD800 <= ord(c) < 0xE000 for c in text):
        assert scrub(text) == text


@given(st.text())
def test_printable_has_no_control(text):
    shown = pl.select(printable(pl.lit(text))).item()
    assert not any(
        ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202a\u202e\u2066\u200f" for c in shown
    )


@given(st.lists(st.text(), max_size=5))
def test_words_are_runs_of_word_characters(texts):
    words = CodePoints(pl.Series(texts, dtype=pl.String)).words()
    joined = "".join(texts)
    edges = [sum(map(len, texts[:n])) for n in range(len(texts) + 1)]
    for text, start, end in zip(words.text, words.start, words.end, strict=True):
        assert edges[text] <= start < end <= edges[text + 1]
        assert not any(c.isspace() for c in joined[start:end])


@given(st.text("abcأب ", min_size=1), st.text("xyzج ", min_size=1))
def test_the_key_of_a_word_does_not_depend_on_its_position(before, after):
    words = CodePoints(pl.Series([before, f"{before} كلمة {after}", "كلمة"])).words()
    assert word_key("كلمة") == words.key[-1]
    assert word_key("كلمة") in words.key[words.text == 1]


def test_letter_variants_and_digit_systems_have_one_key():
    assert word_key("أحمد") == word_key("احمد")
    assert word_key("١٢٣") == word_key("123") == word_key("۱۲۳")
    assert word_key("کتاب") == word_key("كتاب")
    assert word_key("Café") == word_key("cafe\u0301")


@given(st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" aبـَ\u0301"))))
def test_a_text_called_plain_is_its_own_comparable_form(text):
    text = text.strip()
    if text and CodePoints(pl.Series([text])).are_comparable()[0]:
        assert comparable_of(text) == text


def test_most_texts_are_plain():
    chars = CodePoints(pl.Series(["The news, 2025", "الأخبار «اليوم»", "a  b"]))
    assert chars.are_comparable().tolist() == [True, True, False]
