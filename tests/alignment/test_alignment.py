"""Sentence alignment: what is paired, what is not, and invariants for any input."""

from __future__ import annotations

import gzip
import random
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ingest
from ingest.alignment import align, align_lines
from ingest.alignment.decoding import align_sentences
from ingest.cli import main
from ingest.encoder import vocabulary
from ingest.encoder.lexicon import lexicon
from ingest.encoder.model import Encoder
from ingest.encoder.vocabulary import Vocabulary
from ingest.encoder.words import words
from ingest.errors import AlignError, FrameError, OutputError
from ingest.frames import ALIGNED, PAIRS, schema
from ingest.jobs.align import align_files
from ingest.sentences import sentence_spans, split_sentences

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
BOILERPLATE_AR = ["الرئيسية", "تسجيل الدخول", "شارك", "الأكثر قراءة"]
BOILERPLATE_EN = ["Subscribe to our newsletter", "4 min read", "Contact us"]


def beads(frame: pl.DataFrame) -> list[tuple[list[int], list[int]]]:
    return list(frame.select("source_segments", "target_segments").iter_rows())


def test_one_to_one():
    pairs = align_lines(AR, EN)
    assert beads(pairs) == [([i], [i]) for i in range(len(AR))]
    assert pairs.schema == schema(PAIRS, ALIGNED)
    assert pairs["score"].min() > 0.5
    assert set(pairs["method"]) == {"aligned"}
    assert (pairs["source_lang"][0], pairs["target_lang"][0]) == ("ar", "en")


@pytest.mark.parametrize("at", range(0, len(AR) - 1, 2))
def test_two_lines_are_two_pairs(at):
    assert beads(align_lines(AR[at : at + 2], EN[at : at + 2])) == [([0], [0]), ([1], [1])]


def test_a_line_that_looks_like_another_language():
    english = ["Kindergarten, Zeitgeist and Wanderlust are German words."]
    assert len(align_lines(["كيندرغارتن وتسايتغايست وفاندرلوست كلمات ألمانية."], english)) == 1


def test_merged_and_missing_lines_and_boilerplate():
    ar = [*BOILERPLATE_AR[:2], *AR[:3], f"{AR[3]} {AR[4]}", *AR[5:7], *AR[8:], *BOILERPLATE_AR[2:]]
    en = [BOILERPLATE_EN[0], *EN[:5], *EN[6:9], EN[9], *BOILERPLATE_EN[1:]]
    assert beads(align_lines(ar, en)) == [
        ([2], [1]), ([3], [2]), ([4], [3]), ([5], [4, 5]), ([7], [6]), ([8], [8]), ([9], [9])
    ]  # fmt: skip


def test_spans_of_many_lines():
    pairs = beads(align_lines([" ".join(AR[:5]), *AR[5:]], EN))
    assert pairs[0] == ([0], [0, 1, 2, 3, 4])


