"""Which units of two languages may belong together, what speaks for it, and who gets whom.

A unit is the text of an article in one language. Candidates are nearest neighbours and what the
addresses of pages say; only they are looked at closely.
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


NEIGHBOURS = 8  # candidates of a unit, by content
_AROUND = 4  # neighbours that a margin compares with: Artetxe & Schwenk 2019 use as many
_CELLS = 1 << 24  # cosines held at once: 64 MB
_PRIOR = 10.0  # units whose mean is taken to be zero, so that a small crawl is not centred away
_CROWD = 16  # units of one language on a page or address; of more, that says nothing
_SOON, _LATER = 3, 30  # days between the dates of a translation; and of other news

# Log odds. The first seven were fitted by tests/benchmarks/pairing.py --fit, a logistic regression,
# and hold for the encoder that ships; the last four are set by hand, since the documents of that
# benchmark have no addresses or dates. A link by hreflang outweighs a content that says "no", but
# not one that says "never". The cosine itself tells nothing that margin and segments do not.
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


def centred(vectors: F32) -> F32:
    """Rows of length 1 after the mean row went, shrunk where rows are few; zeros stay."""
    there: NDArray[np.bool_] = np.any(vectors, axis=1)
    mean = vectors.sum(axis=0, dtype=np.float64) / (there.sum() + _PRIOR)
    moved = (vectors - mean.astype(np.float32)) * there.reshape(-1, 1)
    length = np.sqrt(np.einsum("ij,ij->i", moved, moved))
    return np.asarray(moved / np.maximum(length, 1e-9)[:, None], dtype=np.float32)


def neighbours(source: F32, target: F32, k: int) -> tuple[I64, F32]:
    """The k nearest target rows of each source row, nearest first, and their cosines.

    Exact, in blocks of 64 MB, by products of unit rows. Where there are fewer than k targets, the
    rest are -1 with a cosine of 0.

    >>> at, cosine = neighbours(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), 3)
    >>> at.tolist()
    [[0, 1, -1], [1, 0, -1]]
    """
    some = min(k, len(target))
    found = np.full((len(source), k), -1, np.int64)
    cosines = np.zeros((len(source), k), np.float32)
    step = max(1, _CELLS // max(1, len(target)))
    for at in range(0, len(source) if some else 0, step):
        block = source[at : at + step] @ target.T
        rows = np.arange(len(block))[:, None]
        top = np.sort(np.argpartition(-block, some - 1, axis=1)[:, :some], axis=1)
        top = top[rows, np.argsort(-block[rows, top], axis=1, kind="stable")]
        found[at : at + step, :some] = top
        cosines[at : at + step, :some] = block[rows, top]
    return found, cosines


def find_candidates(source: Units, target: Units, addresses: PageUrls) -> pl.DataFrame:
    """Pairs of units worth a close look, and what speaks for each.

    Returns:
        s and t (UInt32: rows of the units), and Float32 columns: cosine, and those that the
        WEIGHTS name. `cosine` is that of the units, less the mean of their language.
        `margin` is the cosine less the mean of those of the four nearest others on either side:
        the difference form of Artetxe & Schwenk 2019 (arXiv:1811.01136), without the pair itself.
        `segments` is the mean, over the first segments of either, of the cosine with the nearest
        first segment of the other: two stories of one event share a topic, not their sentences.
        `best` is 1 where neither has a candidate of more content (margin and twice segments).
        `length` is the absolute logarithm of the ratio of characters.
        `numbers` is the Jaccard index of numbers and `names` the overlap of Latin words, both
        weighted by inverse document frequency.
    """
    ours, theirs = centred(source.vectors), centred(target.vectors)
    forth, back = neighbours(ours, theirs, NEIGHBOURS), neighbours(theirs, ours, NEIGHBOURS)
    near = pl.concat([_flat(forth[0], "s", "t"), _flat(back[0], "t", "s").select("s", "t")])
    marks = _marks(source.keys, target.keys, addresses)
    pairs = pl.concat([near, marks.select("s", "t")]).unique().sort("s", "t")
    s, t = pairs["s"].to_numpy(), pairs["t"].to_numpy()
    cosine = _products(ours, theirs, s, t)
    around = (_others(forth[1][s], cosine) + _others(back[1][t], cosine)) / 2
    length = [units.keys["chars"].to_numpy().astype(np.float64) for units in (source, target)]
    ratio = np.abs(np.log(np.maximum(length[0], 1)[s] / np.maximum(length[1], 1)[t]))
    pairs = pairs.with_columns(
        cosine=pl.Series(cosine),
        margin=pl.Series(cosine - around),
        segments=pl.Series(_segments(source, target, s, t)),
        length=pl.Series(np.minimum(ratio, 3).astype(np.float32)),
    )
    content = pl.col("margin") + 2 * pl.col("segments")
    best = (content == content.max().over("s")) & (content == content.max().over("t"))
    pairs = _common(pairs.with_columns(best=best.cast(pl.Float32)), source, target)
    pairs = pairs.join(marks, on=["s", "t"], how="left", maintain_order="left")
    pairs = pairs.with_columns(pl.col("url", "hreflang", "same_page").fill_null(0.0))
    return _dates(pairs, source, target, addresses.dates)


def scores(pairs: pl.DataFrame) -> pl.Series:
    """Float32: the probability that each pair is one, by the WEIGHTS."""
    odds = sum(
        (pl.col(name) * weight for name, weight in WEIGHTS.items() if name != "bias"),
        start=pl.lit(WEIGHTS["bias"]),
    )
    return pairs.select(score=(1 / (1 + (-odds).exp())).cast(pl.Float32)).to_series()


def one_to_one(scored: Iterable[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Of pairs (s, t, score) the best first, and no s or t twice: a stable matching.

    Equal scores go by s, then t.

    >>> one_to_one([(0, 0, 0.8), (0, 1, 0.9), (1, 1, 0.7), (1, 0, 0.2)])
    [(0, 1, 0.9), (1, 0, 0.2)]
    """
    taken: tuple[set[int], set[int]] = set(), set()
    made = []
    for s, t, score in sorted(scored, key=lambda pair: (-pair[2], pair[0], pair[1])):
        if s not in taken[0] and t not in taken[1]:
            taken[0].add(s)
            taken[1].add(t)
            made.append((s, t, score))
    return made


