"""Find lines of a site's template: short lines that recur in different articles of the site."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest.dedup.candidates import distinct_pairs
from ingest.roles import KEPT_ROLES
from ingest.text import comparable_key

# A line of at most _MAX_CHARS characters that occurs in at least MIN_ARTICLES different articles
# of a site belongs to its template.
MIN_ARTICLES = 3
_MAX_CHARS = 80


def find_sites(documents: pl.DataFrame) -> pl.DataFrame:
    """Find the site of each page: the host of its URL, or else the folder of its source.

    Returns:
        Columns doc_id, site.
    """
    host = pl.col("url").str.extract(r"(?i)^[a-z]+://([^/:]+)").str.to_lowercase()
    folder = pl.col("source").str.extract(r"^(.*)/[^/]*$").fill_null("")
    return documents.select("doc_id", site=pl.coalesce(host, folder)).unique(
        "doc_id", keep="first", maintain_order=True
    )


def short_lines(segments: pl.DataFrame, site: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Find the short lines that would be kept.

    Args:
        segments: labelled segments.
        site: the result of `find_sites`.
        keys: articles that have words, with columns doc_id, article.

    Returns:
        line: UInt64, a key for the text and its site.
        row: UInt32, the row of its article in `keys`; null if the article has no words.
    """
    return (
        segments.filter(_may_be_template())
        .join(site, on="doc_id", maintain_order="left")
        .join(
            keys.with_row_index("row"), on=["doc_id", "article"], how="left", maintain_order="left"
        )
        .select(_line_key(), "row")
    )


def find_template_lines(lines: pl.Series, articles: pl.Series) -> pl.Series:
    """Find the lines that recur in different articles of a site, sorted: UInt64.

    Copies of an article count once, so a news agency's text on many pages is not a template.

    Args:
        lines: the lines of `short_lines`, for all pages.
        articles: the article of each line; all copies of an article have the same value.

    >>> find_template_lines(pl.Series([7, 7, 7, 8, 8, 8]), pl.Series([1, 2, 3, 1, 1, 1])).to_list()
    [7]
    """
    line, _ = distinct_pairs(lines.to_numpy(), articles.to_numpy())
    different, counts = np.unique(line, return_counts=True)
    return pl.Series("line", different[counts >= MIN_ARTICLES])


def mark_template(segments: pl.DataFrame, site: pl.DataFrame, template: pl.Series) -> pl.DataFrame:
    """Turn template lines into boilerplate: role nav, role_by site, article 0, keep false."""
    if template.is_empty():
        return segments
    matches = (
        segments.filter(_may_be_template())
        .join(site, on="doc_id", maintain_order="left")
        .select("doc_id", "segment", _line_key())
        .join(template.to_frame("line"), on="line", how="semi")
        .select("doc_id", "segment", is_template=True)
    )
    return (
        segments.join(matches, on=["doc_id", "segment"], how="left", maintain_order="left")
        .with_columns(pl.col("is_template").fill_null(value=False))
        .with_columns(
            role=pl.when("is_template").then(pl.lit("nav")).otherwise("role"),
            role_score=pl.when("is_template").then(1.0).otherwise("role_score").cast(pl.Float32),
            role_by=pl.when("is_template").then(pl.lit("site")).otherwise("role_by"),
            article=pl.when("is_template").then(0).otherwise("article"),
            keep=pl.col("keep") & ~pl.col("is_template"),
        )
        .select(segments.columns)
    )


def _may_be_template() -> pl.Expr:
    # A subheading such as "Ingredients" recurs although it is content.
    return (
        pl.col("role").is_in(KEPT_ROLES)
        & (pl.col("role") != "subheading")
        & (pl.col("text").str.len_chars() <= _MAX_CHARS)
    )


def _line_key() -> pl.Expr:
    text = pl.col("text").map_batches(comparable_key, return_dtype=pl.UInt64)
    # With the same seed, a line that equals its site would cancel out.
    return (text ^ pl.col("site").hash(seed=1)).alias("line")
