"""Translations are deterministic; texts are cut into pieces; flags."""

from __future__ import annotations

import random
import zipfile
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import Config
from ingest.errors import ConfigError, ModelError
from ingest.translation.flags import find_flags
from ingest.translation.pieces import cut, join

WORDS = st.sampled_from(
    [
        "one",
        "two,",
        "three.",
        "\n",
        "؟",
        " ",
        "\t",
        "سلام",
        "،",
        "* *",
        "\u2028",
        "x" * 40,
        "Dr.",
        "。",
    ]
)


def words(texts):
    return [len(text.split()) + len(text) // 30 for text in texts]


@given(st.lists(WORDS, max_size=40).map("".join), st.integers(1, 12))
def test_pieces_and_separators_are_the_text(text, max_tokens):
    parts = cut(text, words, max_tokens)
    assert "".join(parts) == text
    assert len(parts) % 2 == 1
    for piece in parts[1::2]:
        assert any(c.isalpha() for c in piece)
        assert piece == piece.strip()
        assert len(piece.splitlines()) == 1
    for separator in parts[::2]:
        assert not any(c.isalpha() for c in separator)


@given(st.lists(WORDS, max_size=40).map("".join), st.integers(8, 12))
def test_no_piece_is_too_long(text, max_tokens):
    assert max(words(cut(text, words, max_tokens)[1::2]), default=0) <= max_tokens


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("A b c d e f. G h.", ["A b c", "d e f.", "G h."]),
        ("A b c, d e f, g h", ["A b c,", "d e f,", "g h"]),
        ("كيف حالك؟أنا بخير", ["كيف حالك؟", "أنا بخير"]),
        ("ab\n\ncd\tef", ["ab", "cd", "ef"]),
        ("— 20 —", []),
        ("", []),
        (" \n ", []),
        ("...", []),
    ],
)
def test_cut_points(text, pieces):
    assert cut(text, words, 4)[1::2] == pieces


def test_a_word_that_is_too_long_is_cut_and_joined_without_spaces():
    parts = cut("x" * 100, lambda texts: [len(text) for text in texts], 30)
    assert parts[1::2] == ["x" * 25] * 4
    assert join(parts, parts[1::2], "en") == "x" * 100


@pytest.mark.parametrize(("lang", "joined"), [("en", "Yes. No.\nSo."), ("ja", "Yes.No.\nSo.")])
def test_a_space_is_added_if_the_source_needs_none(lang, joined):
    assert join(["", "是。", "", "不。", "\n", "好", ""], ["Yes.", "No.", "So."], lang) == joined


@pytest.mark.parametrize(
    ("source", "target", "ended", "flags"),
    [
        ("The boat sails tonight.", "يبحر القارب الليلة.", True, ()),
        ("The boat sails tonight.", "يبحر القارب الليلة", False, ("cut",)),
        ("The boat sails tonight.", "...", True, ("empty",)),
        ("* * *", "* * *", True, ()),
        ("2024", "2024", True, ()),
        ("The boat", "the  BOAT", True, ("copied",)),
        (
            "The long boat sails away tonight.",
            "و The long boat sails away",
            True,
            ("copied", "wrong_language"),
        ),
        ("The boat sails tonight.", "القارب القارب القارب القارب", True, ("repeated",)),
        ("The boat sails away.", "في البحر في البحر في البحر", True, ("repeated",)),
        ("No no no no, she said.", "لا لا لا لا قالت", True, ()),
        ("The boat sails tonight.", "وووووووووووووووووووووو", True, ("repeated",)),
        ("The boat sails tonight, they said on the radio.", "نعم", True, ("length",)),
        ("Yes.", "يبحر القارب الليلة من الميناء القديم إلى الجزيرة", True, ("length",)),
        (
            "يبحر القارب الليلة من الميناء القديم",
            "Das Boot fährt heute Abend aus dem alten Hafen",
            True,
            ("wrong_language",),
        ),
    ],
)
def test_flags(source, target, ended, flags):
    pair = ("ar", "en") if source[0] == "ي" else ("en", "ar")
    assert find_flags([source], [target], [ended], pair) == [flags]


