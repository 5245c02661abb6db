"""Roles, kept lines, articles and duplicates on labelled pages, beside simple rules.

    uv run python tests/benchmarks/roles.py [--shared ../shared] [--errors]

The rules run on the same lines: keep everything, keep what langdetect calls English, keep lines of
five words or more, and the line rule of C4 (five words and end punctuation; Raffel et al. 2020).
Sets that are absent are skipped.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import langdetect
import polars as pl

import ingest
from ingest.roles import KEPT_ROLES

ROOT = Path(__file__).resolve().parents[2]


def labelled(pages: Path, gold: Path) -> pl.DataFrame:
    """One row per gold line, with the labels of its longest segment in columns `*_found`."""
    documents = ingest.read(pages)
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    segments = ingest.dedupe(segments, documents)
    name = pl.col("source").str.extract(r"([^/]+)$")
    originals = segments.select("doc_id", duplicate_of="segment", duplicate_line="line")
    predicted = (
        segments.join(documents.select("doc_id", file=name), on="doc_id")
        .join(originals, on=["doc_id", "duplicate_of"], how="left")
        .sort(pl.col("text").str.len_chars(), descending=True)
        .unique(["file", "line"], keep="first", maintain_order=True)
        .select("file", "line", "lang", "role", "article", "duplicate_line", "keep", "cluster")
    )
    rows = [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines()]
    columns = {
        "file": pl.String, "line_no": pl.Int64, "text": pl.String, "lang": pl.String,
        "role": pl.String, "article": pl.Int64, "duplicate_of_line": pl.Int64,
        "alt_role": pl.String, "alt_lang": pl.String,
    }  # fmt: skip
    truth = pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns)
    return truth.join(
        predicted,
        left_on=["file", "line_no"],
        right_on=["file", "line"],
        how="left",
        suffix="_found",
    ).sort("file", "line_no")


def f1(kept: pl.Series, gold: pl.Series) -> float:
    return 2 * (kept & gold).sum() / max(kept.sum() + gold.sum(), 1)


def content(frame: pl.DataFrame, kept: pl.Series) -> pl.Series:
    """Which lines are content; `kept` decides where the alternative role says otherwise."""
    is_content = frame["role"].is_in(KEPT_ROLES)
    either = is_content != frame["alt_role"].is_in(KEPT_ROLES)
    either &= frame["alt_role"].is_not_null()
    return pl.select(pl.when(either).then(kept).otherwise(is_content)).to_series()


def correct(frame: pl.DataFrame, column: str) -> pl.Series:
    """Where the predicted value of `column` is the gold value or the alternative."""
    predicted = frame[f"{column}_found"]
    if column == "role":  # the gold of these pages is older than the roles comment and reference
        old = predicted.replace({"comment": "widget", "reference": "credit"})
        predicted = pl.select(pl.when(frame["role"] == predicted).then(predicted).otherwise(old))[
            "role_found"
        ]
    alternative = (predicted == frame[f"alt_{column}"]).fill_null(value=False)
    return (predicted == frame[column]) | alternative


def scores(frame: pl.DataFrame) -> dict[str, float]:
    content_role = frame["role_found"].is_in(KEPT_ROLES)
    original = frame["duplicate_of_line"].is_null()
    # the gold names the first copy, `ingest` the first one in the content: compare the groups
    group = pl.coalesce("duplicate_line", "line_no")
    first = pl.col("line_no").min().over("file", group)
    copies = frame.select(first=pl.when(first != pl.col("line_no")).then(first))["first"]
    duplicates = copies.eq_missing(frame["duplicate_of_line"])
    return {
        "role": correct(frame, "role").mean(),
        "keep F1, by role": f1(content_role, content(frame, content_role)),
        "keep F1, column keep": f1(frame["keep"], content(frame, frame["keep"]) & original),
        "article": (frame["article_found"] == frame["article"]).mean(),
        "duplicates": duplicates.mean(),
        "en and ar": correct(frame, "lang").filter(frame["lang"].is_in(["en", "ar"])).mean(),
    }


def rule_scores(frame: pl.DataFrame) -> dict[str, float]:
    """Keep F1 of the simple rules."""
    langdetect.DetectorFactory.seed = 0
    text = frame["text"]
    five_words = text.str.split(" ").list.len() >= 5
    kept = {
        "keep everything": pl.Series([True] * len(frame)),
        "langdetect says English": pl.Series([_lang(line) == "en" for line in text]),
        "five words or more": five_words,
        "C4 rule": five_words & text.str.strip_chars().str.contains(r"[.!?\"؟۔…”]$"),
    }
    return {name: f1(series, content(frame, series)) for name, series in kept.items()}


def _lang(text: str) -> str:
    try:
        return langdetect.detect(text)
    except langdetect.LangDetectException:
        return "none"


def print_pages(frame: pl.DataFrame) -> None:
    print("  page by page: role, keep F1 by role, article")
    for (file,), page in frame.group_by("file", maintain_order=True):
        s = scores(page)
        print(f"    {file:<30}{s['role']:.3f} {s['keep F1, by role']:.3f} {s['article']:.3f}")


def print_errors(frame: pl.DataFrame) -> None:
    for row in frame.filter(~correct(frame, "role")).iter_rows(named=True):
        print(f"    {row['file'][:8]} {row['line_no']:>4} {row['role']:>10} -> "
              f"{row['role_found']:<10} {row['text'][:70]}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--errors", action="store_true", help="print each line with a wrong role")
    args = parser.parse_args()
    gold = args.shared / "gold"
    sets = {
        "samples (trained on)": (ROOT / "corpora/scrapes", ROOT / "corpora/gold/scrapes.jsonl"),
        "seeds": (args.shared / "seeds", gold / "seeds.jsonl"),
        "dev pages": (gold / "pages", gold / "pages.jsonl"),
    }
    for name, (pages, path) in sets.items():
        if not path.exists():
            print(f"{name}: {path} does not exist, skipped")
            continue
        frame = labelled(pages, path)
        print(f"\n{name}: {frame['file'].n_unique()} pages, {len(frame)} lines")
        for measure, value in scores(frame).items():
            print(f"  {measure:<28}{value:.3f}")
        print("  keep F1 of simple rules:")
        for rule, value in rule_scores(frame).items():
            print(f"    {rule:<26}{value:.3f}")
        if name.startswith("samples"):
            continue
        print_pages(frame)
        if args.errors:
            print_errors(frame)


if __name__ == "__main__":
    main()
