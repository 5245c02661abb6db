"""Which lines of HTML pages are kept, and pages per second, beside other extractors.

    uv run --with trafilatura --with justext python tests/benchmarks/html_pages.py [--shared DIR]

The gold labels the text of lines. Another extractor keeps a line when its text is a line of the
output or, because some extractors join lines, is inside one. Gold lines that the page's style hides
count like all others.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import polars as pl
from resiliparse.extract.html2text import extract_plain_text

import ingest
from ingest.config import ReadConfig
from ingest.readers import plan_slices, read_batches
from ingest.roles import KEPT_ROLES

ROOT = Path(__file__).resolve().parents[2]
_MIN_INSIDE = 20  # characters; shorter lines are too often inside another by chance


def without_spaces(text: str) -> str:
    return "".join(text.split())


def read_gold(path: Path) -> dict[str, list[dict]]:
    pages: dict[str, list[dict]] = {}
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        pages.setdefault(row["file"].rsplit(".", 1)[0], []).append(row)
    return pages


def labelled_pages(shared: Path) -> tuple[dict[str, Path], dict[str, list[dict]]]:
    """The files of the dev pages and their gold lines, by name."""
    pages = {path.stem: path for path in sorted((shared / "gold" / "html").glob("*.html"))}
    gold = read_gold(shared / "gold" / "pages.jsonl") if pages else {}
    return pages, {name: rows for name, rows in gold.items() if name in pages}


def ingest_texts(pages: dict[str, Path]) -> dict[str, list[str]]:
    """The texts of each page's segments whose role is kept."""
    documents = ingest.read(list(pages.values()))
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    kept = (
        segments.filter(pl.col("role").is_in(KEPT_ROLES))
        .join(documents.select("doc_id", "source"), on="doc_id")
        .group_by("source").agg("text")
    )  # fmt: skip
    by_source = dict(kept.iter_rows())
    return {name: by_source.get(path.as_posix(), []) for name, path in pages.items()}


def other_extractors() -> dict[str, Callable[[str], str]]:
    import justext
    import trafilatura

    stop_words = justext.get_stoplist("English")
    if "Arabic" in justext.get_stoplists():
        stop_words |= justext.get_stoplist("Arabic")

    def extract_justext(html: str) -> str:
        paragraphs = justext.justext(html.encode(), stop_words)
        return "\n".join(p.text for p in paragraphs if not p.is_boilerplate)

    return {
        "trafilatura": lambda html: trafilatura.extract(html) or "",
        "trafilatura favor_precision": lambda html: trafilatura.extract(
            html, favor_precision=True) or "",
        "resiliparse main_content": lambda html: extract_plain_text(html, main_content=True),
        "jusText": extract_justext,
    }  # fmt: skip


def kept_lines(rows: list[dict], texts: list[str], *, inside: bool) -> list[bool]:
    """Whether each gold line is in the extracted texts.

    A content line counts as kept when it occurs once, since a page may hide its other copies. A
    boilerplate line with the same text counts only when there are more occurrences. With `inside`,
    a long line may also be part of an extracted line.
    """
    lines = [line for text in texts for line in map(without_spaces, text.split("\n")) if line]
    unused, joined = Counter(lines), "\n".join(lines)
    kept, kept_content = [False] * len(rows), set[str]()
    content_first = sorted(range(len(rows)), key=lambda n: rows[n]["role"] not in KEPT_ROLES)
    for n in content_first:
        text = without_spaces(rows[n]["text"])
        if text not in unused:
            unused[text] = joined.count(text) if inside and len(text) > _MIN_INSIDE else 0
        is_content = rows[n]["role"] in KEPT_ROLES
        kept[n] = unused[text] > 0 or (is_content and text in kept_content)
        unused[text] -= 1
        if kept[n]:
            kept_content.add(text)
    return kept


def keep_f1(
    texts: dict[str, list[str]], gold: dict[str, list[dict]], *, inside: bool
) -> dict[str, float]:
    """F1 for each page and over all lines; a line whose two labels disagree is always correct."""
    scores, totals = {}, [0, 0, 0]
    for name, rows in gold.items():
        counts = [0, 0, 0]  # both kept and content, kept, content
        for row, kept in zip(rows, kept_lines(rows, texts[name], inside=inside), strict=True):
            is_content = row["role"] in KEPT_ROLES
            if ((row.get("alt_role") or row["role"]) in KEPT_ROLES) != is_content:
                is_content = kept
            for n, value in enumerate((kept and is_content, kept, is_content)):
                counts[n] += value
        scores[name] = 2 * counts[0] / max(counts[1] + counts[2], 1)
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
    return scores | {"all": 2 * totals[0] / max(totals[1] + totals[2], 1)}


def print_speed(paths: list[Path], times: int) -> None:
    """Pages per second on one core; `ingest` from file to labelled frame, in batches like a run."""
    import trafilatura

    pages = [path.read_bytes() for path in paths]
    slices = plan_slices(map(str, paths), shard_bytes=1 << 30) * times
    ingest.label(ingest.detect(ingest.segment(ingest.read(paths))))  # loads the models

    start = time.perf_counter()
    for documents in read_batches(slices, ReadConfig(), batch_chars=700_000):
        ingest.label(ingest.detect(ingest.segment(documents)))
    our_rate = len(slices) / (time.perf_counter() - start)

    repeated = pages * max(times // 20, 1)
    start = time.perf_counter()
    for page in repeated:
        trafilatura.extract(page)
    rate = len(repeated) / (time.perf_counter() - start)
    print(f"pages per second, one core: ingest {our_rate:.0f}, trafilatura {rate:.0f}: "
          f"{our_rate / rate:.1f} times")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--lines", action="store_true", help="print each wrong line")
    args = parser.parse_args()
    pages, gold = labelled_pages(args.shared)
    if not pages:
        parser.error(
            f"{args.shared}/gold/html has no pages; give the evaluation data with --shared"
        )
    ours = ingest_texts(pages)
    table = {"ingest": keep_f1(ours, gold, inside=False)}
    for name, extract in other_extractors().items():
        texts = {page: [extract(path.read_text(encoding="utf-8", errors="replace"))]
                 for page, path in pages.items()}  # fmt: skip
        table[name] = keep_f1(texts, gold, inside=True)
    print(f"{'keep F1':<30}" + "".join(f"{page[:9]:>11}" for page in table["ingest"]))
    for name, scores in table.items():
        print(f"{name:<30}" + "".join(f"{score:>11.3f}" for score in scores.values()))
    if args.lines:
        for name, rows in gold.items():
            for row, kept in zip(rows, kept_lines(rows, ours[name], inside=False), strict=True):
                if kept != (row["role"] in KEPT_ROLES) and not row.get("alt_role"):
                    sign = "+" if kept else "-"
                    print(f"{name[:3]} {sign} {row['role']:>10} {row['text'][:90]}")
    print_speed(list(pages.values()), 100)


if __name__ == "__main__":
    main()