@pytest.mark.parametrize(
    ("source", "target", "flags"),
    [
        ("See https://a.org/b today.", "انظر https://a.org/b اليوم.", ()),
        ("See https://a.org/b today.", "انظر https://a.org/ب اليوم.", ("lost_url",)),
        ("Write to a@b.org today.", "اكتب اليوم إلى المكتب.", ("lost_email",)),
        ("Hello {name}, welcome.", "مرحبا {الاسم}، أهلا.", ("lost_placeholder",)),
        ("I love <b>dogs</b>.", "أحب <b>الكلاب.", ("lost_markup",)),
        ("I love dogs 🐶", "أحب الكلاب", ("lost_emoji",)),
        ("Thanks, @museum and #books", "شكرا", ("lost_mention", "lost_hashtag")),
        ("The film is at 20:45.", "الفيلم الساعة ٢٠:٤٥.", ()),
        ("The film is at 20:45.", "الفيلم الساعة 20:54.", ("lost_number",)),
        ("Open 1.1.1.1 now.", "افتح 1.1.1 الآن.", ("lost_number",)),
        ("It costs 1,500 now.", "يكلف ١٬٥٠٠ الآن.", ()),
        ("We have 3 dogs.", "لدينا ثلاثة كلاب.", ()),
        ("We have 3 dogs.", "لدينا 5 كلاب.", ("lost_number",)),
        ("We have 45 dogs.", "لدينا كلاب كثيرة.", ("lost_number",)),
        ("https://example.org/page", "https://example.org/page", ()),
        ("#rabat #tanger #fes #agadir #sale", "#rabat #tanger #fes #agadir #sale", ()),
    ],
)
def test_flags_for_what_was_lost(source, target, flags):
    assert find_flags([source], [target], [True], ("en", "ar")) == [flags]


def test_a_low_score_is_flagged():
    flags = find_flags(["One bird."] * 2, ["طائر واحد."] * 2, [True] * 2, ("en", "ar"), [0, 1])
    assert flags == [(), ("low_score",)]


LISTS = [
    (
        "ريال مدريد - برشلونة - أتلتيكو مدريد",
        "Real Madrid - Barcelona - Atletico Madrid - Valencia",
    ),
    (
        "محمد بن سلمان، عبد الفتاح السيسي، تميم بن حمد",
        "Mohammed bin Salman, Abdel Fattah el-Sisi, Tamim bin Hamad",
    ),
    ("باريس، مرسيليا، ليون، تولوز، نيس", "Paris, Marseille, Lyon, Toulouse, Nice"),
    ("أنغيلا ميركل، أولاف شولتس، روبرت هابيك", "Angela Merkel, Olaf Scholz, Robert Habeck"),
    ("إسطنبول أنقرة إزمير أنطاليا بورصة", "Istanbul Ankara Izmir Antalya Bursa"),
    (
        "اشتر اليوم هاتفا من أفضل الشركات في العالم كله",
        "Buy Microsoft Windows, Adobe Photoshop, Google Chrome, Mozilla Firefox today",
    ),
    ("هدف هدف هدف", "goal goal goal goal"),
    ("الولايات المتحدة الأمريكية", "US"),
    ("دولة الإمارات العربية المتحدة", "UAE"),
]


@pytest.mark.parametrize(("arabic", "english"), LISTS)
def test_names_and_exclamations_are_not_flagged(arabic, english):
    assert find_flags([arabic], [english], [True], ("ar", "en")) == [()]
    assert find_flags([english], [arabic], [True], ("en", "ar")) == [()]


@pytest.mark.parametrize(
    "target",
    [
        "مثل Photoshop وIllustrator وWindows وFirefox وThunderbird",
        "سيارات Volkswagen وMercedes وPorsche وAudi وBayerische Motoren Werke",
    ],
)
def test_arabic_around_the_names_of_products(target):
    source = "The company sells the best things of all brands in the whole world"
    assert find_flags([source], [target], [True], ("en", "ar")) == [()]


def test_a_sentence_with_names_can_be_in_another_language():
    target = "Die neue Regierung plant in Berlin den Ausbau der Schulen"
    assert find_flags(
        ["تخطط الحكومة الجديدة في برلين لتوسيع المدارس"], [target], [True], ("ar", "en")
    ) == [("wrong_language",)]


def test_a_repetitive_source_does_not_excuse_an_endless_loop():
    [flags] = find_flags(["هدف هدف هدف هدف"], ["goal " * 40], [True], ("ar", "en"))
    assert "repeated" in flags


@pytest.mark.parametrize(
    ("key", "value"), [("beam_size", 0), ("max_tokens", 7), ("max_tokens", 900)]
)
def test_invalid_settings(key, value):
    with pytest.raises(ConfigError, match=f"translate.{key}"):
        Config.from_dict({"translate": {key: value}})


@pytest.fixture(scope="module")
def package(tmp_path_factory, tiny_package):
    return loaded(tiny_package, tmp_path_factory.mktemp("package"))


def loaded(archive, folder):
    from ingest.translation.packages.package import load

    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    return load(next(folder.iterdir()))


@pytest.fixture(scope="module")
def translator(package):
    from ingest.translation.engine import Translator

    return Translator(package, threads=2)


