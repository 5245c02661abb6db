"""Score the shipped model on the sites that it was not trained on, beside trafilatura.

    uv run --with trafilatura python -m lang_models.roles.evaluate

One fifth of the sites of ../shared/web is held out (fold 0; see `web_gold.fold_of`). The scorers
are those of ../shared/web. Kept text is what `ingest.label` keeps, except that the rules about
titles and articles are not applied.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ingest._typing import F64, I64
from ingest.labelling import choose_roles
from ingest.labelling.network import load_network, predict_roles
from ingest.page_spans import find_pages
from ingest.roles import KEPT_ROLES, ROLES
from lang_models.roles.web_gold import (
    FOLDS,
    HELD_OUT,
    WebPage,
    fold_of,
    letters,
    load_gold,
    load_scorer,
    load_web_pages,
    unpack,
)

ROOT = Path(__file__).resolve().parents[2]


def kept_rows(page: WebPage, probability: np.ndarray) -> tuple[I64, I64]:
    """The rows that would be kept, without repeated texts, and the role of each row."""
    role = choose_roles(probability.astype(np.float64))
    texts = page.segments["text"].to_list()
    seen: set[str] = set()
    rows = []
    for row in np.flatnonzero(role < len(KEPT_ROLES)).tolist():
        text = letters(texts[row])
        if not text or text not in seen:
            rows.append(row)
        seen.add(text)
    return np.array(rows, np.int64), role


def lines_of(page: WebPage, rows: I64) -> list[str]:
    """The texts of some rows, those of one line together."""
    frame = page.segments[rows.tolist()]
    joined = frame.group_by("line", maintain_order=True).agg(pl.col("text").str.join(" "))
    lines: list[str] = joined["text"].to_list()
    return lines


def print_evaluation(
    pages: Sequence[WebPage],
    predicted: dict[str, dict[str, np.ndarray]],
    shared: Path,
    folder: Path,
) -> None:
    """Print the scores of all sets, beside trafilatura.

    Args:
        pages: the pages to score.
        predicted: by form of the pages (HTML, text) and file, the probability of each role.
        shared: ../shared.
        folder: where its pages are unpacked.
    """
    score, score_lines = load_scorer(shared, "score"), load_scorer(shared, "score_lines")
    files = {page.file for page in pages}
    gold = [entry for file, entry in load_gold(folder).items() if file in files]
    paths = [folder / ("wcxb-dev" if g["set"] == "wcxb" else "public") / g["file"] for g in gold]
    print_scores("trafilatura", score.score(gold, score.kept_by_tool("trafilatura", paths))[0])
    for name, of_file in predicted.items():
        kept, bodies = {}, {}
        for page in pages:
            rows, role = kept_rows(page, of_file[page.file])
            kept[page.file] = lines_of(page, rows)
            bodies[page.file] = lines_of(page, rows[role[rows] != ROLES.index("headline")])
        print_scores(f"ingest, {name}", score.score(gold, kept, bodies)[0])
        lined = [page for page in pages if page.kind == "lines"]
        print_line_scores(f"ingest, {name}", lined, of_file, folder, score_lines)
        reliability(pages, of_file)


def print_scores(name: str, results: dict[str, dict[str, float]]) -> None:
    """Print the F1 of each set."""
    print(name, *(f"{key} {value['f1']:.3f} ({value['pages']})" for key, value in results.items()),
          sep="\n    ", flush=True)  # fmt: skip


def print_line_scores(
    name: str,
    pages: Sequence[WebPage],
    predicted: dict[str, np.ndarray],
    folder: Path,
    scorer: Any,
) -> None:
    """Print keep F1 and role accuracy of the pages that are labelled line by line."""
    f1, right, labelled = [], 0, 0
    for page in pages:
        stem = page.file.rsplit(".", 1)[0]
        rows, role = kept_rows(page, predicted[page.file])
        gold = scorer.load(folder / "arabic" / "gold" / f"{stem}.jsonl")
        source = (folder / "arabic" / "pages" / page.file).read_bytes().decode("utf-8", "replace")
        texts = page.segments["text"][rows.tolist()].to_list()
        f1.append(scorer.score_page(gold, texts, scorer.title_of(source))[0])
        known = page.roles[:, 0] >= 0
        hit = (role == page.roles[:, 0]) | (role == page.roles[:, 1])
        right, labelled = right + int(hit[known].sum()), labelled + int(known.sum())
    print(f"    {name}: {len(pages)} pages by line: keep F1 {np.mean(f1):.3f}, "
          f"role {right / labelled:.3f}", flush=True)  # fmt: skip


def reliability(pages: Sequence[WebPage], predicted: dict[str, np.ndarray]) -> None:
    """Print how often the role was right, by tenths of its probability, on labelled lines."""
    probability: list[F64] = []
    right = []
    for page in pages:
        if page.kind == "lines":
            values = predicted[page.file].astype(np.float64)
            role = choose_roles(values)
            known = page.roles[:, 0] >= 0
            hit = (role == page.roles[:, 0]) | (role == page.roles[:, 1])
            probability.append(values[np.arange(len(role)), role][known])
            right.append(hit[known])
    scores, hits = np.concatenate(probability), np.concatenate(right)
    tenth = np.minimum((scores * 10).astype(int), 9)
    for number in np.unique(tenth).tolist():
        here = tenth == number
        print(f"    role_score {number / 10:.1f}–{number / 10 + 0.1:.1f}: {here.sum():6,} lines, "
              f"mean score {scores[here].mean():.2f}, right {hits[here].mean():.2f}")  # fmt: skip


def predict_shipped(page: WebPage, *, plain: bool) -> np.ndarray:
    """The shipped model's probability of each role: float64 [segments, roles]."""
    markup = pl.Series([None] * len(page.content), dtype=pl.String)
    values = page.plain if plain else page.html
    return predict_roles(
        load_network().names,
        values.astype(np.float32),
        markup if plain else page.segments["markup"],
        find_pages(page.segments["doc_id"]),
    )


def main() -> None:
    """Score the shipped model on the held-out sites."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--pages", type=Path, default=Path("/tmp/ingest-web"),  # noqa: S108
                        help="folder to unpack ../shared/web to")  # fmt: skip
    args = parser.parse_args()
    unpack(args.shared, args.pages)
    pages = load_web_pages(args.shared, args.pages, lambda site: fold_of(site, FOLDS) == HELD_OUT)
    predicted = {
        "HTML": {page.file: predict_shipped(page, plain=False) for page in pages},
        "text": {page.file: predict_shipped(page, plain=True) for page in pages},
    }
    print_evaluation(pages, predicted, args.shared, args.pages)


if __name__ == "__main__":
    main()
