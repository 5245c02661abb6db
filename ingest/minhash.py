"""Near-duplicates by MinHash: shingles, signatures, rows whose signatures agree, components.

Case, marks, letter variants, digit systems and punctuation make no difference to any of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingest._typing import F64, I64, U16, U64, Bools
from ingest.codepoints import CodePoints, mix

SHINGLE = 4  # words
# MinHash (Broder 1997) with 63 values in 21 bands of 3: two texts of Jaccard similarity s share
# a band with probability 1 - (1 - s**3)**21, .994 at s = .6 and .003 at s = .05.
BANDS, ROWS = 21, 3
_CHUNK = 1 << 14  # shingles hashed at once
_FACTORS = mix(np.arange(1, BANDS * ROWS + 1, dtype=np.uint64)) | np.uint64(1)
_TEXTS = 1 << 14  # texts looked at together: some 100 MB
_CHARS = 4_000  # of a text: sentences have fewer
_PAIRS = 1 << 14  # signatures compared at once
_ROUNDS = 256  # rows of a component with which all others of it are compared


def shingles(group: I64, key: U64) -> tuple[I64, U64]:
    """Distinct hashes of SHINGLE words in a row, by group; shorter groups give what they have."""
    gram = key.copy()
    with np.errstate(over="ignore"):
        for step in range(1, SHINGLE):
            same = np.zeros(len(key), bool)
            same[:-step] = group[step:] == group[:-step]
            follower = np.zeros(len(key), np.uint64)
            follower[:-step] = key[step:]
            gram = mix(gram * np.uint64(31) + np.where(same, follower, np.uint64(0)))
    # grams that run over the end of their group say little; keep the first, for short groups
    full = np.zeros(len(key), bool)
    full[: len(key) - SHINGLE + 1] = (
        group[: len(key) - SHINGLE + 1] == group[SHINGLE - 1 :] if len(key) >= SHINGLE else False
    )
    first = np.r_[True, group[1:] != group[:-1]] if len(group) else full
    use = full | first
    return group[use], gram[use]


def minhash(group: I64, gram: U64) -> tuple[I64, U16]:
    """The groups, and the least of each hash function over each: uint16 [groups, BANDS * ROWS].

    Of each least value the low 16 bits are kept (b-bit MinHash, Li and König 2010): two texts
    that differ agree in them by chance once in 65,536.
    """
    starts = (
        np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, int)
    )
    values = np.full((len(starts), BANDS * ROWS), np.iinfo(np.uint32).max, np.uint32)
    of = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(group)]))
    for at in range(0, len(gram), _CHUNK):
        part, which = gram[at : at + _CHUNK], of[at : at + _CHUNK]
        with np.errstate(over="ignore"):
            hashed = (part[None, :] * _FACTORS[:, None]) >> np.uint64(32)
        cuts = np.flatnonzero(np.r_[True, which[1:] != which[:-1]])
        least = np.minimum.reduceat(hashed.astype(np.uint32), cuts, axis=1).T
        values[which[cuts]] = np.minimum(values[which[cuts]], least)
    return group[starts], values.astype(np.uint16)


def text_keys(texts: pl.Series) -> U64:
    """One number a text, the same for texts whose words are; texts without words differ.

    >>> one, same, other = text_keys(pl.Series(["The end.", "the END!", "An end."])).tolist()
    >>> one == same, one == other
    (True, False)
    """
    return np.concatenate([np.empty(0, np.uint64), *(_text_keys(some) for some in _parts(texts))])


def _text_keys(texts: pl.Series) -> U64:
    words = CodePoints(texts).words()
    with np.errstate(over="ignore"):
        place = np.arange(len(words.text)) - np.searchsorted(words.text, words.text)
        terms = mix(words.key + np.uint64(0x9E3779B97F4A7C15) * (place + 1).astype(np.uint64))
        total = np.zeros(len(terms) + 1, np.uint64)
        np.cumsum(terms, out=total[1:])
        at = np.searchsorted(words.text, np.arange(len(texts) + 1))
        made = mix(total[at[1:]] - total[at[:-1]])
    return np.where(at[1:] > at[:-1], made, texts.hash().to_numpy())


def bigrams(texts: pl.Series) -> tuple[I64, U64]:
    """Runs of two words, by text and in its order; a word alone gives itself.

    >>> of, _ = bigrams(pl.Series(["a b c", "x", ""]))
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


