"""Put the segments of each article together, with what is known about it."""

from __future__ import annotations

import polars as pl

from ingest.dates import day_in_url, find_date

PAGE_COLUMNS = ["doc_id", "source", "url", "canonical_url", "title", "published", "author"]
"""Columns of a documents frame that say something about its articles."""

NO_LANGUAGE = "zxx"
"""The code of text in no language, such as numbers: ISO 639-2."""

_KEYS = ["doc_id", "article"]
HOST = r"(?i)^[a-z][a-z0-9+.-]*://(?:[^/@?#]*@)?(?:www\.)?([^/:?#]+)"
"""Pattern of a URL; its group is the host, without www."""

_BYLINE = (
    r"^(?i)(?:(?:\w+\s+)?by\s*:?\s+"
    r"|(?:بقلم|كتبت?|كتبها?|كتبه|الكاتبة?|المؤلف|تأليف|إعداد|تحرير)\s*[:/–-]?\s*)"
    r"([^\d|•@:/,،–—]{3,60})"
)


def collect_articles(
    segments: pl.DataFrame, documents: pl.DataFrame, *, selected: str = "keep"
) -> pl.DataFrame:
    """Return one row per article with selected text, in page order.

    Args:
        segments: labelled segments with their clusters, whole pages.
        documents: PAGE_COLUMNS of their pages.
        selected: the Boolean column that says which segments are the text of an article.

    Returns:
        The columns ARTICLES, and `roles`: the role of each of its lines.
    """
    chosen = segments.filter(selected).with_columns(chars=pl.col("text").str.len_chars())
    lang = (
        chosen.group_by(*_KEYS, "lang")
        .agg(pl.col("chars").sum())
        # listings and numbers have no language, and an article may have more of them than of text
        .sort(pl.col("lang") == NO_LANGUAGE, -pl.col("chars").cast(pl.Int64), "lang")
        .unique(_KEYS, keep="first", maintain_order=True)
        .select(*_KEYS, "lang")
    )
    pages = describe_pages(documents)
    # a segment never contains a newline, so text.split("\n") matches `lines`
    articles = (
        chosen.group_by(_KEYS, maintain_order=True)
        .agg(
            pl.col("cluster").first(),
            headline=pl.col("text").filter(pl.col("role") == "headline").first(),
            text=pl.col("text").str.join("\n"),
            lines=pl.concat_list("line", "line"),
            roles=pl.col("role"),
        )
        .join(lang, on=_KEYS, how="left", maintain_order="left")
        .join(pages, on="doc_id", how="left", maintain_order="left")
        .join(_bylines(segments), on=_KEYS, how="left", maintain_order="left")
        .join(_headlines(segments), on=_KEYS, how="left", maintain_order="left")
    )
    kept = segments.filter(pl.col("keep") & (pl.col("article") > 0))
    alone = kept.group_by("doc_id").agg(alone=pl.col("article").n_unique() == 1)
    articles = articles.join(alone, on="doc_id", how="left", maintain_order="left").with_columns(
        pl.col("alone").fill_null(value=True)
    )
    is_alone, own = pl.col("alone"), pl.col("dateline")
    dates = _datelines(segments, articles.select(*_KEYS, "date", "alone"))
    return articles.join(dates, on=_KEYS, how="left", maintain_order="left").select(
        "doc_id", "source", "url", "site", "article", "cluster", "lang",
        pl.coalesce("headline", "other", pl.when(is_alone).then("title")).alias("title"),
        "headline",
        pl.coalesce("author", "byline").alias("author"),
        pl.when(is_alone).then(pl.coalesce("date", own)).otherwise(pl.coalesce(own, "date"))
        .alias("date"),
        "text", "lines", "roles",
    )  # fmt: skip


def describe_pages(documents: pl.DataFrame) -> pl.DataFrame:
    """Return what is known about each page: doc_id, source, url, site, title, author, date.

    Args:
        documents: PAGE_COLUMNS of the pages.

    >>> page = dict.fromkeys(PAGE_COLUMNS) | {"url": "http://www.site.org:80/2024/05/12/a"}
    >>> facts = describe_pages(pl.DataFrame([page], dict.fromkeys(PAGE_COLUMNS, pl.String)))
    >>> facts.select("site", "date").row(0)
    ('site.org', '2024-05-12')
    """
    canonical = pl.col("canonical_url")
    url = pl.coalesce("url", pl.when(canonical.str.contains(HOST)).then(canonical))
    pages = documents.select("doc_id", "source", "title", "author", "published", url=url)
    days = [day_in_url(address or "") for address in pages["url"]]
    return pages.select(
        "doc_id", "source", "url", "title", "author",
        pl.col("url").str.extract(HOST).str.to_lowercase().alias("site"),
        pl.coalesce("published", pl.Series(days, dtype=pl.String)).alias("date"),
    )  # fmt: skip


def _headlines(segments: pl.DataFrame) -> pl.DataFrame:
    """The first headline of each article, which may not be selected: doc_id, article, other."""
    return (
        segments.filter(pl.col("role") == "headline")
        .select(*_KEYS, other="text")
        .unique(_KEYS, keep="first", maintain_order=True)
    )


def _bylines(segments: pl.DataFrame) -> pl.DataFrame:
    """The name in the first byline of each article that has one: doc_id, article, byline."""
    name = pl.col("text").str.extract(_BYLINE).str.strip_chars(" .")
    return (
        segments.filter(pl.col("role") == "byline")
        .select(*_KEYS, byline=name)
        .filter(pl.col("byline").str.len_chars() > 2)
        .unique(_KEYS, keep="first", maintain_order=True)
    )


def _datelines(segments: pl.DataFrame, articles: pl.DataFrame) -> pl.DataFrame:
    """The first date in a dateline or byline of each article: doc_id, article, dateline."""
    needed = articles.filter(pl.col("date").is_null() | ~pl.col("alone"))
    lines = (
        segments.filter(pl.col("role").is_in(["dateline", "byline"]))
        .join(needed.select(_KEYS), on=_KEYS, how="semi", maintain_order="left")
        .select(*_KEYS, "text")
    )
    dates = [find_date(text) for text in lines["text"]]
    return (
        lines.select(*_KEYS, dateline=pl.Series(dates, dtype=pl.String))
        .drop_nulls("dateline")
        .unique(_KEYS, keep="first", maintain_order=True)
    )
