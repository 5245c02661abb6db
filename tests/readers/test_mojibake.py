from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.readers.repairs import repair_text

ARABIC = "أعلنت الوزارة، أمس الأربعاء، عن خطة جديدة لدعم المزارعين في الجنوب."
FRENCH = (
    "L’été à Nîmes : « une fête très réussie », a déclaré l’élu ; où sont passés les bénévoles ?"
)
# Sound text with the characters of broken text: accented letters next to signs.
SOUND = [
    ARABIC,
    FRENCH,
    "فقط، ومحفوظ» وحظ؟ «ط» ط، ظ؛ ع، غ، طرق، شرط… خط» وسط؟",
    "İstanbul’da çocuklar için yeni bir müze açıldı; ücretsiz ğüşöç ŞĞÜ.",
    "« A IRMÃ» e « A MAÇÃ»; São Paulo, à tarde: Âmbito, ÂNGULO, CORAÇÃO… MANHÃ» manhã",
    "Grüße aus Köln – „schön“ und ‚fein‘, Ärger, Öl, Übung, ß",
    "Ærø og Østerbrø: «Øl», »Å«, «Æ»",
    "┌──┐│ â ┤ ░▒▓ █ └──┘ ─═║╔╗╚╝",
    "Đây là tiếng Việt: một câu dài với nhiều dấu thanh, người, được, ở, ữ",
    "وی گفت که پژوهش‌های گذشته چگونه بود؛ گچ، ژاله، چای",
    "اُس نے کہا کہ ٹھیک ہے، لڑکے ڈھونڈ رہے تھے؛ گھر، ںں، ھھ، عکس، شک، آگ",
    "ئۇيغۇر تىلى، ۋە خەلقئارا ئۇچۇرلار؛ ھەممىسى",
    "Ελλάδα και Русский текст, עברית, 中文，日本語",
    "5 × 3 = 15 °C, ±2 §4 ¶ ©2024 ®™ ½ ¼",
    "Prix : 5\u00a0€, à\u00a0« Paris\u00a0», é\u00a0» où\u00a0? ï\u00a0» ô\u00a0«",
]


def damaged(text, codec):
    chars = [bytes([b]).decode(codec, "ignore") or chr(b) for b in range(256)]
    return "".join(chars[b] for b in text.encode())


@pytest.mark.parametrize("text", SOUND)
def test_sound_text_is_never_touched(text):
    for sound in (text, text * 50, text.upper(), text.lower(), text.replace(" ", "\u00a0")):
        assert repair_text(sound) == (sound, None)


@pytest.mark.parametrize(
    "text", [ARABIC, FRENCH, f"{ARABIC}\n{FRENCH}\n", f"<p>{FRENCH}<p>{ARABIC} 😀"]
)
@pytest.mark.parametrize(
    ("codec", "name"),
    [("cp1252", "windows-1252"), ("latin-1", "windows-1252"), ("cp1256", "windows-1256")],
)
def test_damage_is_repaired_and_reported(text, codec, name):
    assert repair_text(damaged(text, codec)) == (text, f"utf-8 read as {name}")


@pytest.mark.parametrize("codec", ["cp1252", "cp1256"])
def test_only_the_damaged_part_is_repaired(codec):
    around = "الرئيسية | Actualités | فقط، اتصل بنا – “été”\n"
    repaired, repairs = repair_text(around + damaged(ARABIC, codec) + "\n" + around)
    assert repaired == f"{around}{ARABIC}\n{around}"
    assert repairs


@pytest.mark.parametrize("codec", ["cp1252", "latin-1", "cp1256"])
def test_a_repaired_text_is_not_repaired_again(codec):
    once, _ = repair_text(damaged(ARABIC, codec))
    assert repair_text(once) == (once, None)


def test_a_text_about_broken_text():
    text = f"{FRENCH} Ã is a letter; so is Ø. Â» and Ã© once, as in Ã©tÃ©, and Ø§Ù„Ù‚. "
    assert repair_text(text) == (text, None)


@pytest.mark.parametrize(
    "text", ["", "plain", "é", "Ø§", "ط§", "Ø", "Ã", "A IRMÃ»", "«أ» و«آ»", "25 Â", "ÚŽ"]
)
def test_too_little_evidence(text):
    assert repair_text(text) == (text, None)


ARABIC_WORDS = st.lists(
    st.text(alphabet="ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءآأؤإئ", min_size=3, max_size=9), min_size=2, max_size=30
)  # fmt: skip
FRENCH_WORDS = st.lists(
    st.text(alphabet="abcdefghijlmnopqrstuvxyzéèêàçùôîïëâû", min_size=2, max_size=9), min_size=5, max_size=30
)  # fmt: skip


@given(ARABIC_WORDS, st.sampled_from(["cp1252", "latin-1", "cp1256"]))
def test_arabic_is_repaired(words, codec):
    text = "، ".join([*words, "القلم"])  # alef and lam are what is looked for
    assert repair_text(text) == (text, None)
    assert repair_text(damaged(text, codec))[0] == text


@given(FRENCH_WORDS, st.sampled_from(["cp1252", "latin-1"]))
def test_french_is_repaired_if_there_is_enough_evidence(words, codec):
    text = "déjà vu élève " + " ".join(words)
    assert repair_text(text) == (text, None)
    assert repair_text(damaged(text, codec))[0] == text


@given(st.text())
def test_any_text(text):
    repaired, repairs = repair_text(text)
    assert (repairs is None) == (repaired == text)


def test_sound_pages_take_little_time():
    page = (ARABIC + FRENCH) * 5000
    began = time.perf_counter()
    repair_text(page)
    assert time.perf_counter() - began < 1
