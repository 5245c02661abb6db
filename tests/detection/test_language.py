"""Detect languages of texts by themselves and on their page."""

from __future__ import annotations

import polars as pl
import pytest

from ingest.config import DetectConfig
from ingest.detection import detect, identify
from ingest.errors import ConfigError, FrameError

SENTENCES = {
    "en": "The kettle was still warm when the neighbours came back from the harbour.",
    "fr": "Le chat dormait encore quand les voisins sont rentrés du marché.",
    "de": "Der Zug hatte Verspätung, deshalb warteten wir noch eine Stunde am Bahnhof.",
    "es": "Mañana por la tarde vamos a plantar dos limoneros detrás de la casa.",
    "tr": "Yarın sabah erkenden kalkıp göl kenarında yürüyüş yapacağız.",
    "ar": "وصلت القافلة إلى الواحة قبل غروب الشمس بساعة واحدة.",
    "fa": "پدربزرگم هر روز صبح در باغ کوچکش گل‌ها را آب می‌دهد.",
    "ur": "ہم کل شام کو دریا کے کنارے سیر کے لیے جائیں گے۔",
    "ps": "زموږ په کلي کې هر کال د پسرلي په لومړۍ ورځ مېله کېږي.",
    "ckb": "ئێمە سبەینێ بۆ سەردانی باپیرم دەچینە گوندەکە.",
    "sd": "اسان سڀاڻي شام جو درياءَ جي ڪناري تي گھمڻ وينداسين.",
    "ug": "بىز ئەتە ئەتىگەندە دەريا بويىغا سەيلىگە بارىمىز.",
    "it": "Domani mattina andremo al mercato a comprare le pesche per la marmellata.",
    "pt": "Amanhã de manhã não vamos ao mercado porque o meu irmão está doente.",
    "nl": "Morgenochtend gaan we met de fiets naar het strand om schelpen te zoeken.",
    "pl": "Jutro rano pojedziemy nad jezioro, żeby zobaczyć, jak wschodzi słońce.",
    "sv": "I morgon bitti ska vi cykla ner till sjön och titta på soluppgången.",
    "vi": "Sáng mai chúng tôi sẽ đi chợ mua cá và rau cho bữa tối.",
    "ru": "Завтра утром мы поедем на озеро смотреть, как встаёт солнце.",
    "uk": "Завтра вранці ми поїдемо на озеро дивитися, як сходить сонце.",
    "el": "Αύριο το πρωί θα πάμε στη λίμνη.",
    "he": "מחר בבוקר ניסע לאגם לראות את הזריחה.",
    "hi": "कल सुबह हम झील के किनारे सूर्योदय देखने जाएँगे।",
    "ja": "明日の朝、湖へ日の出を見に行きます。",
    "ko": "내일 아침에 호수로 해돋이를 보러 갑니다.",
    "zh": "明天早上我们去湖边看日出。",
    "th": "พรุ่งนี้เช้าเราจะไปดูพระอาทิตย์ขึ้นที่ทะเลสาบ",
    "ka": "ხვალ დილით ტბაზე წავალთ.",
}


def page(*texts: str, doc: str = "page") -> pl.DataFrame:
    return pl.DataFrame({"doc_id": doc, "segment": range(len(texts)), "text": texts})


@pytest.mark.parametrize("lang", SENTENCES)
def test_sentences(lang: str):
    row = identify([SENTENCES[lang]]).row(0, named=True)
    assert row["lang"] == lang
    assert row["lang_score"] > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "", "  \n", "20", "0:15", "77%", "TT", "A", "…", "12.05.2011", "😀 👍", "★★★★☆", "4K", "10 MB",
        "https://example.org/a?b=c", "www.example.org", "someone@example.org", "HOSTNAME.local",
        "'); document.write('", "$ sudo apt update", "docker ps", "ssh me@192.168.1.7",
        "curl -fsSL https://example.org | sh", "var a = b.c(d); if (a !== null) { e(); }",
        "<div class='x'></div>", "&nbsp;", "npm install --save-dev thing",
    ],
)  # fmt: skip
def test_no_language(text: str):
    row = identify([text]).row(0, named=True)
    assert (row["lang"], row["lang_by"]) == ("zxx", "script")


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("For code, call the function with two arguments (see below).", "en"),
        ("Docker is a tool that you run with one command.", "en"),
        ("Home > News > Sport: what the players said", "en"),
        ("Read more at https://example.org about the harbour", "en"),
        ("اقرأ المزيد على www.example.org", "ar"),
        ("'); document.write('وصلت القافلة إلى الواحة قبل الغروب", "ar"),
    ],
)
def test_language_beside_code(text: str, lang: str):
    assert identify([text])["lang"].item() == lang


def test_menu_of_languages():
    names = {"Français": "fr", "| Deutsch |": "de", "فارسی": "fa", "اردو": "ur", "TÜRKÇE": "tr"}
    assert identify(list(names))["lang"].to_list() == list(names.values())


def test_script_codes():
    texts = {
        "Hello there": "Latn",
        "سلام": "Arab",
        "Привет всем": "Cyrl",
        "你好": "Hans",
        "42": "Zyyy",
    }
    assert identify(list(texts))["script"].to_list() == list(texts.values())
    assert identify(["這個問題還沒有解決"])["script"].item() == "Hant"


def test_mixed_line_takes_the_language_with_most_words():
    texts = {
        "قم بتثبيت Docker ثم أعد التشغيل": "ar",
        "the word كتاب means book in that language": "en",
    }
    assert identify(list(texts))["lang"].to_list() == list(texts.values())


