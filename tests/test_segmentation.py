from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.config import SegmentConfig
from ingest.errors import FrameError
from ingest.frames import DOCUMENTS, SEGMENTS, check, schema
from ingest.segmentation import run_starts

texts = st.text(
    st.one_of(
        st.sampled_from(
            "ab Aا ب\n\r\t\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028\u2029\u200f\u202e\ufeff.(\0"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=200,
)


def documents(*texts: str) -> pl.DataFrame:
    rows = [{"doc_id": f"d{n}", "text": text} for n, text in enumerate(texts)]
    return pl.DataFrame(rows, schema(DOCUMENTS))


def texts_of(*pages: str) -> list[str]:
    return ingest.segment(documents(*pages))["text"].to_list()


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(st.lists(texts, max_size=4), st.integers(1, 5))
def test_offsets_are_right_and_only_white_space_is_lost(pages, words):
    frame = ingest.segment(documents(*pages), config=SegmentConfig(min_run_words=words))
    check(frame, SEGMENTS, verb="test")
    for n, page in enumerate(pages):
        of_page = frame.filter(doc_id=f"d{n}")
        end = 0
        for number, row in enumerate(of_page.iter_rows(named=True)):
            assert row["segment"] == number
            assert row["text"] == page[row["start"] : row["end"]] != ""
            assert row["start"] >= end
            newlines = page[: row["start"]].replace("\r\n", " \n").replace("\r", "\n").count("\n")
            assert row["line"] == newlines + 1
            end = row["end"]
        assert squeezed("".join(of_page["text"])) == squeezed(page)


@given(st.lists(texts, min_size=1, max_size=4), st.randoms())
def test_segments_do_not_depend_on_other_pages(pages, random):
    frame = ingest.segment(documents(*pages))
    order = list(range(len(pages)))
    random.shuffle(order)
    shuffled = documents(*pages)[order]
    for n in range(len(pages)):
        of_page = frame.filter(doc_id=f"d{n}")
        assert of_page.equals(ingest.segment(shuffled).filter(doc_id=f"d{n}"))


def test_line_ends_of_every_system():
    frame = ingest.segment(documents("one\r\ntwo\rthree\n\n\nsix"))
    assert frame.select("line", "text").rows() == [(1, "one"), (2, "two"), (3, "three"), (6, "six")]


def test_inner_breaks_split_a_line():
    frame = ingest.segment(documents("one\u2028two\fthree"))
    assert frame.select("line", "text").rows() == [(1, "one"), (1, "two"), (1, "three")]


def test_a_line_with_a_sentence_in_each_language_becomes_two():
    assert texts_of("The talks ended late on Sunday. انتهت المحادثات في ساعة متأخرة من الأحد.") == [
        "The talks ended late on Sunday.",
        "انتهت المحادثات في ساعة متأخرة من الأحد.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "ثبّت Docker Compose ثم أعد تشغيل الخادم من جديد",
        "Choose OS: اختر Raspberry Pi OS (other) ثم Raspberry Pi OS Lite (64-bit).",
        "وقال التقرير «the best is yet to come, said one» ثم أضاف شيئا آخر مهما",
        "Home الرئيسية | About من نحن",
        "ادخل صفحة الراوتر وابحث عن الجهاز في DHCP clients أو DHCP leases.",
    ],
)
def test_a_code_switched_line_stays_whole(line):
    assert texts_of(line) == [line]


def test_many_runs_alternate():
    line = "one two three four. واحد اثنان ثلاثة أربعة. five six seven eight."
    assert len(run_starts(line, 4)) == 2


def test_empty_pages_and_pages_in_error():
    frame = documents("", " \n\t\u3000\n", "a")
    frame = frame.with_columns(text=pl.when(pl.col("text") == "a").then(None).otherwise("text"))
    assert ingest.segment(frame).is_empty()
    assert ingest.segment(frame).schema == schema(SEGMENTS)


def test_a_million_empty_lines():
    assert texts_of("\n" * 1_000_000 + "end") == ["end"]


def test_a_missing_column_is_named():
    with pytest.raises(FrameError, match=r"segment: column 'uri' is missing; ingest.read makes it"):
        ingest.segment(documents("a").drop("uri"))


def test_the_error_names_the_step_that_adds_a_missing_column():
    with pytest.raises(FrameError, match=r"column 'doc_id' is missing; ingest.read makes it"):
        ingest.segment(documents("a").drop("doc_id"))


def test_a_very_long_line_is_one_segment():
    line = "one two three four. واحد اثنان ثلاثة أربعة. " * 20_000
    assert texts_of(line) == [line.strip()]


def test_a_line_of_many_short_runs_takes_no_time():
    began = time.thread_time()
    assert run_starts("ab نص " * 16_000, 4) == []
    assert run_starts("one two three four. " + "نص ab " * 10_000, 4) == []
    assert time.thread_time() - began < 2
    long = "The plan sets a ceiling for all. أعلنت الوزارة عن خطة جديدة أمس. "
    assert len(texts_of(long * 2_000 + "\x0b" + long)) == 3


def test_words_that_change_script_without_a_space_are_taken_apart():
    arabic = "خريطة تفاعلية لحركة المد والجزر على سواحل الخليج، تجمع بيانات عشرين ساعة."
    english = "Interactive map of the tides along the Gulf coast, gathering data."
    line = arabic + english
    assert run_starts(line, 4) == [len(arabic)]
    assert run_starts("ثبّت الـDocker ثم أعد تشغيل الخادم", 4) == []
