"""Pairs written for these tests, and material to damage them with."""

from __future__ import annotations

import polars as pl

from ingest.alignment import align_lines
from ingest.frames import PAIRS, schema
from ingest.resources import samples
from lang_models.quality.damage import Store

OWN = [
    ("The new bridge over the river was opened on Monday by the mayor of Basra, Nadia Karim.",
     "افتتحت عمدة البصرة نادية كريم الجسر الجديد فوق النهر يوم الاثنين."),
    ("In 2019 the company sold 350 buses to Jordan, and most of them are still on the road.",
     "في عام 2019 باعت الشركة 350 حافلة إلى الأردن، وما زال معظمها يسير على الطرق."),
    ("Doctors say that children should sleep at least nine hours a night.",
     "يقول الأطباء إن على الأطفال أن يناموا تسع ساعات على الأقل كل ليلة."),
    ("The village school has two teachers, a small library and no heating in winter.",
     "في مدرسة القرية معلمان ومكتبة صغيرة، ولا تدفئة فيها في الشتاء."),
    ("Farmers in the north of Syria are waiting for rain, because the wheat is already dry.",
     "ينتظر المزارعون في شمال سوريا المطر لأن القمح قد جف بالفعل."),
    ("She closed the door quietly, went down to the street and looked for a taxi.",
     "أغلقت الباب بهدوء ونزلت إلى الشارع وبحثت عن سيارة أجرة."),
    ("The museum in Cairo will be closed from 3 May until 15 June for repairs.",
     "سيغلق المتحف في القاهرة من 3 مايو حتى 15 يونيو لإجراء إصلاحات."),
    ("Before you install the program, make a copy of all your files on another disk.",
     "قبل تثبيت البرنامج، انسخ جميع ملفاتك على قرص آخر."),
    ("Our team won the match, but the coach, Omar Saleh, was not happy with the second half.",
     "فاز فريقنا بالمباراة، لكن المدرب عمر صالح لم يكن راضيا عن الشوط الثاني."),
    ("The price of bread rose by 12 percent in March, the government in Tunis said.",
     "قالت الحكومة في تونس إن سعر الخبز ارتفع بنسبة 12 في المئة في مارس."),
    ("Three fishermen from Oman were saved by a passing ship after two days at sea.",
     "أنقذت سفينة عابرة ثلاثة صيادين من عمان بعد يومين في البحر."),
    ("The law protects workers who report dangerous machines to the ministry.",
     "يحمي القانون العمال الذين يبلغون الوزارة عن الآلات الخطرة."),
]  # fmt: skip
STORE = Store(
    texts={
        "fr": ["Le train de la capitale arrive toujours avec beaucoup de retard en hiver."],
        "de": ["Der Zug aus der Hauptstadt kommt im Winter immer mit großer Verspätung an."],
        "es": ["El tren de la capital siempre llega con mucho retraso durante el invierno."],
        "tr": ["Başkentten gelen tren kışın her zaman büyük bir gecikmeyle varıyor."],
        "fa": ["قطار پایتخت در زمستان همیشه با تأخیر زیادی به ایستگاه می‌رسد."],
        "ur": ["دارالحکومت سے آنے والی ٹرین سردیوں میں ہمیشہ بہت دیر سے پہنچتی ہے۔"],
        "ckb": ["شەمەندەفەری پایتەخت لە زستاندا هەمیشە زۆر درەنگ دەگات."],
        "ps": ["له پلازمېنې څخه راتلونکی اورګاډی په ژمي کې تل ډېر ناوخته رارسېږي."],
        "sd": ["گاديءَ جو هنڌ کان ايندڙ ريل سياري ۾ هميشه تمام دير سان پهچندي آهي."],
        "ug": ["پايتەختتىن كېلىدىغان پويىز قىشتا ھەمىشە بەك كېچىكىپ كېلىدۇ."],
    },
    names=(["Birmingham", "Zimmermann", "Philadelphia"], ["برمنغهام", "زيمرمان", "فيلادلفيا"]),
    by_number=[],
)


def library() -> list[tuple[str, str]]:
    """Return the sample text of the project, aligned: English, Arabic."""
    folder = samples().parent / "parallel"
    lines = [
        (folder / f"library.{lang}.txt").read_text(encoding="utf-8").splitlines()
        for lang in ("en", "ar")
    ]
    aligned = align_lines(lines[0], lines[1], langs=("en", "ar"))
    return aligned.select("source_text", "target_text").rows()


def frame(
    pairs: list[tuple[str | None, str | None]],
    langs: tuple[str | None, str | None] = ("en", "ar"),
    **more: object,
) -> pl.DataFrame:
    """Make a pairs frame from (source, target)."""
    rows = [
        {"pair_id": f"{i:016x}", "source_lang": langs[0], "target_lang": langs[1],
         "source_text": source, "target_text": target, "source_doc": "a", "target_doc": "b",
         "source_segments": [i], "target_segments": [i], "method": "aligned", "model": "test",
         "score": 0.9, **more}
        for i, (source, target) in enumerate(pairs)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=None if more else schema(PAIRS)).cast(dict(schema(PAIRS)))
