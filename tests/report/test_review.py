"""Reviewing in a real browser: keys, decisions, the file of corrections, links, copying."""

from __future__ import annotations

import json
import time

import polars as pl
import pytest
from made_runs import HOSTILE, documents, pairs, segments, write

import ingest
from ingest.cli import main
from ingest.jobs.report import write_report
from ingest.review.corrections import parse_corrections
from ingest.review.hashes import pair_hash, text_hash

SPOKEN = "document.getElementById('spoken').textContent"
PROGRESS = "document.querySelector('.so-far').textContent"
CURRENT = "document.querySelector('[role=tabpanel]:not([hidden]) [aria-current=true][data-key]')"
DOC, OTHER = (f"{n:016x}" for n in range(2))


@pytest.fixture(scope="module")
def frames():
    """Two pages with six segments, and three pairs, one of them dropped."""
    rows = [
        {"role": "headline", "text": "عنوان", "lang": "ar", "script": "Arab"}, {"text": "The body."},
        {"text": "Menu", "role": "nav", "article": 0, "keep": False}, {"text": HOSTILE},
        {"text": "=SUM(A1)\tsecond\nline", "doc_id": OTHER, "segment": 0},
        {"text": "The end.", "doc_id": OTHER, "segment": 1},
    ]  # fmt: skip
    sides = (
        {"source_text": "أولى", "target_text": "First"},
        {"source_text": "ثانية", "target_text": HOSTILE},
        {"source_text": "ثالثة", "target_text": "Third"},
    )
    frame = pairs(*sides).with_columns(
        keep=pl.Series([True, True, False]), drop_reason=pl.Series([None, None, "copy"])
    )
    return {"documents": documents({}, {"title": HOSTILE}), "segments": segments(*rows), "pairs": frame}  # fmt: skip


@pytest.fixture
def out(tmp_path, frames):
    return write(tmp_path / "out", run={"fingerprint": str(tmp_path)}, **frames)


@pytest.fixture
def page(out, browser):
    """The report, opened; its downloads are in `page.downloads`."""
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(out.parent))
    browser.downloads = out.parent
    browser.dest = write_report(out).dest
    browser.open(browser.dest, view="pages")
    yield browser
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith(("file:", "about:", "data:", "blob:"))] == []  # fmt: skip


def keys(browser, *names):
    for name in names:
        browser.press(name, ord(name.upper()) if len(name) == 1 else {"Escape": 27}.get(name, 0))


def saved(page) -> list[dict]:
    path = page.downloads / "corrections.jsonl"
    path.unlink(missing_ok=True)
    page.run("document.getElementById('save').click()")
    until = time.monotonic() + 20
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.02)
    content = path.read_bytes()
    assert parse_corrections(content).damaged == []
    return [json.loads(line) for line in content.splitlines()]


def load(page, *lines) -> None:
    path = page.downloads / "given.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    chooser = page.call("Runtime.evaluate", expression="document.querySelector('input[type=file]')")
    page.run("document.getElementById('spoken').textContent = ''")
    page.call("DOM.setFileInputFiles", files=[str(path)], objectId=chooser["result"]["objectId"])
    page.until(f"{SPOKEN}.includes('loaded')")


def test_segments_are_reviewed_with_the_keyboard(page, frames):
    keys(page, "j")
    assert page.run(f"{CURRENT}.dataset.key") == f"s {DOC} 0"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keys(page, "y", "n", "x")
    assert page.run(f"{CURRENT}.dataset.key") == f"s {DOC} 2"
    assert page.run(f"{CURRENT}.className").split()[2] == "kept"
    assert page.run(PROGRESS) == "3 of 6 reviewed"
    keys(page, "k", "k", "r")
    assert page.run("document.querySelector('dialog').open")
    keys(page, "s")  # subheading
    assert "role: subheading" in page.run(SPOKEN)
    keys(page, "b")
    lines = saved(page)
    sha = frames["segments"].select(text_hash(pl.col("text"))).to_series().to_list()
    about = [{"kind": "segment", "doc_id": DOC, "uri": "in/0.html", "segment": n, "sha": sha[n],
              "text": frames["segments"]["text"][n], "audit": None} for n in range(3)]  # fmt: skip
    assert lines == [
        {**about[0], "verdict": "right", "keep": None, "role": "subheading", "starts_article": False},
        {**about[1], "verdict": "wrong", "keep": False, "role": None, "starts_article": None},
        {**about[2], "verdict": "wrong", "keep": True, "role": None, "starts_article": None},
    ]  # fmt: skip
    keys(page, "u", "u", "u")
    assert page.run(PROGRESS) == "2 of 6 reviewed"
    assert [line["segment"] for line in saved(page)] == [0, 1]


