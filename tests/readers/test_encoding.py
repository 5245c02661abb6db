from __future__ import annotations

import codecs
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import SourceError
from ingest.readers.encoding import decode
from ingest.readers.sniff import declared_charset

ARABIC = "أعلنت الوزارة، أمس الأربعاء، عن خطة جديدة لدعم المزارعين في الجنوب"
ENGLISH = "The ministry said on Wednesday it would support farmers in the south"


@pytest.mark.parametrize("encoding", ["cp1256", "iso8859-6", "utf-8"])
def test_arabic_is_detected_in_each_of_its_encodings(encoding):
    text = ARABIC.replace("گ", "ك")
    assert decode(text.encode(encoding)) == (text, encoding, 0)


def test_four_words_of_windows_1256_are_enough():
    assert decode("قتل أربعة أشخاص أمس".encode("cp1256")).text == "قتل أربعة أشخاص أمس"


@pytest.mark.parametrize("text", [ARABIC, ENGLISH, f"{ENGLISH}\r\n\r\n{ARABIC}\n"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [True, False])
def test_utf16_with_and_without_mark(text, encoding, mark):
    bom = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}[encoding]
    assert decode(bom * mark + text.encode(encoding)) == (text, encoding, 0)


def test_the_byte_order_mark_is_not_part_of_the_text():
    assert decode(codecs.BOM_UTF8 + b"abc") == ("abc", "utf-8", 0)
    assert decode("abc".encode("utf-32")).text == "abc"


def test_windows_quotes_survive():
    assert decode("He said “no” – it’s fine".encode("cp1252")).text == "He said “no” – it’s fine"


def test_damaged_utf8_stays_utf8_and_losses_are_counted():
    text, encoding, replaced = decode(ARABIC[:20].encode() + b"\xff" + ARABIC[20:].encode())
    assert (encoding, replaced) == ("utf-8", 1)
    assert text.replace("\ufffd", "") == ARABIC


def test_existing_replacement_characters_are_not_counted():
    assert decode("a\ufffdb".encode()).replaced == 0


def test_text_cut_inside_a_character():
    text, _, replaced = decode(ARABIC.encode()[:-1])
    assert text.startswith(ARABIC[:-1])
    assert replaced == 1


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, bytes(range(256))])
def test_binary_is_refused(data):
    with pytest.raises(SourceError, match="not text"):
        decode(data)


def test_random_bytes_are_refused():
    with pytest.raises(SourceError, match="not text"):
        decode(os.urandom(0) + bytes((i * 7919 + i * i * 31) % 256 for i in range(4000)))


def test_a_stray_nul_is_text():
    assert decode(b"hello\0world, this is a line") == ("hello\0world, this is a line", "utf-8", 0)


def test_empty_input():
    assert decode(b"") == ("", "utf-8", 0)


@given(st.text())
def test_utf8_round_trip(text):
    data = text.encode("utf-8")
    if not data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            decoded = decode(data)
        except SourceError:
            assert sum(c < " " for c in text) > 0.2 * len(data)
        else:
            assert decoded.replaced == 0
            assert decoded.text == text or "utf-16" in decoded.encoding


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(data):
    try:
        decoded = decode(data)
    except SourceError:
        return
    decoded.text.encode("utf-8")  # no lone surrogates
    assert decoded.replaced <= len(data)


def test_a_lone_surrogate_is_one_damage_in_utf8():
    assert decode("abc – ".encode() + b"\xed\xa0\x80 def") == ("abc – \ufffd def", "utf-8", 1)
    assert decode(b"abc \xed\xa0\x80 def").encoding == "utf-8"


FRENCH = "Le préfet a déclaré mercredi que l'été serait très chaud à Nîmes et à Orléans"


