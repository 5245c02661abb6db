"""What pages say about their address and date, and about the same page in other languages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import polars as pl

# columns of the documents frame that are read here
DOCUMENT_COLUMNS = ("doc_id", "url", "canonical_url", "alternates", "metadata")
_LANGUAGE = re.compile(r"(?:ar|ara|arabic|en|eng|english)(?:[-_][a-z]{2,4})?")
_SUFFIX = re.compile(r"[._-](?:ar|ara|arabic|en|eng|english)(?=\.[a-z]+$|$)")
_QUERY = {"lang", "language", "locale", "hl", "l", "lng"}
_HOSTS = {"www", "m", "mobile"}
_DAY = re.compile(
    r'"(?:article:published_time|datePublished|date|dc\.date(?:\.issued)?)":\s*"'
    r"(\d{4})-(\d{2})-(\d{2})"
)
_DAY_IN_PATH = re.compile(r"/((?:19|20)\d\d)[/-](\d{1,2})[/-](\d{1,2})(?:/|-|$)")


class PageUrls(NamedTuple):
    """URLs and dates of pages; a page that states none has no rows."""

    keys: pl.DataFrame  # doc_id String, key String: its URL without language markers
    links: pl.DataFrame  # doc_id String, other String: pages that link to each other by hreflang
    dates: pl.DataFrame  # doc_id String, day Date: publication date


def collect_page_urls(batches: Iterable[pl.DataFrame]) -> PageUrls:
    """Collect URLs and dates from frames with DOCUMENT_COLUMNS; a repeated page counts once."""
    keys: list[tuple[str, str]] = []
    days: list[tuple[str, str]] = []
    own: list[tuple[str, str]] = []
    alternate: list[tuple[str, str]] = []
    rows = chain.from_iterable(batch.select(DOCUMENT_COLUMNS).iter_rows() for batch in batches)
    for doc, url, canonical, alternates, metadata in rows:
        stated = [address for address in (url, canonical) if address]
        base = stated[0] if stated else ""
        full = [_resolve(base, address) for address in stated]
        keys += [(doc, key) for key in {url_key(address) for address in full} if key]
        own += [(doc, name) for name in {_normalize(address) for address in full} if name]
        links = (_normalize(_resolve(base, link["url"] or "")) for link in alternates or () if link)
        alternate += [(doc, name) for name in links if name]
        if day := publication_day(metadata or "", base):
            days.append((doc, day))
    strings = {"doc_id": pl.String, "name": pl.String}
    targets = pl.DataFrame(own, strings, orient="row").rename({"doc_id": "other"})
    linked = (
        pl.DataFrame(alternate, strings, orient="row")
        .join(targets, on="name")
        .select("doc_id", "other")
        .filter(pl.col("doc_id") != pl.col("other"))
    )
    back = linked.select(doc_id="other", other="doc_id")
    dated = pl.DataFrame(days, strings, orient="row")
    return PageUrls(
        pl.DataFrame(keys, {"doc_id": pl.String, "key": pl.String}, orient="row").unique(),
        pl.concat([linked, back]).unique(),
        dated.group_by("doc_id")
        .agg(day=pl.col("name").str.to_date(strict=False).min())
        .drop_nulls(),
    )


def url_key(address: str) -> str:
    """Remove language markers from a URL, so that a page and its translation have the same key.

    Scheme, www, fragment, trailing slash and case are removed too. Empty if the URL has no host.

    >>> url_key("https://www.site.org/ar/news/12?lang=ar")
    'site.org/news/12'
    >>> url_key("http://en.site.org/news/12/")
    'site.org/news/12'
    >>> url_key("https://site.org/report-ar.html?page=2") == url_key("site.org/report.html")
    False
    """
    try:
        parts = urlsplit(address.strip().lower())
        host = parts.hostname or ""
    except ValueError:
        return ""
    if not host:
        return ""
    labels = host.split(".")
    kept = [x for x in labels[:-2] if x not in _HOSTS and not _LANGUAGE.fullmatch(x)]
    steps = [x for x in parts.path.split("/") if x and not _LANGUAGE.fullmatch(x)]
    if steps:
        steps[-1] = _SUFFIX.sub("", steps[-1])
    query = urlencode(sorted((k, v) for k, v in parse_qsl(parts.query) if k not in _QUERY))
    return "/".join([".".join([*kept, *labels[-2:]]), *steps]) + (f"?{query}" if query else "")


def publication_day(metadata: str, address: str) -> str:
    """Read the publication date of a page from its metadata or URL: ISO 8601, empty if unknown.

    >>> publication_day('{"meta": {"article:published_time": "2024-05-12T10:00Z"}}', "")
    '2024-05-12'
    >>> publication_day("", "https://site.org/2024/5/2/news")
    '2024-05-02'
    """
    match = _DAY.search(metadata) or _DAY_IN_PATH.search(address)
    return "{}-{:0>2}-{:0>2}".format(*match.groups()) if match else ""


def _resolve(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return ""


def _normalize(address: str) -> str:
    """Drop scheme, fragment and trailing slash and lowercase the host, to compare URLs."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if not host:
        return ""
    path = parts.path.rstrip("/")
    return f"{host}{path}?{parts.query}" if parts.query else f"{host}{path}"
