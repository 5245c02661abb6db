"""Fit the weights by which pages are paired, and print them.

    python -m lang_models.align.pairing --shared ../shared [--seeds 1]

WEIGHTS in `ingest/pairing/candidates.py` come from crawls of translated documents (`crawls.py`).
VERSION in `ingest/pairing/near_copies.py` comes from sites with near-copies (`near_copies.py`).
ARTICLE, fitted on both, is printed for comparison: see README.md. What depends on addresses and
dates is set by hand. All seeds are 100 and higher; tests/benchmarks/pairing.py measures on others.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

import ingest
from ingest.encoder.model import Encoder
from ingest.pairing import SEGMENT_COLUMNS
from ingest.pairing.candidates import find_candidates, scores
from ingest.pairing.near_copies import find_rivals, measure_rivals
from ingest.pairing.units import build_units
from ingest.pairing.urls import collect_page_urls
from lang_models.align.crawls import CONDITIONS, SIDES, labelled
from lang_models.align.near_copies import SITES, build_site, write_site

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
FIRST_SEED = 100
CANDIDATE = ("margin", "segments", "best", "numbers", "names", "length")
ARTICLE = ("unaligned", "segments", "names", "numbers")
VERSION = ("unaligned", "unordered", "numbers_apart", "code_apart")


def find_pairs(out: Path, names: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the candidates of a run, and compare those with a rival.

    Args:
        out: folder of the run.
        names: doc_id and name of pages.

    Returns:
        All candidates with their evidence, and the rivals with the columns of `measure_rivals`.
        Both have doc_s, doc_t, name_s and name_t.
    """
    encoder = Encoder.load()
    segments = pl.read_parquet(out / "segments.parquet", columns=list(SEGMENT_COLUMNS))
    segments = segments.sort("doc_id", "segment")
    units = build_units([segments.filter("keep")], SIDES, encoder)
    pairs = find_candidates(*units, collect_page_urls([]))
    pairs = pairs.with_columns(score=scores(pairs))
    keys = (units[0].keys, units[1].keys)
    for key, side in zip("st", keys, strict=True):
        pages = side.select("doc_id").join(names, on="doc_id", how="left", maintain_order="left")
        pages = pages.with_row_index(key).rename({"doc_id": f"doc_{key}", "name": f"name_{key}"})
        pairs = pairs.join(pages, on=key, how="left", maintain_order="left")
    rivals = pairs.filter(find_rivals(pairs))
    return pairs, measure_rivals(rivals, keys, SIDES, lambda: [segments], encoder)


