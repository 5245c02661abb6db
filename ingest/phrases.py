"""Phrases that page furniture says, found as whole folded words without a loop over segments."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, U64
from ingest.codepoints import CodePoints, Words, mix
from ingest.errors import ModelError
from ingest.resources import model_dir

_LONGEST = 5  # words in the longest phrase that is looked for
_NEAR_BITS = 18
_HEAD_WORDS = 48  # of each segment: furniture says what it is early


class Lexicon(NamedTuple):
    """Sorted keys of phrases, the bits of the roles that say each, and keys of first words."""

    roles: tuple[str, ...]
    keys: U64
    bits: NDArray[np.uint32]
    openers: U64


@cache
def phrases() -> Lexicon:
    """The shipped phrases, `lang_models/roles/phrases.txt`.

    >>> phrases().roles[:3]
    ('nav', 'widget', 'ad')
    """
    sections = read_sections("phrases.txt")
    bits: dict[int, int] = {}
    openers: list[U64] = []
    for number, lines in enumerate(sections.values()):
        found = CodePoints(pl.Series(lines)).words()
        size = np.bincount(found.text, minlength=len(lines))
        first = np.searchsorted(found.text, np.arange(len(lines)))
        openers.append(found.key[first])
        for length, (at, keys) in enumerate(_grams(found, first), 1):
            for key in keys[size[found.text[at]] == length].tolist():
                bits[key] = bits.get(key, 0) | 1 << number
    ordered = sorted(bits)
    return Lexicon(
        tuple(sections),
        np.array(ordered, np.uint64),
        np.array([bits[k] for k in ordered], np.uint32),
        np.unique(np.concatenate(openers)),
    )


@cache
def function_words() -> U64:
    """Sorted keys of the shipped function words of all languages."""
    lines = [line for lines in read_sections("function_words.txt").values() for line in lines]
    return np.unique(CodePoints(pl.Series(lines)).words().key)


def read_sections(name: str) -> dict[str, list[str]]:
    """The lines below each [section] of a shipped text file; # begins a comment.

    Raises:
        ModelError: the file is missing, or a line stands before the first section.
    """
    path = model_dir("roles") / name
    sections: dict[str, list[str]] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; reinstall ingest") from error
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            sections[line.strip("[]")] = []
        elif not line.startswith("#"):
            if not sections:
                raise ModelError(f"{path}: {line!r} stands before the first [section]")
            next(reversed(sections.values())).append(line)
    return sections


def find(words: Words, texts: int) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Which words belong to a phrase of which role.

    Returns:
        bits uint32 [words], a bit a role in the order of `phrases().roles`; and the share of each
        text's words that a phrase of the role covers, float64 [texts, roles].
    """
    lexicon = phrases()
    bits = np.zeros(len(words.key), np.uint32)
    first = np.searchsorted(words.text, np.arange(texts))
    early = np.arange(len(bits)) - first[words.text] < _HEAD_WORDS
    opening = np.flatnonzero(early & look_up(words.key, lexicon.openers)[1])
    for size, (starts, keys) in enumerate(_grams(words, opening), 1):
        at, hit = look_up(keys, lexicon.keys)
        for step in range(size):
            np.bitwise_or.at(bits, starts[hit] + step, lexicon.bits[at[hit]])
    count = np.maximum(np.bincount(words.text, minlength=texts), 1)
    said = np.flatnonzero(bits)
    share = np.stack(
        [
            np.bincount(words.text[said], weights=(bits[said] >> r) & 1, minlength=texts) / count
            for r in range(len(lexicon.roles))
        ],
        axis=1,
    )
    return bits, share


def look_up(keys: U64, table: U64) -> tuple[I64, NDArray[np.bool_]]:
    """Where each key stands in a sorted table, and whether it is there at all (else any place)."""
    at, found = np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
    if not len(table):
        return at, found
    # keys are hashes: their top bits sort out most that are not there, at a tenth of the time
    near = np.zeros(1 << _NEAR_BITS, bool)
    near[table >> np.uint64(64 - _NEAR_BITS)] = True
    maybe = np.flatnonzero(near[keys >> np.uint64(64 - _NEAR_BITS)])
    at[maybe] = np.minimum(np.searchsorted(table, keys[maybe]), len(table) - 1)
    found[maybe] = table[at[maybe]] == keys[maybe]
    return at, found


def _grams(words: Words, starts: I64) -> Iterator[tuple[I64, U64]]:
    """For n = 1 … _LONGEST: the starts after which a text has n words, and the n words' key."""
    keys = words.key[starts]
    yield starts, keys
    for size in range(2, _LONGEST + 1):
        last = starts + size - 1
        inside = last < len(words.key)
        inside[inside] = words.text[last[inside]] == words.text[starts[inside]]
        starts, keys = starts[inside], keys[inside]
        with np.errstate(over="ignore"):
            keys = mix(keys * np.uint64(31) + words.key[starts + size - 1])
        yield starts, keys
