"""Numbers and months of both sides are written alike, and what differs stays different."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.months import MONTH_OF, read_months
from ingest.number_words import number_values
from ingest.scoring.alike import write_alike

_SPEC = importlib.util.spec_from_file_location("alike_pairs", Path(__file__).with_name("pairs.py"))
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
frame = _MODULE.frame

MONTHS = "January February March April May June July August September October November December"
LEVANT = (
    "كانون الثاني|شباط|آذار|نيسان|أيار|حزيران|تموز|آب|أيلول|تشرين الأول|تشرين الثاني|كانون الأول"
).split("|")
EGYPT = "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر".split()
MAGHREB = "جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر".split()


def alike(arabic: str, english: str) -> tuple[str, str]:
    first, second = write_alike(pl.Series([arabic]), pl.Series([english]))
    return first.item(), second.item()


@pytest.mark.parametrize("names", [LEVANT, EGYPT, MAGHREB])
def test_months_of_every_tradition_are_one(names):
    pairs, expected = [], []
    for number, (name, english) in enumerate(zip(names, MONTHS.split(), strict=True)):
        common, other = EGYPT[number], (number + 5) % 12
        pairs += [
            (f"عُقد في 7 {name} 2019.", f"Held on {english} 7, 2019."),
            (f"في {name}/{common} ثم", f"in {english}, then"),
            (f"في 7 {name} 2019", f"on 7 {MONTHS.split()[other]} 2019"),
        ]
        expected += [
            (f"عقد في 7 {common} 2019.", pairs[-3][1]),
            (f"في {common} ثم", pairs[-2][1]),
            (f"في 7 {number + 1} 2019", f"on 7 {other + 1} 2019"),
        ]
    sides = write_alike(*(pl.Series(side) for side in zip(*pairs, strict=True)))
    written = list(zip(*(side.to_list() for side in sides), strict=True))
    for pair, (arabic, english), right in zip(pairs, written, expected, strict=True):
        assert (arabic.replace("أ", "ا"), english) == (right[0].replace("أ", "ا"), right[1]), pair


@pytest.mark.parametrize(
    ("arabic", "english"),
    [
        ("اشترت سيارة نيسان جديدة.", "She bought a new Nissan."),
        ("في شهر نيسان من السنة العبرية", "in the month of Nisan of the Hebrew year"),
        ("قالت جوان إنها ستأتي", "Joan said in March that she would come"),
        ("ولد في ربيع الأول", "He was born in Rabi al-Awwal"),
        ("حقق الأب المهمة الثانية", "The father did the second task"),
    ],
)
def test_what_is_no_month_stays(arabic, english):
    assert alike(arabic, english) == (arabic, english)


@pytest.mark.parametrize(
    ("arabic", "english", "number"),
    [
        ("تجاوزوا الخمسين من العمر", "older than 50 years", "50"),
        ("الإحدى عشرة مدرسة", "11 schools", "11"),
        ("الفصل الحادي والعشرون", "Chapter 21", "21"),
        ("خمسة وثلاثين طالبا", "35 students", "35"),
        ("المرحلة الثانية", "phase 2", "2"),
        ("ثلاثمائة قارب", "300 boats", "300"),
        ("خمسة ملايين زائر", "5 million visitors", "5000000"),
        ("مليون زائر", "1 million visitors", "1000000"),
        ("استغرقت أسبوعين", "It took 2 weeks", "2"),
        ("بعد مرتين", "after 2 times", "2"),
        ("الشارع ٣٢", "Thirty-second Street", "32"),
        ("١٠٦ سفن", "a hundred and six ships", "106"),
        ("الذكرى الـ٢٠", "the twentieth anniversary", "20"),
        ("إحدى عشرة مدرسة", "eleven schools", "11"),
        ("اثنان وأربعون بيتا", "forty-two houses", "42"),
    ],
)
def test_numbers_in_words_are_numbers(arabic, english, number):
    sides = alike(arabic, english)
    for side, other in (sides, sides[::-1]):
        digits = side.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")).split()
        assert any(number in word for word in digits), (side, other)
    scored = ingest.score(frame([(english, arabic)]))
    assert scored["numbers_kept"].item() == 1


@pytest.mark.parametrize(
    ("arabic", "english"),
    [
        ("في 12 آذار 2024 ثم", "on 12/03/2024, then"),
        ("في ١٢ آذار/مارس ٢٠٢٤ ثم", "on 2024-03-12, then"),
        ("في 5/1/2020 ثم", "on January 5th, 2020 then"),
        ("في 05-10-2020 ثم", "on the 5th of October 2020 then"),
    ],
)
def test_dates_with_and_without_a_name_are_one(arabic, english):
    assert ingest.score(frame([(english, arabic)]))["numbers_kept"].item() == 1
    wrong = english.replace("12", "14").replace("5th", "6th")
    assert ingest.score(frame([(wrong, arabic)]))["numbers_kept"].item() < 1


@pytest.mark.parametrize(
    ("arabic", "english"),
    [
        ("التمرين الثاني", "Exercise 1"),
        ("التمرين الثاني", "Exercise 3"),
        ("الفصل الخامس", "Chapter 6"),
        ("الدرس ٧", "Lesson eight"),
        ("خمسة وعشرون", "thirty-five"),
    ],
)
def test_other_numbers_differ(arabic, english):
    scored = ingest.score(frame([(english, arabic)]))
    assert scored["numbers_kept"].item() == 0
    assert scored["quality"].item() < 0.2


@pytest.mark.parametrize(
    ("arabic", "english"),
    [
        ("منذ القرن التاسع عشر", "since the 1800s"),
        ("خمسون في المئة", "half of them, 2 in 4"),
        ("عاد يوم الاثنين", "He came back on Monday the 2nd"),
        ("افتحه ثانية بعد 3 أيام", "Open it again after 3 days, in 2020"),
        ("أحد الرجال الثلاثة", "one of the three men"),
    ],
)
def test_numbers_that_say_nothing_stay(arabic, english):
    assert alike(arabic, english) == (arabic, english)


def test_a_wrong_number_is_not_explained_by_another_word():
    arabic, english = "الفصل ٣: المرة الأولى", "Chapter 1: the first time"
    assert alike(arabic, english) == (arabic, english)
    assert alike("5 من بيتين", "2 of the houses")[0] == "5 من بيتين"


@given(st.integers(1, 99))
def test_number_words_of_english(value):
    units = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    units += " fifteen sixteen seventeen eighteen nineteen"
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    names = units.split()
    name = names[value] if value < 20 else tens[value // 10 - 2]
    if value > 20 and value % 10:
        name += f"-{names[value % 10]}"
    assert number_values(pl.Series([name, name.upper(), f"a hundred and {name}"])).to_list() == [
        value, value, 100 + value,
    ]  # fmt: skip


TEXTS = st.lists(
    st.sampled_from(["شباط", "آب", "2", "٣", "الثاني", "خمسة", "وعشرون", "three", "March", "May", "/",
                     "مليون", "2 million", "يومين", "(", ")", "\x01", "", "كانون", "الأول", "ſix", "ة"]),
    max_size=7,
).map(" ".join)  # fmt: skip


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=3))
def test_a_pair_is_written_alone_as_among_others(pairs):
    first, second = (pl.Series([pair[side] for pair in pairs], dtype=pl.String) for side in (0, 1))
    whole = list(zip(*(side.to_list() for side in write_alike(first, second)), strict=True))
    assert whole == [alike(*pair) for pair in pairs]
    back = write_alike(second, first)
    assert whole == list(zip(*(side.to_list() for side in back[::-1]), strict=True))


def test_every_name_of_a_month_is_read():
    names = [name for name in MONTH_OF if not name.isascii()]
    assert read_months(pl.Series(names))["month"].to_list() == [MONTH_OF[name] for name in names]
