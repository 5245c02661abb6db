"""Neighbouring texts without a space between them, which a page sets apart by its styles."""

from __future__ import annotations

import re

import numpy as np

from ingest._typing import I64, Bools
from ingest.readers.html_tokens import ATTRIBUTES, Tokens
from ingest.readers.html_tree import Tree

_CLASS, _LANG = ATTRIBUTES.index("class"), ATTRIBUTES.index("lang")
_ARABIC_BYTES = (b"\xd8", b"\xd9", b"\xda", b"\xdb")  # of which each Arabic letter has one first
# The end of a text, and the start of the next one in the other script. An Arabic word is long
# enough not to be a prefix, as in وWhatsApp; tatweel joins what follows.
_OTHER_SCRIPT = [
    (re.compile(r"[\u0620-\u063f\u0641-\u065f\u0670-\u06d3]{3}[^\w\s]{0,2}\Z"),
     re.compile(r"[^\w\s]?[A-Za-z\u00c0-\u024f]")),
    (re.compile(r"[A-Za-z\u00c0-\u024f]{2}[^\w\s]{0,2}\Z"),
     re.compile(r"[^\w\s]?[\u0620-\u06d3]")),
]  # fmt: skip
# The same for two elements next to each other, which differ in class or language: a word that
# begins anew inside a word.
_NEW_WORD = [
    (re.compile(r"(?:[a-z\u00df-\u00ff]|\d)\Z"), re.compile(r"[A-Z\u00c0-\u00de]|\d")),
    (re.compile(r"[\u0620-\u063f\u0641-\u065f]{2}\Z"), re.compile(r"[\u0620-\u06d3]{2}|\d")),
]
_LONGEST_END = 8  # characters that decide how a text ends
_SHORTEST = 2  # characters of a text that is not a decorated initial


def find_unspaced(
    tokens: Tokens, tree: Tree, text: list[str], token: I64, order: I64, *, goes_on: Bools
) -> tuple[I64, Bools]:
    """Find texts after which a space is missing: another script follows, or an element of its own.

    Args:
        tokens: the tags of the page.
        tree: its elements.
        text: its texts.
        token: the token before each text [texts].
        order: the texts in reading order.
        goes_on: whether the line of each goes on with the next one [order].

    Returns:
        Their indices in `order` [places]; and whether the next text is in another script, and in
        an element that differs in class or language, so that it is a line of its own.
    """
    here, next_ = token[order[:-1]], token[order[1:]]
    siblings = (next_ - here == 2) & tokens.closes[here + 1] & tokens.opens[next_]
    siblings &= tree.parent[tree.inner[here]] == tree.parent[tree.inner[next_]]
    has_arabic = any(byte in tokens.data for byte in _ARABIC_BYTES)
    tried = np.flatnonzero(goes_on[:-1] & (siblings | has_arabic))
    places, changes = [], []
    for n, are_siblings in zip(tried.tolist(), siblings[tried].tolist(), strict=True):
        before, after = text[order[n]], text[order[n + 1]]
        change = _fits(before, after, _OTHER_SCRIPT)
        if change or (
            are_siblings
            and min(len(before), len(after)) >= _SHORTEST
            and _fits(before, after, _NEW_WORD)
        ):
            places.append(n)
            changes.append(change)
    at, changes_script = np.array(places, np.int64), np.array(changes, bool)
    if not places:
        return at, changes_script
    one, other = (tree.inner[token[order[at + step]]] for step in (0, 1))
    named = _names(tokens, np.concatenate((one, other)))
    pairs = zip(one.tolist(), other.tolist(), strict=True)
    apart = siblings[at] & np.array([named.get(a) != named.get(b) for a, b in pairs], bool)
    return at[changes_script | apart], (changes_script & apart)[changes_script | apart]


def _fits(before: str, after: str, kinds: list[tuple[re.Pattern[str], re.Pattern[str]]]) -> bool:
    start = max(len(before) - _LONGEST_END, 0)
    return any(
        begin.match(after) is not None and end.search(before, start) is not None
        for end, begin in kinds
    )


def _names(tokens: Tokens, elements: I64) -> dict[int, str]:
    """The class and language of some elements, as written."""
    attributes = tokens.attributes
    listed = np.isin(attributes.token, elements) & np.isin(attributes.name, (_CLASS, _LANG))
    names: dict[int, str] = {}
    for element, start, stop in zip(
        attributes.token[listed].tolist(),
        attributes.start[listed].tolist(),
        attributes.stop[listed].tolist(),
        strict=True,
    ):
        names[element] = names.get(element, "") + " " + tokens.data[start:stop].decode()
    return names
