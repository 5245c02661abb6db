"""What a report holds for reviewing: hashes, corrections, unmatched sentences, groups of sources."""

from __future__ import annotations

import hashlib
import json

import polars as pl
from made_runs import HOSTILE, documents, pairs, segments, write

from ingest.frames import ALIGNED, EDITED, schema
from ingest.report import unmatched as unmatched_module
from ingest.report.gather import gather
from ingest.report.html_page import as_json
from ingest.roles import KEPT_ROLES

DOC, OTHER = (f"{n:016x}" for n in range(2))


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_hashes_are_of_whole_texts(tmp_path):
    long = "نص " * 3000
    out = write(
        tmp_path / "out",
        documents=documents({}),
        segments=segments({"text": long}, {"text": HOSTILE}),
        pairs=pairs({"source_text": long}, {"source_text": None}),
    )
    data = gather(out)
    assert [row[8] for row in data["views"]["pages"][0]["rows"]] == [sha(long), sha(HOSTILE)]
    assert data["pairs"]["columns"]["sha"] == [sha(f"{long}\ntext"), sha("\ntext")]
    assert data["pairs"]["columns"]["pair_id"] == [DOC, OTHER]


def test_an_edited_pair_is_shown_with_its_original(tmp_path):
    frame = pairs({"target_text": "Mended"}, {}).with_columns(
        original_source_text=pl.lit(None, pl.String),
        original_target_text=pl.Series(["Broken", None]),
    )
    assert set(schema(EDITED)) <= set(frame.columns)
    columns = gather(write(tmp_path / "out", pairs=frame))["pairs"]["columns"]
    assert columns["target_text"] == ["Broken", "text"]
    assert columns["new_target_text"] == ["Mended", None]
    assert columns["new_source_text"] == [None, None]
    assert columns["sha"][0] == sha("نص\nBroken")


def test_corrections_of_what_is_shown(tmp_path):
    out = write(tmp_path / "out", documents=documents({}), segments=segments({}), pairs=pairs({}))
    assert gather(out)["corrections"] == []
    lines = [
        {"kind": "segment", "doc_id": DOC, "segment": 0, "sha": sha("t"), "verdict": "wrong", "text": HOSTILE},
        {"kind": "segment", "doc_id": DOC, "segment": 0, "sha": sha("t"), "verdict": "right"},
        {"kind": "segment", "doc_id": "f" * 16, "segment": 0, "sha": sha("t"), "verdict": "right"},
        {"kind": "pair", "pair_id": DOC, "sha": sha("نص\ntext"), "new_target_text": "Text"},
        {"kind": "rule", "site": "a.com", "path": "p", "role": "nav", "keep": False}, {"kind": []},
    ]  # fmt: skip
    written = "".join(json.dumps(line) + "\n" for line in lines).encode() + b"\xff{\n[]\n"
    (out / "corrections.jsonl").write_bytes(written)
    assert gather(out)["corrections"] == [
        {"kind": "segment", "doc_id": DOC, "segment": 0, "sha": sha("t"), "verdict": "right"},
        {"kind": "pair", "pair_id": DOC, "sha": sha("نص\ntext"), "new_target_text": "Text"},
    ]


def test_the_roles_that_the_run_keeps(tmp_path):
    out = write(tmp_path / "out", segments=segments({}))
    assert gather(out)["kept_roles"] == list(KEPT_ROLES)
    write(out, run={"config": {"label": {"keep": ["body", "caption", 3, "no role"]}}})
    assert gather(out)["kept_roles"] == ["body", "caption"]


def aligned(*rows):
    return pairs(*rows, **dict(schema(ALIGNED)))


