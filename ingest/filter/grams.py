"""Words in a row, hashed: what texts are compared by where they need not be the same.

Case, marks, letter variants, digit systems and punctuation make no difference.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.codepoints import I64, U64, CodePoints, mix
from ingest.dedupe import BANDS, ROWS, minhash

U16 = NDArray[np.uint16]

_TEXTS = 1 << 14  # texts looked at together: some 100 MB
_CHARS = 4_000  # of a text: sentences have fewer


def keys(texts: pl.Series) -> U64:
    """One number a text, the same for texts whose words are; texts without words differ.

    >>> one, same, other = keys(pl.Series(["The end.", "the END!", "An end."])).tolist()
    >>> one == same, one == other
    (True, False)
    """
    return np.concatenate([np.empty(0, np.uint64), *(_keys(some) for some in _parts(texts))])


def _keys(texts: pl.Series) -> U64:
    words = CodePoints(texts).words()
    with np.errstate(over="ignore"):
        place = np.arange(len(words.text)) - np.searchsorted(words.text, words.text)
        terms = mix(words.key + np.uint64(0x9E3779B97F4A7C15) * (place + 1).astype(np.uint64))
        total = np.zeros(len(terms) + 1, np.uint64)
        np.cumsum(terms, out=total[1:])
        at = np.searchsorted(words.text, np.arange(len(texts) + 1))
        made = mix(total[at[1:]] - total[at[:-1]])
    return np.where(at[1:] > at[:-1], made, texts.hash().to_numpy())


def grams(texts: pl.Series) -> tuple[I64, U64]:
    """Runs of two words, by text and in its order; a word alone gives itself.

    >>> of, _ = grams(pl.Series(["a b c", "x", ""]))
    >>> of.tolist()
    [0, 0, 1]
    """
    words = CodePoints(texts.str.head(_CHARS)).words()
    text, key = words.text, words.key
    last = np.ones(len(text), bool)
    last[:-1] = text[1:] != text[:-1]
    alone = last.copy()
    alone[1:] &= last[:-1]
    follower = np.zeros_like(key)
    follower[:-1] = np.where(last[:-1], 0, key[1:])
    with np.errstate(over="ignore"):
        gram = mix(key * np.uint64(31) + follower)
    return text[~last | alone], gram[~last | alone]


def signatures(*sides: pl.Series) -> U16:
    """MinHash of the grams of each text, or of several together: [texts, BANDS * ROWS].

    Texts without words have values of their own.
    """
    made = [np.empty((0, BANDS * ROWS), np.uint16)]
    for some in zip(*map(_parts, sides), strict=True):
        found = [grams(texts) for texts in some]
        text = np.concatenate([of for of, _ in found])
        # the same words on the other side are another thing
        gram = np.concatenate([mix(g + np.uint64(side)) for side, (_, g) in enumerate(found)])
        order = np.argsort(text, kind="stable")
        held, values = minhash(text[order], gram[order])
        own = mix(some[0].hash().to_numpy())[:, None] * np.arange(1, 2 * BANDS * ROWS, 2).astype(
            np.uint64
        )
        part = (own >> np.uint64(48)).astype(np.uint16)
        part[held] = values
        made.append(part)
    return np.concatenate(made)


def _parts(texts: pl.Series) -> Iterator[pl.Series]:
    plain = texts.fill_null("")
    return (plain[at : at + _TEXTS] for at in range(0, len(plain), _TEXTS))