def test_pairs_are_reviewed_and_edited(page, frames):
    page.run("document.getElementById('tab-pairs').click()")
    keys(page, "j", "n", "e")
    assert page.run("document.activeElement.tagName") == "TEXTAREA"
    assert page.run("[...document.querySelectorAll('textarea')].map(t => t.dir)") == ["rtl", "ltr"]
    keys(page, "y")  # typed into the field
    page.run("document.activeElement.value = 'Changed <b>'")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", windowsVirtualKeyCode=13, modifiers=2)  # fmt: skip
    assert page.run("document.querySelectorAll('textarea').length") == 0
    assert "Changed <b>" in page.run(f"{CURRENT}.textContent")
    keys(page, "e")
    page.run("document.activeElement.value = 'Left'")
    keys(page, "Escape")
    assert "Left" not in page.run(f"{CURRENT}.textContent")
    first, second = saved(page)
    sha = frames["pairs"].select(pair_hash(pl.col("source_text"), pl.col("target_text"))).to_series()  # fmt: skip
    assert first == {
        "kind": "pair", "pair_id": DOC, "sha": sha[0], "source_text": "أولى", "target_text": "First",
        "verdict": "wrong", "keep": None, "new_source_text": None, "new_target_text": None, "audit": None,
    }  # fmt: skip
    assert (second["verdict"], second["new_source_text"], second["new_target_text"], second["sha"]) == (None, None, "Changed <b>", sha[1])  # fmt: skip
    assert page.run("document.querySelectorAll('main b b, img, main script').length") == 0


def test_a_dropped_pair_is_kept_by_hand(page):
    page.run("document.getElementById('tab-pairs').click()")
    keys(page, "j", "j", "j", "y")
    assert "right" in page.run(f"{CURRENT}.textContent")
    assert page.run(f"{CURRENT}.classList.contains('dropped')")  # `y` only says what it is
    keys(page, "x")
    assert "right, kept by hand" in page.run(f"{CURRENT}.textContent")
    assert not page.run(f"{CURRENT}.classList.contains('dropped')")
    (line,) = saved(page)
    assert (line["pair_id"], line["verdict"], line["keep"]) == (f"{2:016x}", "right", True)
    assert "withdrawn" not in line
    keys(page, "x")
    assert saved(page)[0]["keep"] is None


def test_what_is_taken_back_is_written_as_withdrawn(out, browser, frames, page):
    line = {"kind": "segment", "doc_id": DOC, "segment": 1, "verdict": "wrong"}  # without sha
    load(page, json.dumps(line), json.dumps(line | {"kep": False}), json.dumps(line | {"verdict": None}))  # fmt: skip
    assert "1 correction loaded; 2 damaged lines left out (line 2, 3)" in page.run(SPOKEN)
    keys(page, "u")
    assert page.run(PROGRESS) == "0 of 6 reviewed"
    (out / "corrections.jsonl").write_text(json.dumps(line))
    write_report(out, overwrite=True)
    page.open(page.dest, view="pages")
    load(page, json.dumps(line | {"verdict": None, "withdrawn": True}))
    (written,) = saved(page)
    assert written["withdrawn"] is True
    assert parse_corrections(json.dumps(written).encode()).damaged == []


def test_dropped_segments_name_their_page_and_lead_to_it(page):
    page.run("document.getElementById('tab-dropped').click()")
    where = "document.querySelector('#view-dropped .where button')"
    assert page.run(f"{where}.textContent").startswith("0.html, line ")
    page.run(f"{where}.click()")
    assert page.run(f"{CURRENT}.dataset.key") == f"s {DOC} 2"


def test_filters_count_what_is_reviewed(page):
    keys(page, "j", "y", "n")
    state = "[...document.querySelectorAll('#view-pages label')].find(l => l.textContent === 'Review').control"
    for chosen, words in (("open", "0 of 4"), ("reviewed", "2 of 2"), ("corrected", "1 of 1")):
        page.run(f"{state}.value = '{chosen}'; {state}.dispatchEvent(new Event('change'))")
        assert page.run(PROGRESS) == f"{words} reviewed"
    page.run(f"{state}.value = 'open'; {state}.dispatchEvent(new Event('change'))")
    keys(page, "j", "y")
    assert page.run(PROGRESS) == "1 of 4 reviewed"  # a decision does not take it off the list
    keys(page, "/")
    assert page.run("document.activeElement.type") == "search"