@given(st.integers(0, 10_000))
@settings(max_examples=settings.default.max_examples // 2)
def test_alignment_is_monotone_and_symmetric(seed):
    dice = random.Random(seed)
    ar, en = [], []
    for a, b in PAIRED:
        ar += [a] * (dice.random() > 0.2) + [dice.choice(BOILERPLATE_AR)] * (dice.random() < 0.2)
        en += [b] * (dice.random() > 0.2) + [dice.choice(BOILERPLATE_EN)] * (dice.random() < 0.2)
    if not ar or not en:
        return
    forward = align_lines(ar, en, langs=("ar", "en"))
    backward = align_lines(en, ar, langs=("en", "ar"))
    assert beads(forward) == [(a, b) for b, a in beads(backward)]
    assert forward["score"].to_list() == backward["score"].to_list()
    for side in ("source_segments", "target_segments"):
        lines = forward[side].explode().to_list() if len(forward) else []
        assert lines == sorted(set(lines))


def test_an_empty_side_is_an_error():
    with pytest.raises(AlignError, match=r"the target .*nothing to pair"):
        align_lines(AR, ["", "  "])


def test_the_same_text_on_both_sides_is_an_error():
    with pytest.raises(AlignError, match="both sides are in Arabic"):
        align_lines(AR, AR)


def test_wrong_languages_are_errors():
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
    with pytest.raises(FrameError, match="'text' is missing"):
        align(*(ingest.detect(frame).drop("text") for frame in frames))


def test_articles_of_the_same_two_pages_have_different_pair_ids(tmp_path):
    frames = []
    for name, lines in (("a", AR), ("b", EN)):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
        frames.append(ingest.segment(ingest.read(tmp_path / f"{name}.txt")))
    parts = [align(*(frame[at : at + 5] for frame in frames)) for at in (0, 5)]
    both = pl.concat(parts)
    assert len(both) == both["pair_id"].n_unique() == 10
    again = pl.concat(align(*(frame[at : at + 5] for frame in frames)) for at in (5, 0))
    assert again["pair_id"].sort().equals(both["pair_id"].sort())
    lines = align_lines(AR, EN)
    assert lines["pair_id"].n_unique() == 10
    assert align_lines(AR, EN, docs=("x", "y"))["pair_id"].is_in(lines["pair_id"]).sum() == 0


def test_a_custom_encoder_gets_the_texts_of_each_side_once():
    calls: list[list[str]] = []
    shipped = Encoder.load()

    def encode(texts: list[str]) -> np.ndarray:
        calls.append([str(text) for text in texts])
        return shipped.encode_sums(iter(texts))

    other = list(align_sentences(AR, EN, langs=("ar", "en"), encode=encode))
    assert sorted(calls) == sorted([AR, EN])
    assert other == list(align_sentences(AR, EN, langs=("ar", "en"), encode=shipped.encode_sums))


def test_the_cache_of_words_does_not_change_their_keys(monkeypatch):
    shipped = lexicon()
    seen = [word for line in (*AR, *EN) for word in words(pl.Series([line])).to_list()[0]]
    whole = Vocabulary(shipped).look_up(seen)
    small = Vocabulary(shipped)
    monkeypatch.setattr(vocabulary, "_MAX_CACHED", 40)
    monkeypatch.setattr(vocabulary, "FEW", 0)
    for at in range(0, len(seen), 30):
        for part, all_ in zip(small.look_up(seen[at : at + 30]), whole, strict=True):
            assert part.tolist() == all_[at : at + 30].tolist()


def test_command_line(tmp_path, capsys):
    for lang, lines in (("ar", AR), ("en", EN)):
        (tmp_path / lang).mkdir()
        (tmp_path / lang / f"one.{lang}.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "ar" / "alone.txt").write_text(AR[0], encoding="utf-8")
    out = tmp_path / "pairs.parquet"
    call = ["align", str(tmp_path / "ar"), str(tmp_path / "en"), "-o", str(out), "--lines"]
    assert main(call) == 0
    captured = capsys.readouterr()
    assert "alone.txt: no file of that name" in captured.err
    assert "10 pairs" in captured.out
    assert beads(pl.read_parquet(out)) == [([i], [i]) for i in range(10)]
    assert main(call) == 2
    assert "exists already" in capsys.readouterr().err


def folders(tmp_path, ar: dict[str, str], en: dict[str, str]):
    for side, files in (("a", ar), ("b", en)):
        (tmp_path / side).mkdir()
        for name, line in files.items():
            opened = gzip.open if name.endswith(".gz") else open
            with opened(tmp_path / side / name, "wt", encoding="utf-8") as file:
                file.write(line)
    return str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "pairs.parquet")


def test_dates_in_file_names_are_part_of_the_key(tmp_path):
    days = [f"2024.01.0{n}" for n in range(3)]
    call = folders(
        tmp_path,
        {f"{day}.ar.txt": AR[n] for n, day in enumerate(days)},
        {f"{day}.html.gz" if n else f"{day}.EN.html": EN[n] for n, day in enumerate(days)},
    )
    report = align_files(*call, lines=True)
    assert (report.aligned, report.pairs, report.in_error, report.messages) == (3, 3, 0, [])


def test_files_with_the_same_key_are_reported_and_not_paired(tmp_path):
    ar = {"one.txt": AR[0], "one.ar.html": AR[1], "two.txt": AR[2], "old.txt": "-", "old.html": "-"}
    call = folders(tmp_path, ar, {"one.txt": EN[0], "two.en.txt": EN[2]})
    report = align_files(*call, lines=True)
    assert (report.aligned, report.in_error) == (1, 1)
    assert pl.read_parquet(call[2])["target_text"].to_list() == [EN[2]]
    alone, same = report.messages
    assert "old.html and 1 more: no file of that name" in alone
    assert all(name in same for name in ("one.txt", "one.ar.html", "'one'", "rename"))


@pytest.mark.parametrize("above", ["{}/b/../a", "{}/./a/"])
def test_a_folder_may_be_named_in_a_roundabout_way(tmp_path, above):
    call = folders(tmp_path, {"one.ar.txt": AR[0]}, {"one.en.txt": EN[0]})
    assert align_files(above.format(tmp_path), *call[1:], lines=True).pairs == 1


@pytest.mark.parametrize("name", ["one.ar.txt", "alone.txt"])
def test_an_input_file_is_never_replaced(tmp_path, name):
    files = {"one.ar.txt": AR[0], "alone.txt": AR[1]}
    source, target, _ = folders(tmp_path, files, {"one.en.txt": EN[0]})
    with pytest.raises(OutputError, match="is the input itself"):
        align_files(source, target, f"{source}/{name}", lines=True, overwrite=True)
    assert (tmp_path / "a" / name).read_text("utf-8") == files[name]


def test_sentences_keep_their_offsets():
    text = "قال د. سامي: «انتهى العمل.» ثم غادر؟ نعم!  It cost 3.5 dollars. The U.S. Senate agreed."
    for start, end in sentence_spans(text):
        assert text[start:end].strip() == text[start:end]
    assert split_sentences(text)[-2:] == ["It cost 3.5 dollars.", "The U.S. Senate agreed."]


@pytest.mark.parametrize(
    "text",
    [
        "Hello. \x1f", 'Hi. "\x1f', "No. •\t", "He left. •" + "\u00a0" * 45 + "Then more",
        "p.m. “\u2003", "هل وصل؟ «\x1c»", "J. -\x85-\x1e",
    ],
)  # fmt: skip
def test_any_white_space_may_follow_a_sentence(text):
    pieces = split_sentences(text)
    assert pieces[0] == text[: len(pieces[0])]
    assert "".join("".join(pieces).split()) == "".join(text.split())


@given(st.text(st.sampled_from('Aب .!؟"«»•\t\n\x1c\x1f\x85\u00a0\u2003\u200f'), max_size=60))
def test_splitting_never_fails_and_loses_no_text(text):
    places = sentence_spans(text)
    assert places == sorted(places)
    kept = "".join(text[start:end] for start, end in places)
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]


def test_an_abbreviation_does_not_end_a_sentence():
    assert split_sentences("Mr. Smith met J. R. Jones at 5 p.m. in Washington. He left.") == [
        "Mr. Smith met J. R. Jones at 5 p.m. in Washington.", "He left.",
    ]  # fmt: skip
    assert split_sentences("هل وصل؟ لم يصل؛ لقد تأخر... ثم نام.") == [
        "هل وصل؟",
        "لم يصل؛ لقد تأخر... ثم نام.",
    ]