def test_sentences_without_a_pair(tmp_path):
    arabic = [
        {"lang": "ar", "text": "واحد. اثنان.", "start": 0, "end": 12},
        {"lang": "ar", "text": "قائمة", "start": 13, "end": 18, "keep": False},
    ]
    english = [
        {"doc_id": OTHER, "segment": 0, "text": "One. Three. " + HOSTILE, "start": 0, "end": 200},
        {"doc_id": OTHER, "segment": 1, "text": "Deux.", "lang": "fr", "start": 201, "end": 206},
    ]
    frame = aligned({
        "source_doc": DOC, "target_doc": OTHER, "source_segments": [0], "target_segments": [0],
        "source_start": 0, "source_end": 5, "target_start": 0, "target_end": 4,
    })  # fmt: skip
    out = write(
        tmp_path / "out", documents=documents({}, {}), segments=segments(*arabic, *english), pairs=frame
    )  # fmt: skip
    data = gather(out)["unmatched"]
    assert (data["total"], data["without"], len(data["pages"])) == (1, 1, 1)
    source, target = data["pages"][0]["source"], data["pages"][0]["target"]
    assert source["sentences"] == [(0, "اثنان.")]
    assert target["sentences"][0] == (0, "Three.")
    assert target["count"] == len(target["sentences"])
    assert (source["doc_id"], target["uri"], target["lang"]) == (DOC, "in/1.html", "en")
    assert not set("<>&") & set(as_json(data))
    frame.select(pl.exclude("^.*_(start|end)$")).write_parquet(out / "pairs.parquet")
    assert gather(out)["unmatched"]["without"] == 0  # without offsets, segments are the units
    frame.drop("source_doc").write_parquet(out / "pairs.parquet")
    assert gather(out)["unmatched"] is None


def test_unmatched_sentences_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(unmatched_module, "MAX_BYTES", 5_000)
    pages = 40
    rows = [
        {"doc_id": f"{n:016x}", "segment": k, "lang": "ar" if n < pages else "en", "text": "نص " * 20,
         "start": 100 * k, "end": 100 * k + 60} for n in range(2 * pages) for k in range(5)
    ]  # fmt: skip
    frame = aligned(*(
        {"source_doc": f"{n:016x}", "target_doc": f"{n + pages:016x}", "source_segments": [0],
         "target_segments": [0], "source_start": 0, "source_end": 60, "target_start": 0, "target_end": 60}
        for n in range(pages)
    ))  # fmt: skip
    out = write(
        tmp_path / "out", documents=documents(*[{}] * 2 * pages), segments=segments(*rows), pairs=frame
    )  # fmt: skip
    data = gather(out)["unmatched"]
    assert data["without"] == pages > len(data["pages"]) > 1
    assert len(as_json(data).encode()) < 12_000
    assert all(page["source"]["count"] == 4 for page in data["pages"])


def test_many_sources_are_grouped_by_host_or_folder(tmp_path):
    pages = [
        *({"source": f"a/{n}.html"} for n in range(20)),
        *({"source": f"b/{n}.html", "url": f"https://www.Example.com:80/{n}"} for n in range(20)),
        *({"source": "all.warc", "url": f"https://site{n}.org/"} for n in range(2)), {"source": "-"},
    ]  # fmt: skip
    rows = [{"doc_id": f"{n:016x}", "segment": 0} for n in range(43)]
    data = gather(write(tmp_path / "out", documents=documents(*pages), segments=segments(*rows)))[
        "sources"
    ]
    groups = {group[0]: group for group in data["groups"]}
    assert {name: (group[7], group[1], group[4]) for name, group in groups.items()} == {
        "a/": (20, 20, 20), "example.com": (20, 20, 20), "other sources": (2, 3, 3),
    }  # fmt: skip
    assert groups["a/"][6] == [("body", "en", 20, 20)]
    names = [group[0] for group in data["groups"]]
    assert {names[row[7]] for row in data["rows"] if row[0].startswith("b/")} == {"example.com"}
    few = gather(write(tmp_path / "few", documents=documents(*pages[:30])))["sources"]
    assert few["groups"] == []
    assert {row[7] for row in few["rows"]} == {None}


def test_dropped_segments_are_not_only_a_few(tmp_path):
    rows = [{"role": "nav", "article": 0, "keep": False, "text": f"menu {n}"} for n in range(90)]
    out = write(tmp_path / "out", documents=documents({}), segments=segments(*rows))
    (drop,) = gather(out)["segments"]["drops"]
    assert len(drop["examples"]) == 90
    assert drop["examples"][0]["role_score"] == 0.9
    assert set(drop["examples"][0]) >= {"doc_id", "segment", "line", "lang", "role", "text"}


def test_progress_reaches_all_rows(tmp_path):
    out = write(tmp_path / "out", documents=documents({}), segments=segments({}), pairs=pairs({}))
    calls: list[tuple[int, int]] = []
    gather(out, audit=1, progress=lambda done, total: calls.append((done, total)))
    done, totals = zip(*calls, strict=True)
    assert len(set(totals)) == 1
    assert list(done) == sorted(done)
    assert 0 < done[-1] < totals[0]