def test_decisions_are_remembered(page, out):
    keys(page, "j", "y")
    time.sleep(0.4)
    page.open(page.dest, view="pages")
    assert page.run(PROGRESS) == "1 of 6 reviewed"
    write(out, run={"fingerprint": "another run"})
    page.open(write_report(out, overwrite=True).dest, view="pages")
    assert page.run(PROGRESS) == "0 of 6 reviewed"


def test_it_warns_only_where_nothing_is_remembered(page):
    leaving = "(() => { const e = new Event('beforeunload', { cancelable: true }); dispatchEvent(e); return e.defaultPrevented; })()"
    keys(page, "j", "y")
    assert not page.run(leaving)
    page.run("Storage.prototype.setItem = () => { throw new Error('none'); }")
    keys(page, "y")
    time.sleep(0.4)
    assert page.run(leaving)
    page.run("document.getElementById('save').click()")
    assert not page.run(leaving)


def test_a_file_is_loaded(page, frames):
    keys(page, "j", "n", "y")
    lines = [json.dumps(line) for line in saved(page)]
    keys(page, "u", "u")
    stale = json.dumps({"kind": "pair", "pair_id": OTHER, "sha": "0" * 16, "verdict": "right"})
    rule = json.dumps({"kind": "rule", "site": "a.com", "path": "p", "role": "nav", "keep": False})
    load(page, *lines, "{damaged", stale, rule, '{"kind": 3}', lines[0].replace("wrong", "right"))
    assert page.run(SPOKEN) == (
        "2 corrections loaded; 2 about other things or other texts: kept for saving; "
        "2 damaged lines left out (line 3, 6)"
    )
    again = saved(page)
    assert [line.get("verdict") for line in again] == ["right", None, "right", "right"]
    assert again[1]["kind"] == "rule"
    keys(page, "u")  # the whole file
    assert page.run(PROGRESS) == "0 of 6 reviewed"


def test_corrections_of_the_run_are_shown(out, browser, frames):
    sha = frames["segments"].select(text_hash(pl.col("text"))).to_series()[1]
    line = {"kind": "segment", "doc_id": DOC, "segment": 1, "sha": sha, "verdict": "wrong", "keep": False}  # fmt: skip
    (out / "corrections.jsonl").write_text(json.dumps(line) + "\nnot JSON\n")
    browser.open(write_report(out).dest, view="pages")
    assert browser.run(PROGRESS) == "1 of 6 reviewed"
    assert "wrong: drop it" in browser.run(f"document.querySelector('[data-key=\"s {DOC} 1\"]').textContent")  # fmt: skip


def test_links_lead_to_pages_segments_and_pairs(page):
    page.run(f"location.hash = '#pair={OTHER}'")
    page.until(f"{CURRENT}?.dataset.key === 'p {OTHER}'")
    page.open(page.dest, view=f"page={OTHER}&segment=1")
    assert page.run(f"{CURRENT}.dataset.key") == f"s {OTHER} 1"
    page.open(page.dest, view=f"page={OTHER}")
    assert page.run("document.querySelector('.shelf [aria-current]').dataset.page") == "1"
    for lost in ("page=ffff", "pair=%3Cimg%20src%3Dx%3E", f"page={OTHER}&segment=99"):
        page.open(page.dest, view=lost)
        assert "is not in this report" in page.run(SPOKEN)
        assert page.run("document.querySelector('[role=tab][aria-selected=true]').id") == "tab-overview"  # fmt: skip
    page.open(page.dest, view="pairs")
    keys(page, "j")
    page.until(f"location.hash === '#pair={DOC}'")


COPIED = "window.copied"
CATCH = "Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (words) => { window.copied = words; } } })"


def click(page, label):
    page.run(f"[...document.querySelectorAll('[role=tabpanel]:not([hidden]) button')].find(b => b.textContent === '{label}').click()")  # fmt: skip


def test_what_is_shown_is_copied(page):
    page.run(CATCH)
    click(page, "Copy as TSV")
    head, *rows = page.run(COPIED).removesuffix("\n").split("\n")
    assert head.split("\t")[:4] == ["doc_id", "uri", "segment", "line"]
    assert len(rows) == 6
    assert {row.count("\t") for row in rows} == {head.count("\t")}
    assert rows[4].endswith("\t'=SUM(A1) second line")  # no formula
    assert not set("\x00\x1b\u2028") & set(page.run(COPIED))
    click(page, "Copy as JSON")
    assert json.loads(page.run(COPIED))[3]["text"] == HOSTILE
    page.run("document.getElementById('tab-pairs').click()")
    keys(page, "j", "n")
    click(page, "Copy as JSON")
    copied = json.loads(page.run(COPIED))
    assert [row["keep"] for row in copied] == [False, True, False]
    assert [row["reason"] for row in copied] == ["rejected by hand", None, "copy"]
    click(page, "Copy link")
    assert page.run(COPIED) == f"{page.dest.as_uri()}#pair={DOC}"


