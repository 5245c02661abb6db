from __future__ import annotations

import html
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.readers.repairs import repair_text

ARABIC = "زارت طالبات المدرسة الجديدة متحف المدينة، ثم كتبن عن الرحلة في الصحيفة."
HEADLINE = "متحف المدينة"
FRENCH = "Les élèves ont visité le musée à Nîmes ; c’était très intéressant."
ENGLISH = "The pupils’ report – their first – says “we learnt a lot”."
ONE_BYTE = {"windows-1256": "cp1256", "iso-8859-6": "iso8859-6"}


def misread(text: str, right: str, wrong: str, lost: str | None = None) -> str:
    chars = [bytes([b]).decode(wrong, "ignore") for b in range(256)]
    return "".join(chars[b] or (chr(b) if lost is None else lost) for b in text.encode(right))


def as_references(text: str) -> str:
    return "".join(c if c.isascii() else f"&#{ord(c)};" for c in text)


def as_names(text: str) -> str:
    names = html.entities.codepoint2name
    return "".join(f"&{names[ord(c)]};" if ord(c) in names and not c.isascii() else c for c in text)


@pytest.mark.parametrize("text", [ARABIC, HEADLINE, FRENCH, ENGLISH])
@pytest.mark.parametrize(
    "codec",
    ["cp1252", "latin-1", "cp1251", "cp1250", "cp1253", "cp1254", "mac_roman", "cp437", "cp850"],
)
def test_utf8_read_as_another_encoding(text, codec):
    assert repair_text(misread(text, "utf-8", codec))[0] == text


@pytest.mark.parametrize("text", [ARABIC, HEADLINE, FRENCH, ENGLISH])
@pytest.mark.parametrize(
    ("first", "second"), [("latin-1", "latin-1"), ("cp1252", "cp1252"), ("cp1252", "latin-1")]
)
def test_text_that_is_broken_twice(text, first, second):
    broken = misread(misread(text, "utf-8", first), "utf-8", second)
    name = "utf-8 read as windows-1252"
    assert repair_text(broken) == (text, f"{name}; {name}")


@pytest.mark.parametrize("text", ["شكرا 🌹", "Ok see you بكرة", "مرحبا", "café", "don’t", "25°"])
def test_short_texts(text):
    assert repair_text(misread(text, "utf-8", "latin-1"))[0] == text
    assert repair_text(misread(text, "utf-8", "cp1252"))[0] == text


@pytest.mark.parametrize("lost", ["\ufffd", "?", ""])
def test_bytes_that_windows_1252_lacks(lost):
    text = "اكتشف فريق من الباحثين نوعاً في ريف المدينة"  # five times the byte 81
    assert repair_text(misread(text, "utf-8", "cp1252", lost))[0] == text
    assert repair_text(misread("He said “yes” twice.", "utf-8", "cp1252", lost))[0] == (
        "He said “yes” twice."
    )


def test_soft_hyphens_and_no_break_spaces_that_programs_tidy_up():
    assert repair_text(misread("صباح الخير، حفل الموسيقى", "utf-8", "latin-1").replace("\xad", ""))[
        0
    ] == ("صباح الخير، حفل الموسيقى")
    broken = misread("Elle va à Paris, voilà tout.", "utf-8", "cp1252").replace("\xa0", " ")
    assert repair_text(broken)[0] == "Elle va à Paris, voilà tout."


def test_a_line_stays_as_it_is_if_a_lost_byte_is_uncertain():
    voweled = misread("كَتَبَ الطالِبُ دَرْسَهُ في البَيْتِ", "utf-8", "cp1252", "\ufffd")
    assert repair_text(voweled) == (voweled, None)


