"""Pairs that were aligned by hand: `tests/benchmarks/word_alignment.py` prints all figures."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from ingest import align_words

BENCHMARK = Path(__file__).parents[1] / "benchmarks/word_alignment.py"
GOLD = BENCHMARK.with_name("word_alignment_gold.tsv")


@pytest.fixture
def benchmark(monkeypatch):
    for name in ("OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):  # which it would set for good
        monkeypatch.setenv(name, "1")
    spec = importlib.util.spec_from_file_location("word_alignment_benchmark", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_the_gold_has_links_and_no_text():
    head, *rows = [line.split("\t") for line in GOLD.read_text().splitlines()]
    assert head == ["part", "file", "line", "sha256", "links"]
    assert [sum(row[0] == part for row in rows) for part in ("dev", "test")] == [40, 65]
    for *_, line, sha, links in rows:
        assert line.isdecimal()
        assert re.fullmatch("[0-9a-f]{16}", sha)
        found = links.split()
        assert all(re.fullmatch(r"\d+[-?]\d+", link) for link in found)
        assert len({re.sub(r"\D", " ", link) for link in found}) == len(found)


@pytest.mark.parametrize(("part", "bar"), [("dev", 0.12), ("test", 0.12)])
def test_alignment_error_rate(shared, benchmark, part, bar):
    gold = [pair for pair in benchmark.read_gold(shared / "parallel") if pair.part == part]
    pairs = align_words(benchmark.frame([pair.texts for pair in gold]))
    links = [benchmark.parse(text) for text in pairs["word_alignment"]]
    precision, recall, _, error_rate = benchmark.measure(gold, links)
    assert precision > 0.9
    assert recall > 0.83
    assert error_rate < bar