def test_help_and_buttons(page):
    keys(page, "?")
    assert "copy a link" in page.run("document.querySelector('dialog').textContent")
    keys(page, "n")  # keys do nothing behind a dialog
    keys(page, "Escape")
    page.until("document.querySelectorAll('dialog').length === 0")
    assert page.run(PROGRESS) == "0 of 6 reviewed"
    for key in "jyju":
        page.run(f"document.querySelector('[data-key-of={key}]').click()")
    assert page.run(PROGRESS) == "0 of 6 reviewed"
    page.run(f"document.querySelector('[data-key=\"s {DOC} 3\"]').click()")
    assert page.run(f"{CURRENT}.dataset.key") == f"s {DOC} 3"
    nameless = (
        "[...document.querySelectorAll('.review button')].filter(b => !b.textContent.trim()).length"
    )
    assert page.run(nameless) == 0


def test_what_was_saved_goes_into_the_run_and_comes_back(tmp_path, browser, capsys):
    out = tmp_path / "run"
    ingest.run([ingest.samples() / "ar_chrome_en_news_1.txt"], out)
    pages = pl.read_parquet(out / "documents.parquet")["doc_id"]
    frame = pairs({"target_text": "First"}, {"target_text": "Second"}, {"target_text": "Third"})
    frame.with_columns(source_doc=pl.lit(pages[0]), target_doc=pl.lit(pages[0])).write_parquet(
        out / "pairs.parquet"
    )
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.downloads = tmp_path
    browser.open(write_report(out).dest, view="pages")
    keys(browser, "j", "n", "y", "x", "j", "r", "b", "j", "b")
    browser.run("document.getElementById('tab-pairs').click()")
    keys(browser, "j", "n", "y", "e")
    browser.run("document.activeElement.value = 'Mended'")
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", windowsVirtualKeyCode=13, modifiers=2)  # fmt: skip
    before = saved(browser)
    state = (
        "[...document.querySelectorAll('.segments [data-key]')].map(e => "
        "[e.classList.contains('kept'), e.classList.contains('reviewed'), e.querySelector('.role b').textContent])"
    )
    labels = browser.run(state)
    assert sum(reviewed for _, reviewed, _ in labels) == 5
    browser.run("localStorage.clear()")
    assert main(["correct", str(out), str(tmp_path / "corrections.jsonl")]) == 0
    assert pl.read_parquet(out / "pairs.parquet")["target_text"].to_list() == ["First", "Second", "Mended"]  # fmt: skip
    browser.open(write_report(out, overwrite=True).dest, view="pages")
    browser.run("localStorage.clear()")
    browser.open(out / "report.html", view="pages")
    assert browser.run(state) == labels
    browser.run("document.getElementById('tab-pairs').click()")
    assert browser.run(PROGRESS) == "3 of 3 reviewed"
    assert "Mended" in browser.run("document.querySelector('#pair-list').textContent")

    def decided(lines):
        fields = ("doc_id", "segment", "pair_id", "sha", "verdict", "keep", "role", "starts_article", "new_target_text")  # fmt: skip
        return sorted(str([line.get(name) for name in fields]) for line in lines)

    assert decided(saved(browser)) == decided(before)
    assert main(["correct", str(out), str(tmp_path / "corrections.jsonl")]) == 0
    browser.open(write_report(out, overwrite=True).dest, view="pages")
    assert browser.run(state) == labels


def test_pairs_without_an_id_can_be_looked_at(tmp_path, browser):
    frame = pairs({"pair_id": None}, {"pair_id": DOC}, {"pair_id": DOC})
    browser.open(write_report(write(tmp_path / "out", pairs=frame)).dest, view="pairs")
    keys(browser, "j", "y")
    assert "has no pair_id" in browser.run(SPOKEN)
    keys(browser, "j", "j")
    places = "[...document.querySelectorAll('.pair')].map(p => p.getAttribute('aria-current'))"
    assert browser.run(places) == [None, None, "true"]
    keys(browser, "y")
    assert browser.run(PROGRESS) == "2 of 3 reviewed"
    assert browser.complaints == []