@pytest.mark.parametrize("write", [as_references, as_names])
@pytest.mark.parametrize("codec", ["utf-8", "cp1256"])
def test_references_to_broken_characters(write, codec):
    wrong = "latin-1" if write is as_references else "cp1252"
    page = f"<p title='a &amp; b'>{write(misread(ARABIC, codec, wrong))}</p><p>&lt;b&gt; &eacute;"
    repaired, repairs = repair_text(page)
    assert f">{ARABIC}</p>" in repaired
    assert "&amp; b" in repaired
    assert "&lt;b&gt;" in repaired
    assert repairs


def test_references_of_sound_pages_stay():
    page = "<p>L&rsquo;&eacute;t&eacute;&nbsp;&raquo;, cr&eacute;&eacute;e &Agrave;&nbsp;&Eacute;"
    assert repair_text(page) == (page, None)


@pytest.mark.parametrize("wrong", ["cp1252", "latin-1", "cp1251", "cp1254", "cp1253"])
@pytest.mark.parametrize("right", ONE_BYTE)
def test_arabic_in_one_byte_read_as_another_encoding(right, wrong):
    broken = misread(ARABIC, ONE_BYTE[right], wrong)
    repaired, repairs = repair_text(broken)
    assert repaired == ARABIC
    assert repairs is not None
    assert repairs.startswith(f"{right} read as ")


def test_a_headline_or_a_question_in_windows_1256():
    for text in (HEADLINE, "أين متحف المدينة؟", "نعم، هذا صحيح ؟", "أخبار", "كتاب"):
        assert repair_text(misread(text, "cp1256", "cp1252"))[0] == text


def test_an_arabic_menu_in_a_french_page():
    menu = "".join(f"<li><a href=/x>{misread(word, 'cp1256', 'cp1252')}</a>" for word in
                   ("الرئيسية", "أخبار", "في", "اتصل بنا"))  # fmt: skip
    page = f"<ul>{menu}</ul><p>{FRENCH} ÉCOLE, Où, À Évry"
    repaired, repairs = repair_text(page)
    assert repaired == page.replace(menu, "".join(
        f"<li><a href=/x>{word}</a>" for word in ("الرئيسية", "أخبار", "في", "اتصل بنا")))  # fmt: skip
    assert repairs == "windows-1256 read as windows-1252"


@pytest.mark.parametrize(("right", "wrong"), [("utf-8", "cp1252"), ("utf-8", "cp1256"), ("cp1256", "cp1252"), ("cp1256", "cp1251")])  # fmt: skip
@pytest.mark.parametrize("around", [FRENCH, ENGLISH, "مقال سليم عن المدرسة والمتحف"])
def test_one_broken_line_among_sound_ones(around, right, wrong):
    page = "\n".join([around, misread(ARABIC, right, wrong), around])
    assert repair_text(page)[0] == "\n".join([around, ARABIC, around])


def test_punctuation_of_windows_1252_read_as_latin_1():
    assert repair_text("It\x92s \x93good\x94 \x96 really\x85") == (
        "It’s “good” – really…",
        "windows-1252 read as iso-8859-1",
    )


@pytest.mark.parametrize(
    "text",
    [
        "ÆØÅ æøå ÄÖÜ äöü ÀÉÈÊ ñÑ ÇÃÕ",
        "Á Â Ã Ä Å Æ Ç È É Ê Ë Ì Í Î Ï Ð Ñ Ò Ó Ô Õ Ö × Ø Ù Ú Û Ü Ý Þ ß",
        "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
        "абвгдежзийклмнопрстуфхцчшщъыьэюя АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
        "Москва – столица России; МОСКВА. Київ – столиця України, Їжак і Ґанок",
        "Αθήνα, ΑΘΗΝΑ: «Α», «Ω» και ΕΛΛΑΔΑ",
        "Þetta er íslenska: ÞÓRÐUR á Ísafirði, æðarvarp, ÁÐUR",
        "Việt Nam: ĐƯỜNG PHỐ, Ông Trần, ở Hà Nội ÂU CƠ",
        "Příliš žluťoučký kůň ÚŽASNÝ ŘŠ; Łódź, ŻÓŁĆ; Ķekava, ŠĶĪVIS",
        "│ ├── é │ └── ü ╪ ┘ ├┤├┤ ╔══╗",
        "«أ»، و«آ»؛ المادة أ: ط، ظ؛ ع…",
        'If you see "â€™" instead of an apostrophe, the encoding is wrong.',
    ],
)
def test_sound_texts_stay(text):
    for sound in (text, f"{text}\n" * 30, text.replace(" ", "\u00a0")):
        assert repair_text(sound) == (sound, None)