def _flat(found: I64, rows: str, columns: str) -> pl.DataFrame:
    """Neighbours as two columns."""
    row, place = np.nonzero(found >= 0)
    both = {rows: row.astype(np.uint32), columns: found[row, place].astype(np.uint32)}
    return pl.DataFrame(both, {rows: pl.UInt32, columns: pl.UInt32})


def _products(ours: F32, theirs: F32, s: NDArray[np.uint32], t: NDArray[np.uint32]) -> F32:
    out = np.zeros(len(s), np.float32)
    step = max(1, _CELLS // max(1, ours.shape[1] * 4))
    for at in range(0, len(s), step):
        here = slice(at, at + step)
        out[here] = np.einsum("ij,ij->i", ours[s[here]], theirs[t[here]])
    return out


def _segments(source: Units, target: Units, s: NDArray[np.uint32], t: NDArray[np.uint32]) -> F32:
    out = np.zeros(len(s), np.float32)
    step = max(1, _CELLS // (FIRST * 4 * max(1, source.first.shape[2])))
    for at in range(0, len(s), step):
        here, there = s[at : at + step], t[at : at + step]
        ours = source.first[here].astype(np.float32)
        theirs = target.first[there].astype(np.float32)
        products = np.matmul(ours, theirs.transpose(0, 2, 1)) / np.float32(LEVELS**2)
        one, other = source.weights[here], target.weights[there]
        products[(one[:, :, None] == 0) | (other[:, None, :] == 0)] = 0
        out[at : at + step] = (
            (products.max(axis=2) * one).sum(axis=1) / np.maximum(one.sum(axis=1), 1e-9)
            + (products.max(axis=1) * other).sum(axis=1) / np.maximum(other.sum(axis=1), 1e-9)
        ) / 2
    return out


def _others(nearest: F32, cosine: F32) -> F32:
    """Mean of the four highest cosines of a unit but for that of the pair itself."""
    five = nearest[:, : _AROUND + 1]
    # the pair is among the five, or it is farther than the fifth, which then goes
    return np.asarray((five.sum(axis=1) - np.maximum(cosine, five[:, -1])) / _AROUND, np.float32)


def _common(pairs: pl.DataFrame, source: Units, target: Units) -> pl.DataFrame:
    """`pairs` with numbers and names, each 0…1."""
    units = len(source.keys) + len(target.keys)
    every = pl.concat([source.tokens, target.tokens])
    idf = every.group_by("token").agg(idf=(1 + units / pl.len()).log())
    ours = source.tokens.join(idf, on="token").rename({"unit": "s"})
    theirs = target.tokens.join(idf, on="token").rename({"unit": "t"})
    # as if there were one rare token more that the two do not share
    rare = float(np.log1p(units))
    for name in ("numbers", "names"):
        this = pl.col("number") if name == "numbers" else ~pl.col("number")
        mine, other = ours.filter(this), theirs.filter(this)
        both = (
            pairs.select("s", "t")
            .join(mine.select("s", "token", "idf"), on="s")
            .join(other.select("t", "token"), on=["t", "token"], how="semi")
            .group_by("s", "t")
            .agg(both=_total())
        )
        pairs = (
            pairs.join(both, on=["s", "t"], how="left", maintain_order="left")
            .join(mine.group_by("s").agg(a=_total()), on="s", how="left", maintain_order="left")
            .join(other.group_by("t").agg(b=_total()), on="t", how="left", maintain_order="left")
            .with_columns(pl.col("both", "a", "b").fill_null(0.0))
        )
        union, less = pl.col("a") + pl.col("b") - pl.col("both"), pl.min_horizontal("a", "b")
        share = pl.col("both") / ((union if name == "numbers" else less) + rare)
        pairs = pairs.with_columns(share.cast(pl.Float32).alias(name)).drop("both", "a", "b")
    return pairs


def _total() -> pl.Expr:
    """A sum that no order of rows can change."""
    return pl.col("idf").sort().sum()


def _dates(pairs: pl.DataFrame, source: Units, target: Units, days: pl.DataFrame) -> pl.DataFrame:
    """`pairs` with date: 1 where their pages are of the same days, -1 far apart, else 0."""
    for key, units in (("s", source), ("t", target)):
        day = units.keys.select("doc_id").with_row_index(key).join(days, on="doc_id")
        day = day.select(key, pl.col("day").alias(f"day_{key}"))
        pairs = pairs.join(day, on=key, how="left", maintain_order="left")
    apart = (pl.col("day_s") - pl.col("day_t")).dt.total_days().abs()
    date = pl.when(apart <= _SOON).then(1.0).when(apart > _LATER).then(-1.0).otherwise(0.0)
    return pairs.with_columns(date=date.cast(pl.Float32)).drop("day_s", "day_t")


def _marks(source: pl.DataFrame, target: pl.DataFrame, addresses: PageUrls) -> pl.DataFrame:
    """s, t, url, hreflang and same_page of the pairs of units whose pages say something."""
    ours, theirs = (
        units.select("doc_id").with_row_index(key).filter(pl.len().over("doc_id") <= _CROWD)
        for units, key in ((source, "s"), (target, "t"))
    )
    same = ours.join(theirs, on="doc_id").select("s", "t", kind=pl.lit("same_page"))
    link = (
        ours.join(addresses.links, on="doc_id")
        .join(theirs, left_on="other", right_on="doc_id")
        .select("s", "t", kind=pl.lit("hreflang"))
    )
    few = [
        units.join(addresses.keys, on="doc_id").filter(pl.len().over("key") <= _CROWD)
        for units in (ours, theirs)
    ]
    url = (
        few[0]
        .join(few[1], on="key", suffix="_t")
        .filter(pl.col("doc_id") != pl.col("doc_id_t"))
        .select("s", "t", kind=pl.lit("url"))
    )
    kinds = (
        (pl.col("kind") == kind).any().cast(pl.Float32).alias(kind)
        for kind in ("url", "hreflang", "same_page")
    )
    return pl.concat([same, link, url]).group_by("s", "t").agg(*kinds)
