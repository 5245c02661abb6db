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
    host = pl.col("url").str.extract(r"(?i)^[a-z]+://([^/:]+)").str.to_lowercase()
    folder = pl.col("source").str.extract(r"^(.*)/[^/]*$").fill_null("")
    return documents.select("doc_id", site=pl.coalesce(host, folder)).unique(
        "doc_id", keep="first", maintain_order=True
    )


def short_lines(segments: pl.DataFrame, site: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """The short lines that would be kept, as keys: columns line (UInt64), row (UInt32).

    `line` names a text on a site; `row` is where its article stands in `keys`, which has columns
    doc_id, article. Articles without a key are left out.
    """
    return (
        segments.filter(_may_be_template())
        .join(site, on="doc_id", maintain_order="left")
        .join(keys.with_row_index("row"), on=["doc_id", "article"], maintain_order="left")
        .select(_line_key(), "row")
    )


def template_lines(lines: pl.Series, articles: pl.Series) -> pl.Series:
    """The lines that recur in different articles of a site, sorted: UInt64.

    Copies of one article count once, so an agency's text on many pages is no template.

    Args:
        lines: what `short_lines` gave, of all pages.
        articles: one value for all copies of the article that each line stands in.

    >>> template_lines(pl.Series([7, 7, 7, 8, 8, 8]), pl.Series([1, 2, 3, 1, 1, 1])).to_list()
    [7]
    """
    return (
        pl.DataFrame({"line": lines, "article": articles})
        .unique()
        .group_by("line")
        .len()
        .filter(pl.col("len") >= _TEMPLATE_ARTICLES)["line"]
        .sort()
    )


def without_template(
    segments: pl.DataFrame, site: pl.DataFrame, template: pl.Series
) -> pl.DataFrame:
    """Turn lines of a template into furniture: role nav, role_by site, article 0, not kept."""
    if template.is_empty():
        return segments
    hits = (
        segments.filter(_may_be_template())
        .join(site, on="doc_id", maintain_order="left")
        .select("doc_id", "segment", _line_key())
        .join(template.to_frame("line"), on="line", how="semi")
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
    text = pl.col("text").map_batches(comparable_key, return_dtype=pl.UInt64)
    # another seed, lest a site and a line that spell the same cancel out
    return (text ^ pl.col("site").hash(seed=1)).alias("line")
