"""One element of a segment's markup, such as `div#main.post[role=main]`, taken apart."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import regex

_ELEMENT = regex.compile(r"([^#.\[\s]+)(?:#([^.\[\s]+))?((?:\.[^\[\s]+)?)((?:\[[^\s]*)?)")
_ATTRIBUTE = regex.compile(r"\[(\w+)=([^\]]*)\]?")
# splits fooBar, foo-bar, foo_bar and foo2bar into foo and bar
_WORD = regex.compile(r"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{Lo}+")
_NAME_ATTRIBUTES = frozenset(("role", "itemprop", "property", "rel"))


class Element(NamedTuple):
    """What an element is called, in lower case.

    Attributes:
        tag: its tag; empty if the text is not an element.
        words: the words of its id and classes.
        values: the values of the attributes that name things, such as role.
        value_words: the words of these values.
        has_lang: whether it has an attribute lang.
    """

    tag: str
    words: tuple[str, ...]
    values: tuple[str, ...]
    value_words: tuple[str, ...]
    has_lang: bool


@lru_cache(1 << 16)
def parse_element(text: str) -> Element:
    """Parse an element.

    >>> parse_element("div#mainText.post[role=articleBody]")[:4]
    ('div', ('main', 'text', 'post'), ('articlebody',), ('article', 'body'))
    """
    match = _ELEMENT.match(text)
    if match is None:
        return Element("", (), (), (), has_lang=False)
    tag, name, classes, attributes = match.groups(default="")
    pairs = _ATTRIBUTE.findall(attributes)
    values = [value for key, value in pairs if key in _NAME_ATTRIBUTES]
    return Element(
        tag,
        _words(f"{name} {classes}"),
        tuple(value.lower() for value in values),
        _words(" ".join(values)),
        has_lang=any(key == "lang" for key, _ in pairs),
    )


def _words(names: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(names))
