from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.detection.informal import fold_informal, is_arabizi

_PAGE = [
    "أعلنت بلدية الميناء يوم الأحد افتتاح سوق السمك الجديد.",
    "ويضم السوق ستين محلاً وقاعة للمزاد.",
]


@pytest.mark.parametrize(
    "line", ["ههههه", "هههه صح", "لوووول", "خخخخ", "شكراااا", "حلوووووو", "م ر ح ب ا", "لاااا"]
)
def test_informal_spelling_stays_arabic_on_an_arabic_page(line):
    page = pl.DataFrame({"doc_id": "a", "segment": [0, 1, 2], "text": [*_PAGE, line]})
    assert ingest.detect(page)["lang"].to_list() == ["ar"] * 3


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("شكراااا", "ar"), ("مبرووووك", "ar"), ("جمييييل جدااا", "ar"), ("م ر ح ب ا", "ar"),
        ("س و ق   ا ل س م ك", "ar"), ("thank youuuu so much", "en"),
        ("ana msh 3aref a3mel eh", "und"), ("mar7aba kifak inta? ana mni7", "und"),
        ("sabah el 5eir ya gama3a", "und"), ("enta kwayes? el7amdolelah", "und"),
        ("the 3D printer and the mp3 player", "en"),
        ("We met on the 2nd and the 23rd of May at 5pm", "en"),
        ("El niño va a la escuela con su mama", "es"),
    ],
)  # fmt: skip
def test_informal_lines_by_themselves(text, lang):
    assert ingest.identify([text])["lang"].to_list() == [lang]


@pytest.mark.parametrize(
    "line",
    [
        "نحن جماعة طلابية للبرامج الحرة Free & Open Source Software Society (FO3S).",
        "من نحن؟ – FO3S",
    ],
)
def test_an_arabic_line_with_latin_names_stays_arabic_on_an_english_page(line):
    english = "We are a society of students for free software, founded in 2010."
    page = pl.DataFrame({"doc_id": "a", "segment": [0, 1, 2], "text": [english, line, english]})
    assert ingest.detect(page)["lang"].to_list() == ["en", "ar", "en"]


@given(st.text(alphabet="ab ا ه\u0640\n.3", max_size=20))
def test_folding_changes_no_text_without_held_or_spaced_letters(text):
    folded = fold_informal(pl.Series([text, "plain"])).to_list()
    assert folded[1] == "plain"
    held = any(
        a == b == c and a.isalpha() for a, b, c in zip(text, text[1:], text[2:], strict=False)
    )
    spaced = sum(len(word) == 1 for word in text.split(" ")) >= 4
    if not held and not spaced:
        assert folded[0] == text


def test_no_line_of_another_language_is_arabizi():
    lines = ["Covid19 and H2O", "b2b b2c e2e", "mp3 mp4 3d", "la ma el ya", "5th of May 2nd", ""]
    assert is_arabizi(pl.Series(lines)).to_list() == [False] * len(lines)
