"""Check the README's figures on the labelled pages, where these are available."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest

import ingest

ROOT = Path(__file__).resolve().parents[2]


def benchmark(name):
    path = ROOT / "tests" / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bench():
    return benchmark("roles")


def test_seeds(bench, shared):
    scores = bench.scores(bench.labelled(shared / "seeds", shared / "gold" / "seeds.jsonl"))
    assert scores["role"] >= 0.97
    assert scores["keep F1, by role"] >= 0.99
    assert scores["keep F1, column keep"] >= 0.99
    assert scores["article"] >= 0.98
    assert scores["duplicates"] == 1


def test_dev_pages(bench, shared):
    scores = bench.scores(bench.labelled(shared / "gold/pages", shared / "gold/pages.jsonl"))
    assert scores["role"] >= 0.90
    assert scores["keep F1, by role"] >= 0.93
    assert scores["keep F1, column keep"] >= 0.93
    assert scores["article"] >= 0.90
    assert scores["duplicates"] == 1


def test_the_same_article_on_three_pages_is_one_cluster(shared):
    documents = ingest.read(shared / "seeds")
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    segments = ingest.dedupe(segments, documents).join(
        documents.select("doc_id", seed=pl.col("source").str.extract(r"/(\d+)_[^/]*$")), on="doc_id"
    )
    clusters = {
        (seed, article): cluster
        for seed, article, cluster in segments.filter("keep")
        .select("seed", "article", "cluster")
        .unique()
        .iter_rows()
    }
    assert clusters["000", 1] == clusters["001", 1] == clusters["002", 1]
    assert len(set(clusters.values())) == len(clusters) - 2
    assert not (segments["role_by"] == "site").any()


def test_gold_labels_of_the_samples_are_valid(sample_gold):
    from ingest.roles import BOILERPLATE_ROLES, ROLES

    names = {row["file"] for row in sample_gold}
    assert names == {path.name for path in ingest.samples().glob("*.txt")}
    assert len(names) >= 24
    lines = {n: (ingest.samples() / n).read_text(encoding="utf-8").split("\n") for n in names}
    labelled = {n: set() for n in names}
    for row in sample_gold:
        assert lines[row["file"]][row["line_no"] - 1] == row["text"]
        assert row["role"] in ROLES
        assert row["role"] not in BOILERPLATE_ROLES or row["article"] == 0
        labelled[row["file"]].add(row["line_no"])
    for name, numbers in labelled.items():
        assert numbers == {n for n, line in enumerate(lines[name], 1) if line.strip()}


def test_html_pages(shared):
    html = benchmark("html_pages")
    pages, gold = html.labelled_pages(shared)
    assert html.keep_f1(html.ingest_texts(pages), gold, inside=False)["all"] >= 0.92
