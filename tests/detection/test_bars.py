"""Check the README's accuracy figures on the dev sets."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING

import polars as pl
import pytest

from ingest.detection import detect, identify

if TYPE_CHECKING:
    from pathlib import Path

MACRO10 = ["en", "fr", "de", "es", "tr", "ar", "fa", "ur", "ps", "ckb"]
CORE12 = (*MACRO10, "sd", "ug")


def macro10(path: Path, **options: object) -> float:
    pairs = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines()]
    named = identify([text for _, text in pairs], top=0, **options)["lang"]
    right = defaultdict(list)
    for (lang, _), name in zip(pairs, named, strict=True):
        right[lang].append(name == lang)
    return 100 * statistics.fmean(statistics.fmean(right[lang]) for lang in MACRO10)


@pytest.mark.parametrize(("name", "bar"), [("sentences", 99.7), ("fragments", 94.0)])
def test_macro10(shared: Path, name: str, bar: float):
    path = shared / "bench" / "lid" / f"{name}.tsv"
    assert macro10(path) >= bar
    assert macro10(path, langs=CORE12) >= bar


def test_gold_lines_in_context(shared: Path):
    lines = [
        json.loads(line)
        for name in ("seeds.jsonl", "pages.jsonl")
        for line in (shared / "gold" / name).read_text(encoding="utf-8").splitlines()
    ]
    columns = {"doc_id": "file", "segment": "line_no", "text": "text"}
    frame = pl.DataFrame({new: [line[old] for line in lines] for new, old in columns.items()})
    right = [
        lang in (line["lang"], line.get("alt_lang"))
        for line, lang in zip(lines, detect(frame)["lang"], strict=True)
        if line["lang"] in ("en", "ar")
    ]
    assert statistics.fmean(right) >= 0.99
