"""Roles, kept lines, articles, duplicates and clusters on labelled pages, beside simple rules.

    uv run python tests/benchmarks/roles.py [--shared ../shared] [--errors]

The rules are those of BASELINES.md, run on the same lines: keep everything, keep what langdetect
calls English, keep five words or more, and the rule of C4 (five words and end punctuation).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import langdetect
import polars as pl

import ingest
from ingest.frames import KEPT_ROLES

ROOT = Path(__file__).resolve().parents[2]


def labelled(pages: Path, gold: Path) -> pl.DataFrame:
    """One row a gold line, with what ingest says of it; a cut line takes its longest segment's."""
    documents = ingest.read(pages)
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    segments = ingest.dedupe(segments, documents)
    name = pl.col("source").str.extract(r"([^/]+)$")
    first = segments.select("doc_id", duplicate_of="segment", duplicate_line="line")
    found = (
        segments.join(documents.select("doc_id", file=name), on="doc_id")
        .join(first, on=["doc_id", "duplicate_of"], how="left")
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
    truth = pl.DataFrame([{k: r.get(k) for k in columns} for r in rows], columns)
    return truth.join(
        found, left_on=["file", "line_no"], right_on=["file", "line"], how="left", suffix="_found"
    ).sort("file", "line_no")


def f1(kept: pl.Series, gold: pl.Series) -> float:
    return 2 * (kept & gold).sum() / max(kept.sum() + gold.sum(), 1)


def content(frame: pl.DataFrame, kept: pl.Series) -> pl.Series:
    """Gold content; where the second label says otherwise, whatever was found."""
    either = frame["role"].is_in(KEPT_ROLES) != frame["alt_role"].is_in(KEPT_ROLES)
    either &= frame["alt_role"].is_not_null()
    return pl.select(
        pl.when(either).then(kept).otherwise(frame["role"].is_in(KEPT_ROLES))
    ).to_series()


def scores(frame: pl.DataFrame) -> dict[str, float]:
    role = (frame["role_found"] == frame["role"]) | (
        frame["role_found"] == frame["alt_role"]
    ).fill_null(value=False)
    lang = (frame["lang_found"] == frame["lang"]) | (
        frame["lang_found"] == frame["alt_lang"]
    ).fill_null(value=False)
    known = frame["lang"].is_in(["en", "ar"])
    content_role = frame["role_found"].is_in(KEPT_ROLES)
    once = frame["duplicate_of_line"].is_null()
    duplicates = frame["duplicate_line"].eq_missing(frame["duplicate_of_line"])
    return {
        "role": role.mean(),
        "keep F1, by role": f1(content_role, content(frame, content_role)),
        "keep F1, column keep": f1(frame["keep"], content(frame, frame["keep"]) & once),
        "article": (frame["article_found"] == frame["article"]).mean(),
        "duplicates": duplicates.mean(),
        "en and ar": lang.filter(known).mean(),
    }


def rules(frame: pl.DataFrame) -> dict[str, float]:
    langdetect.DetectorFactory.seed = 0
    text = frame["text"]
    long = text.str.split(" ").list.len() >= 5
    kept = {
        "keep everything": pl.Series([True] * len(frame)),
        "langdetect says English": pl.Series([_lang(t) == "en" for t in text]),
        "five words or more": long,
        "C4 rule": long & text.str.strip_chars().str.contains(r"[.!?\"؟۔…”]$"),
    }
    return {name: f1(k, content(frame, k)) for name, k in kept.items()}


def _lang(text: str) -> str:
    try:
        return langdetect.detect(text)
    except langdetect.LangDetectException:
        return "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
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
            print(f"{name}: {path} is absent, skipped")
            continue
        frame = labelled(pages, path)
        print(f"\n{name}: {frame['file'].n_unique()} pages, {len(frame)} lines")
        for what, value in scores(frame).items():
            print(f"  {what:<28}{value:.3f}")
        print("  keep F1 of simple rules:")
        for what, value in rules(frame).items():
            print(f"    {what:<26}{value:.3f}")
        print("  page by page: role, keep F1 by role, article")
        for (file,), part in frame.group_by("file", maintain_order=True):
            s = scores(part)
            if not name.startswith("samples"):
                print(
                    f"    {file:<30}{s['role']:.3f} {s['keep F1, by role']:.3f} {s['article']:.3f}"
                )
        if args.errors and not name.startswith("samples"):
            wrong = frame.filter(
                (pl.col("role") != pl.col("role_found"))
                & pl.col("alt_role").ne_missing(pl.col("role_found"))
            )
            for row in wrong.iter_rows(named=True):
                print(f"    {row['file'][:8]} {row['line_no']:>4} {row['role']:>10} -> "
                      f"{row['role_found']:<10} {row['text'][:70]}")  # fmt: skip


if __name__ == "__main__":
    main()
