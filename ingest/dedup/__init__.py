"""Duplicates across pages: copies of articles and pages, and lines of a site's template.

There are two phases. Each batch of pages gives keys of fixed size; then only the keys are compared.
So the text of the whole corpus is never in memory, and articles that share no key are never
compared.
"""

from __future__ import annotations

import polars as pl

from ingest.config import Config, DedupeConfig, config_of
from ingest.dedup.clusters import add_clusters, article_signatures, cluster_names, find_leaders
from ingest.dedup.site_templates import (
    find_sites,
    find_template_lines,
    mark_template,
    short_lines,
)
from ingest.frames import LABELLED, SEGMENTS, check


def dedupe(
    segments: pl.DataFrame,
    documents: pl.DataFrame | None = None,
    *,
    config: DedupeConfig | Config | None = None,
) -> pl.DataFrame:
    """Add cluster, and turn the lines of a site's template into nav. No rows are added or removed.

    Articles whose kept text is the same or almost the same share a cluster, which is named after
    the first of them. The rows of article 0 have the cluster of their page as a whole. The order
    of pages makes no difference.

    Args:
        segments: a labelled segments frame. The rows of each page are contiguous and in order.
        documents: the pages. Pages with the same host or folder belong to one site; without
            documents, all pages do.
        config: the similarity threshold.

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
        site = find_sites(documents)
    articles = article_signatures(segments)
    leader = find_leaders(articles, config.threshold)
    lines = short_lines(segments, site, articles.keys).drop_nulls()
    template = find_template_lines(lines["line"], pl.Series(leader[lines["row"].to_numpy()]))
    clusters = articles.keys.with_columns(cluster=cluster_names(articles.keys[leader]))
    return add_clusters(mark_template(segments, site, template), clusters)
