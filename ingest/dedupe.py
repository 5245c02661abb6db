"""Across pages: articles and pages that stand in several places, and lines of a site's template.

Two phases: each batch of pages gives keys of fixed size, then the keys alone are compared. Text is
never held for the whole corpus, and no two articles are compared that share no key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.codepoints import I64, U64, CodePoints, mix
from ingest.config import DedupeConfig
from ingest.frames import LABELLED, SEGMENTS, check
from ingest.label.pages import pages_of
from ingest.sites import short_lines, sites, template_lines, without_template

U16 = NDArray[np.uint16]

SHINGLE = 4  # words
# MinHash (Broder 1997) with 63 values in 21 bands of 3: two texts of Jaccard similarity s share
# a band with probability 1 - (1 - s**3)**21, .994 at s = .6 and .003 at s = .05.
BANDS, ROWS = 21, 3
_CHUNK = 1 << 14  # shingles hashed at once
_FACTORS = mix(np.arange(1, BANDS * ROWS + 1, dtype=np.uint64)) | np.uint64(1)
# A page is a copy only where menus and text agree: pages of one site share their furniture.
_SAME_PAGE = 0.9


class Signatures(NamedTuple):
    """MinHash of each article, and of each page as a whole (article 0).

    `keys` has columns doc_id, article; `values` is uint16 [rows of keys, BANDS * ROWS].
    """

    keys: pl.DataFrame
    values: U16


def dedupe(
    segments: pl.DataFrame,
    documents: pl.DataFrame | None = None,
    *,
    config: DedupeConfig | None = None,
) -> pl.DataFrame:
    """Add cluster, and turn lines of a site's template into nav; rows stay as they are.

    Articles whose kept text is the same or nearly so share a cluster, named after the first of
    them; the rows of article 0 carry the cluster of their page as a whole. The order of pages
    makes no difference.

    Args:
        segments: a labelled segments frame, the rows of each page together and in order.
        documents: the pages, whose folder or host tells which are of one site; without it all
            pages are taken for one site's.
        config: the threshold of similarity.

    Raises:
        FrameError: a column is missing.

    >>> import ingest
    >>> pages = ingest.read(ingest.samples())
    >>> segments = ingest.label(ingest.detect(ingest.segment(pages)))
    >>> dedupe(segments, pages)["cluster"].null_count()
    0
    """
    check(segments, SEGMENTS, LABELLED, verb="dedupe")
    config = config or DedupeConfig()
    if documents is None:
        site = segments.select("doc_id", site=pl.lit("")).unique(maintain_order=True)
    else:
        site = sites(documents)
    found = signatures(segments)
    first = leaders(found, config.threshold)
    lines = short_lines(segments, site, found.keys)
    template = template_lines(lines["line"], pl.Series(first[lines["row"].to_numpy()]))
    named = found.keys.with_columns(cluster=cluster_names(found.keys[first]))
    return with_clusters(without_template(segments, site, template), named)


def signatures(segments: pl.DataFrame) -> Signatures:
    """The keys of the articles and pages of one batch."""
    chars = CodePoints(segments["text"].str.head(20_000))
    words = chars.words()
    article = segments["article"].to_numpy()
    pages = pages_of(segments["doc_id"])
    page = pages.page
    kept = segments["keep"].to_numpy()
    whole = _shingles(page[words.text], words.key)
    in_article = kept[words.text]
    # (page, article) as one number; articles of a page stand in order, so groups stay together
    base = 1 + int(article.max(initial=0))
    number = page * base + article
    order = np.argsort(number[words.text][in_article], kind="stable")
    own = _shingles(number[words.text][in_article][order], words.key[in_article][order])
    page_group, page_values = minhash(*whole)
    own_group, own_values = minhash(*own)
    doc_of = segments["doc_id"].gather(pages.first)
    keys = pl.concat(
        [
            pl.DataFrame(
                {"doc_id": doc_of.gather(page_group), "article": np.zeros_like(page_group)}
            ),
            pl.DataFrame({"doc_id": doc_of.gather(own_group // base), "article": own_group % base}),
        ]
    )
    return Signatures(keys, np.concatenate([page_values, own_values]))


def _shingles(group: I64, key: U64) -> tuple[I64, U64]:
    """Distinct hashes of SHINGLE words in a row, by group; shorter groups give what they have."""
    gram = key.copy()
    with np.errstate(over="ignore"):
        for step in range(1, SHINGLE):
            same = np.zeros(len(key), bool)
            same[:-step] = group[step:] == group[:-step]
            follower = np.zeros(len(key), np.uint64)
            follower[:-step] = key[step:]
            gram = mix(gram * np.uint64(31) + np.where(same, follower, np.uint64(0)))
    # grams that run over the end of their group say little; keep the first, for short groups
    full = np.zeros(len(key), bool)
    full[: len(key) - SHINGLE + 1] = (
        group[: len(key) - SHINGLE + 1] == group[SHINGLE - 1 :] if len(key) >= SHINGLE else False
    )
    first = np.r_[True, group[1:] != group[:-1]] if len(group) else full
    use = full | first
    return group[use], gram[use]


def minhash(group: I64, gram: U64) -> tuple[I64, U16]:
    """The groups, and the least of each hash function over each: uint16 [groups, BANDS * ROWS].

    Of each least value the low 16 bits are kept (b-bit MinHash, Li and König 2010): two texts
    that differ agree in them by chance once in 65,536.
    """
    starts = (
        np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, int)
    )
    values = np.full((len(starts), BANDS * ROWS), np.iinfo(np.uint32).max, np.uint32)
    of = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(group)]))
    for at in range(0, len(gram), _CHUNK):
        part, which = gram[at : at + _CHUNK], of[at : at + _CHUNK]
        with np.errstate(over="ignore"):
            hashed = (part[None, :] * _FACTORS[:, None]) >> np.uint64(32)
        cuts = np.flatnonzero(np.r_[True, which[1:] != which[:-1]])
        least = np.minimum.reduceat(hashed.astype(np.uint32), cuts, axis=1).T
        values[which[cuts]] = np.minimum(values[which[cuts]], least)
    return group[starts], values.astype(np.uint16)


def cluster_names(first: pl.DataFrame) -> pl.Series:
    """`doc_id:article` of the first member of each cluster."""
    return first.select(cluster=pl.format("{}:{}", "doc_id", "article")).to_series()


def leaders(found: Signatures, threshold: float) -> I64:
    """For each row of the keys, the row that stands first, by doc_id and article, of its like.

    The order of rows makes no difference to who belongs together.
    """
    order = found.keys.with_row_index("row").sort("doc_id", "article")["row"].to_numpy()
    whole = (found.keys["article"] == 0).to_numpy()[order]
    least = np.where(whole, _SAME_PAGE, threshold)
    parent: I64 = np.arange(len(order))
    for band in range(BANDS):
        with np.errstate(over="ignore"):
            key = whole.astype(np.uint64) + np.uint64(band)
            for column in range(band * ROWS, (band + 1) * ROWS):
                key = mix(key * np.uint64(31) + found.values[:, column][order])
        by_key = np.argsort(key, kind="stable")
        equal = key[by_key[1:]] == key[by_key[:-1]]
        one, other = by_key[:-1][equal], by_key[1:][equal]
        parent = _flat(parent)
        apart = parent[one] != parent[other]
        for a, b in _alike(one[apart], other[apart], found.values, order, least):
            _join(parent, a, b)
    first: I64 = np.empty_like(parent)
    first[order] = order[_flat(parent)]
    return first


def _alike(
    one: I64, other: I64, values: U16, order: NDArray[np.uint32], least: NDArray[np.float64]
) -> Iterator[tuple[int, int]]:
    """The candidate pairs whose signatures agree in a share of `least` or more."""
    for at in range(0, len(one), _CHUNK):
        a, b = one[at : at + _CHUNK], other[at : at + _CHUNK]
        enough = (values[order[a]] == values[order[b]]).mean(axis=1) >= least[a]
        yield from zip(a[enough].tolist(), b[enough].tolist(), strict=True)


def _flat(parent: I64) -> I64:
    """Each node's root: pointer jumping until nothing moves."""
    while ((above := parent[parent]) != parent).any():
        parent = above
    return parent


def _join(parent: I64, one: int, other: int) -> None:
    low, high = sorted((_root(parent, one), _root(parent, other)))
    parent[high] = low


def _root(parent: I64, node: int) -> int:
    while (above := int(parent[node])) != node:
        node = above
    return node


def with_clusters(segments: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Give each segment the cluster of its article; null where that has no words."""
    segments = segments.drop("cluster", strict=False)
    return segments.join(found, on=["doc_id", "article"], how="left", maintain_order="left")
