"""English function words that Arabic writes as part of a word: the, and, to, his."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from ingest._typing import U16, Bools

# Arabic prefixes and suffixes with a rest of two letters or more, and the English words that they
# translate. In most grammars these words have no link of their own; in ours, they share the link of
# the word that the affix is part of.
_AFFIXES = (
    ("^[وف]?(?:[بك]?ال|لل)..", "the"),
    ("^و...", "and &"),
    ("^ف...", "so then"),
    ("^[وف]?ل..", "to for of"),
    ("^[وف]?ب..", "with by in at on"),
    ("^[وف]?ك..", "as like"),
    ("^[وف]?س[ينتأ].", "will shall"),
    ("..ه$", "his him he its it"),
    ("..ها$", "her she its it their them they"),
    ("..هما?$", "their them they"),
    ("..كم?$", "your you"),
    ("..ي$", "my me"),
    ("..نا$", "our us we"),
)
_DROPPED = r"[\p{M}\p{Cf}\u0640]|^[^\p{L}\p{M}&]+|[^\p{L}\p{M}&]+$"  # marks, tatweel, punctuation


def affix_bits(tokens: pl.Series) -> tuple[U16, U16]:
    """Return which affixes may translate each token, and which affixes it has: uint16 [tokens].

    >>> needs, has = affix_bits(pl.Series(["The", "book", "والكتاب،"]))
    >>> needs.tolist(), has.tolist()
    ([1, 0, 0], [0, 0, 3])
    """
    word = pl.col("word").str.normalize("NFKC").str.replace_all(_DROPPED, "").str.to_lowercase()
    words = tokens.to_frame("word").select(word)
    needs = np.zeros(len(tokens), np.uint16)
    has = np.zeros(len(tokens), np.uint16)
    for nth, (pattern, english) in enumerate(_AFFIXES):
        found = words.select(
            needs=pl.col("word").is_in(english.split()), has=pl.col("word").str.contains(pattern)
        )
        needs |= found["needs"].to_numpy().astype(np.uint16) << nth
        has |= found["has"].to_numpy().astype(np.uint16) << nth
    return needs, has


def attach(links: Bools, needs: U16, has: U16) -> Bools:
    """Find links for function words without any, from the token that follows.

    If that token is linked to a word with an affix that translates the function word, the function
    word is linked to this word too.

    Args:
        links: bool [rows, columns, pairs].
        needs: uint16 [rows, pairs], the affixes that may translate each row.
        has: uint16 [columns, pairs], the affixes of each column.

    Returns:
        bool [rows, columns, pairs]: the new links, at most one per row.

    >>> links = np.array([[0, 0], [0, 1]], bool)[..., None]
    >>> bits = np.array([[1], [0]], np.uint16), np.array([[0], [1]], np.uint16)
    >>> attach(links, *bits)[..., 0].astype(int).tolist()
    [[0, 1], [0, 0]]
    """
    new = np.zeros_like(links)
    fits = links[1:] & ((needs[:-1, None] & has) != 0)
    fits &= ~links[:-1].any(axis=1, keepdims=True)
    row, pair = np.nonzero(fits.any(axis=1))
    new[row, fits[row, :, pair].argmax(axis=1), pair] = True
    return new
