"""Alignment of sentences: what is paired, what is not, and what must hold for any input."""

from __future__ import annotations

import random
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest
from ingest.align import align, align_lines, vocabulary
from ingest.align.encoder import Encoder
from ingest.align.lexicon import lexicon
from ingest.align.sentences import find
from ingest.align.split import sentences, split
from ingest.align.vocabulary import Vocabulary
from ingest.align.words import words
from ingest.cli import main
from ingest.errors import AlignError, FrameError
from ingest.frames import ALIGNED, PAIRS, schema

# Written for this project.
PAIRED = [
    ("افتتح الوزير سامي الكعبي يوم الثلاثاء مستشفى جديدًا في مدينة العين بكلفة 45 مليون دولار.",
     "Minister Sami Al Kaabi opened a new hospital in the city of Al Ain on Tuesday at a cost of 45 million dollars."),
    ("ويضم المستشفى 220 سريرًا وقسمًا خاصًا لأمراض القلب.",
     "The hospital has 220 beds and a special department for heart disease."),
    ("وقال الوزير إن العمل استغرق ثلاث سنوات.",
     "The minister said that the work had taken three years."),
    ("انتقد سكان القرى المجاورة ضيق الطريق المؤدي إليه.",
     "Residents of nearby villages criticised the narrow road that leads to it."),
    ("ووعدت البلدية بتوسيع الطريق قبل نهاية عام 2025.",
     "The municipality promised to widen the road before the end of 2025."),
    ("تدرس الحكومة بناء مدرسة للتمريض بجوار المستشفى.",
     "The government is considering building a school of nursing beside the hospital."),
    ("وسيبدأ استقبال المرضى في الشهر القادم.", "Patients will be received from next month."),
    ("هل تكفي هذه الأسرة لسكان المدينة؟", "Are these beds enough for the people of the city?"),
    ("أكد الطبيب يوسف منصور أن الحاجة إلى الممرضات ما زالت كبيرة.",
     "Doctor Yousef Mansour stressed that the need for nurses is still great."),
    ("ودعا الجامعات إلى قبول عدد أكبر من الطلاب.",
     "He called on the universities to admit a larger number of students."),
]  # fmt: skip
AR = [a for a, _ in PAIRED]
EN = [b for _, b in PAIRED]
CHROME_AR = ["الرئيسية", "تسجيل الدخول", "شارك", "الأكثر قراءة"]
CHROME_EN = ["Subscribe to our newsletter", "4 min read", "Contact us"]


def beads(frame: pl.DataFrame) -> list[tuple[list[int], list[int]]]:
    return list(frame.select("source_segments", "target_segments").iter_rows())


def test_one_to_one():
    pairs = align_lines(AR, EN)
    assert beads(pairs) == [([i], [i]) for i in range(len(AR))]
    assert pairs.schema == schema(PAIRS, ALIGNED)
    assert pairs["score"].min() > 0.5
    assert set(pairs["method"]) == {"aligned"}
    assert (pairs["source_lang"][0], pairs["target_lang"][0]) == ("ar", "en")


def test_merged_and_missing_lines_and_furniture():
    ar = [*CHROME_AR[:2], *AR[:3], f"{AR[3]} {AR[4]}", *AR[5:7], *AR[8:], *CHROME_AR[2:]]
    en = [CHROME_EN[0], *EN[:5], *EN[6:9], EN[9], *CHROME_EN[1:]]
    found = beads(align_lines(ar, en))
    assert found == [
        ([2], [1]), ([3], [2]), ([4], [3]), ([5], [4, 5]), ([7], [6]), ([8], [8]), ([9], [9])
    ]  # fmt: skip


def test_spans_of_many_lines():
    found = beads(align_lines([" ".join(AR[:5]), *AR[5:]], EN))
    assert found[0] == ([0], [0, 1, 2, 3, 4])


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_monotone_once_and_the_same_when_swapped(seed):
    dice = random.Random(seed)
    ar, en = [], []
    for a, b in PAIRED:
        ar += [a] * (dice.random() > 0.2) + [dice.choice(CHROME_AR)] * (dice.random() < 0.2)
        en += [b] * (dice.random() > 0.2) + [dice.choice(CHROME_EN)] * (dice.random() < 0.2)
    if not ar or not en:
        return
    forth = align_lines(ar, en, langs=("ar", "en"))
    back = align_lines(en, ar, langs=("en", "ar"))
    assert beads(forth) == [(a, b) for b, a in beads(back)]
    assert forth["score"].to_list() == back["score"].to_list()
    for side in ("source_segments", "target_segments"):
        lines = forth[side].explode().to_list() if len(forth) else []
        assert lines == sorted(set(lines))


def test_a_side_that_is_empty():
    with pytest.raises(AlignError, match=r"the target .*nothing to pair"):
        align_lines(AR, ["", "  "])


def test_the_same_text_on_both_sides():
    with pytest.raises(AlignError, match="both sides are in Arabic"):
        align_lines(AR, AR)


def test_languages_on_the_wrong_sides():
    with pytest.raises(AlignError, match="swapped"):
        align_lines(EN, AR, langs=("ar", "en"))
    with pytest.raises(AlignError, match="'fr'"):
        align_lines(AR, ["Le ministre a ouvert un nouvel hôpital dans la ville mardi dernier."] * 3)


