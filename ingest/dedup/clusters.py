"""Clusters: which articles, and which pages as a whole, are copies of one another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, U16
from ingest.codepoints import CodePoints
from ingest.minhash import components, minhash, shingles, similar_pairs
from ingest.page_spans import find_pages

# A page is a copy only where menus and text agree: pages of one site share their furniture.
_SAME_PAGE = 0.9


class Signatures(NamedTuple):
    """MinHash of each article, and of each page as a whole (article 0).

    `keys` has columns doc_id, article; `values` is uint16 [rows of keys, BANDS * ROWS].
    """

    keys: pl.DataFrame
    values: U16


def article_signatures(segments: pl.DataFrame) -> Signatures:
    """The keys of the articles and pages of one batch."""
    chars = CodePoints(segments["text"].str.head(20_000))
    words = chars.words()
    article = segments["article"].to_numpy()
    pages = find_pages(segments["doc_id"])
    page = pages.page
    kept = segments["keep"].to_numpy()
    whole = shingles(page[words.text], words.key)
    in_article = kept[words.text]
    # (page, article) as one number; articles of a page stand in order, so groups stay together
    base = 1 + int(article.max(initial=0))
    number = page * base + article
    order = np.argsort(number[words.text][in_article], kind="stable")
    own = shingles(number[words.text][in_article][order], words.key[in_article][order])
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


def leaders(articles: Signatures, threshold: float) -> I64:
    """For each row of the keys, the row that comes first, by doc_id and article, in its cluster.

    The order of rows makes no difference to who belongs together.
    """
    order = articles.keys.with_row_index("row").sort("doc_id", "article")["row"].to_numpy()
    whole = (articles.keys["article"] == 0).to_numpy()[order]
    least = np.where(whole, _SAME_PAGE, threshold)
    edges = similar_pairs(articles.values[order], least, whole.astype(np.uint64))
    first: I64 = np.empty(len(order), np.int64)
    first[order] = order[components(len(order), [edges])]
    return first


def cluster_names(first: pl.DataFrame) -> pl.Series:
    """`doc_id:article` of the first member of each cluster."""
    return first.select(cluster=pl.format("{}:{}", "doc_id", "article")).to_series()


def with_clusters(segments: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Give each segment the cluster of its article; null where that has no words."""
    segments = segments.drop("cluster", strict=False)
    return segments.join(clusters, on=["doc_id", "article"], how="left", maintain_order="left")
