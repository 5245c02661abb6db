"""Score predictions for the pages of ../shared/web by its own scorers, beside trafilatura.

Kept text is what `ingest.label` would keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ingest._typing import Bools
from ingest.config import LabelConfig
from ingest.labelling.decision import decide_labels
from ingest.labelling.features import find_context
from ingest.labelling.network import OUTPUTS
from lang_models.roles.web_gold import WebPage, as_text, load_gold, load_scorer

_TELLING = 8  # letters of a heading that a title contains not by chance
HTML, TEXT = "HTML", "text"  # the forms of a page


def label_page(page: WebPage, probability: np.ndarray, *, plain: bool) -> pl.DataFrame:
    """Label a page, or its text, as `ingest.label` does, from given probabilities."""
    segments = as_text(page) if plain else page.segments
    context = find_context(segments)
    return decide_labels(segments, context, probability.astype(np.float64), LabelConfig())


def lines_of(segments: pl.DataFrame) -> list[str]:
    """The texts of segments, those of one line together."""
    joined = segments.group_by("line", maintain_order=True).agg(pl.col("text").str.join(" "))
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
        predicted: by form of the pages and file, the probability of each of `OUTPUTS`.
        shared: ../shared.
        folder: where its pages are unpacked.
    """
    score, score_lines = load_scorer(shared, "score"), load_scorer(shared, "score_lines")
    files = {page.file for page in pages}
    gold = [entry for file, entry in load_gold(folder).items() if file in files]
    paths = [folder / ("wcxb-dev" if g["set"] == "wcxb" else "public") / g["file"] for g in gold]
    print_scores("trafilatura", score.score(gold, score.kept_by_tool("trafilatura", paths))[0])
    for form, of_file in predicted.items():
        labelled = {
            page.file: label_page(page, of_file[page.file], plain=form == TEXT)
            for page in pages
            if page.file in of_file
        }
        kept = {file: lines_of(frame.filter("keep")) for file, frame in labelled.items()}
        bodies = {
            file: lines_of(frame.filter("keep", pl.col("role") != "headline"))
            for file, frame in labelled.items()
        }
        print_scores(f"ingest, {form}", score.score(gold, kept, bodies)[0])
        lined = [page for page in pages if page.kind == "lines" and page.file in labelled]
        print_line_scores(f"ingest, {form}", lined, labelled, folder, score_lines)
        reliability(lined, labelled)


def print_scores(name: str, results: dict[str, dict[str, float]]) -> None:
    """Print the F1 of each set."""
    print(name, *(f"{key} {value['f1']:.3f} ({value['pages']})" for key, value in results.items()),
          sep="\n    ", flush=True)  # fmt: skip


def print_line_scores(
    name: str,
    pages: Sequence[WebPage],
    labelled: dict[str, pl.DataFrame],
    folder: Path,
    scorer: Any,
) -> None:
    """Print keep F1, role and language accuracy of the pages that are labelled line by line."""
    f1, roles, languages = [], [], []
    for page in pages:
        stem = page.file.rsplit(".", 1)[0]
        frame = labelled[page.file]
        gold = scorer.load(folder / "arabic" / "gold" / f"{stem}.jsonl")
        source = (folder / "arabic" / "pages" / page.file).read_bytes().decode("utf-8", "replace")
        title = scorer.title_of(source)
        kept = frame.filter("keep")["text"].to_list()
        f1.append(scorer.score_page(with_neutral_title(gold, title, scorer), kept, title)[0])
        right, known = right_roles(page, frame)
        roles.append(right[known])
        languages += right_languages(frame, gold, scorer.align)
    print(f"    {name}: {len(f1)} pages by line: keep F1 {np.mean(f1):.3f}, "
          f"role {np.concatenate(roles).mean():.3f}, language {np.mean(languages):.3f}",
          flush=True)  # fmt: skip


def with_neutral_title(gold: list[dict[str, Any]], title: str, scorer: Any) -> list[dict[str, Any]]:
    """The gold with a <title> that only adds the site's name to a kept heading as debatable.

    The gold keeps both, and its README asks to treat one of them as neutral.
    """
    kept = [scorer.norm(row["text"]) for row in gold if scorer.state(row) == "keep"]
    if not any(len(text) >= _TELLING and text != title and text in title for text in kept):
        return gold
    return [
        {**row, "alt_role": "nav"} if scorer.norm(row["text"]) == title else row for row in gold
    ]


def right_roles(page: WebPage, labelled: pl.DataFrame) -> tuple[Bools, Bools]:
    """Whether the role of each labelled segment is right, and whether the gold says it."""
    rows = page.shown if len(labelled) < len(page.shown) else np.ones(len(page.shown), bool)
    names = np.array([*OUTPUTS, ""])[page.roles[rows]]
    found = labelled["role"].to_numpy()
    return (found == names[:, 0]) | (found == names[:, 1]), names[:, 0] != ""


def right_languages(labelled: pl.DataFrame, gold: list[dict[str, Any]], align: Any) -> list[bool]:
    """Whether the language of each gold line is that of the segment that has most of it."""
    matches = align(gold, labelled.select("text", "lang").to_dicts())
    right = []
    for number, segments in matches.items():
        if segments:
            best = max(segments, key=lambda match: match[0])[1]
            right.append(best["lang"] in (gold[number]["lang"], gold[number].get("alt_lang")))
    return right


def reliability(pages: Sequence[WebPage], labelled: dict[str, pl.DataFrame]) -> None:
    """Print how often the role was right, by tenths of role_score, on labelled lines."""
    score, right = [], []
    for page in pages:
        hit, known = right_roles(page, labelled[page.file])
        score.append(labelled[page.file]["role_score"].to_numpy()[known])
        right.append(hit[known])
    scores, hits = np.concatenate(score), np.concatenate(right)
    tenth = np.minimum((scores * 10).astype(int), 9)
    for number in np.unique(tenth).tolist():
        here = tenth == number
        print(f"    role_score {number / 10:.1f}–{number / 10 + 0.1:.1f}: {here.sum():6,} lines, "
              f"mean score {scores[here].mean():.2f}, right {hits[here].mean():.2f}")  # fmt: skip