def read_crawls(shared: Path, seeds: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Candidates and rivals of crawls, with columns `right` and `name`."""
    source, target = (pl.col(f"name_{key}").str.replace(r"\.(ar|en)$", "") for key in "st")
    same_page = pl.col("doc_s") == pl.col("doc_t")
    candidates, rivals = [], []
    for condition in CONDITIONS:
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            with tempfile.TemporaryDirectory() as work:
                names, out, true = labelled(shared, condition, seed, Path(work))
                right = (source == target) & source.is_in(list(true))
                both = [
                    x.with_columns(right=right.fill_null(value=False), name=source)
                    for x in find_pairs(out, names)
                ]
            candidates.append(both[0].filter(~same_page))
            # Two versions on one page are the same article too.
            rivals.append(both[1].with_columns(right=pl.col("right") | same_page))
    return pl.concat(candidates), pl.concat(rivals)


def read_sites(shared: Path, seeds: int) -> pl.DataFrame:
    """Rivals of sites with near-copies: `right` is the article, `version` also the version.

    A third of the documents lose their English pages, so that there are rivals of which none is
    right.
    """
    frames = []
    for site in SITES:
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            pages, partner = build_site(shared, site, "none", seed)
            pages = [x for x in pages if x.lang == "ar" or int(x.name[1:4]) % 3]
            with tempfile.TemporaryDirectory() as work:
                write_site(pages, Path(work) / "pages.jsonl")
                out = Path(work) / "out"
                ingest.run(str(Path(work) / "pages.jsonl"), str(out))
                names = pl.read_parquet(out / "documents.parquet", columns=["doc_id", "uri"])
                names = names.select("doc_id", name=pl.col("uri").str.extract(r"#(\w+)\.\w+$"))
                rivals = find_pairs(out, names)[1]
            article = [pl.col(f"name_{key}").str.extract("^(d[0-9]+)v") for key in "st"]
            wanted = pl.col("name_s").replace_strict(partner, default=None)
            frames.append(
                rivals.with_columns(
                    right=article[0] == article[1],
                    version=(wanted == pl.col("name_t")).fill_null(value=False),
                    site=pl.lit(f"{site} {seed}"),
                )
            )
    return pl.concat(frames)


def fit_logistic(x: F64, y: F64, ridge: float = 0.05) -> F64:
    """Fit a logistic regression by Newton's method: the weights, and the bias as the last one."""
    x = np.column_stack([x, np.ones(len(x))])
    pull = np.diag([ridge] * (x.shape[1] - 1) + [1e-6])
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + pull
        w -= np.clip(np.linalg.solve(hessian, x.T @ (p - y) + pull @ w), -3, 3)
    return w


def fit_choice(x: F64, y: F64, group: I64, ridge: float = 0.02) -> F64:
    """Fit a conditional logistic regression: which row of its group is the right one.

    Args:
        x: features, [rows, features].
        y: 1 for the right row, exactly one per group.
        group: number of the group of each row, ascending from 0.
        ridge: pull to zero per group, after features have been scaled to a spread of 1 in groups.

    >>> x, y = np.array([[1.0], [3.0], [2.0], [5.0]]), np.array([1.0, 0.0, 1.0, 0.0])
    >>> bool(fit_choice(x, y, np.array([0, 0, 1, 1]))[0] < 0)
    True
    """
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(first, append=len(x))
    x = x - (np.add.reduceat(x, first) / size[:, None])[group]
    spread = x.std(axis=0) + 1e-9
    x /= spread
    w = np.zeros(x.shape[1])
    pull = ridge * len(first)
    for _ in range(60):
        odds = x @ w
        p = np.exp(odds - np.maximum.reduceat(odds, first)[group])
        p /= np.add.reduceat(p, first)[group]
        mean = np.add.reduceat(x * p[:, None], first)
        hessian = (x * p[:, None]).T @ x - mean.T @ mean + pull * np.eye(len(w))
        w += np.linalg.solve(hessian, x.T @ (y - p) - pull * w)
    return np.asarray(w / spread, np.float64)


def fit_candidates(pairs: pl.DataFrame) -> None:
    """Print WEIGHTS, and their errors on documents that they were not fitted on."""
    x, y = matrix(pairs, CANDIDATE), pairs["right"].to_numpy().astype(np.float64)
    fold = np.array([crc32(name.encode()) % 5 for name in pairs["name"]])
    wrong = 0
    loss = 0.0
    for part in range(5):
        w = fit_logistic(x[fold != part], y[fold != part])
        p = 1 / (1 + np.exp(-(x[fold == part] @ w[:-1] + w[-1])))
        truth = y[fold == part] == 1
        wrong += int(((p >= 0.5) != truth).sum())
        loss -= float(np.log(np.clip(np.where(truth, p, 1 - p), 1e-9, 1)).sum())
    print(
        f"WEIGHTS: {len(y)} candidates, {int(y.sum())} right; held out: {wrong} wrong, "
        f"log loss {loss / len(y):.5f}"
    )
    print_weights([*CANDIDATE, "bias"], fit_logistic(x, y), 1)


def fit_articles(sites: pl.DataFrame, crawls: pl.DataFrame) -> None:
    """Print ARTICLE: whether rivals are any versions of the same article."""
    columns = [*ARTICLE, "size", "right"]
    rivals = pl.concat([sites.select(columns), crawls.select(columns)])
    rivals = rivals.with_columns(pl.col("unaligned") / pl.col("size").clip(1e-6))
    x, y = matrix(rivals, ARTICLE), rivals["right"].to_numpy().astype(np.float64)
    w = fit_logistic(x, y)
    wrong = int(((x @ w[:-1] + w[-1] >= 0) != (y == 1)).sum())
    print(f"ARTICLE: {len(y)} rivals, {int(y.sum())} right; {wrong} wrong")
    print_weights([*ARTICLE, "bias"], w, 1)


def fit_versions(sites: pl.DataFrame) -> None:
    """Print VERSION: which version of the right article is chosen, seen from either side."""
    near = sites.filter("right")
    views = []
    for key in ("name_s", "name_t"):
        one = near.filter(
            (pl.col("version").sum() == 1).over("site", key), pl.len().over("site", key) > 1
        )
        views.append(one.with_columns(view=pl.concat_str("site", pl.lit(key), key, separator=" ")))
    chosen = pl.concat(views).sort("view", maintain_order=True)
    group = chosen["view"].rle_id().to_numpy().astype(np.int64)
    y = chosen["version"].to_numpy().astype(np.float64)
    print(f"VERSION: {int(y.sum())} choices among {len(y)} rivals")
    print_weights(VERSION, fit_choice(matrix(chosen, VERSION), y, group), 2)


def matrix(frame: pl.DataFrame, names: Sequence[str]) -> F64:
    """The named columns, float64 [rows, names]."""
    return np.asarray(frame.select(names).to_numpy(), np.float64)


def print_weights(names: Sequence[str], weights: F64, digits: int) -> None:
    """Print weights as lines of Python."""
    for name, weight in zip(names, weights, strict=True):
        print(f'    "{name}": {weight:.{digits}f},')


def main() -> None:
    """Fit all weights and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder of evaluation data")
    parser.add_argument("--seeds", type=int, default=1, help="crawls per condition, and sites")
    args = parser.parse_args()
    sites = read_sites(args.shared, args.seeds)
    fit_versions(sites)
    candidates, crawls = read_crawls(args.shared, args.seeds)
    fit_articles(sites, crawls)
    fit_candidates(candidates)


if __name__ == "__main__":
    main()