def text_signatures(*sides: pl.Series) -> U16:
    """MinHash of the grams of each text, or of several together: [texts, BANDS * ROWS].

    Texts without words have values of their own.
    """
    made = [np.empty((0, BANDS * ROWS), np.uint16)]
    for some in zip(*map(_parts, sides), strict=True):
        found = [bigrams(texts) for texts in some]
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


def similar_pairs(values: U16, threshold: float | F64, kind: U64 | None = None) -> tuple[I64, I64]:
    """Pairs of rows whose signatures agree in a share of `threshold` or more.

    Not all such pairs, but enough of them to make the components that all of them would make. Rows
    must come in an order of their own; then the pairs depend on nothing else.

    Args:
        values: uint16 [rows, BANDS * ROWS], signatures.
        threshold: least share of equal values, 0…1; one for all, or one per row.
        kind: rows of different kinds are never compared; None where all are of one kind.
    """
    matches = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    least = np.broadcast_to(np.asarray(threshold, np.float64), len(values))
    for band in range(BANDS):
        key = np.zeros(len(values), np.uint64) if kind is None else kind.copy()
        for column in range(band * ROWS, (band + 1) * ROWS):
            with np.errstate(over="ignore"):
                key = mix(key * np.uint64(31) + values[:, column])
        order = np.argsort(key, kind="stable")
        new = np.ones(len(order), bool)
        new[1:] = key[order[1:]] != key[order[:-1]]
        first = order[np.flatnonzero(new)[np.cumsum(new) - 1]]
        before = np.roll(order, 1)
        matches += _agree(before[~new], order[~new], values, least)
        matches += _agree(first[~new], order[~new], values, least)
    return np.concatenate([a for a, _ in matches]), np.concatenate([b for _, b in matches])


def components(nodes: int, edges: list[tuple[I64, I64]]) -> I64:
    """For each node the least number of those it hangs together with.

    >>> import numpy as np
    >>> components(5, [(np.array([4, 1]), np.array([1, 3]))]).tolist()
    [0, 1, 2, 1, 1]
    """
    parent: I64 = np.arange(nodes)
    one = np.concatenate([np.empty(0, np.int64), *(a for a, _ in edges)])
    other = np.concatenate([np.empty(0, np.int64), *(b for _, b in edges)])
    while True:
        roots = parent[one], parent[other]
        apart = roots[0] != roots[1]
        if not apart.any():
            return parent
        one, other = one[apart], other[apart]
        low, high = (f(roots[0][apart], roots[1][apart]) for f in (np.minimum, np.maximum))
        np.minimum.at(parent, high, low)
        while ((above := parent[parent]) != parent).any():
            parent = above


def near_duplicates(values: U16, threshold: float) -> Bools:
    """Whether each row is like an earlier one that is no repeat: signatures agree by `threshold`.

    Of what hangs together the first row stays, those like it are repeats, and so on with the
    rest. Where more than 256 stay, others that are like each other may stay too: those left are
    compared with a few only.

    >>> chain = np.repeat(np.array([[0, 0, 0], [0, 0, 1], [0, 1, 1]], np.uint16), 21, axis=1)
    >>> near_duplicates(chain, 0.6).tolist()
    [False, True, False]
    """
    one, other = similar_pairs(values, threshold)
    group = components(len(values), [(one, other)])
    repeat = np.zeros(len(values), bool)
    least = np.full(len(values), threshold)
    rest = np.argsort(group, kind="stable")
    for _ in range(_ROUNDS):
        new = np.diff(group[rest], prepend=-1) > 0
        first = rest[new][np.cumsum(new) - 1]
        for _, like in _agree(first[~new], rest[~new], values, least):
            repeat[like] = True
        rest = rest[~new & ~repeat[rest]]
    left = np.isin(one, rest) & np.isin(other, rest)
    order = np.lexsort((one[left], other[left]))
    for earlier, later in zip(one[left][order].tolist(), other[left][order].tolist(), strict=True):
        repeat[later] |= not repeat[earlier]
    return repeat


def _agree(one: I64, other: I64, values: U16, least: F64) -> Iterator[tuple[I64, I64]]:
    for at in range(0, len(one), _PAIRS):
        a, b = one[at : at + _PAIRS], other[at : at + _PAIRS]
        enough: Bools = (values[a] == values[b]).mean(axis=1) >= least[a]
        yield a[enough], b[enough]
