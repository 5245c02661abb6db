"""Candidate pairs of units, the evidence for them, and the one-to-one matching.

A unit is the text of an article in one language. Candidates are nearest neighbors, and pairs that
the URLs of pages suggest. Evidence is computed for candidates only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32, I64
from ingest.pairing.units import FIRST, LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.pairing.units import Units
    from ingest.pairing.urls import PageUrls


NEIGHBORS = 8  # candidates per unit, by content
_AROUND = 4  # neighbors that a margin is relative to, as in Artetxe & Schwenk 2019
_CELLS = 1 << 24  # cosines in memory at once: 64 MB
_PRIOR = 10.0  # weight, in units, of a zero mean, so that centering does not erase a small crawl
_MAX_SHARED = 16  # units of one language that share a page or URL; with more it is no evidence
_DECIMALS = 2  # of log odds that count; the rest can be a rounding error
_SOON, _LATER = 3, 30  # days between a page and its translation, and between unrelated pages

# Log odds. The first seven were fitted by logistic regression (lang_models/align/pairing.py)
# and hold for the shipped encoder. The last four are set by hand, because the documents of that
# benchmark have no URLs or dates: an hreflang link can outweigh unlikely content, but not content
# that is clearly different. The cosine adds nothing to margin and segments.
WEIGHTS = {
    "bias": -15.2,
    "margin": 13.3,
    "segments": 17.9,
    "best": 6.2,
    "numbers": 6.0,
    "names": 1.2,
    "length": -1.6,
    "url": 3.0,
    "hreflang": 8.0,
    "date": 1.0,
    "same_page": 1.5,
}


def center(vectors: F32) -> F32:
    """Subtract the mean row, shrunk if there are few rows, and normalize; zero rows stay zero."""
    nonzero: NDArray[np.bool_] = np.any(vectors, axis=1)
    mean = vectors.sum(axis=0, dtype=np.float64) / (nonzero.sum() + _PRIOR)
    centered = (vectors - mean.astype(np.float32)) * nonzero.reshape(-1, 1)
    length = np.sqrt(np.einsum("ij,ij->i", centered, centered))
    return np.asarray(centered / np.maximum(length, 1e-9)[:, None], dtype=np.float32)


def neighbors(source: F32, target: F32, k: int) -> tuple[I64, F32]:
    """Find the k nearest target rows of each source row, nearest first, and their cosines.

    The search is exact and multiplies unit rows in blocks of 64 MB. If there are fewer than k
    targets, the remaining indices are -1 and their cosines 0.

    Returns:
        Indices, int64 [source rows, k], and cosines, float32 [source rows, k].

    >>> at, cosine = neighbors(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), 3)
    >>> at.tolist()
    [[0, 1, -1], [1, 0, -1]]
    """
    count = min(k, len(target))
    nearest = np.full((len(source), k), -1, np.int64)
    cosines = np.zeros((len(source), k), np.float32)
    step = max(1, _CELLS // max(1, len(target)))
    for at in range(0, len(source) if count else 0, step):
        block = source[at : at + step] @ target.T
        rows = np.arange(len(block))[:, None]
        top = np.sort(np.argpartition(-block, count - 1, axis=1)[:, :count], axis=1)
        top = top[rows, np.argsort(-block[rows, top], axis=1, kind="stable")]
        nearest[at : at + step, :count] = top
        cosines[at : at + step, :count] = block[rows, top]
    return nearest, cosines


def find_candidates(source: Units, target: Units, urls: PageUrls) -> pl.DataFrame:
    """Find the candidate pairs of units, and compute the evidence for each.

    Returns:
        A frame with s and t (UInt32, rows of the units) and these Float32 columns:
        `cosine`: of the unit vectors, after the mean of their language was subtracted.
        `margin`: the cosine minus the mean cosine of the four nearest other units on either side;
        the difference form of Artetxe & Schwenk 2019 (arXiv:1811.01136), without the pair itself.
        `segments`: mean cosine of each unit's first segments with the nearest first segment of the
        other unit; two stories about one event share a topic, but not their sentences.
        `best`: 1 if neither unit has another candidate with better content, margin + 2 segments.
        `length`: absolute log ratio of characters.
        `numbers`: Jaccard index of numbers, weighted by inverse document frequency.
        `names`: overlap coefficient of Latin words, weighted in the same way.
        `url`, `hreflang`, `same_page`: 1 if URLs or pages connect the units.
        `date`: 1 if the pages were published within days, -1 if far apart, else 0.
    """
    ours, theirs = center(source.vectors), center(target.vectors)
    forward, backward = neighbors(ours, theirs, NEIGHBORS), neighbors(theirs, ours, NEIGHBORS)
    near = pl.concat(
        [_list_pairs(forward[0], "s", "t"), _list_pairs(backward[0], "t", "s").select("s", "t")]
    )
    links = _url_evidence(source.keys, target.keys, urls)
    pairs = pl.concat([near, links.select("s", "t")]).unique().sort("s", "t")
    s, t = pairs["s"].to_numpy(), pairs["t"].to_numpy()
    cosine = _pair_products(ours, theirs, s, t)
    around = (_mean_of_others(forward[1][s], cosine) + _mean_of_others(backward[1][t], cosine)) / 2
    length = [units.keys["chars"].to_numpy().astype(np.float64) for units in (source, target)]
    ratio = np.abs(np.log(np.maximum(length[0], 1)[s] / np.maximum(length[1], 1)[t]))
    pairs = pairs.with_columns(
        cosine=pl.Series(cosine),
        margin=pl.Series(cosine - around),
        segments=pl.Series(_segment_similarity(source, target, s, t)),
        length=pl.Series(np.minimum(ratio, 3).astype(np.float32)),
    )
    content = pl.col("margin") + 2 * pl.col("segments")
    best = (content == content.max().over("s")) & (content == content.max().over("t"))
    pairs = _add_token_overlap(pairs.with_columns(best=best.cast(pl.Float32)), source, target)
    pairs = pairs.join(links, on=["s", "t"], how="left", maintain_order="left")
    pairs = pairs.with_columns(pl.col("url", "hreflang", "same_page").fill_null(0.0))
    return _add_date(pairs, source, target, urls.dates)


def scores(pairs: pl.DataFrame) -> pl.Series:
    """Compute the probability that each candidate is a pair, with WEIGHTS: Float32."""
    odds = sum(
        (pl.col(name) * weight for name, weight in WEIGHTS.items() if name != "bias"),
        start=pl.lit(WEIGHTS["bias"]),
    )
    return pairs.select(score=(1 / (1 + (-odds).exp())).cast(pl.Float32)).to_series()


def sort_pairs(pairs: pl.DataFrame, source: Units, target: Units, urls: PageUrls) -> pl.DataFrame:
    """Sort candidates for the matching, best first.

    Ranks that differ by less than rounding errors are equal. Among equals the newest page comes
    first, then the shortest address, then the page with the first doc_id.

    Args:
        pairs: s, t and rank (Float64, log odds) of candidates.
        source: units of the source.
        target: units of the target.
        urls: addresses and dates of pages.
    """
    shortest = urls.keys.group_by("doc_id").agg(pl.col("key").str.len_chars().min())
    for key, units in (("s", source), ("t", target)):
        pages = units.keys.select("doc_id")
        for facts in (urls.dates, shortest):
            pages = pages.join(facts, on="doc_id", how="left", maintain_order="left")
        pages = pages.select(pl.col("day", "key").name.suffix(f"_{key}")).with_row_index(key)
        pairs = pairs.join(pages, on=key, how="left", maintain_order="left")
    rank = pl.col("rank").round(_DECIMALS)
    by = [rank, "day_t", "day_s", "key_t", "key_s", "t", "s"]
    pairs = pairs.sort(by, descending=[True, True, True, *[False] * 4], nulls_last=True)
    return pairs.drop("day_t", "day_s", "key_t", "key_s")


def one_to_one(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Choose pairs (s, t) greedily, in the order given, so that no s or t occurs twice.

    With the best first, the result is a stable matching.

    >>> one_to_one([(0, 1), (0, 0), (1, 1), (1, 0)])
    [(0, 1), (1, 0)]
    """
    used: tuple[set[int], set[int]] = set(), set()
    chosen = []
    for s, t in pairs:
        if s not in used[0] and t not in used[1]:
            used[0].add(s)
            used[1].add(t)
            chosen.append((s, t))
    return chosen


