"""Near-duplicates by MinHash: shingles, signatures, similar pairs, connected components.

Case, marks, letter variants, digit systems and punctuation make no difference. ingest has its own
implementation because its keys have a fixed size, are byte-identical in any number of processes and
are computed with vectorised NumPy, whereas datasketch hashes one token at a time in Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from ingest._typing import F64, I64, U16, U64, Bools
from ingest.codepoints import CodePoints, mix
from ingest.text import spell_out

SHINGLE = 4  # words
# MinHash (Broder 1997) with 63 values in 21 bands of 3: two texts with Jaccard similarity s share
# a band with probability 1 - (1 - s**3)**21, which is .994 at s = .6 and .003 at s = .05.
BANDS, ROWS = 21, 3
_SHINGLE_BATCH = 1 << 12  # shingles hashed at once, so that the hashes fit the cache
_FACTORS = mix(np.arange(1, BANDS * ROWS + 1, dtype=np.uint64)) | np.uint64(1)
_TEXT_BATCH = 1 << 14  # texts processed at once: about 100 MB
_MAX_CHARS = 4_000  # characters of a text that count; sentences have fewer
_PAIR_BATCH = 1 << 14  # pairs of signatures compared at once
_ROW_BATCH = 1 << 16  # signatures read at once


def shingles(group: I64, key: U64) -> tuple[I64, U64]:
    """Hash each run of SHINGLE words of a group. A shorter group gives one hash of all its words.

    Args:
        group: int64 [words], ascending.
        key: uint64 [words], hashes of the words.

    Returns:
        The group and the hash of each shingle.
    """
    gram = key.copy()
    with np.errstate(over="ignore"):
        for step in range(1, SHINGLE):
            same = np.zeros(len(key), bool)
            same[:-step] = group[step:] == group[:-step]
            follower = np.zeros(len(key), np.uint64)
            follower[:-step] = key[step:]
            gram = mix(gram * np.uint64(31) + np.where(same, follower, np.uint64(0)))
    # Drop runs that reach beyond their group, except the first of each group, for short groups.
    full = np.zeros(len(key), bool)
    full[: len(key) - SHINGLE + 1] = (
        group[: len(key) - SHINGLE + 1] == group[SHINGLE - 1 :] if len(key) >= SHINGLE else False
    )
    first = np.r_[True, group[1:] != group[:-1]] if len(group) else full
    kept = full | first
    return group[kept], gram[kept]


def minhash(group: I64, gram: U64) -> tuple[I64, U16]:
    """Compute the MinHash signature of each group: uint16 [groups, BANDS * ROWS].

    Only the low 16 bits of each minimum are kept (b-bit MinHash, Li and König 2010). Two different
    minima agree in them by chance once in 65,536.

    Args:
        group: int64 [shingles], ascending.
        gram: uint64 [shingles], hashes.

    Returns:
        The groups and their signatures.
    """
    starts = (
        np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, int)
    )
    values = np.full((len(starts), BANDS * ROWS), np.iinfo(np.uint32).max, np.uint32)
    row = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(group)]))
    for at in range(0, len(gram), _SHINGLE_BATCH):
        batch, batch_row = gram[at : at + _SHINGLE_BATCH], row[at : at + _SHINGLE_BATCH]
        with np.errstate(over="ignore"):
            hashed = batch * _FACTORS[:, None]
        cuts = np.flatnonzero(np.r_[True, batch_row[1:] != batch_row[:-1]])
        minima = (np.minimum.reduceat(hashed, cuts, axis=1) >> np.uint64(32)).T
        values[batch_row[cuts]] = np.minimum(values[batch_row[cuts]], minima.astype(np.uint32))
    return group[starts], values.astype(np.uint16)


def text_keys(texts: pl.Series) -> U64:
    """Hash each text: texts with the same words have the same key. Texts without words differ.

    >>> one, same, other = text_keys(pl.Series(["The end.", "the END!", "An end."])).tolist()
    >>> one == same, one == other
    (True, False)
    """
    return np.concatenate(
        [np.empty(0, np.uint64), *(_text_keys(batch) for batch in _batches(texts))]
    )


def _text_keys(texts: pl.Series) -> U64:
    words = CodePoints(spell_out(texts)).words()
    with np.errstate(over="ignore"):
        position = np.arange(len(words.text)) - np.searchsorted(words.text, words.text)
        terms = mix(words.key + np.uint64(0x9E3779B97F4A7C15) * (position + 1).astype(np.uint64))
        total = np.zeros(len(terms) + 1, np.uint64)
        np.cumsum(terms, out=total[1:])
        edge = np.searchsorted(words.text, np.arange(len(texts) + 1))
        keys = mix(total[edge[1:]] - total[edge[:-1]])
    return np.where(edge[1:] > edge[:-1], keys, texts.hash().to_numpy())


def bigrams(texts: pl.Series) -> tuple[I64, U64]:
    """Hash the word bigrams of each text, in order. A single word counts as a bigram.

    Returns:
        The number of the text and the hash of each bigram.

    >>> text, _ = bigrams(pl.Series(["a b c", "x", ""]))
    >>> text.tolist()
    [0, 0, 1]
    """
    words = CodePoints(spell_out(texts.str.head(_MAX_CHARS))).words()
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
    """Compute the MinHash signature of each text: uint16 [texts, BANDS * ROWS].

    Texts without words have a signature that depends on their characters.

    Args:
        sides: the texts; with several series, row i is signed as the tuple of its texts.
    """
    signatures = [np.empty((0, BANDS * ROWS), np.uint16)]
    for batch in zip(*map(_batches, sides), strict=True):
        by_side = [bigrams(texts) for texts in batch]
        text = np.concatenate([owner for owner, _ in by_side])
        # the same words on another side get another hash
        gram = np.concatenate([mix(g + np.uint64(side)) for side, (_, g) in enumerate(by_side)])
        order = np.argsort(text, kind="stable")
        rows, values = minhash(text[order], gram[order])
        own = mix(batch[0].hash().to_numpy())[:, None] * np.arange(1, 2 * BANDS * ROWS, 2).astype(
            np.uint64
        )
        signature = (own >> np.uint64(48)).astype(np.uint16)
        signature[rows] = values
        signatures.append(signature)
    return np.concatenate(signatures)


def _batches(texts: pl.Series) -> Iterator[pl.Series]:
    filled = texts.fill_null("")
    return (filled[at : at + _TEXT_BATCH] for at in range(0, len(filled), _TEXT_BATCH))


def similar_pairs(
    values: U16, threshold: float | F64, kind: U64 | None = None, *, order: I64 | None = None
) -> Iterator[tuple[I64, I64]]:
    """Yield pairs of rows whose signatures agree in at least `threshold` of their values.

    Not all such pairs are found, only enough to form the same connected components. The pairs
    depend on the order of the rows, the components do only if `order` does.

    Args:
        values: uint16 [rows, BANDS * ROWS], signatures; may be a file that is mapped into memory.
        threshold: least share of equal values, 0…1; one for all rows, or one per row.
        kind: rows of different kinds are never compared; None if all have the same kind.
        order: int64 [rows], the order in which to compare the rows; as they are if None.

    Yields:
        The row numbers of both sides of the pairs that one band finds.

    >>> values = np.repeat(np.array([[1, 1, 1], [2, 2, 2], [1, 1, 1]], np.uint16), 21, axis=1)
    >>> next(similar_pairs(values, 0.6))
    (array([0, 0]), array([2, 2]))
    """
    least = np.broadcast_to(np.asarray(threshold, np.float64), len(values))
    for band in range(BANDS):
        key = band_keys(values, band, kind)
        if order is None:
            by_key = np.argsort(key, kind="stable")
        else:
            by_key = order[np.argsort(key[order], kind="stable")]
        new = np.ones(len(by_key), bool)
        new[1:] = key[by_key[1:]] != key[by_key[:-1]]
        # only rows whose key occurs twice, which in most texts are few
        shared = ~new
        shared[:-1] |= ~new[1:]
        by_key, new = by_key[shared], new[shared]
        first = by_key[np.flatnonzero(new)[np.cumsum(new) - 1]]
        before = np.roll(by_key, 1)
        matches = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        matches += _agree(before[~new], by_key[~new], values, least)
        matches += _agree(first[~new], by_key[~new], values, least)
        yield np.concatenate([a for a, _ in matches]), np.concatenate([b for _, b in matches])


def band_keys(values: U16, band: int, kind: U64 | None = None) -> U64:
    """Hash one band of each signature. Only rows with the same hash are compared.

    Args:
        values: uint16 [rows, BANDS * ROWS], signatures; may be a file that is mapped into memory.
        band: number of the band.
        kind: the kind of each row; rows of different kinds have different hashes.
    """
    # a kind that is not mixed could be outweighed by the first value
    key = np.zeros(len(values), np.uint64) if kind is None else mix(kind)
    for at in range(0, len(values), _ROW_BATCH):  # a mapped file is read once per band
        rows = slice(at, at + _ROW_BATCH)
        for column in values[rows, band * ROWS : (band + 1) * ROWS].T:
            with np.errstate(over="ignore"):
                key[rows] = mix(key[rows] * np.uint64(31) + column)
    return key


def are_similar(left: U16, right: U16, least: F64) -> Bools:
    """Return which signatures agree in at least a share of their values.

    Args:
        left: uint16 [pairs, BANDS * ROWS], signatures.
        right: the same for the other side.
        least: float64 [pairs], the share.
    """
    enough: Bools = (left == right).mean(axis=1) >= least
    return enough


def components(nodes: int, edges: Iterable[tuple[I64, I64]], known: I64 | None = None) -> I64:
    """Find the connected components of a graph: the least node in the component of each node.

    Args:
        nodes: number of nodes.
        edges: both ends of the edges. One element of `edges` is in memory at a time.
        known: int64 [nodes], an earlier result, to which the edges are added.

    >>> import numpy as np
    >>> components(5, [(np.array([4, 1]), np.array([1, 3]))]).tolist()
    [0, 1, 2, 1, 1]
    """
    parent: I64 = np.arange(nodes) if known is None else known.copy()
    for both in edges:
        left, right = both
        while True:
            roots = parent[left], parent[right]
            differ = roots[0] != roots[1]
            if not differ.any():
                break
            left, right = left[differ], right[differ]
            low, high = (f(roots[0][differ], roots[1][differ]) for f in (np.minimum, np.maximum))
            np.minimum.at(parent, high, low)
            while ((grandparent := parent[parent]) != parent).any():
                parent = grandparent
    return parent


def _agree(left: I64, right: I64, values: U16, least: F64) -> Iterator[tuple[I64, I64]]:
    """Yield the pairs whose signatures agree often enough, one batch at a time."""
    for at in range(0, len(left), _PAIR_BATCH):
        a, b = left[at : at + _PAIR_BATCH], right[at : at + _PAIR_BATCH]
        enough = are_similar(values[a], values[b], least[a])
        yield a[enough], b[enough]
