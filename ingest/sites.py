"""Lines that belong to the template of a site: short, and the same in its different articles."""

from __future__ import annotations

import polars as pl

from ingest.frames import KEPT_ROLES
from ingest.text import comparable_key

# A short line that stands in so many different articles of a site belongs to its template.
_TEMPLATE_ARTICLES = 3
_TEMPLATE_CHARS = 80


def sites(documents: pl.DataFrame) -> pl.DataFrame:
    """doc_id and site of each page: the host of its address, else the folder of its source."""
    host = pl.col("url").str.extract(r"^[a-z]+://([^/:]+)")
    folder = pl.col("source").str.extract(r"^(.*)/[^/]*$").fill_null("")
    return documents.select("doc_id", site=pl.coalesce(host, folder))


def short_lines(segments: pl.DataFrame, site: pl.DataFrame) -> pl.DataFrame:
    """The short lines that would be kept, as hashes: columns site, line, article."""
    return (
        segments.filter(_may_be_template())
        .join(site, on="doc_id", maintain_order="left")
        .select(pl.col("site").hash(), _line_key(), _article_key())
    )


def template_lines(lines: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The lines that recur in different articles of a site: columns site, line.

    Copies of one article count once, so an agency's text on many pages is no template.

    Args:
        lines: what `short_lines` gave, of all pages.
        found: the clusters of all articles.
    """
    line = ["site", "line"]
    often = pl.len() >= _TEMPLATE_ARTICLES
    frequent = lines.group_by(line).agg(often=often).filter("often")
    return (
        lines.join(frequent, on=line, how="semi")
        .join(found.select(_article_key(), "cluster"), on="article")
        .select(*line, pl.col("cluster").hash())
        .unique()
        .group_by(line)
        .agg(often=often)
        .filter("often")
        .select(line)
        .sort(line)
    )


def without_template(
    segments: pl.DataFrame, site: pl.DataFrame, found: pl.DataFrame
) -> pl.DataFrame:
    """Turn the found lines into furniture: role nav, role_by site, article 0, not kept."""
    if found.is_empty():
        return segments
    hits = (
        segments.filter(_may_be_template())
        .join(site.select("doc_id", pl.col("site").hash()), on="doc_id")
        .with_columns(_line_key())
        .join(found, on=["site", "line"], how="semi")
        .select("doc_id", "segment", hit=True)
    )
    return (
        segments.join(hits, on=["doc_id", "segment"], how="left", maintain_order="left")
        .with_columns(pl.col("hit").fill_null(value=False))
        .with_columns(
            role=pl.when("hit").then(pl.lit("nav")).otherwise("role"),
            role_by=pl.when("hit").then(pl.lit("site")).otherwise("role_by"),
            article=pl.when("hit").then(0).otherwise("article"),
            keep=pl.col("keep") & ~pl.col("hit"),
        )
        .select(segments.columns)
    )


def _may_be_template() -> pl.Expr:
    # a subheading such as "Ingredients" recurs and is content all the same
    return (
        pl.col("role").is_in(KEPT_ROLES)
        & (pl.col("role") != "subheading")
        & (pl.col("text").str.len_chars() <= _TEMPLATE_CHARS)
    )


def _line_key() -> pl.Expr:
    return pl.col("text").map_batches(comparable_key, return_dtype=pl.UInt64).alias("line")


def _article_key() -> pl.Expr:
    return pl.struct("doc_id", "article").hash().alias("article")