@pytest.mark.parametrize(
    ("encoding", "header", "meta", "expected"),
    [
        ("cp1256", "windows-1256", None, "cp1256"),
        ("cp1256", None, "windows-1256", "cp1256"),
        ("cp1256", " Windows-1256 ", "utf-8", "cp1256"),
        ("cp1256", "utf-8", "windows-1256", "cp1256"),
        ("cp1256", "iso-8859-1", "windows-1256", "cp1256"),  # a server's default
        ("cp1256", "iso-8859-1", None, "cp1256"),
        ("cp1256", "iso-8859-1", "iso-8859-1", "cp1256"),
        ("cp1256", "no-such-charset", "x-user-defined", "cp1256"),
        ("cp1256", "utf-16", "utf-16", "cp1256"),
        ("cp1256", "utf-7", None, "cp1256"),
        ("iso8859-6", "ISO-8859-6", None, "iso8859-6"),
        ("utf-8", "windows-1256", "iso-8859-1", "utf-8"),
        ("utf-8", "us-ascii", None, "utf-8"),
    ],
)
def test_declarations_for_arabic(encoding, header, meta, expected):
    assert decode(ARABIC.encode(encoding), header, meta) == (ARABIC, expected, 0)


@pytest.mark.parametrize(
    "label", ["iso-8859-1", "latin1", "us-ascii", "windows-1252", "ISO_8859-1"]
)
def test_latin_labels_mean_windows_1252(label):
    text = f"“{FRENCH}” – 5 €"
    assert decode(text.encode("cp1252"), label) == (text, "cp1252", 0)
    assert decode(text.encode("cp1252"), None, label) == (text, "cp1252", 0)


def test_a_declaration_decides_ambiguous_bytes():
    data = "ığşİĞŞ yaşlı".encode("cp1254")
    assert decode(data, "iso-8859-9").text == "ığşİĞŞ yaşlı"
    assert decode("5 € žž".encode("iso8859-15"), "iso-8859-15").text == "5 € žž"
    assert (
        decode("Привет, как дела сегодня".encode("koi8-r"), "koi8-r").text
        == "Привет, как дела сегодня"
    )


def test_losses_are_counted_in_a_declared_encoding():
    data = FRENCH.encode("cp1252") * 9 + b"\x81"
    text, encoding, replaced = decode(data, "windows-1252")
    assert (encoding, replaced) == ("cp1252", 1)
    assert text == FRENCH * 9 + "\ufffd"


def test_iso_2022_jp_is_used_only_if_it_fits():
    data = "日本語の文".encode("iso2022_jp")
    assert decode(data, "iso-2022-jp").text == "日本語の文"
    assert decode(data).encoding == "utf-8"
    assert decode(b"plain", "iso-2022-jp") == ("plain", "utf-8", 0)
    assert decode(b"\x1b[31m red", "iso-2022-jp") == ("\x1b[31m red", "utf-8", 0)


@given(st.binary(max_size=200), st.sampled_from([None, "utf-16", "windows-1252", "gbk", "big5", "iso-2022-jp", "euc-kr", "\0"]),
       st.sampled_from([None, "utf-16be", "windows-1256", "shift_jis", "gb18030", "koi8-u", "macintosh", "é"]))  # fmt: skip
def test_any_bytes_with_any_declaration(data, header, meta):
    try:
        decoded = decode(data, header, meta)
    except SourceError:
        return
    decoded.text.encode("utf-8")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (b"<meta charset=utf-8>", "utf-8"),
        (b'<META CHARSET = "windows-1256" >', "windows-1256"),
        (b"<meta http-equiv='Content-Type' content='text/html; charset=cp1256'>", "cp1256"),
        (b'<?xml version="1.0" encoding="iso-8859-6"?><html>', "iso-8859-6"),
        (b"<!-- <meta charset=a> --><meta charset=b>", "b"),
        (b"<meta name=x content=y>", None),
        (b"<p>charset=x", None),
        (b"<metal charset=x>", None),
        (b" " * 5000 + b"<meta charset=b>", None),
        (b"", None),
    ],
)
def test_declarations_in_html(html, expected):
    assert declared_charset(html) == expected
