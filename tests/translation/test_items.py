"""Items are found, masked and restored, whatever a model does with the masks."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.translation.attempts import translate_marked
from ingest.translation.cache import CachedTranslation
from ingest.translation.items import find_items
from ingest.translation.masks import MARK, Piece, mark_items, show, split_items, unmark
from ingest.translation.pieces import cut


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("See https://a.org/b?c=1&d=%20#e.", [("https://a.org/b?c=1&d=%20#e", "url")]),
        ("(see https://a.org/b_(c)), or www.a.org!", ["https://a.org/b_(c)", "www.a.org"]),
        ("موقعنا https://a.org/مدن، وهو", [("https://a.org/مدن", "url")]),
        ("افتح https://a.orgالآن", [("https://a.org", "url")]),
        ("on a.org/b or example.com.", ["a.org/b", "example.com"]),
        ("He left.com was new. The end.In", ["left.com"]),
        ("وa.b@c.org، d+e@f.co.uk.", [("a.b@c.org", "email"), ("d+e@f.co.uk", "email")]),
        ("%s %d %1$s %(n)d %.2f %% %@ %5.1f", "%s %d %1$s %(n)d %.2f %% %@ %5.1f".split()),
        ("{x} ${x} {{x}} {{ x.y }} #{x} {0} {} %NAME%",
         ["{x}", "${x}", "{{x}}", "{{ x.y }}", "#{x}", "{0}", "{}", "%NAME%"]),
        ("50% discount, 5% a year, 100 %", []),
        ("{ليس متغيرا}", []),
        ("<b>a</b> <a href='x>y'>z</a> <br/> a < b and c > d", ["<b>", "</b>", "</a>", "<br/>"]),
        ('<a href="/x?y=1&amp;z">t</a>&nbsp;&#39;&#x27;',
         ['<a href="/x?y=1&amp;z">', "</a>", "&nbsp;", "&#39;", "&#x27;"]),
        ("AT&T and Q&A; R&D", []),
        ("🐶👍🏽❤️🇲🇦1️⃣👨‍👩‍👧🏴󠁧󠁢󠁥󠁮󠁧󠁿", ["🐶", "👍🏽", "❤️", "🇲🇦", "1️⃣", "👨‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]),
        ("★ → ☎ ©2024 30° x™", ["★", "→", "☎"]),
        ("@ann_b, #tag #وسم_جديد no#1 #1", ["@ann_b", "#tag", "#وسم_جديد"]),
        ("1.1.1.1 ١٢/٣/٢٠٢٤ v2.1 4.0.0-beta2 00:00:12,840 +44 20 7946 0321",
         ["1.1.1.1", "١٢/٣/٢٠٢٤", "v2.1", "4.0.0-beta2", "00:00:12,840", "+44 20 7946 0321"]),
        ("3.5 and 1,500 and 7:30", []),
        ("2001:db8::1 00:1A:2B:3C:4D:5E 123e4567-e89b-12d3-a456-426614174000 face-to-face",
         ["2001:db8::1", "00:1A:2B:3C:4D:5E", "123e4567-e89b-12d3-a456-426614174000"]),
        (r"run `pip install x==1.2` in C:\Users\me.", ["`pip install x==1.2`", r"C:\Users\me"]),
    ],
)  # fmt: skip
def test_what_is_an_item(text, items):
    found = [(text[start:end], kind) for start, end, kind in find_items(text)]
    assert found == items or [item for item, _ in found] == items


@pytest.mark.parametrize(
    "unit",
    ["<", "<a ", "<a b='", "<!--", "%", "{", "{{", "a.", "http://", "#", "a@", "&a", "🐶\u200d", "www.",
     "1.", "+1 ", "a/", "\\"],
)  # fmt: skip
def test_long_lines_take_linear_time(unit):
    start = time.process_time()
    find_items(unit * (50_000 // len(unit)))
    assert time.process_time() - start < 3


PARTS = st.sampled_from(
    ["Write to", " ", "a@b.org", "{x}", "19:30", "2024", "🐶", "<b>", "\n", ", ", "كلمة", "و", "٢٠٪",
     "https://a.org/b", "60417", "3", "one. ", "#tag", MARK, "\ue001", "1.1.1.1"]
)  # fmt: skip
TEXTS = st.lists(PARTS, max_size=14).map("".join)


@given(TEXTS)
def test_marked_texts_can_be_restored(text):
    assert unmark(mark_items(text)) == text


OUTPUTS = {
    "copies": str,
    "loses everything": lambda _: "word",
    "doubles": lambda text: f"{text} {text}",
    "loses digits": lambda text: "".join(c for c in text if not c.isdigit()),
    "writes Arabic digits": lambda text: text.translate({48 + n: 0x660 + n for n in range(10)}),
    "groups digits": lambda text: text.replace("60417", "60,417"),
}


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
@given(TEXTS)
def test_no_item_is_lost(output, text):
    marked = mark_items(text)
    parts = cut(f"a {marked.text} b", lambda texts: [1 for _ in texts], 8)
    _, pieces = split_items(parts, marked.items, ascii_numbers=False)
    seen = []

    def translate(texts):
        seen.extend(texts)
        return {text: CachedTranslation(output(text), -1.0, len(text), False) for text in texts}

    results = translate_marked(pieces, translate, ascii_numbers=False)
    for piece in pieces:
        for item in piece.items:
            assert results[piece].text.count(item) >= piece.items.count(item)
    assert not any(MARK in text for text in seen)


def test_items_that_touch_share_a_mask():
    assert mark_items("(%d%%)") == Piece(f"({MARK})", ("%d%%",))


def test_masks_do_not_touch_words_and_are_not_in_the_text():
    attempt = show(Piece(f"60417 و{MARK} or {MARK}s", ("{x}", "%s")), 0)
    assert attempt.text == "60417 و 38291 or 84362 s"
    assert show(Piece(MARK * 20, ("x",) * 20), 0) is None


def test_numbers_get_masks_only_if_they_are_lost():
    calls = []

    def translate(texts):
        calls.append(texts)
        return {
            text: CachedTranslation(text.replace("7:30", "7:03"), -1.0, 5, False) for text in texts
        }

    pieces = [Piece("from 7:30 to 8:45"), Piece("a word"), Piece("in 2024")]
    results = translate_marked(pieces, translate, ascii_numbers=True)
    assert calls[0] == ["a word", "from 7:30 to 8:45", "in 2024"]
    assert calls[1] == ["from 46193 to 8:45"]
    assert [results[piece].text for piece in pieces] == ["from 7:30 to 8:45", "a word", "in 2024"]