@pytest.fixture(scope="module")
def texts():
    import tiny

    dice = random.Random(5)
    vocabulary = [w for side in tiny.SENTENCES.values() for s in side for w in s.split()]
    rows = [" ".join(dice.choices(vocabulary, k=dice.randint(1, 60))) for _ in range(40)]
    rows += [f"{a} 日本 _ {b}\n{c}" for a, b, c in zip(rows, rows[1:], rows[2:], strict=False)][:20]
    rows += [f"{row} {item} at 19:30, {item} 2024" for row, item in zip(rows, KEPT, strict=False)]
    return [*rows, *tiny.SENTENCES["en"], "", "  \n", "* * *", "\x00", "\u200f", "x" * 2000]


def test_translations_do_not_depend_on_the_batch(translator, texts):
    together = translator.translate(texts)
    assert len({t.text for t in together}) > 20
    assert [translator.translate([text])[0] for text in texts] == together
    order = list(range(len(texts))) * 2
    random.Random(1).shuffle(order)
    assert translator.translate([texts[i] for i in order]) == [together[i] for i in order]


def test_the_same_on_one_core_and_on_two(package, translator, texts):
    from ingest.translation.engine import Translator

    assert Translator(package, threads=1).translate(texts) == translator.translate(texts)


def test_texts_without_words_come_back(translator):
    texts = ["", " ", "\n\n", "* * *", "\u2028", "—", "2024", "٣٫٥", "00:00:12,840 --> 00:01:00,000",
             "a@b.org", "https://a.org/b?c=1", "v2.1.0", "٠٠:٠٠:١٢٫٨٤٠", "☎ 030 / 9018", "<br>🐶", "%s {x}"]  # fmt: skip
    tokens = translator.tokens
    assert [t.text for t in translator.translate(texts)] == texts
    assert {t.score for t in translator.translate(texts)} == {0.0}
    assert not any(t.flags for t in translator.translate(texts))
    assert translator.tokens == tokens  # the model was not asked
    assert translator.translate([]) == []


def test_line_breaks_and_marks_stay_where_they_were(translator):
    whole, one, two = translator.translate(
        ["One bird.\n\n*\tTwo birds.\r\n", "One bird.", "Two birds."]
    )
    assert whole.text == f"{one.text}\n\n*\t{two.text}\r\n"


KEPT = (
    "https://a.org/b?c=1&d=2", "www.a.org", "a.b@c.org", "%s", "%(n)d", "{x}", "${x}", "{{x}}", "<b>",
    "&amp;", "🐶", "👨\u200d👩\u200d👧", "🇲🇦", "19:30", "1.1.1.1", "2024-03-19", "00:00:12,840", "€30",
    "7.5%", "v2.1.0-rc1", "@ann", "#books", "\ue000", "\ue001",
)  # fmt: skip


def test_any_model_keeps_items(translator):
    # the tiny package translates into random words and copies nothing
    texts = [f"The museum shows {item} until May" for item in KEPT]
    texts += [f"{item} She reads {item}, {other}." for item, other in pairwise(KEPT)]
    texts.append(" ".join(f"old {item}" for item in KEPT))
    for text, translation in zip(texts, translator.translate(texts), strict=True):
        for item in KEPT:
            assert translation.text.count(item) >= text.count(item), (item, text)
        assert not any(flag.startswith("lost") for flag in translation.flags)


def test_the_cache_knows_masked_pieces(package, tmp_path):
    from ingest.translation.cache import Cache
    from ingest.translation.engine import Translator

    texts = ["Write to a@b.org 🐶", "Write to c@d.org 🐱", "The bridge closed at 19:30."]
    with Cache(tmp_path) as cache:
        first = Translator(package, cache=cache)
        translations = first.translate(texts)
        again = Translator(package, cache=cache)
        assert again.translate(texts) == translations
        assert (first.tokens > 0, again.tokens) == (True, 0)
        # both addresses have the same mask, so one translation serves both
        assert translations[1].text == translations[0].text.replace("a@b", "c@d").replace(
            "🐶", "🐱"
        )


def test_the_same_text_is_translated_once(package):
    from ingest.translation.engine import Translator

    translator = Translator(package)
    translator.translate(["Our team won the match."])
    tokens = translator.tokens
    translator.translate(["Our team won the match."] * 50)
    assert translator.tokens == 2 * tokens


def test_scores_are_probabilities_of_a_token(package, translator):
    import math

    import ctranslate2
    import sentencepiece

    text = "Heavy rain closed two roads and a bridge near the river."
    translation = translator.translate([text])[0]
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(package.path / package.tokenizer))
    model = ctranslate2.Translator(str(package.path / "model"), compute_type="int8")
    alone = model.translate_batch(
        [pieces.encode(text, out_type=str)], beam_size=2, return_scores=True
    )[0]
    assert translation.text == pieces.decode_pieces(alone.hypotheses[0])
    assert translation.score == pytest.approx(math.exp(alone.scores[0]), rel=1e-5)


