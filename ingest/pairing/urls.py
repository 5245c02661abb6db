"""What pages say of their own address and day, and of the same page in other languages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import polars as pl

DOCUMENT_COLUMNS = ("doc_id", "url", "canonical_url", "alternates", "metadata")  # of documents
_LANGUAGE = re.compile(r"(?:ar|ara|arabic|en|eng|english)(?:[-_][a-z]{2,4})?")
_SUFFIX = re.compile(r"[._-](?:ar|ara|arabic|en|eng|english)(?=\.[a-z]+$|$)")
_QUERY = {"lang", "language", "locale", "hl", "l", "lng"}
_HOSTS = {"www", "m", "mobile"}
_DAY = re.compile(
    r'"(?:article:published_time|datePublished|date|dc\.date(?:\.issued)?)":\s*"'
    r"(\d{4})-(\d{2})-(\d{2})"
)
_DAY_OF_PATH = re.compile(r"/((?:19|20)\d\d)[/-](\d{1,2})[/-](\d{1,2})(?:/|-|$)")


class PageUrls(NamedTuple):
    """What pages say of themselves; no page is in either that says nothing."""

    keys: pl.DataFrame  # doc_id String, key String: its address without languages
    links: pl.DataFrame  # doc_id String, other String: pages that name one another by hreflang
    dates: pl.DataFrame  # doc_id String, day Date


def collect_page_urls(batches: Iterable[pl.DataFrame]) -> PageUrls:
    """What documents say: frames with DOCUMENT_COLUMNS; a page that is there twice counts once."""
    keys: list[tuple[str, str]] = []
    days: list[tuple[str, str]] = []
    own: list[tuple[str, str]] = []
    named: list[tuple[str, str]] = []
    rows = chain.from_iterable(batch.select(DOCUMENT_COLUMNS).iter_rows() for batch in batches)
    for doc, url, canonical, alternates, metadata in rows:
        given = [address for address in (url, canonical) if address]
        base = given[0] if given else ""
        full = [_resolved(base, address) for address in given]
        keys += [(doc, key) for key in {address_key(address) for address in full} if key]
        own += [(doc, name) for name in {_plain(address) for address in full} if name]
        links = (_plain(_resolved(base, link["url"] or "")) for link in alternates or () if link)
        named += [(doc, name) for name in links if name]
        if day := day_of(metadata or "", base):
            days.append((doc, day))
    strings = {"doc_id": pl.String, "name": pl.String}
    mine = pl.DataFrame(own, strings, orient="row").rename({"doc_id": "other"})
    linked = (
        pl.DataFrame(named, strings, orient="row")
        .join(mine, on="name")
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


def address_key(address: str) -> str:
    """An address without its languages: the same for a page and its translation.

    Scheme, www, fragment, last slash and case go too. Empty where there is no address.

    >>> address_key("https://www.site.org/ar/news/12?lang=ar")
    'site.org/news/12'
    >>> address_key("http://en.site.org/news/12/")
    'site.org/news/12'
    >>> address_key("https://site.org/report-ar.html?page=2") == address_key("site.org/report.html")
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


def day_of(metadata: str, address: str) -> str:
    """The day a page was published, as it says or its address: ISO 8601; empty where unknown.

    >>> day_of('{"meta": {"article:published_time": "2024-05-12T10:00Z"}}', "")
    '2024-05-12'
    >>> day_of("", "https://site.org/2024/5/2/news")
    '2024-05-02'
    """
    found = _DAY.search(metadata) or _DAY_OF_PATH.search(address)
    return "{}-{:0>2}-{:0>2}".format(*found.groups()) if found else ""


def _resolved(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return ""


def _plain(address: str) -> str:
    """An address for comparing: no scheme, fragment or last slash, the host in lower case."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if not host:
        return ""
    path = parts.path.rstrip("/")
    return f"{host}{path}?{parts.query}" if parts.query else f"{host}{path}"
