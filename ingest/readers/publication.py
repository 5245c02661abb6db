"""When a page says that it was published, and by whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from typing import Any, NamedTuple

from ingest.dates import day_in_url, find_date, parse_date

# Elements that may show the date of publication, apart from <meta>.
ELEMENTS = "time, [itemprop~='datePublished']"
# Names of <meta> elements, the most reliable first.
_DATES = (
    "article:published_time", "datepublished", "citation_publication_date", "citation_date",
    "parsely-pub-date", "sailthru.date", "article.published", "dcterms.issued", "dc.date.issued",
    "dcterms.created", "dc.date", "dcterms.date", "pubdate", "publish-date", "publishdate",
    "publication_date", "date", "og:pubdate", "og:published_time", "article:published",
)  # fmt: skip
_AUTHORS = ("author", "article:author", "citation_author", "dc.creator", "dcterms.creator",
            "parsely-author", "sailthru.author")  # fmt: skip
NAMES = frozenset((*_DATES, *_AUTHORS))
_TEXT_TYPES = ("article", "posting", "report")
# Objects of JSON-LD that are part of a page, and have dates and authors of their own.
_PARTS = ("comment", "answer", "image", "video", "audio", "media", "review", "rating", "website")
_WORDS = re.compile(r"pub(?:lish(?:ed)?)?(?:[\W_]|date|time|on|$)|(?:entry|post|article)[-_]?date")
_NOT_A_NAME = re.compile(r"https?:|www\.|@|^\W*\d*\W*$")
_MAX_AUTHOR = 200  # characters
_MAX_DATE = 100  # characters of a value that are searched for a date
_MAX_OBJECTS = 2_000  # of JSON-LD that are searched


class Element(NamedTuple):
    """An element that may show a date: its attributes and its text."""

    attributes: dict[str, str | None]
    text: str


def published(
    meta: dict[str, Any],
    json_ld: list[Any],
    urls: Iterable[str | None] = (),
    elements: Iterable[Element] = (),
) -> str | None:
    """The date of publication, as in ISO 8601; None if the page does not say it.

    JSON-LD comes first, then <meta>, elements with the property datePublished, the addresses of the
    page, and elements whose class says that they show the date. Any other <time> counts only if all
    of them have the same day, since many belong to other pages.

    Args:
        meta: values of <meta>, by name.
        json_ld: values of its JSON-LD scripts.
        urls: addresses of the page itself.
        elements: what ELEMENTS select.

    >>> published({"date": "2 May 2024"}, [{"@type": "NewsArticle", "datePublished": "2024-05-01"}])
    '2024-05-01'
    >>> published({}, [], ["https://site.org/2024/5/2/news"])
    '2024-05-02'
    """
    declared = [
        value for item in _text_objects(json_ld) for value in _strings(item.get("datePublished"))
    ]
    declared += [value for name in _DATES for value in _strings(meta.get(name))]
    dated = [(element, day) for element in elements if (day := _element_date(element))]
    days = chain(
        filter(None, map(parse_date, declared)),
        (day for element, day in dated if _is_property(element)),
        filter(None, (day_in_url(url or "") for url in urls)),
        (day for element, day in dated if _WORDS.search(_class(element))),
    )
    if day := next(days, None):
        return day
    return dated[0][1] if len({day[:10] for _, day in dated}) == 1 else None


def author(meta: dict[str, Any], json_ld: list[Any]) -> str | None:
    """The names of the authors, separated by "; "; None if the page does not say them.

    >>> author({}, [{"@type": "BlogPosting", "author": [{"name": "Mona"}, {"name": "Omar"}]}])
    'Mona; Omar'
    >>> author({"author": "https://site.org/about"}, []) is None
    True
    """
    by_id = {
        item["@id"]: item
        for item in _objects(json_ld)
        if isinstance(item.get("@id"), str) and "name" in item
    }
    for item in _text_objects(json_ld):
        if names := _names(item.get("author"), by_id):
            return "; ".join(names)
    for key in _AUTHORS:
        if names := [name for value in _strings(meta.get(key)) if (name := _name(value))]:
            return "; ".join(dict.fromkeys(names))
    return None


def date_of_value(value: Any) -> str | None:
    """The date in a value of a table, as in ISO 8601; None if there is none.

    Numbers are not read: what they count, and from when, differs.

    >>> date_of_value("2 May 2024"), date_of_value(date(2024, 5, 2)), date_of_value(1714600000)
    ('2024-05-02', '2024-05-02', None)
    """
    if isinstance(value, date):  # or a datetime
        return parse_date(value.isoformat())
    return parse_date(value[:_MAX_DATE]) if isinstance(value, str) else None


def names_of_value(value: Any) -> str | None:
    """The names in a value of a table, separated by "; "; None if there are none.

    >>> names_of_value("Mona"), names_of_value([{"name": "Mona"}, {"name": "Omar"}])
    ('Mona', 'Mona; Omar')
    """
    return "; ".join(_names(value, {})) or None


def _names(value: Any, by_id: dict[str, Any]) -> list[str]:
    names = []
    for item in value if isinstance(value, list) else [value]:
        known = item
        if isinstance(item, dict):
            known = by_id.get(str(item.get("@id")), {}) if "name" not in item else item
            known = known.get("name")
        names += [name for text in _strings(known) if (name := _name(text))]
    return list(dict.fromkeys(names))


def _name(value: str) -> str | None:
    """A name on one line; None for addresses and what is too long to be one."""
    name = " ".join(value.split())
    return None if _NOT_A_NAME.search(name) or len(name) > _MAX_AUTHOR else name


def _element_date(element: Element) -> str | None:
    written = element.attributes.get("datetime") or element.attributes.get("content")
    return parse_date(written) if written else find_date(element.text)


def _is_property(element: Element) -> bool:
    names = (element.attributes.get("itemprop") or "").split()
    return "pubdate" in element.attributes or "datePublished" in names


def _class(element: Element) -> str:
    return f"{element.attributes.get('class') or ''} ".lower()


def _text_objects(json_ld: list[Any]) -> list[dict[str, Any]]:
    """The objects of JSON-LD that may describe the page: first articles, then others."""
    texts, others = [], []
    for item in _objects(json_ld):
        kind = " ".join(_strings(item.get("@type"))).lower()
        if any(word in kind for word in _TEXT_TYPES):
            texts.append(item)
        elif not any(word in kind for word in _PARTS):
            others.append(item)
    return texts + others


def _objects(json_ld: list[Any]) -> Iterator[dict[str, Any]]:
    """The objects of JSON-LD, the outer ones first."""
    level: list[Any] = json_ld
    left = _MAX_OBJECTS
    while level:
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                yield value
                deeper += [v for v in value.values() if isinstance(v, dict | list)]
            elif isinstance(value, list):
                deeper += [v for v in value if isinstance(v, dict | list)]
            left -= 1
            if not left:
                return
        level = deeper


def _strings(value: Any) -> list[str]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
