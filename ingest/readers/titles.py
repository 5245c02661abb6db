"""Where the name of the site begins or ends in the <title> of a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ingest.text import ARABIC_MARKS, FORMAT_CONTROLS

# How markup calls the name of the site that was cut off a title.
SITE_NAME = "title[property=site_name]"
_SEPARATOR = re.compile(r"\s+[-–—―|·•:»«‹›/~:]+\s+|\s*[|»«•]\s*")
_NOT_COMPARED = re.compile(rf"{ARABIC_MARKS}|{FORMAT_CONTROLS}|[\W_]+")
_SHORTEST_NAME = 3  # letters of a site's name that is compared with its address
_SHORTEST_HEADLINE = 8  # letters of a heading that a title contains not by chance
_LONGEST_TITLE = 400  # characters; longer titles are not split
_ORGANIZATIONS = ("WebSite", "Organization", "NewsMediaOrganization", "Corporation", "Brand")
_SITE_NAMES = ("og:site_name", "application-name", "publisher", "dc.publisher")
_HEADLINES = ("og:title", "twitter:title", "dc.title", "citation_title")
_MAX_VALUES = 2_000  # objects of JSON-LD that are searched


class TitleParts(NamedTuple):
    """A title in two.

    Attributes:
        first, second: its parts, without what separates them; `second` is empty if it has one part.
        site_first: whether the first part is the name of the site.
    """

    first: str
    second: str
    site_first: bool


class PageNames(NamedTuple):
    """What a page says that it is called, in letters only.

    Attributes:
        sites: names of the site.
        hosts: labels of the hosts in the page's own addresses.
        headlines: titles of the page without the site.
    """

    sites: set[str]
    hosts: set[str]
    headlines: set[str]


def split_title(title: str, names: PageNames) -> TitleParts:
    """Split a title where the name of the site begins or ends.

    The other part is a headline of the page, or the part is what the page calls the site, or the
    host of its address. A title without such evidence is not split.

    >>> names = PageNames({"thetimes"}, set(), {"ropesofseaweed"})
    >>> split_title("Ropes of Seaweed - News - The Times", names)
    TitleParts(first='Ropes of Seaweed', second='News - The Times', site_first=False)
    >>> split_title("The Times | Fish and nets", names)
    TitleParts(first='The Times', second='Fish and nets', site_first=True)
    >>> split_title("Fish - and nets", names).second
    ''
    """
    if len(title) > _LONGEST_TITLE:
        return TitleParts(title, "", site_first=False)
    cuts = [
        (title[: match.start()], title[match.end() :])
        for match in _SEPARATOR.finditer(title)
        if match.start() and match.end() < len(title)
    ]
    for before, after in cuts:
        if letters_of(before) in names.headlines:
            return TitleParts(before, after, site_first=False)
        if letters_of(after) in names.headlines:
            return TitleParts(before, after, site_first=True)
    for before, after in cuts:
        if _is_site(after, names):
            return TitleParts(before, after, site_first=False)
    for before, after in reversed(cuts):
        if _is_site(before, names):
            return TitleParts(before, after, site_first=True)
    return TitleParts(title, "", site_first=False)


def page_names(
    meta: dict[str, Any], json_ld: Iterable[Any], urls: Iterable[str | None], headings: list[str]
) -> PageNames:
    """Collect what a page says that it is called.

    Args:
        meta: values of <meta>, by name.
        json_ld: values of its JSON-LD scripts.
        urls: addresses of the page itself.
        headings: the texts of its first headings.
    """
    sites = {text for name in _SITE_NAMES for text in _texts(meta.get(name))}
    headlines = {text for name in _HEADLINES for text in _texts(meta.get(name))}
    headlines |= set(headings)
    for value in _objects(json_ld):
        kinds = _texts(value.get("@type"))
        if any(kind in _ORGANIZATIONS for kind in kinds):
            sites |= set(_texts(value.get("name")))
        publisher = value.get("publisher")
        if isinstance(publisher, dict):
            sites |= set(_texts(publisher.get("name")))
        headlines |= set(_texts(value.get("headline")))
    hosts = {label for url in urls if url for label in _labels(url)}
    named = {name for name in map(letters_of, sites) if name}
    bare = {letters_of(text) for text in headlines} - named - hosts  # a logo may be an <h1>
    return PageNames(named, hosts, {text for text in bare if len(text) >= _SHORTEST_HEADLINE})


def letters_of(text: str) -> str:
    """The letters and digits of a text, for comparing.

    >>> letters_of("The Times – مُحمد")
    'thetimesمحمد'
    """
    return _NOT_COMPARED.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _is_site(text: str, names: PageNames) -> bool:
    bare = letters_of(text)
    return bare in names.sites or (len(bare) >= _SHORTEST_NAME and bare in names.hosts)


def _labels(url: str) -> list[str]:
    """The name of a host: with and without its endings.

    >>> _labels("https://www.the-times.co.uk/a")
    ['thetimescouk', 'thetimesco', 'thetimes']
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return []
    labels = host.removeprefix("www.").split(".")
    return [letters_of("".join(labels[:end])) for end in range(len(labels), 0, -1)]


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _objects(values: Iterable[Any]) -> Iterable[dict[str, Any]]:
    """The objects in JSON values, the outer ones first, up to a limit."""
    left = list(values)
    for _ in range(_MAX_VALUES):
        if not left:
            return
        value = left.pop(0)
        if isinstance(value, dict):
            yield value
            left += value.values()
        elif isinstance(value, list):
            left += value