def test_progress_reaches_the_end(translator, texts):
    calls = []
    translator.translate(texts, progress=calls.append)
    assert calls == sorted(calls)
    assert calls[-1] == pytest.approx(1.0)


def test_a_translation_that_does_not_end_is_flagged(monkeypatch, translator):
    from ingest.translation import package_translator

    whole = translator.translate(["Our team won.", ""])
    assert "cut" not in whole[0].flags
    monkeypatch.setattr(package_translator, "_MAX_OUTPUT", 3)
    translations = translator.translate(["Our team won.", ""])
    assert "cut" in translations[0].flags
    assert translations[1].flags == ()


def test_pieces_with_unknown_tokens_are_translated_again(monkeypatch, translator, texts):
    translations = translator.translate(texts)
    retries = []
    step = translator._steps[0]
    submit = step._submit

    def counted(batch, length, replace_unknowns=False):
        retries.append(replace_unknowns)
        return submit(batch, length, replace_unknowns)

    monkeypatch.setattr(step, "_submit", counted)
    monkeypatch.setattr(step, "_unknown_token", "▁t")  # a known token, so that nothing changes
    assert translator.translate(texts) == translations
    assert 0 < sum(retries) < len(texts)


@pytest.mark.parametrize(
    ("piece", "decoded", "text"),
    [
        ("a", "Welcome to 😀\ufffdHe", "Welcome to 😀He"),
        ("a", "to \ufffd\ufffd \ufffd the \ufffd", "to the"),
        ("a\ufffd", "to \ufffd the", "to \ufffd the"),
        ("a", "\ufffd", ""),
    ],
)
def test_replacement_characters_are_removed(monkeypatch, translator, piece, decoded, text):
    step = translator._steps[0]
    monkeypatch.setattr(step, "_tokenizer", SimpleNamespace(decode=lambda _: decoded))
    assert step._decode(piece, ["a", "b"], -1.0, 5).text == text


def test_a_package_with_changed_files_is_rejected(tmp_path, tiny_package):
    from ingest.translation.engine import Translator
    from ingest.translation.packages.install import install

    package = install(tiny_package)
    (package.path / "model" / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="files were changed since the install"):
        Translator(package)


def test_the_target_prefix_is_added_and_removed(tmp_path):
    import tiny

    from ingest.translation.engine import Translator

    archive = tiny.make(tmp_path / "zip", target_prefix=">>ar<<")
    translator = Translator(loaded(archive, tmp_path / "package"))
    translations = translator.translate(list(tiny.SENTENCES["en"]))
    assert not any(">>" in t.text for t in translations)
    assert len({t.text for t in translations}) > 1


def test_through_a_third_language(tmp_path, translator, package):
    import tiny

    from ingest.translation.engine import Translator

    archive = tiny.make(tmp_path / "zip", source="ar", target="fr", seed=3)
    second = loaded(archive, tmp_path / "package")
    both = Translator(package, second)
    texts = ["Our team won the match.\nShe reads.", ""]
    first = translator.translate(texts)
    last = Translator(second).translate([t.text for t in first])
    translations = both.translate(texts)
    assert [t.text for t in translations] == [t.text for t in last]
    assert [t.score for t in translations] == [
        a.score * b.score for a, b in zip(first, last, strict=True)
    ]
    assert both.name == f"{package.name}-{package.sha256[:12]}+{second.name}-{second.sha256[:12]}"
    assert (both.from_lang, both.to_lang) == ("en", "fr")


@pytest.mark.parametrize("part", ["model/model.bin", "sentencepiece.model"])
def test_a_damaged_package_is_named(tmp_path, part):
    import tiny

    from ingest.translation.engine import Translator

    archive = tiny.make(tmp_path / "zip", damage={part: lambda data: data[: len(data) // 2]})
    package = loaded(archive, tmp_path / "package")
    with pytest.raises(ModelError, match=f"{package.name}: cannot load"):
        Translator(package)


def test_without_the_extra_it_is_named(monkeypatch, package):
    import sys

    from ingest.errors import MissingExtraError
    from ingest.translation.engine import Translator

    for name in ("ctranslate2", "sentencepiece"):
        with monkeypatch.context() as absent:
            absent.setitem(sys.modules, name, None)
            with pytest.raises(
                MissingExtraError, match=rf'^{name} .*"ingest\[translate\]", in a clone '
            ):
                Translator(package)
