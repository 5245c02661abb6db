from __future__ import annotations

import pytest

from ingest.readers.encoding import decode

TEXT = "زارت طالبات المدرسة الجديدة متحف المدينة وكتبن عن الرحلة في صحيفة محلية"
CODECS = ["cp1256", "iso8859-6", "mac_arabic", "cp720"]
OTHERS = {
    "cp1251": "Школьницы посетили музей города и написали о поездке в местную газету",
    "cp1252": "Les élèves ont visité le musée à Nîmes ; c’était très intéressant, où qu’elles aillent",
    "cp1253": "Οι μαθήτριες επισκέφθηκαν το μουσείο της πόλης και έγραψαν για το ταξίδι",
    "cp1254": "Öğrenciler şehirdeki müzeyi gezdi ve gazeteye yazdı; çok güzel, ışık, ağaç",
    "cp1255": "התלמידות ביקרו במוזיאון העיר וכתבו על הטיול בעיתון המקומי",
    "koi8-r": "Школьницы посетили музей города и написали о поездке в местную газету",
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("around", ["{}", "News\n{}\n(2024)", "<p>{}</p><p>A line in English.</p>"])
def test_arabic_bytes_without_declaration(codec, around):
    text = around.format(TEXT)
    data = b"".join(c.encode() if c.isascii() else c.encode(codec) for c in text)
    decoded = decode(data)
    assert decoded.text == text
    assert decoded.replaced == 0


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "declared", ["iso-8859-1", "windows-1251", "windows-1256", "koi8-r", "utf-8"]
)
def test_arabic_bytes_with_a_wrong_declaration(codec, declared):
    data = b"".join(c.encode() if c.isascii() else c.encode(codec) for c in TEXT)
    assert decode(data, declared).text == TEXT


def test_forms_of_cp864_become_letters():
    data = "ﺳﻮﻕ ﺍﻟﺴﻤﻚ ﻓﻲ ﺍﻟﻤﺪﻳﻨﺔ".translate({0xFEDA: 0xFED9, 0xFEB4: 0xFEB3, 0xFEE8: 0xFEE7, 0xFEF3: 0xFEF3, 0xFEAA: 0xFEA9, 0xFE94: 0xFE93, 0xFEE3: 0xFEE3, 0xFEF2: 0xFEF2, 0xFEE4: 0xFEE3, 0xFEF4: 0xFEF3, 0xFEA9: 0xFEA9, 0xFECB: 0xFECB, 0xFED5: 0xFED5, 0xFEAE: 0xFEAD, 0xFEEE: 0xFEED}).encode("cp864")  # fmt: skip
    assert decode(data) == ("سوق السمك في المدينة", "cp864", 0)


@pytest.mark.parametrize("codec", OTHERS)
def test_other_languages_are_not_arabic(codec):
    text = OTHERS[codec]
    assert decode(text.encode(codec), codec).text == text
    assert decode(text.encode(codec)).encoding not in (*CODECS, "cp864")


def test_french_and_arabic_in_windows_1256():
    text = f"<ul><li>الرئيسية<li>أخبار<li>اتصل بنا</ul><p>{OTHERS['cp1252']}" * 3
    assert decode(text.encode("cp1256")) == (text, "cp1256", 0)
