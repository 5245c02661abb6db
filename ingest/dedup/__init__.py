"""Across pages: articles and pages that stand in several places, and lines of a site's template.

Two phases: each batch of pages gives keys of fixed size, then the keys alone are compared. Text is
never held for the whole corpus, and no two articles are compared that share no key.
"""

from __future__ import annotations

import polars as pl

from ingest.config import Config, DedupeConfig, config_of
from ingest.dedup.clusters import article_signatures, cluster_names, leaders, with_clusters
from ingest.dedup.site_templates import short_lines, sites, template_lines, without_template
from ingest.frames import LABELLED, SEGMENTS, check


def dedupe(
    segments: pl.DataFrame,
    documents: pl.DataFrame | None = None,
    *,
    config: DedupeConfig | Config | None = None,
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
    config = config_of(config, DedupeConfig)
    if documents is None:
        site = segments.select("doc_id", site=pl.lit("")).unique(maintain_order=True)
    else:
        site = sites(documents)
    articles = article_signatures(segments)
    first = leaders(articles, config.threshold)
    lines = short_lines(segments, site, articles.keys)
    template = template_lines(lines["line"], pl.Series(first[lines["row"].to_numpy()]))
    named = articles.keys.with_columns(cluster=cluster_names(articles.keys[first]))
    return with_clusters(without_template(segments, site, template), named)