WORDS = st.lists(st.sampled_from(f"{ARABIC} {HEADLINE} {FRENCH}".split()), min_size=1, max_size=9)


@given(
    st.lists(st.sampled_from(ARABIC.split()), min_size=2, max_size=9),
    st.sampled_from(["cp1252", "latin-1", "cp1256", "cp1251", "cp1250", "mac_roman", "cp437"]),
)
def test_broken_arabic_is_repaired_or_left(words, codec):
    text = " ".join(words)
    broken = misread(text, "utf-8", codec)
    assert repair_text(text) == (text, None)
    assert repair_text(broken)[0] == text


@given(
    # A few letters, or the same few again, can be as likely in the other code page.
    st.lists(st.sampled_from(sorted(set(ARABIC.split()))), min_size=4, max_size=9, unique=True),
    st.sampled_from(["cp1256", "iso8859-6"]),
    st.sampled_from(["cp1252", "latin-1", "cp1251"]),
)
def test_arabic_in_one_byte_is_repaired_or_left(words, right, wrong):
    text = " ".join(words)
    broken = misread(text, right, wrong)
    assert repair_text(broken)[0] in (text, broken)


@given(
    WORDS, st.sampled_from(["cp1252", "latin-1", "cp1251"]), st.sampled_from(["\ufffd", "?", ""])
)
def test_broken_text_with_lost_bytes_is_repaired_or_left(words, codec, lost):
    text = " ".join(words)
    broken = misread(text, "utf-8", codec, lost)
    assert repair_text(broken)[0] in (text, broken)


@given(st.text())
def test_any_text_keeps_its_lines(text):
    repaired, repairs = repair_text(text)
    assert repaired.count("\n") == text.count("\n")
    assert (repairs is None) == (repaired == text)


def test_long_pages_take_linear_time():
    for page in (
        misread(ARABIC, "cp1256", "cp1252") * 3000,
        misread(FRENCH, "utf-8", "cp1252") * 3000,
        "&#216;" * 100_000,
        "ÇáÓæÞa" * 30_000,
        "Ã " * 100_000,
    ):
        began = time.process_time()
        repair_text(page)
        assert time.process_time() - began < 5


EXPECTED = "افتتاح سوق السمك الجديد في الميناء"


@pytest.mark.parametrize(
    ("case", "repairs"),
    [
        ("r05_justext/cp1252_undefined_q.txt", "utf-8 read as windows-1252"),
        ("r06_1256/page.txt", "windows-1256 read as windows-1252"),
        ("r06_1256/text.jsonl", "windows-1256 read as windows-1252"),
        ("r08_pdf/base_visual.txt", "visual order"),
        ("r19_entities/ncr_utf8bytes.html", "utf-8 read as windows-1252"),
    ],
)
def test_reported_pages(shared, case, repairs):
    first = ingest.read(shared / "cases" / "reading" / case).row(0, named=True)
    assert first["text"].startswith(EXPECTED)
    assert "\ufffd" not in first["text"]
    assert first["repaired"] == repairs


def test_reported_french_page_with_an_arabic_menu(shared):
    case = shared / "cases" / "reading" / "r27_mix1256" / "fr_arnav_nometa.html"
    page = ingest.read(case).row(0, named=True)
    assert page["text"].split("\n")[1:3] == ["الرئيسية", "أخبار"]
    assert "inauguré dimanche" in page["text"]
    assert page["encoding"] == "cp1256"
