"""Recognise the records of a web archive that its crawler wrote about its own work."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ABOUT_CRAWL = "description of the crawl"
_LOG = "log or settings of the crawler"
_PAGE_DATA = "data of the crawler about a page"
_DNS = "answer of a name server"
_ROBOTS = "rules for crawlers"

# Addresses of what no site has served. wget: metadata://gnu.org/software/wget/warc/MANIFEST.txt;
# wpull: urn:X-wpull:log; Browsertrix: urn:pageinfo:https://…, urn:text:…; Heritrix: dns:….
_ADDRESSES = (
    (re.compile(r"filedesc:", re.IGNORECASE), _ABOUT_CRAWL),
    (re.compile(r"metadata:|urn:x-[\w.+-]+:|urn:(?:crawl|log|logs|config)\b", re.IGNORECASE), _LOG),
    (
        re.compile(
            r"urn:[\w.+-]+:(?:https?|ftp)(?:://|%3a)"
            r"|urn:(?:pageinfo|text|thumbnail|view|fullpage|screenshot|har|pdf|mhtml|dom)\b"
            r"|(?:screenshot|thumbnail|pageinfo|har):",
            re.IGNORECASE,
        ),
        _PAGE_DATA,
    ),
    (re.compile(r"(?:dns|whois):", re.IGNORECASE), _DNS),
    (re.compile(r"https?://[^/?#]+/robots\.txt(?:[?#]|\Z)", re.IGNORECASE), _ROBOTS),
)
_WITH_CONTENT = ("response", "resource", "conversion")


def address(fields: Mapping[str, str]) -> str | None:
    """The address of a record. WARC 1.0 files may have it in angle brackets.

    >>> address({"warc-target-uri": "<http://x.example/>"}), address({})
    ('http://x.example/', None)
    """
    return fields.get("warc-target-uri", "").removeprefix("<").removesuffix(">").strip() or None


def describe_own_record(fields: Mapping[str, str]) -> str | None:
    """What a record is, if its crawler wrote it for itself; None if it may be a page.

    Args:
        fields: the header of the record, with names in lower case.

    >>> describe_own_record({"warc-type": "resource", "warc-target-uri": "urn:X-wpull:log"})
    'log or settings of the crawler'
    >>> describe_own_record({"warc-type": "response", "warc-target-uri": "http://x.example/"})
    """
    kind = fields.get("warc-type", "").lower()
    if kind == "warcinfo":
        return _ABOUT_CRAWL
    if kind not in _WITH_CONTENT:
        return None
    uri = address(fields) or ""
    return next((what for pattern, what in _ADDRESSES if pattern.match(uri)), None)
