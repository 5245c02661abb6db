"""The report in a real browser: mouse, keyboard, search, and hostile texts."""

from __future__ import annotations

import json
import time

import polars as pl
import pytest
from made_runs import HOSTILE, documents, pairs, segments, write

from ingest.jobs.report import write_report

VIEWS = [
    "overview",
    "audit",
    "sources",
    "dropped",
    "scores",
    "pages",
    "pairs",
    "unmatched",
    "about",
]
CARDS = "document.querySelectorAll('#pair-list .pair').length"
FOUND = "document.getElementById('found').textContent"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Two pages with hostile texts, in two languages, and 120 pairs."""
    words = {"text": HOSTILE}
    rows = [
        {"role": "headline", "text": "عنوان الصفحة", "lang": "ar", "script": "Arab"}, {"text": "The body."},
        {"text": "The body.", "keep": False, "duplicate_of": 1}, {**words, "role": "nav", "article": 0, "keep": False},
        {**words, "lang": "zxx"}, {**words, "doc_id": f"{1:016x}", "segment": 0, "lang": "ar"},
    ]  # fmt: skip
    page = {
        "uri": "in/" + HOSTILE,
        "source": "in/" + HOSTILE,
        "title": HOSTILE,
        "url": "javascript:window.pwned=5",
    }
    lost = {"error": HOSTILE, "text": None, "chars": None}
    frame = pairs(
        *({"score": n / 100, "source_text": f"كِتَابٌ رقم {n}", "target_text": f"book number {n}"} for n in range(100)),
        *[{"source_text": HOSTILE, "target_text": HOSTILE, "model": HOSTILE, "score": None,
           "source_doc": f"{1:016x}", "source_segments": [7]}] * 20,
    ).with_columns(keep=pl.int_range(120) < 90)  # fmt: skip
    frame = frame.with_columns(
        drop_reason=pl.when("keep")
        .then(None)
        .when(pl.col("score").is_null())
        .then(pl.lit(HOSTILE))
        .otherwise(pl.lit("copy")),
        split=pl.when("keep").then(pl.lit("train")),
    )
    out = write(
        tmp_path_factory.mktemp("browser") / "out",
        documents=documents(page, {}, lost), segments=segments(*rows), pairs=frame,
        run={"version": HOSTILE, "config": {"read": {"a": HOSTILE}}, "seconds": {HOSTILE: 1.0}},
    )  # fmt: skip
    return write_report(out, audit=8).dest


def quiet(browser):
    """No errors and no requests."""
    assert browser.complaints == []
    assert [
        url for url in browser.requests if not url.startswith(("file:", "about:", "data:"))
    ] == []
    return True


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_every_view_draws_and_fits(report, browser, width, dark):
    browser.open(report, width=width, dark=dark)
    assert (
        browser.run("[...document.querySelectorAll('[role=tab]')].map(t => t.id.slice(4))") == VIEWS
    )
    for view in VIEWS:
        browser.run(f"document.getElementById('tab-{view}').click()")
        drawn = f"document.querySelector('[role=tabpanel]:not([hidden])').id === 'view-{view}'"
        assert browser.run(drawn)
        assert browser.run(f"document.getElementById('view-{view}').innerText.length") > 50
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.run(wide) <= 0, view
    bright = browser.run("getComputedStyle(document.body).backgroundColor")
    assert bright == ("rgb(20, 21, 23)" if dark else "rgb(251, 250, 247)")
    assert quiet(browser)


def test_texts_are_never_parsed_as_html(report, browser):
    browser.open(report)
    for view in VIEWS:
        browser.run(f"document.getElementById('tab-{view}').click()")
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.run("document.querySelectorAll('.shelf button')[0].click()")
    time.sleep(0.1)  # time for a script in a text to run, if it could
    assert browser.run("typeof window.pwned") == "undefined"
    assert (
        browser.run("document.querySelectorAll('img, main script, main svg[onload]').length") == 0
    )
    assert browser.run("document.querySelectorAll('a[href]:not(.skip)').length") == 0
    assert "</script><script>window.pwned = 1</script>" in browser.run(
        "document.querySelector('.segments').textContent"
    )
    assert quiet(browser)


def typed(browser, field: str, words: str) -> None:
    browser.run(
        f"(e => {{ e.value = {json.dumps(words)}; e.dispatchEvent(new Event('input')); "
        f"e.dispatchEvent(new Event('change')); }})(document.querySelector({json.dumps(field)}))"
    )


def test_search_and_filters_show_the_right_counts(report, browser):
    browser.open(report, view="pairs")
    assert browser.run(FOUND) == "120 pairs"
    assert browser.run(CARDS) == 50
    typed(browser, "#view-pairs [type=search]", "BOOK 7")
    browser.until(f"{FOUND} === '19 of 120 pairs'")
    assert browser.run("document.querySelectorAll('#pair-list mark').length") >= 19 * 2
    typed(browser, "#view-pairs [type=search]", "كتاب ٧")
    browser.until(f"{FOUND} === '0 of 120 pairs'")
    typed(browser, "#view-pairs [type=search]", "كتاب")  # typed without marks
    browser.until(f"{FOUND} === '100 of 120 pairs'")
    typed(browser, "#least", "0.5")
    browser.until(f"{FOUND} === '50 of 120 pairs'")
    typed(browser, "#most", "0.595")
    browser.until(f"{FOUND} === '10 of 120 pairs'")
    browser.run(
        "[...document.querySelectorAll('#view-pairs button')].find(b => b.textContent === 'Clear').click()"
    )
    assert browser.run(FOUND) == "120 pairs"
    result = "[...document.querySelectorAll('#view-pairs label')].find(l => l.textContent === 'Filter').control"
    for chosen, count in (("kept", 90), ("dropped", 30), ("=copy", 10)):
        browser.run(f"{result}.value = '{chosen}'; {result}.dispatchEvent(new Event('change'))")
        assert browser.run(FOUND) == f"{count} of 120 pairs"
    assert quiet(browser)


@pytest.mark.parametrize("words", ["(", "\\", "[", "a|", "*", "</script>", "$&", "-", "^.+"])
def test_typed_text_is_not_a_regular_expression(report, browser, words):
    browser.open(report, view="pairs")
    typed(browser, "#view-pairs [type=search]", words)
    browser.until(f"{FOUND}.endsWith('of 120 pairs')")
    assert quiet(browser)


def test_order_and_pages(report, browser):
    browser.open(report, view="pairs")
    order = "[...document.querySelectorAll('#view-pairs label')].find(l => l.textContent === 'Order').control"
    browser.run(f"{order}.value = '-score'; {order}.dispatchEvent(new Event('change'))")
    first = "document.querySelector('#pair-list .pair').textContent"
    assert "book number 99" in browser.run(first)
    for _ in range(2):
        browser.run("document.querySelector('#pair-list [data-go=on]').click()")
    assert browser.run(CARDS) == 20  # those without a score are last
    assert "window.pwned" in browser.run(first)
    assert browser.run("document.querySelector('#pair-list [data-go=on]').disabled")


def test_each_text_has_its_direction_and_language(report, browser):
    browser.open(report, view="pages")
    browser.run("document.querySelectorAll('.shelf button')[0].click()")
    attributes = browser.run(
        "[...document.querySelectorAll('.row .seg')].map(p => [p.dir, p.lang])"
    )
    assert attributes == [["rtl", "ar"], ["ltr", "en"], ["ltr", "en"], ["ltr", "en"], ["auto", ""]]
    kept = browser.run("[...document.querySelectorAll('.row.kept .out')].map(p => p.textContent)")
    assert kept[:2] == ["عنوان الصفحة", "The body."]
    assert "repeated: same as line 2" in browser.run(
        "document.querySelector('.segments').innerText"
    )
    colours = "[...document.querySelectorAll('.row .seg')].map(p => getComputedStyle(p).borderInlineStartColor)"
    by_role = browser.run(colours)
    browser.run("document.querySelector('input[value=lang]').click()")
    by_lang = browser.run(colours)
    assert by_role[1] == by_role[2] != by_role[3]
    assert by_lang[1] == by_lang[2] == by_lang[3] != by_lang[0]
    assert browser.run("[...document.querySelectorAll('.shelf button')].length") == 2


def test_a_pair_links_to_its_page(report, browser):
    browser.open(report, view="pairs")
    browser.run("document.querySelector('#pair-list .from button').click()")
    assert browser.run("document.activeElement.dataset.key") == f"s {0:016x} 0"
    browser.until(f"location.hash === '#page={0:016x}&segment=0'")


def test_keyboard_navigation(report, browser):
    browser.open(report)
    browser.press("Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    browser.run("document.getElementById('tab-overview').focus()")
    for key, code, view in (("ArrowRight", 39, "audit"), ("End", 35, "about"), ("ArrowRight", 39, "overview"),
                            ("ArrowLeft", 37, "about"), ("Home", 36, "overview")):  # fmt: skip
        browser.press(key, code)
        assert browser.run("document.activeElement.id") == f"tab-{view}"
        assert browser.run(f"!document.getElementById('view-{view}').hidden")
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert browser.run("document.querySelectorAll('[role=tab][tabindex=\"0\"]').length") == 1


def test_the_theme_can_be_chosen_and_is_saved(report, browser):
    browser.open(report)
    shade = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(shade)
    browser.run("document.getElementById('theme').click()")
    assert browser.run("document.getElementById('theme').textContent") == "Theme: dark"
    dark = browser.run(shade)
    assert dark != light
    browser.open(report)
    assert browser.run(shade) == dark
    browser.run(
        "document.getElementById('theme').click(); document.getElementById('theme').click()"
    )
    assert browser.run(shade) == light


def test_screen_reader_structure(report, browser):
    browser.open(report)
    for view in VIEWS:
        browser.run(f"document.getElementById('tab-{view}').click()")
    assert browser.run("document.querySelectorAll('h1').length") == 1
    assert browser.run("document.querySelectorAll('main, header, footer, nav.tabs').length") >= 4
    assert (
        browser.run(
            "[...document.querySelectorAll('table')].filter(t => !t.caption?.textContent).length"
        )
        == 0
    )
    assert (
        browser.run(
            "[...document.querySelectorAll('svg')].filter(s => !s.getAttribute('aria-label')).length"
        )
        == 0
    )
    nameless = "[...document.querySelectorAll('input, select, textarea')].filter(i => !i.labels.length && !i.ariaLabel).length"
    assert browser.run(nameless) == 0
    assert (
        browser.run(
            "[...document.querySelectorAll('button')].filter(b => !b.textContent.trim()).length"
        )
        == 0
    )
    ids = browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => ((v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)).reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const under = (e) => { let stack = []; for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3]) stack.push(c); if (c[3] === 255) break; }
    return stack.reverse().reduce((b, c) => b.map((v, i) => i < 3 ? v + (c[i] - v) * c[3] / 255 : 255), [255, 255, 255, 255]); };
  const worst = [];
  for (const e of document.querySelectorAll('main *, header *, nav *, footer *, aside *')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility() || e.disabled || e.closest('svg, .sr')) continue;
    const [a, b] = [light(rgba(getComputedStyle(e).color)), light(under(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) worst.push([e.className || e.tagName, e.textContent.slice(0, 20), ratio]);
  }
  return worst;
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_contrast(report, browser, dark):
    browser.open(report, dark=dark)
    for view in VIEWS:
        browser.run(f"document.getElementById('tab-{view}').click()")
        assert browser.run(CONTRAST) == [], view
    browser.run("document.getElementById('tab-audit').click()")
    browser.run("document.querySelector('details.result').open = true")
    for key in "ynyny":
        browser.press(key, 0)
    assert browser.run(CONTRAST) == []
    for view, pressed in (("pages", "jynxbjkkjrn"), ("pairs", "jyne")):
        browser.run(f"document.getElementById('tab-{view}').click()")
        for key in pressed:
            browser.press(key, 0)
        assert browser.run(CONTRAST) == [], view
    browser.press("Escape", 27)
    browser.run("document.getElementById('tab-pairs').click()")
    typed(browser, "#view-pairs [type=search]", "1")
    browser.until("document.querySelector('.pair.dropped mark')")
    assert browser.run(CONTRAST) == []


def test_print_has_all_views(report, browser):
    browser.open(report)
    assert browser.printed().startswith(b"%PDF")
    assert browser.run(
        "[...document.querySelectorAll('[role=tabpanel]')].every(p => p.childElementCount)"
    )
    assert quiet(browser)


def test_thousands_of_pairs_do_not_freeze(tmp_path, browser):
    words = "words to fill a sentence of the usual length, no more".split()
    frame = pairs(*(
        {"score": n % 100 / 100, "source_text": f"نص عربي من جملة طولها معتاد {n}", "target_text": " ".join(words[n % 9 :]) + f" {n}"}
        for n in range(5000)
    ))  # fmt: skip
    result = write_report(write(tmp_path / "out", pairs=frame))
    assert result.pairs == (5000, 5000)
    began = time.monotonic()
    browser.open(result.dest, view="pairs")
    assert browser.run(FOUND) == "5,000 pairs"
    ready = time.monotonic() - began
    spent = browser.run(
        "(() => { const s = document.querySelector('#view-pairs [type=search]'); s.value = 'sentence 499'; "
        "const b = performance.now(); [...document.querySelectorAll('#view-pairs select')][0].dispatchEvent(new Event('change')); "
        "return performance.now() - b; })()"
    )
    both = frame.filter(
        pl.col("target_text").str.contains("sentence") & pl.col("source_text").str.contains("499")
    )
    assert browser.run(FOUND) == f"{len(both)} of 5,000 pairs"
    browser.run(
        "[...document.querySelectorAll('#view-pairs button')].find(b => b.textContent === 'Clear').click()"
    )
    browser.run("document.activeElement.blur()")
    browser.press("k", 75)  # to the last one, on the last page of the list
    assert browser.run("document.querySelector('#pair-list .pager').textContent").startswith(
        "4,951–5,000"
    )
    print(f"5,000 pairs: there after {ready:.2f} s, searched in {spent:.0f} ms")
    assert browser.run("document.querySelectorAll('*').length") < 5000
    assert spent < 5_000  # generous: other work may keep the machine busy


def test_an_empty_run(tmp_path, browser):
    empty = write(tmp_path / "out", documents=documents(), segments=segments(), pairs=pairs())
    browser.open(write_report(empty).dest)
    assert "No pages were read." in browser.run("document.querySelector('main').innerText")
    assert browser.run("[...document.querySelectorAll('[role=tab]')].map(t => t.textContent)") == [
        "Overview",
        "About",
    ]
    assert quiet(browser)


def test_200_000_pairs_do_not_freeze(tmp_path, browser):
    total = 200_000
    row = pl.int_range(total)
    frame = (
        pairs({"source_text": "نص عربي من جملة طولها معتاد تقريبا", "target_text": "words of the usual length"})
        .lazy()
        .select(pl.all().repeat_by(total).list.explode())
        .with_columns(pair_id=row.cast(pl.String).str.zfill(16), score=(row % 1000 / 1000).cast(pl.Float32))
        .collect()
    )  # fmt: skip
    began = time.monotonic()
    result = write_report(write(tmp_path / "out", pairs=frame), audit=200)
    wrote = time.monotonic() - began
    browser.open(result.dest, view="pairs")
    opened = time.monotonic() - began - wrote
    assert result.pairs[1] == total
    assert result.bytes < 10_000_000
    for key in "jyy":
        browser.press(key, 0)
    assert browser.run("document.querySelector('.so-far').textContent").startswith("2 of ")
    print(f"200,000 pairs: written in {wrote:.1f} s, open after {opened:.1f} s")
    assert wrote < 60  # generous: other work may keep the machine busy
    assert opened < 20
