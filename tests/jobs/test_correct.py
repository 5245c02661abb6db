"""Corrections of a run: applied at once or in the run, the result is the same, byte for byte."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.config import Config, FilterConfig, RunConfig
from ingest.drop_reasons import REJECTED
from ingest.errors import ConfigError, SourceError
from ingest.jobs.align_run import align_run
from ingest.jobs.correct import correct_run
from ingest.jobs.filter import filter_file
from ingest.jobs.score import score_file
from ingest.pipeline import run as pipeline_run

SMALL = Config(run=RunConfig(shard_bytes=12_000))
LABELS = ("segments.parquet", "articles.jsonl", "corrections.jsonl")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def said(segment: dict, **fields) -> dict:
    names = ("doc_id", "segment", "text")
    return {
        "kind": "segment",
        **{n: segment[n] for n in names},
        "sha": sha(segment["text"]),
        **fields,
    }


def said_of_pair(pair: dict, **fields) -> dict:
    texts = pair["source_text"] + "\n" + pair["target_text"]
    return {"kind": "pair", "pair_id": pair["pair_id"], "sha": sha(texts), **fields}


def save(path: Path, *records) -> Path:
    path.write_text(
        "".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n" for r in records),
        encoding="utf-8",
    )
    return path


def content(out: Path, names=LABELS) -> list[bytes]:
    return [(out / name).read_bytes() for name in names]


def counts(out: Path) -> dict:
    return json.loads((out / "run.json").read_bytes())["counts"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for path in sorted(ingest.samples().glob("*.txt"))[::20]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def plain(pages, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("plain") / "out"
    ingest.run(pages, out, config=SMALL)
    return out


@pytest.fixture
def out(plain, tmp_path) -> Path:
    return Path(shutil.copytree(plain, tmp_path / "out"))


@pytest.fixture(scope="module")
def records(plain) -> list[dict]:
    segments = pl.read_parquet(plain / "segments.parquet")
    kept, dropped = segments.filter("keep").to_dicts(), segments.filter(~pl.col("keep")).to_dicts()
    return [
        *(said(row, keep=False, role="nav") for row in kept[5::40]),
        *(said(row, keep=True, role="body") for row in dropped[3::40]),
        *(said(row, starts_article=bool(n % 3)) for n, row in enumerate(kept[9::40])),
        *(said(row, verdict="right") for row in kept[13::40]),
        said(kept[20], verdict="wrong", keep=False),
    ]


@pytest.fixture
def corrected(out, records, tmp_path) -> Path:
    correct_run(out, [save(tmp_path / "given.jsonl", *records)])
    return out


def test_corrections_reach_segments_articles_and_counts(plain, corrected, records):
    before, after = (pl.read_parquet(o / "segments.parquet") for o in (plain, corrected))
    assert after.schema == before.schema
    labels = ["role", "role_by", "role_score", "article", "keep", "cluster"]
    assert after.drop(labels).equals(before.drop(labels))
    pages = {record["doc_id"] for record in records}
    others = ~pl.col("doc_id").is_in(pages)
    assert after.filter(others).equals(before.filter(others))
    assert (after["role_by"] == "person").sum() == sum("keep" in record for record in records)
    articles = pl.read_ndjson(corrected / "articles.jsonl", infer_schema_length=None)
    kept = after.filter(pl.col("keep"))
    lines = [line for text in articles["text"] for line in text.split("\n")]
    assert sorted(lines) == sorted(kept["text"])
    totals = counts(corrected)
    assert totals["kept"] == len(kept)
    assert sum(row["kept"] for row in totals["by_role_and_lang"]) == len(kept)
    assert totals["articles"] - counts(plain)["articles"] == len(articles) - len(
        (plain / "articles.jsonl").read_bytes().splitlines()
    )


def test_the_same_file_twice_gives_the_same_bytes(corrected, tmp_path):
    names = sorted(path.name for path in corrected.iterdir())
    before = content(corrected, names)
    result = correct_run(corrected, [tmp_path / "given.jsonl"])
    assert result.changed["segment"] == 0
    assert content(corrected, names) == before
    assert sorted(path.name for path in corrected.iterdir()) == names


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_with_corrections_gives_what_run_and_correct_give(
    corrected, pages, tmp_path, workers
):
    other = tmp_path / "other"
    report = ingest.run(
        pages, other, config=SMALL, workers=workers, corrections=tmp_path / "given.jsonl"
    )
    assert content(other) == content(corrected)
    assert counts(other) == counts(corrected)
    assert report["corrected"]["matched"] == report["corrected"]["segments"]


def test_a_new_run_of_the_same_folder_keeps_its_corrections(corrected, pages, tmp_path):
    before = content(corrected)
    ingest.run(pages, corrected, overwrite=True)  # in one shard
    assert content(corrected) == before
    more = save(
        tmp_path / "more.jsonl",
        {"kind": "rule", "site": "x", "path": "p", "role": "nav", "keep": False},
    )
    ingest.run(pages, corrected, overwrite=True, corrections=more)
    assert content(corrected, LABELS[:2]) == before[:2]
    assert (corrected / "corrections.jsonl").read_bytes() == before[2] + more.read_bytes()


def test_a_run_that_was_stopped_goes_on_with_its_corrections(
    corrected, pages, tmp_path, monkeypatch
):
    other = tmp_path / "other"
    write_outputs = pipeline_run.write_outputs

    def stop(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline_run, "write_outputs", stop)  # the shards are finished
    with pytest.raises(KeyboardInterrupt):
        ingest.run(pages, other, config=SMALL, corrections=tmp_path / "given.jsonl")
    monkeypatch.setattr(pipeline_run, "write_outputs", write_outputs)
    shutil.copytree(tmp_path / "other.unfinished", tmp_path / "again.unfinished")
    ingest.run(pages, other, config=SMALL, resume=True)
    assert content(other) == content(corrected)
    # other corrections than those that the shards were finished with
    more = save(
        tmp_path / "more.jsonl",
        said(
            pl.read_parquet(other / "segments.parquet").filter("keep")[2].to_dicts()[0], role="code"
        ),
    )
    ingest.run(pages, tmp_path / "again", config=SMALL, resume=True, corrections=more)
    correct_run(other, [more])
    assert content(tmp_path / "again") == content(other)


def test_wrong_alone_is_worked_out_once(out, plain, tmp_path):
    segment = pl.read_parquet(plain / "segments.parquet").filter("keep").to_dicts()[7]
    given = save(tmp_path / "given.jsonl", said(segment, verdict="wrong"))
    for _ in range(2):
        correct_run(out, [given])
        assert json.loads((out / "corrections.jsonl").read_bytes())["keep"] is False
        row = pl.read_parquet(out / "segments.parquet").filter(
            doc_id=segment["doc_id"], segment=segment["segment"]
        )
        assert row["keep"].to_list() == [False]


def test_a_correction_that_is_taken_back_is_named(corrected, records, tmp_path):
    row = {**records[0], "verdict": "right", "keep": None, "role": None}
    result = correct_run(corrected, [save(tmp_path / "back.jsonl", row)])
    assert result.messages == [
        "1 earlier correction of segments taken back: the labels stay as they are until the "
        "sources are run again with --overwrite"
    ]


def test_pairs_are_corrected_in_all_files_and_stay_so(pages, tmp_path):
    out = tmp_path / "out"
    sources = sorted(ingest.samples().glob("bilingual_press_*.txt"))
    ingest.run(sources, out, align=True)
    score_file(out, out / "scored.parquet")
    pairs = pl.read_parquet(out / "pairs.parquet").to_dicts()
    new = pairs[1]["target_text"] + " ✓ نعم"
    given = save(
        tmp_path / "given.jsonl",
        said_of_pair(pairs[0], verdict="wrong", audit="kept, fifth 1 of score"),
        said_of_pair(pairs[1], new_target_text=new),
        said_of_pair(pairs[2], verdict="right", audit="kept, fifth 1 of score"),
        said_of_pair(pairs[3], verdict="right") | {"sha": "0" * 16},
    )
    result = correct_run(out, [given])
    assert (result.applied["pair"], result.changed["pair"]) == (3, 2)
    assert any("ingest score" in message for message in result.messages)
    assert any("1 correction of pairs matches nothing" in message for message in result.messages)
    estimates = result.audit.filter(stratum="kept, fifth 1 of score")
    assert estimates.select("judged", "right").row(0) == (2, 1)
    for name in ("pairs.parquet", "scored.parquet"):
        table = pl.read_parquet(out / name)
        assert table["drop_reason"].to_list()[:3] == [REJECTED, None, None]
        assert table["target_text"][1] == new
        assert table["original_target_text"][1] == pairs[1]["target_text"]
        assert table["pair_id"].to_list() == [pair["pair_id"] for pair in pairs]
    corrected = content(out, ("pairs.parquet", "scored.parquet"))
    correct_run(out, [given])
    assert content(out, ("pairs.parquet", "scored.parquet")) == corrected
    funnel = filter_file(out / "scored.parquet", out / "filtered.parquet").funnel
    assert funnel.row(0) == (REJECTED, len(pairs), 1, len(pairs) - 1)
    align_run(str(out), str(out / "pairs.parquet"), overwrite=True)
    assert pl.read_parquet(out / "pairs.parquet").equals(
        pl.scan_parquet(out / "pairs.parquet").collect()
    )
    again = pl.read_parquet(out / "pairs.parquet")
    assert again["drop_reason"].to_list()[0] == REJECTED
    assert again["target_text"][1] == new


def test_a_pair_is_kept_by_hand_in_all_later_files(tmp_path):
    out = tmp_path / "out"
    ingest.run(sorted(ingest.samples().glob("bilingual_press_*.txt")), out, align=True)
    score_file(out, out / "scored.parquet")
    strict = Config(filter=FilterConfig(min_quality=0.9999))
    filtered = out / "filtered.parquet"
    filter_file(out / "scored.parquet", filtered, config=strict)
    dropped = pl.read_parquet(filtered).filter(drop_reason="low quality").to_dicts()[0]
    given = save(
        tmp_path / "given.jsonl",
        {"kind": "pair", "pair_id": dropped["pair_id"], "keep": True, "verdict": "right"},
    )
    (message,) = correct_run(out, [given]).messages
    assert message == (
        "1 pair kept by hand: still dropped in files that ingest filter wrote, until it runs again"
    )
    assert (
        json.loads((out / "corrections.jsonl").read_bytes())["sha"] == said_of_pair(dropped)["sha"]
    )

    def row(path):
        table = pl.read_parquet(path).filter(pair_id=dropped["pair_id"])
        return table.select("keep", "drop_reason", "kept_by_hand").row(0)

    filter_file(out / "scored.parquet", filtered, config=strict, overwrite=True)
    assert row(filtered) == (True, None, True)
    assert correct_run(out).messages == []
    align_run(str(out), str(out / "pairs.parquet"), overwrite=True)
    score_file(out, tmp_path / "elsewhere.parquet")
    filter_file(tmp_path / "elsewhere.parquet", tmp_path / "kept.parquet", config=strict)
    assert row(tmp_path / "kept.parquet") == (True, None, True)
    (tmp_path / "test.txt").write_text(dropped["target_text"], encoding="utf-8")
    filter_file(
        out / "scored.parquet",
        filtered,
        exclude=[tmp_path / "test.txt"],
        config=strict,
        overwrite=True,
    )
    assert row(filtered) == (False, "excluded", True)
    assert correct_run(out).messages == []


def test_what_matches_nothing_is_not_stored_and_what_was_stored_stays(out, records, tmp_path):
    good = next(record for record in records if "keep" in record)
    correct_run(out, [save(tmp_path / "given.jsonl", good)])
    stored = (out / "corrections.jsonl").read_bytes()
    bad = save(
        tmp_path / "bad.jsonl",
        good | {"sha": "0" * 16},  # the stored one about the same segment stays
        good | {"doc_id": "0" * 16},
        good | {"segment": 9999, "sha": None},
    )
    result = correct_run(out, [bad])
    assert result.unmatched["segment"].is_empty()
    assert sorted(result.not_stored["segment"]["why"]) == [
        "no such page", "no such segment on the page", "no such text on the page",
    ]  # fmt: skip
    assert (out / "corrections.jsonl").read_bytes() == stored
    assert correct_run(out).messages == []
    lost = json.loads(stored) | {"sha": "0" * 16}
    (out / "corrections.jsonl").write_text(json.dumps(lost) + "\n")
    (message,) = correct_run(out).messages
    assert "and is still stored, namely " in message
    assert "(no such text on the page)" in message
    assert b"0000000000000000" in (out / "corrections.jsonl").read_bytes()


def test_a_hash_is_stored_with_a_line_that_has_none(out, records, tmp_path):
    record = next(record for record in records if record.get("keep") is False)
    given = {name: record[name] for name in ("kind", "doc_id", "segment", "keep")}
    assert correct_run(out, [save(tmp_path / "given.jsonl", given)]).changed["segment"] == 1
    assert json.loads((out / "corrections.jsonl").read_bytes()) == given | {"sha": record["sha"]}


def test_the_run_of_a_data_set_is_named(out, tmp_path, capsys):
    work = tmp_path / "data.work"
    work.mkdir()
    out.rename(work / "run")
    (tmp_path / "data").mkdir()
    given = save(tmp_path / "given.jsonl")
    (work / "steps.json").write_text("{}")
    for folder in (tmp_path / "data", work):
        with pytest.raises(SourceError, match=f"not the folder of a run; .*give {work / 'run'}"):
            correct_run(folder, [given])
    with pytest.raises(SourceError, match=r"^\.: is not the folder of a run"):
        correct_run(".", [given])
    only_lost = save(tmp_path / "lost.jsonl", {"kind": "pair", "pair_id": "x" * 999, "keep": True})
    result = correct_run(work / "run", [only_lost])
    assert str(result) == "1 correction of pairs matches nothing"
    assert len(result.messages[0]) < 400
    (tmp_path / "README.md").write_text("# A title\n\nText\n")
    assert main(["correct", str(work / "run"), str(tmp_path / "README.md")]) == 2
    assert "README.md: is not a file of corrections" in capsys.readouterr().err


def test_corrections_of_pairs_wait_for_the_pairs(out, tmp_path):
    given = save(tmp_path / "given.jsonl", {"kind": "pair", "pair_id": "a" * 16, "keep": False})
    for path in out.glob("*.parquet"):
        if path.name not in ("documents.parquet", "segments.parquet"):
            path.unlink()
    correct_run(out, [given])
    assert "a" * 16 in (out / "corrections.jsonl").read_text()


PAGE = """<html><head><title>Boats {n}</title></head><body><div id="page-{n}"><h1>Boat {n} leaves the pier</h1>
<p class="lead">Boat number {n} left the pier at six, and the crew said that the sea was calm enough.</p>
<div class="tags"><p>Readers of page {n} also liked the long story of the old lighthouse keeper.</p></div>
</div></body></html>"""


def test_rules_are_learned_shown_and_apply_to_new_pages(tmp_path):
    def write_pages(count: int) -> Path:
        rows = [
            {"url": f"https://boats.example/{n}", "html": PAGE.format(n=n)} for n in range(count)
        ]
        return save(tmp_path / "pages.jsonl", *rows)

    out = tmp_path / "out"
    ingest.run(write_pages(4), out)
    tags = pl.col("text").str.starts_with("Readers of page")
    segments = pl.read_parquet(out / "segments.parquet").filter(tags)
    assert segments["keep"].all()
    given = save(
        tmp_path / "given.jsonl",
        *(said(row, keep=False, role="nav") for row in segments[:2].to_dicts()),
    )
    correct_run(out, [given])
    before = content(out)
    result = correct_run(out, learn=True)
    assert content(out) == before
    rule = ("boats.example", "body div#page-0 div.tags p", "nav", False)
    assert result.rules is not None
    assert result.rules.effects.row(0)[:6] == (*rule, 2, 2)
    assert "Readers of page 2" in str(result.rules)
    assert "in a path, 0 stands for any number" in str(result.rules)
    assert "no URL" not in str(result.rules)
    assert correct_run(out, learn=True, yes=True).by_rules == 2
    assert not len(correct_run(out, learn=True).rules.rules)
    ingest.run(write_pages(6), out, overwrite=True)
    labelled = pl.read_parquet(out / "segments.parquet").filter(tags)
    assert labelled["role_by"].value_counts().sort("count").rows() == [
        ("person", 2),
        ("site rule", 4),
    ]
    assert not labelled["keep"].any()


def test_rules_of_a_folder_and_places_without_a_rule(tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    deep = "<div class='wrapper-of-a-wrapper'>" * 8
    for n in range(3):
        html = PAGE.format(n=n).replace('<div class="tags">', f'{deep}<div class="tags">')
        (pages / f"{n}.html").write_text(html, encoding="utf-8")
    out = tmp_path / "out"
    ingest.run(pages, out)
    tags = pl.col("text").str.starts_with("Readers of page")
    rows = pl.read_parquet(out / "segments.parquet").filter(tags).to_dicts()
    given = [said(row, keep=False, role="nav") for row in rows[:2]]
    correct_run(out, [save(tmp_path / "given.jsonl", given[0])])
    described = str(correct_run(out, learn=True).rules)
    assert described.startswith("none: a place needs 2 corrections on 2 pages, or 3 on one")
    assert described.endswith("div.tags p: 1 correction on 1 page")
    correct_run(out, [save(tmp_path / "given.jsonl", *given)])
    rule, _, warning, _ = str(correct_run(out, learn=True).rules).splitlines()
    assert " … " in rule
    assert "wrapper" in rule
    assert len(rule) < len(str(pages)) + 130
    assert warning.strip().startswith("the pages in this folder have no URL")


def test_the_command(out, records, tmp_path, capsys):
    segment = next(r for r in records if "keep" in r)
    given = save(
        tmp_path / "given.jsonl",
        segment | {"verdict": "wrong", "audit": "kept, en"},
        segment | {"doc_id": "0" * 16},
    )
    given.write_bytes(given.read_bytes() + b"{oops\n")
    assert main(["correct", str(out), str(given)]) == 3
    printed = capsys.readouterr()
    assert (
        "1 correction of segments applied; 1 made a change; 1 more matches nothing" in printed.out
    )
    assert f"{given}, line 3: is not JSON; the line was left out" in printed.err
    assert (
        "1 correction of segments matches nothing in the run, and is not stored, namely "
        f"0000000000000000, segment {segment['segment']} (no such page): " in printed.err
    )
    assert b"0000000000000000" not in (out / "corrections.jsonl").read_bytes()
    assert "95 %" in printed.out
    assert main(["correct", str(out)]) == 0
    assert main(["correct", str(out), "--learn"]) == 0
    assert "none: a place needs 2 corrections on 2 pages" in capsys.readouterr().out
    assert main(["correct", str(out), "--yes"]) == 2
    assert main(["show", str(out), "--dropped", "--limit", "3"]) == 0


def test_bad_input(out, tmp_path, pages):
    with pytest.raises(SourceError, match=r"contains no corrections\.jsonl; give a file"):
        correct_run(out)
    with pytest.raises(SourceError, match=r"nothing\.jsonl: no such file"):
        correct_run(out, [tmp_path / "nothing.jsonl"])
    with pytest.raises(SourceError, match="is not the folder of a run; give the OUT folder of"):
        correct_run(tmp_path, [save(tmp_path / "a.jsonl")])
    names = sorted(path.name for path in out.iterdir())
    before = content(out, names)
    assert str(correct_run(out, [save(tmp_path / "a.jsonl")])) == "no corrections to apply"
    assert sorted(path.name for path in out.iterdir()) == names
    assert content(out, names) == before
    with pytest.raises(ConfigError, match="corrections: not possible for a part of the shards"):
        ingest.run(pages, tmp_path / "new", shard=(1, 2), corrections=tmp_path / "a.jsonl")
    with pytest.raises(SourceError, match="no such file"):
        ingest.run(pages, tmp_path / "new", corrections=tmp_path / "nothing.jsonl")
    segments = pl.read_parquet(out / "segments.parquet")
    segments.drop("keep").write_parquet(out / "segments.parquet")
    with pytest.raises(SourceError, match="column 'keep' is missing"):
        correct_run(out, [tmp_path / "a.jsonl"])