def test_fragments_take_the_language_of_their_page():
    result = detect(
        page(
            "The minister said on Sunday that the talks would go on through the winter.",
            "Reliance on Türkiye",
            "Ramadan Calendar Oman 2021",
            "NESQUIK® CEREALS",
            "Both sides are expected to meet again before the end of the month.",
            "20",
            "TT",
        )
    )
    assert result["lang"].to_list() == ["en"] * 5 + ["zxx"] * 2


def test_arabic_page_with_names():
    result = detect(
        page(
            "في هذا الشرح نتعلم كيف نثبت النظام على الجهاز خطوة بخطوة.",
            "خطأ في Docker Compose",
            "تنزيل Raspberry Pi Imager وتثبيت",
            "Raspberry Pi",
            "ثم أعد تشغيل الجهاز وانتظر دقيقة واحدة.",
        )
    )
    assert result["lang"].to_list() == ["ar", "ar", "ar", "en", "ar"]


def test_clear_foreign_fragments_keep_their_language():
    result = detect(
        page(
            "La récolte a été bonne cette année malgré la sécheresse du printemps.",
            "Les agriculteurs de la région demandent pourtant de nouvelles aides.",
            "Learning with the radio",
            "Nous écouter",
            "Deutsch unterrichten",
            "Landeskunde und Sprache",
            "Unterrichtsreihen für Lehrer",
        )
    )
    langs = result["lang"].to_list()
    assert langs == ["fr", "fr", "en", "fr", "de", "de", "de"]


def test_lang_by_is_page_where_the_page_decides():
    text = "Reliance on Türkiye"
    alone = detect(page(text), context=False).row(0, named=True)
    body = "The minister said on Sunday that the talks would go on through the winter."
    result = detect(page(body, text, body + " Nobody was surprised.")).row(1, named=True)
    assert result["lang"] == "en"
    assert result["lang_by"] == ("model" if alone["lang"] == "en" else "page")


def test_candidates_are_restricted():
    texts = [SENTENCES["pt"], SENTENCES["ckb"], SENTENCES["el"], "20"]
    result = identify(texts, langs=["ar", "es"])
    assert result["lang"].to_list() == ["es", "ar", "und", "zxx"]
    assert result["lang_by"].to_list() == ["model", "model", "none", "script"]
    assert result["lang_score"][2] == 0.0
    frame = detect(page(*texts), config=DetectConfig(langs=("ar", "es")))
    assert frame["lang"].to_list() == ["es", "ar", "und", "zxx"]


def test_restricted_to_unlikely_candidates():
    text = " ".join([SENTENCES["de"]] * 30)
    for named in (
        identify([text], langs=["vi", "so"]),
        detect(page(text, text), config=DetectConfig(langs=("vi", "so"))),
    ):
        assert set(named["lang"]) <= {"vi", "so"}
        assert named["lang_score"].is_finite().all()


def test_unknown_language_or_detector():
    with pytest.raises(ConfigError, match="xx"):
        identify(["text"], langs=["en", "xx"])
    with pytest.raises(ConfigError, match="nonesuch"):
        identify(["text"], detector="nonesuch")


def test_columns_and_types():
    frame = page("One line", "سطر آخر").with_columns(other=pl.lit(1))
    result = detect(frame)
    assert result.columns == [*frame.columns, "script", "lang", "lang_score", "lang_by"]
    assert result.schema["lang_score"] == pl.Float32
    identified = identify(["One line of text"], top=2)
    assert identified.columns == ["text", "script", "lang", "lang_score", "lang_by", "runners_up"]
    assert identified.schema["runners_up"] == pl.List(
        pl.Struct({"lang": pl.String, "score": pl.Float32})
    )
    scores = [r["score"] for r in identify(["chat"], top=9)["runners_up"].item()]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) > 2


def test_no_rows():
    empty = pl.DataFrame(schema={"doc_id": pl.String, "segment": pl.Int64, "text": pl.String})
    assert detect(empty).columns[-1] == "lang_by"
    assert identify([]).is_empty()


@pytest.mark.parametrize("lang", ["fa", "ur", "ps"])
def test_typed_on_an_arabic_keyboard(lang: str):
    typed = SENTENCES[lang].translate(str.maketrans("یکہ", "يكه"))
    assert identify([typed])["lang"].item() == lang


def test_capitals_and_presentation_forms():
    texts = {
        SENTENCES["fr"].upper(): "fr",
        SENTENCES["en"].upper(): "en",
        "ﺍﻟﺴﻼﻡ ﻋﻠﻴﻜﻢ ﻭﺭﺣﻤﺔ ﺍﻟﻠﻪ": "ar",
        "ｔｈｅ ｗｅａｔｈｅｒ ｔｏｄａｙ": "en",
        "la re\u0301colte a e\u0301te\u0301 bonne": "fr",
    }
    assert identify(list(texts))["lang"].to_list() == list(texts.values())


def test_one_string_is_one_text():
    assert identify(SENTENCES["de"]).rows() == identify([SENTENCES["de"]]).rows()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"doc_id": ["a"], "segment": [0]}, r"detect: column 'text' is missing; ingest.segment"),
        ({"doc_id": ["a"], "segment": ["0"], "text": ["a"]}, "column 'segment' is String"),
        ({"segment": [0], "text": ["a"]}, "column 'doc_id' is missing"),
    ],
)
def test_invalid_frame(frame, message):
    with pytest.raises(FrameError, match=message):
        detect(pl.DataFrame(frame))
