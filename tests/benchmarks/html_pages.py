"""Lines kept of HTML pages, and pages a second, beside trafilatura, resiliparse and jusText.

    uv run --with trafilatura --with justext python tests/benchmarks/html.py [--shared ../shared]

Gold is by the text of lines. A line is kept by a peer when its words stand in the peer's text, on
a line of it or, where the peer joins lines, inside one. Lines that no page shows (hidden by its
style) are counted as they are: nobody's text has them.
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

import polars as pl
from resiliparse.extract.html2text import extract_plain_text

import ingest
from ingest.config import ReadConfig
from ingest.frames import KEPT_ROLES
from ingest.readers import plan_slices, read_batches

ROOT = Path(__file__).resolve().parents[2]


def squeezed(text: str) -> str:
    return "".join(text.split())


def gold_lines(path: Path) -> dict[str, list[dict]]:
    pages: dict[str, list[dict]] = {}
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        pages.setdefault(row["file"].rsplit(".", 1)[0], []).append(row)
    return pages


def labelled(shared: Path) -> tuple[dict[str, Path], dict[str, list[dict]]]:
    """The files of the dev pages and their gold lines, by name."""
    pages = {p.stem: p for p in sorted((shared / "gold" / "html").glob("*.html"))}
    gold = gold_lines(shared / "gold" / "pages.jsonl")
    return pages, {name: rows for name, rows in gold.items() if name in pages}


def ours(pages: dict[str, Path]) -> dict[str, list[str]]:
    """The text of each segment with a role that is kept, a page."""
    documents = ingest.read(list(pages.values()))
    segments = ingest.label(ingest.detect(ingest.segment(documents)))
    kept = (
        segments.filter(pl.col("role").is_in(KEPT_ROLES))
        .join(documents.select("doc_id", "source"), on="doc_id")
        .group_by("source").agg("text")
    )  # fmt: skip
    by_source = dict(kept.iter_rows())
    return {name: by_source.get(path.as_posix(), []) for name, path in pages.items()}


def peers() -> dict[str, Callable[[str], str]]:
    import justext
    import trafilatura

    stop = (
        justext.get_stoplist("English") | justext.get_stoplist("Arabic")
        if ("Arabic" in justext.get_stoplists())
        else justext.get_stoplist("English")
    )

    def just(html: str) -> str:
        found = justext.justext(html.encode(), stop)
        return "\n".join(p.text for p in found if not p.is_boilerplate)

    return {
        "trafilatura": lambda html: trafilatura.extract(html) or "",
        "trafilatura favor_precision": lambda html: trafilatura.extract(
            html, favor_precision=True) or "",
        "resiliparse main_content": lambda html: extract_plain_text(html, main_content=True),
        "jusText": just,
    }  # fmt: skip


def found(rows: list[dict], texts: list[str], *, inside: bool) -> list[bool]:
    """Which gold lines stand in the texts.

    A line of content is found when it stands there once, since a page may hide its other copies; a
    line of furniture with the same text only when it stands there more often. Peers may join
    lines: a longer one also counts where it stands `inside` a line of theirs.
    """
    lines = [line for text in texts for line in map(squeezed, text.split("\n")) if line]
    times, whole = Counter(lines), "\n".join(lines)
    hit, found_once = [False] * len(rows), set[str]()
    for n in sorted(range(len(rows)), key=lambda n: rows[n]["role"] not in KEPT_ROLES):
        text = squeezed(rows[n]["text"])
        if text not in times:
            times[text] = whole.count(text) if inside and len(text) > 20 else 0
        content = rows[n]["role"] in KEPT_ROLES
        hit[n] = times[text] > 0 or (content and text in found_once)
        times[text] -= 1
        found_once.update({text} if hit[n] else ())
    return hit


def keep_f1(kept: dict[str, list[str]], gold: dict[str, list[dict]], *, inside: bool) -> dict:
    """F1 a page and over all lines; a line with a second label is right either way."""
    scores, sums = {}, [0, 0, 0]
    for name, rows in gold.items():
        counts = [0, 0, 0]
        for row, hit in zip(rows, found(rows, kept[name], inside=inside), strict=True):
            roles = {row["role"], row.get("alt_role") or row["role"]}
            truth = row["role"] in KEPT_ROLES
            if len({role in KEPT_ROLES for role in roles}) > 1:
                truth = hit
            for n, value in enumerate((hit and truth, hit, truth)):
                counts[n] += value
        scores[name] = 2 * counts[0] / max(counts[1] + counts[2], 1)
        sums = [a + b for a, b in zip(sums, counts, strict=True)]
    return scores | {"all": 2 * sums[0] / max(sums[1] + sums[2], 1)}


def speed(paths: list[Path], times: int) -> None:
    """Pages a second, one core: ours from file to labelled frame, in batches as a run does."""
    import trafilatura

    texts = [path.read_bytes() for path in paths]
    parts = plan_slices(map(str, paths), shard_bytes=1 << 30) * times
    ingest.label(ingest.detect(ingest.segment(ingest.read(paths))))  # loads the models

    def our_run() -> None:
        for documents in read_batches(parts, ReadConfig(), batch_chars=700_000):
            ingest.label(ingest.detect(ingest.segment(documents)))

    began = time.perf_counter()
    our_run()
    our_rate = len(parts) / (time.perf_counter() - began)
    began = time.perf_counter()
    for text in texts * max(times // 20, 1):
        trafilatura.extract(text)
    rate = len(texts) * max(times // 20, 1) / (time.perf_counter() - began)
    print(f"pages a second, one core: ingest {our_rate:.0f}, trafilatura {rate:.0f}: "
          f"{our_rate / rate:.1f} times")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--lines", action="store_true", help="print each line that is wrong")
    args = parser.parse_args()
    pages, gold = labelled(args.shared)
    rows = {"ingest": keep_f1(kept := ours(pages), gold, inside=False)}
    for name, extract in peers().items():
        texts = {page: [extract(path.read_text(encoding="utf-8", errors="replace"))]
                 for page, path in pages.items()}  # fmt: skip
        rows[name] = keep_f1(texts, gold, inside=True)
    print(f"{'keep F1':<30}" + "".join(f"{n[:9]:>11}" for n in rows["ingest"]))
    for name, scores in rows.items():
        print(f"{name:<30}" + "".join(f"{s:>11.3f}" for s in scores.values()))
    if args.lines:
        for name, page in gold.items():
            for row, hit in zip(page, found(page, kept[name], inside=False), strict=True):
                if hit != (row["role"] in KEPT_ROLES) and not row.get("alt_role"):
                    print(f"{name[:3]} {'+' if hit else '-'} {row['role']:>10} {row['text'][:90]}")
    speed(list(pages.values()), 100)


if __name__ == "__main__":
    main()
