"""Find clusters of articles, and of whole pages, that are copies of each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F64, I64, U16, Bools
from ingest.codepoints import CodePoints
from ingest.minhash import components, minhash, shingles, similar_pairs
from ingest.page_spans import find_pages
from ingest.text import spell_out

# A whole page is a copy only if nearly everything agrees: all pages of a site share boilerplate.
_PAGE_THRESHOLD = 0.9
_MAX_CHARS = 20_000  # characters of a segment that count


class Signatures(NamedTuple):
    """The MinHash of each article, and of each whole page as article 0.

    Attributes:
        keys: columns doc_id, article.
        values: uint16 [rows of keys, BANDS * ROWS], signatures.
    """

    keys: pl.DataFrame
    values: U16


def article_signatures(segments: pl.DataFrame) -> Signatures:
    """Compute the signatures of the articles and pages of one batch."""
    words = CodePoints(spell_out(segments["text"].str.head(_MAX_CHARS))).words()
    article = segments["article"].to_numpy()
    pages = find_pages(segments["doc_id"])
    page = pages.page
    kept = segments["keep"].to_numpy()
    page_shingles = shingles(page[words.text], words.key)
    in_article = kept[words.text]
    # (page, article) as one number
    base = 1 + int(article.max(initial=0))
    number = page * base + article
    order = np.argsort(number[words.text][in_article], kind="stable")
    article_shingles = shingles(number[words.text][in_article][order], words.key[in_article][order])
    page_group, page_values = minhash(*page_shingles)
    article_group, article_values = minhash(*article_shingles)
    doc_of = segments["doc_id"].gather(pages.first)
    keys = pl.concat(
        [
            pl.DataFrame(
                {"doc_id": doc_of.gather(page_group), "article": np.zeros_like(page_group)}
            ),
            pl.DataFrame(
                {"doc_id": doc_of.gather(article_group // base), "article": article_group % base}
            ),
        ]
    )
    return Signatures(keys, np.concatenate([page_values, article_values]))


def find_leaders(articles: Signatures, threshold: float) -> I64:
    """Find the first row, by doc_id and article, of the cluster of each row of the keys.

    The order of rows makes no difference to the clusters.
    """
    order = articles.keys.with_row_index("row").sort("doc_id", "article", "row")["row"].to_numpy()
    order = order.astype(np.int64)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    is_page = (articles.keys["article"] == 0).to_numpy()
    least = least_similarity(is_page, threshold)
    edges = similar_pairs(articles.values, least, is_page.astype(np.uint64), order=order)
    first = components(len(order), ((place[a], place[b]) for a, b in edges))
    leader: I64 = order[first[place]]
    return leader


def least_similarity(is_page: Bools, threshold: float) -> F64:
    """Return how similar a copy of each row must be: articles as given, and whole pages more."""
    return np.where(is_page, _PAGE_THRESHOLD, threshold)


def cluster_names(leaders: pl.DataFrame) -> pl.Series:
    """Name clusters by `doc_id:article` of their first member."""
    return leaders.select(cluster=pl.format("{}:{}", "doc_id", "article")).to_series()


def add_clusters(segments: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Add the cluster of each segment's article; null if the article has no words."""
    segments = segments.drop("cluster", strict=False)
    return segments.join(clusters, on=["doc_id", "article"], how="left", maintain_order="left")
