"""Typical boilerplate phrases, found as whole folded words without a loop over segments."""

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
from ingest.key_table import KeyTable
from ingest.resources import model_dir

_MAX_PHRASE_WORDS = 5
_HEAD_WORDS = 48  # words searched per segment: boilerplate phrases come early


class PhraseTable(NamedTuple):
    """Phrases as sorted hash keys.

    Attributes:
        roles: the sections of the file: roles, and kinds of words such as places and measures.
        keys: the phrases.
        bits: uint32 [phrases]; bit r is set if the phrase is typical of `roles[r]`.
        first_words: the words that phrases begin with.
    """

    roles: tuple[str, ...]
    keys: KeyTable
    bits: NDArray[np.uint32]
    first_words: KeyTable


@cache
def load_phrases() -> PhraseTable:
    """Load the shipped phrases, `lang_models/roles/phrases.txt`.

    Raises:
        ModelError: the file is missing or malformed.

    >>> load_phrases().roles[:3]
    ('nav', 'widget', 'ad')
    """
    sections = read_sections("phrases.txt")
    bits: dict[int, int] = {}
    first_words: list[U64] = []
    for number, lines in enumerate(sections.values()):
        words = CodePoints(pl.Series(lines)).words()
        size = np.bincount(words.text, minlength=len(lines))
        first = np.searchsorted(words.text, np.arange(len(lines)))
        first_words.append(words.key[first])
        for length, (starts, keys) in enumerate(_word_ngrams(words, first), 1):
            for key in keys[size[words.text[starts]] == length].tolist():
                bits[key] = bits.get(key, 0) | 1 << number
    ordered = sorted(bits)
    return PhraseTable(
        tuple(sections),
        KeyTable(np.array(ordered, np.uint64)),
        np.array([bits[k] for k in ordered], np.uint32),
        KeyTable(np.unique(np.concatenate(first_words))),
    )


@cache
def load_function_words() -> KeyTable:
    """Load the keys of the shipped function words of all languages.

    Raises:
        ModelError: the file is missing or malformed.
    """
    lines = [line for lines in read_sections("function_words.txt").values() for line in lines]
    return KeyTable(np.unique(CodePoints(pl.Series(lines)).words().key))


def read_sections(name: str) -> dict[str, list[str]]:
    """Read the lines under each [section] of a shipped text file; # starts a comment.

    Raises:
        ModelError: the file is missing, or a line comes before the first section.
    """
    path = model_dir("roles") / name
    sections: dict[str, list[str]] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); reinstall ingest") from error
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            sections[line.strip("[]")] = []
        elif not line.startswith("#"):
            if not sections:
                raise ModelError(f"{path}: {line!r} comes before the first [section]")
            next(reversed(sections.values())).append(line)
    return sections


def find_phrases(words: Words, texts: int) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Find which words belong to a phrase of which role.

    Returns:
        bits: uint32 [words], one bit per role in the order of `load_phrases().roles`.
        share: float64 [texts, roles], the share of each text's words that phrases of a role cover.
    """
    table = load_phrases()
    bits = np.zeros(len(words.key), np.uint32)
    first = np.searchsorted(words.text, np.arange(texts))
    in_head = np.arange(len(bits)) - first[words.text] < _HEAD_WORDS
    candidates = np.flatnonzero(in_head & table.first_words.find(words.key)[1])
    for size, (starts, keys) in enumerate(_word_ngrams(words, candidates), 1):
        index, known = table.keys.find(keys)
        for step in range(size):
            np.bitwise_or.at(bits, starts[known] + step, table.bits[index[known]])
    count = np.maximum(np.bincount(words.text, minlength=texts), 1)
    covered = np.flatnonzero(bits)
    share = np.stack(
        [
            np.bincount(words.text[covered], weights=(bits[covered] >> r) & 1, minlength=texts)
            / count
            for r in range(len(table.roles))
        ],
        axis=1,
    )
    return bits, share


def _word_ngrams(words: Words, starts: I64) -> Iterator[tuple[I64, U64]]:
    """For n = 1 … _MAX_PHRASE_WORDS, yield the starts of n words of one text, and their key."""
    keys = words.key[starts]
    yield starts, keys
    for size in range(2, _MAX_PHRASE_WORDS + 1):
        last = starts + size - 1
        inside = last < len(words.key)
        inside[inside] = words.text[last[inside]] == words.text[starts[inside]]
        starts, keys = starts[inside], keys[inside]
        with np.errstate(over="ignore"):
            keys = mix(keys * np.uint64(31) + words.key[starts + size - 1])
        yield starts, keys