def _list_pairs(nearest: I64, rows: str, columns: str) -> pl.DataFrame:
    """Turn a table of neighbors into a frame of two columns."""
    row, rank = np.nonzero(nearest >= 0)
    both = {rows: row.astype(np.uint32), columns: nearest[row, rank].astype(np.uint32)}
    return pl.DataFrame(both, {rows: pl.UInt32, columns: pl.UInt32})


def _pair_products(ours: F32, theirs: F32, s: NDArray[np.uint32], t: NDArray[np.uint32]) -> F32:
    out = np.zeros(len(s), np.float32)
    step = max(1, _CELLS // max(1, ours.shape[1] * 4))
    for at in range(0, len(s), step):
        block = slice(at, at + step)
        out[block] = np.einsum("ij,ij->i", ours[s[block]], theirs[t[block]])
    return out


def _segment_similarity(
    source: Units, target: Units, s: NDArray[np.uint32], t: NDArray[np.uint32]
) -> F32:
    out = np.zeros(len(s), np.float32)
    step = max(1, _CELLS // (FIRST * 4 * max(1, source.first.shape[2])))
    for at in range(0, len(s), step):
        rows, columns = s[at : at + step], t[at : at + step]
        ours = source.first[rows].astype(np.float32)
        theirs = target.first[columns].astype(np.float32)
        products = np.matmul(ours, theirs.transpose(0, 2, 1)) / np.float32(LEVELS**2)
        left, right = source.weights[rows], target.weights[columns]
        products[(left[:, :, None] == 0) | (right[:, None, :] == 0)] = 0
        out[at : at + step] = (
            (products.max(axis=2) * left).sum(axis=1) / np.maximum(left.sum(axis=1), 1e-9)
            + (products.max(axis=1) * right).sum(axis=1) / np.maximum(right.sum(axis=1), 1e-9)
        ) / 2
    return out


def _mean_of_others(nearest: F32, cosine: F32) -> F32:
    """Mean of the four highest cosines of a unit, not counting the pair itself."""
    five = nearest[:, : _AROUND + 1]
    # Drop the pair if it is among the five; otherwise drop the fifth.
    return np.asarray((five.sum(axis=1) - np.maximum(cosine, five[:, -1])) / _AROUND, np.float32)


def _add_token_overlap(pairs: pl.DataFrame, source: Units, target: Units) -> pl.DataFrame:
    """Add the columns `numbers` and `names`, each 0…1."""
    units = len(source.keys) + len(target.keys)
    tokens = pl.concat([source.tokens, target.tokens])
    idf = tokens.group_by("token").agg(idf=(1 + units / pl.len()).log())
    ours = source.tokens.join(idf, on="token").rename({"unit": "s"})
    theirs = target.tokens.join(idf, on="token").rename({"unit": "t"})
    # smoothing: one more rare token that the two do not share
    rare = float(np.log1p(units))
    for name in ("numbers", "names"):
        wanted = pl.col("number") if name == "numbers" else ~pl.col("number")
        left, right = ours.filter(wanted), theirs.filter(wanted)
        both = (
            pairs.select("s", "t")
            .join(left.select("s", "token", "idf"), on="s")
            .join(right.select("t", "token"), on=["t", "token"], how="semi")
            .group_by("s", "t")
            .agg(both=_total())
        )
        pairs = (
            pairs.join(both, on=["s", "t"], how="left", maintain_order="left")
            .join(left.group_by("s").agg(a=_total()), on="s", how="left", maintain_order="left")
            .join(right.group_by("t").agg(b=_total()), on="t", how="left", maintain_order="left")
            .with_columns(pl.col("both", "a", "b").fill_null(0.0))
        )
        union, smaller = pl.col("a") + pl.col("b") - pl.col("both"), pl.min_horizontal("a", "b")
        share = pl.col("both") / ((union if name == "numbers" else smaller) + rare)
        pairs = pairs.with_columns(share.cast(pl.Float32).alias(name)).drop("both", "a", "b")
    return pairs


def _total() -> pl.Expr:
    """Sum of idf, sorted first so that the order of rows cannot change the rounding."""
    return pl.col("idf").sort().sum()


def _add_date(
    pairs: pl.DataFrame, source: Units, target: Units, days: pl.DataFrame
) -> pl.DataFrame:
    """Add the column `date`."""
    for key, units in (("s", source), ("t", target)):
        day = units.keys.select("doc_id").with_row_index(key).join(days, on="doc_id")
        day = day.select(key, pl.col("day").alias(f"day_{key}"))
        pairs = pairs.join(day, on=key, how="left", maintain_order="left")
    apart = (pl.col("day_s") - pl.col("day_t")).dt.total_days().abs()
    date = pl.when(apart <= _SOON).then(1.0).when(apart > _LATER).then(-1.0).otherwise(0.0)
    return pairs.with_columns(date=date.cast(pl.Float32)).drop("day_s", "day_t")


def _url_evidence(source: pl.DataFrame, target: pl.DataFrame, urls: PageUrls) -> pl.DataFrame:
    """Columns s, t, url, hreflang and same_page for the pairs that any of these connects."""
    ours, theirs = (
        units.select("doc_id").with_row_index(key).filter(pl.len().over("doc_id") <= _MAX_SHARED)
        for units, key in ((source, "s"), (target, "t"))
    )
    same = ours.join(theirs, on="doc_id").select("s", "t", kind=pl.lit("same_page"))
    link = (
        ours.join(urls.links, on="doc_id")
        .join(theirs, left_on="other", right_on="doc_id")
        .select("s", "t", kind=pl.lit("hreflang"))
    )
    sides = [
        units.join(urls.keys, on="doc_id").filter(pl.len().over("key") <= _MAX_SHARED)
        for units in (ours, theirs)
    ]
    url = (
        sides[0]
        .join(sides[1], on="key", suffix="_t")
        .filter(pl.col("doc_id") != pl.col("doc_id_t"))
        .select("s", "t", kind=pl.lit("url"))
    )
    kinds = (
        (pl.col("kind") == kind).any().cast(pl.Float32).alias(kind)
        for kind in ("url", "hreflang", "same_page")
    )
    return pl.concat([same, link, url]).group_by("s", "t").agg(*kinds)
