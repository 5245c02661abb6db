"""Number the articles of pages whose segments or boundaries a person has corrected."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import I64, Bools
from ingest.page_spans import find_pages


def correct_articles(
    segments: pl.DataFrame, *, leaves: pl.Series, joins: pl.Series, starts: pl.Series
) -> pl.DataFrame:
    """Return the columns article, and cluster if there is one, after corrections.

    A segment that joins goes to the nearest article before it on its page, or else after it, or
    else to a new one. Where boundaries were corrected, the articles of the page are numbered again
    from 1. A segment that moves gets the cluster of its article. An article that a person begins
    is in a cluster of its own.

    Args:
        segments: whole pages: doc_id, segment, article, and perhaps cluster.
        leaves: Boolean, whether a segment leaves its article.
        joins: Boolean, whether a segment that is in no article joins one.
        starts: Boolean, whether an article starts there; null if nobody said so.

    >>> page = pl.DataFrame({"doc_id": "d", "segment": range(4), "article": [1, 0, 1, 1]})
    >>> said = pl.Series([None, None, True, None])
    >>> no = pl.Series([False] * 4)
    >>> correct_articles(page, leaves=no, joins=no, starts=said)["article"].to_list()
    [1, 0, 2, 2]
    """
    pages = find_pages(segments["doc_id"])
    before = segments["article"].to_numpy()
    article = np.where(leaves.to_numpy(), 0, before)
    joining = (joins | starts.is_not_null()).to_numpy() & (article == 0)
    article = np.where(joining, _nearest_article(article, segments["doc_id"]), article)
    inside = article > 0
    opened = _opens(article, pages.page)
    starting = (starts == True).fill_null(value=False).to_numpy()  # noqa: E712
    continuing = (starts == False).fill_null(value=False).to_numpy()  # noqa: E712
    first_of_page = inside & _is_first(inside, pages.page)
    opens = ((opened | starting) & ~continuing & inside) | first_of_page
    renumbered = np.isin(pages.page, pages.page[starting | continuing])
    count = np.cumsum(opens)
    numbers = count - np.append(0, count)[pages.first][pages.page]
    article = np.where(renumbered & inside, numbers, article).astype(np.int64)
    columns = pl.DataFrame({"article": article})
    if "cluster" not in segments.columns:
        return columns
    moved = (article != before) | _in_marked_article(article, pages.page, opens & ~opened)
    frame = segments.select("doc_id", "segment", "cluster", before="article").with_columns(
        columns["article"], is_new=pl.Series(opens & ~opened), moved=pl.Series(moved)
    )
    return columns.with_columns(frame.select(_clusters()))


def _clusters() -> pl.Expr:
    """The cluster of each segment; an article takes that of the first segment that was in one."""
    group = ("doc_id", "article")
    kept = pl.col("cluster").filter((pl.col("before") > 0) == (pl.col("article") > 0))
    first = pl.coalesce(kept.drop_nulls().first().over(group), "cluster")
    own = pl.format("{}:s{}", "doc_id", pl.col("segment").filter("is_new").first().over(group))
    is_new = pl.col("is_new").any().over(group) & (pl.col("article") > 0)
    return (
        pl.when(pl.col("moved"))
        .then(pl.when(is_new).then(own).otherwise(first))
        .otherwise("cluster")
        .alias("cluster")
    )


def _nearest_article(article: I64, doc_id: pl.Series) -> I64:
    """The last article before each segment on its page, or else the first after it, or else 1."""
    numbers = pl.DataFrame({"doc_id": doc_id, "article": article})
    known = pl.when(pl.col("article") > 0).then("article")
    nearest = pl.coalesce(known.forward_fill().over("doc_id"), known.backward_fill().over("doc_id"))
    return numbers.select(nearest.fill_null(1)).to_series().to_numpy()


def _is_first(inside: Bools, page: I64) -> Bools:
    """Whether a segment is the first on its page of those that are in an article."""
    rows = np.flatnonzero(inside)
    first = np.zeros(len(inside), bool)
    first[rows[np.unique(page[rows], return_index=True)[1]]] = True
    return first


def _opens(article: I64, page: I64) -> Bools:
    """Whether a segment is in another article than the one before it that is in any."""
    rows = np.flatnonzero(article > 0)
    opens = np.zeros(len(article), bool)
    opens[rows] = True
    same = (article[rows][1:] == article[rows][:-1]) & (page[rows][1:] == page[rows][:-1])
    opens[rows[1:][same]] = False
    return opens


def _in_marked_article(article: I64, page: I64, marked: Bools) -> Bools:
    """Whether a segment is in the article of a marked one."""
    base = 1 + int(article.max(initial=0))
    number = page * base + article
    return np.isin(number, number[marked])