def test_one_line_against_many():
    many = [f"Item number {i} of the catalogue is not for sale today." for i in range(10_000)]
    many[7001] = EN[0]
    begun = time.perf_counter()
    pairs = align_lines([AR[0]], many)
    assert time.perf_counter() - begun < 60
    assert beads(pairs) == [([0], [7001])]


def test_a_line_of_a_million_characters():
    pairs = align_lines([*AR, "كلمة " * 200_000], [*EN, "nothing of that"])
    assert beads(pairs)[:10] == [([i], [i]) for i in range(10)]
    assert pairs.filter(
        pl.col("source_segments").list.contains(10), pl.col("score") > 0.5
    ).is_empty()


def test_duplicate_lines_marks_and_blank_lines():
    ar = [f"\u200f{AR[0]}\u200f", "", AR[1], AR[1], AR[2]]
    en = [EN[0], EN[1], EN[1], "\u200e", EN[2]]
    assert beads(align_lines(ar, en)) == [([0], [0]), ([2], [1]), ([3], [2]), ([4], [4])]


def test_digits_only():
    pairs = align_lines(["١٢٣٤", "٥٦٧٨", "٩٩"], ["1234", "5678", "99"])
    assert all(s == t for s, t in beads(pairs))


def test_nothing_in_common_has_no_high_score():
    other = ["Bake the cake for forty minutes.", "The cat sleeps under the blue chair all day.",
             "He plays the violin badly.", "Rain is rare on the northern coast."]  # fmt: skip
    pairs = align_lines(AR[:6], other)
    assert pairs.filter(pl.col("score") > 0.8).is_empty()


def test_segments_of_two_pages(tmp_path):
    frames = []
    for name, lines in (("a", [" ".join(AR[:3]), *AR[3:]]), ("b", EN)):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
        frames.append(ingest.segment(ingest.read(tmp_path / f"{name}.txt")))
    pairs = align(*frames)
    assert pairs["source_segments"].to_list()[:4] == [[0], [0], [0], [1]]
    page = ingest.read(tmp_path / "a.txt")["text"][0]
    for text, start, end in pairs.select("source_text", "source_start", "source_end").iter_rows():
        assert page[start:end] == text
    with pytest.raises(FrameError, match="doc_id"):
        align(frames[0].drop("doc_id"), frames[1])


def test_an_encoder_of_another_kind_is_given_texts():
    """It gets what it asks for, strings, and is asked once a side."""
    asked: list[list[str]] = []
    shipped = Encoder.load()

    def encode(texts: list[str]) -> np.ndarray:
        asked.append([str(text) for text in texts])
        return shipped.encode_sums(iter(texts))

    other = find(AR, EN, langs=("ar", "en"), encode=encode)
    assert sorted(asked) == sorted([AR, EN])
    assert other == find(AR, EN, langs=("ar", "en"), encode=shipped.encode_sums)


def test_words_looked_up_before_or_forgotten_are_the_same(monkeypatch):
    held = lexicon()
    seen = [word for line in (*AR, *EN) for word in words(pl.Series([line])).to_list()[0]]
    whole = Vocabulary(held).look_up(seen)
    once = Vocabulary(held)
    monkeypatch.setattr(vocabulary, "_MOST", 40)
    monkeypatch.setattr(vocabulary, "FEW", 0)
    for at in range(0, len(seen), 30):
        for part, all_ in zip(once.look_up(seen[at : at + 30]), whole, strict=True):
            assert part.tolist() == all_[at : at + 30].tolist()


def test_command_line(tmp_path, capsys):
    for lang, lines in (("ar", AR), ("en", EN)):
        (tmp_path / lang).mkdir()
        (tmp_path / lang / f"one.{lang}.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "ar" / "alone.txt").write_text(AR[0], encoding="utf-8")
    out = tmp_path / "pairs.parquet"
    call = ["align", str(tmp_path / "ar"), str(tmp_path / "en"), "-o", str(out), "--lines"]
    assert main(call) == 0
    said = capsys.readouterr()
    assert "alone.txt: no file of that name" in said.err
    assert "10 pairs" in said.out
    assert beads(pl.read_parquet(out)) == [([i], [i]) for i in range(10)]
    assert main(call) == 2
    assert "exists already" in capsys.readouterr().err


def test_sentences_keep_their_place():
    text = "قال د. سامي: «انتهى العمل.» ثم غادر؟ نعم!  It cost 3.5 dollars. The U.S. Senate agreed."
    for start, end in sentences(text):
        assert text[start:end].strip() == text[start:end]
    assert split(text)[-2:] == ["It cost 3.5 dollars.", "The U.S. Senate agreed."]


def test_an_abbreviation_does_not_end_a_sentence():
    assert split("Mr. Smith met J. R. Jones at 5 p.m. in Washington. He left.") == [
        "Mr. Smith met J. R. Jones at 5 p.m. in Washington.", "He left.",
    ]  # fmt: skip
    assert split("هل وصل؟ لم يصل؛ لقد تأخر... ثم نام.") == [
        "هل وصل؟",
        "لم يصل؛ لقد تأخر... ثم نام.",
    ]
