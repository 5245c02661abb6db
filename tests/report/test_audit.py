"""The audit: its sample in the report, and its estimates in the browser and in Python."""

from __future__ import annotations

import json
import time

import polars as pl
import pytest
from made_runs import HOSTILE, documents, pairs, segments, write

from ingest.cli import main
from ingest.errors import ConfigError
from ingest.jobs.audit import estimate_run
from ingest.jobs.report import write_report
from ingest.report.audit import CONTEXT
from ingest.report.gather import gather
from ingest.review.corrections import parse_corrections


@pytest.fixture
def out(tmp_path):
    """Three pages of 20 segments and 40 pairs, of several strata."""
    rows = [
        {
            "doc_id": f"{page:016x}", "segment": n, "text": f"text {page} {n} {HOSTILE if n == 3 else ''}",
            "lang": ("ar", "en", "fr")[(page + n) % 3], "keep": n % 4 > 0, "role": "body" if n % 4 else "nav",
        }
        for page in range(3)
        for n in range(20)
    ]  # fmt: skip
    frame = pairs(*({"score": n / 40, "target_text": f"text {n}"} for n in range(40))).with_columns(
        keep=pl.int_range(40) % 5 > 0,
        drop_reason=pl.when(pl.int_range(40) % 5 == 0).then(pl.lit("copy")),
    )
    return write(
        tmp_path / "out", documents=documents({"title": "A"}, {}, {}), segments=segments(*rows),
        pairs=frame, run={"fingerprint": str(tmp_path)},
    )  # fmt: skip


def test_the_sample_has_what_a_person_needs(out):
    audit = gather(out, audit=50, seed=3)["audit"]
    assert (audit["total"], audit["seed"], len(audit["items"])) == (50, 3, 50)
    assert sorted(audit["order"]) == list(range(50))
    kinds = [audit["items"][n]["kind"] for n in audit["order"]]
    assert kinds == sorted(kinds, reverse=True)  # all segments come first
    assert sorted(n for stratum in audit["strata"] for n in stratum["sample"]) == list(range(50))
    for stratum in audit["strata"]:
        items = [audit["items"][n] for n in stratum["sample"]]
        assert {item["kind"] for item in items} <= {stratum["unit"]}
        assert all(item["keep"] == stratum["name"].startswith("kept,") for item in items)
        assert stratum["population"] >= len(items)
    item = next(i for i in audit["items"] if i["kind"] == "segment" and i["segment"] > CONTEXT)
    page = item["doc_id"]
    before = [words.split(" <")[0].rsplit(" ", 1)[0] for _, words in item["before"]]
    assert len(before) == CONTEXT
    assert {words.split()[1] for _, words in item["before"] + item["after"]} == {str(int(page, 16))}
    assert gather(out, audit=50, seed=3)["audit"] == audit
    assert gather(out, audit=50, seed=4)["audit"] != audit


def test_the_context_ends_with_the_page(out):
    audit = gather(out, audit=1000)["audit"]
    items = [item for item in audit["items"] if item["kind"] == "segment"]
    assert len(items) == 60
    for item in items:
        assert len(item["before"]) == min(item["segment"], CONTEXT)
        assert len(item["after"]) == min(19 - item["segment"], CONTEXT)


def test_runs_with_less(tmp_path):
    assert gather(write(tmp_path / "a", pairs=pairs({})), audit=5)["audit"]["order"] == [0]
    nothing = gather(write(tmp_path / "b", documents=documents({}), pairs=pairs()), audit=5)
    assert nothing["audit"]["order"] == []
    bare = pairs({}).drop("pair_id")  # no correction could name them
    assert gather(write(tmp_path / "c", pairs=bare), audit=5)["audit"]["order"] == []
    assert "audit" not in gather(tmp_path / "a")


def test_the_options(out, tmp_path, capsys):
    dest = tmp_path / "audit.html"
    assert main(["report", str(out), "--audit", "20", "--seed", "7", "-o", str(dest)]) == 0
    first, then = capsys.readouterr().out.strip().splitlines()
    assert first.endswith("pairs 40, 20 to judge")
    assert then.endswith(
        f"press Save, and give ingest the file: ingest correct {out} corrections.jsonl"
    )
    assert '"total":20,"seed":7' in dest.read_text(encoding="utf-8")
    for wrong in ("0", "-1", "x", "1.5", "٣", "9" * 30):
        with pytest.raises(SystemExit) as stopped:
            main(["report", str(out), f"--audit={wrong}", "-o", str(tmp_path / "b")])
        assert stopped.value.code == 2
        assert "is not a whole number" in capsys.readouterr().err
    assert main(["report", str(out), "--seed", "2"]) == 2
    assert "give --audit too" in capsys.readouterr().err
    assert main(["report", str(out), "--against", str(out), "--audit", "5"]) == 2
    assert main(["report", str(out), "--audit", "10001", "-o", str(tmp_path / "b")]) == 2
    assert "must be from 1 to 10,000" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="--audit 0"):
        write_report(out, audit=0)
    with pytest.raises(ConfigError, match="--seed -1"):
        write_report(out, audit=1, seed=-1)


def test_the_browser_estimates_what_python_does(out, browser):
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(out.parent))
    browser.open(write_report(out, audit=60).dest, view="")
    assert browser.run("document.querySelector('[role=tab][aria-selected=true]').id") == "tab-audit"
    shown = browser.run("document.querySelector('.question').textContent")
    assert "Is the marked text part of an article?" in shown
    assert "kept" not in shown
    for n in range(60):
        browser.press("y" if n % 3 else "n", 0)
        if n == 30:
            browser.press("u", 0)
            assert "31 of 60" in browser.run("document.querySelector('.question').textContent")
            browser.press("n", 0)
    assert browser.run("document.querySelector('details.result').open")
    browser.run("document.getElementById('save').click()")
    path = out.parent / "corrections.jsonl"
    until = time.monotonic() + 20
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.02)
    corrections = parse_corrections(path.read_bytes())
    assert corrections.damaged == []
    assert len(corrections.segments) + len(corrections.pairs) == 60
    assert corrections.segments["audit"].null_count() == 0
    expected, messages = estimate_run(out, corrections)
    assert messages == []
    estimates = browser.run(
        "[...document.querySelectorAll('[data-estimate]')].map(e => JSON.parse(e.dataset.estimate))"
    )
    assert len(estimates) == len(expected)
    for theirs, ours in zip(estimates, expected.iter_rows(named=True), strict=True):
        assert (theirs["unit"], theirs["name"]) == (ours["unit"], ours["stratum"])
        assert (theirs["population"], theirs["judged"], theirs["right"]) == (
            ours["population"], ours["judged"], ours["right"],
        )  # fmt: skip
        for key in ("precision", "low", "high"):
            assert theirs[key] == (None if ours[key] is None else pytest.approx(ours[key]))
    assert browser.complaints == []


def test_answers_are_compared_with_the_decision(out, browser):
    browser.open(write_report(out, audit=12).dest, view="audit")
    asked = gather(out, audit=12)["audit"]
    first = asked["items"][asked["order"][0]]
    browser.press("y", 0)
    browser.press("k", 0)
    assert "your answer: yes" in browser.run("document.querySelector('.question').textContent")
    judged = browser.run(
        "[...document.querySelectorAll('[data-estimate]')].map(e => JSON.parse(e.dataset.estimate)).filter(s => s.judged)"
    )
    assert {(s["judged"], s["right"]) for s in judged} == {(1, int(first["keep"]))}
    assert json.dumps(judged).count('"kept,') == int(first["keep"])
    assert browser.run("document.querySelectorAll('main img, main script').length") == 0
