"""Rules for a site, learned from corrections: what stands at one place of its template has a role.

The place is the path of a segment's elements, without what differs from page to page.
"""

from __future__ import annotations

import polars as pl

from ingest.review.correction_lines import RIGHT
from ingest.review.corrections import Corrections

# This many corrections that agree make a rule: on two pages, or more of them on one.
_MIN_CORRECTIONS, _MIN_PAGES, _MIN_ON_ONE_PAGE = 2, 2, 3
_ATTRIBUTES = r"\[[^\]\s]*\]?"
_KEY = ["site", "path"]


def template_path(markup: pl.Expr) -> pl.Expr:
    """Return the path of a segment's elements in the template of its site.

    Tags, ids and classes stay. Attributes go, and each number becomes 0, so that `post-17` and
    `post-18` are one place.

    Args:
        markup: the column of segments; null gives null, so that plain text has no rules.

    >>> pl.select(template_path(pl.lit("body div#post-17.post[role=main] p"))).item()
    'body div#post-0.post p'
    """
    return markup.str.replace_all(_ATTRIBUTES, "").str.replace_all(r"\d+", "0")


def find_places(evidence: pl.DataFrame) -> pl.DataFrame:
    """Count what people said about each path of a site.

    Args:
        evidence: as for `learn_rules`.

    Returns:
        Columns site, path, role and keep (of one of the segments), labels (number of different
        labels), corrections, pages (with corrections); those with most corrections first.

    >>> row = {"site": "a.com", "path": "body p", "role": "nav", "keep": False, "doc_id": "d"}
    >>> find_places(pl.DataFrame(row | {"verdict": "wrong"})).rows()
    [('a.com', 'body p', 'nav', False, 1, 1, 1)]
    """
    corrected = pl.col("verdict").fill_null("") != RIGHT
    return (
        evidence.drop_nulls(_KEY)
        .group_by(_KEY)
        .agg(
            pl.col("role").first(),
            pl.col("keep").first(),
            labels=pl.struct("role", "keep").n_unique(),
            corrections=corrected.sum(),
            pages=pl.col("doc_id").filter(corrected).n_unique(),
        )
        .sort("corrections", *_KEY, descending=[True, False, False])
    )


def learn_rules(evidence: pl.DataFrame) -> pl.DataFrame:
    """Derive rules from what people said about segments.

    A path of a site gets a rule if at least two segments on two pages, or three on one, were
    corrected, and all that was said about the path agrees.

    Args:
        evidence: one row per judged segment: site, path, doc_id, `role` and `keep` as they should
            be, and `verdict`; with `right`, they are confirmed and not corrected.

    Returns:
        Columns site, path, role, keep, sorted.

    >>> row = {"site": "a.com", "path": "body p.tag", "role": "nav", "keep": False}
    >>> rows = [row | {"doc_id": doc, "verdict": "wrong"} for doc in ("one", "two")]
    >>> learn_rules(pl.DataFrame(rows)).rows()
    [('a.com', 'body p.tag', 'nav', False)]
    >>> learn_rules(pl.DataFrame([*rows, rows[0] | {"keep": True, "verdict": "right"}])).rows()
    []
    """
    return (
        find_places(evidence)
        .filter(
            pl.col("labels") == 1,
            (pl.col("corrections") >= _MIN_ON_ONE_PAGE)
            | ((pl.col("corrections") >= _MIN_CORRECTIONS) & (pl.col("pages") >= _MIN_PAGES)),
        )
        .select(*_KEY, "role", "keep")
        .sort(_KEY)
    )


def find_ruled(segments: pl.DataFrame, rules: pl.DataFrame, site: pl.DataFrame) -> pl.DataFrame:
    """Find the segments that rules apply to.

    Args:
        segments: columns doc_id and markup.
        rules: columns site, path, role, keep.
        site: the site of each page: columns doc_id, site, as `find_sites` returns them.

    Returns:
        rule_role and rule_keep of each segment, null if no rule applies; in the order of segments.

    >>> segments = pl.DataFrame({"doc_id": ["d"], "markup": ["p.tag[lang=en]"]})
    >>> rules = pl.DataFrame({"site": ["a"], "path": ["p.tag"], "role": ["nav"], "keep": [False]})
    >>> find_ruled(segments, rules, pl.DataFrame({"doc_id": ["d"], "site": ["a"]})).rows()
    [('nav', False)]
    """
    sites = site.filter(pl.col("site").is_in(rules["site"].implode()))
    return (
        segments.select("doc_id", path=template_path(pl.col("markup")))
        .join(sites, on="doc_id", how="left", maintain_order="left")
        .join(
            rules.rename({"role": "rule_role", "keep": "rule_keep"}),
            on=_KEY,
            how="left",
            maintain_order="left",
        )
        .select("rule_role", "rule_keep")
    )


def ruled_pages(corrections: Corrections, site: pl.DataFrame | None) -> pl.Series:
    """Return the doc_ids of the pages of sites that have rules.

    >>> ruled_pages(Corrections(), None).to_list()
    []
    """
    if site is None or corrections.rules.is_empty():
        return pl.Series("doc_id", [], pl.String)
    return site.filter(pl.col("site").is_in(corrections.rules["site"].implode()))["doc_id"]
