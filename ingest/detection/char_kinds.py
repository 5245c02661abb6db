"""The script and the kind of each character of a batch, and counts of them for each text.

The patterns of Polars decide the kind of a character when its block first occurs. So counts agree
with patterns that are applied to whole texts, but all counts together take one pass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, U16, Bools
from ingest.codepoints import decode
from ingest.detection.rules import load_rules

# Bits of a kind. The lowest five hold the number of the script: 0 if characters of any script go
# with it, such as digits; n for the nth script of `rules.json`; OTHER_SCRIPT for the others.
SCRIPT = OTHER_SCRIPT = 31
LETTER, UPPER, LOWER, NAME, JOINER, FORM = (1 << bit for bit in range(5, 11))
COMPATIBILITY_FORMS = r"[\u{300}-\u{36f}\u{fb50}-\u{fdff}\u{fe70}-\u{fefc}\u{ff01}-\u{ff5e}]"
_PATTERNS = {
    LETTER: r"\p{L}",
    UPPER: r"\p{Lu}",
    LOWER: r"\p{Ll}",
    NAME: r"[\p{L}\p{M}\d'’®-]",  # goes on a name
    JOINER: r"[\p{M}'’\u{200c}\u{200d}]",  # goes on a word of any script
    FORM: COMPATIBILITY_FORMS,
}
_COUNTED = (LETTER, UPPER, LOWER, FORM)
_COUNT_BITS = 16  # of a text's count; texts have at most 4,000 characters
_BLOCK = 256  # code points
# Blocks that are classified with the first one: Latin to Arabic, and punctuation and symbols.
_USUAL_BLOCKS = [*range(0x07), *range(0x20, 0x28)]
_UNKNOWN = np.uint16(1 << 15)
_kinds = np.full(0x110000, _UNKNOWN, np.uint16)


class Names(NamedTuple):
    """The capitalised words of each text.

    Attributes:
        count: int64 [texts], their number.
        letters: int64 [texts], how many letters they have.
    """

    count: I64
    letters: I64


class CharKinds:
    """The kinds of the characters of a batch of texts, with a space around each text.

    Attributes:
        codes: uint32 [positions], code points.
        kinds: uint16 [positions].
        starts: int64 [texts], where each text begins; it ends with the space after it.
        letters, upper, lower, forms: int64 [texts], the number of characters of each kind.

    >>> chars = CharKinds(pl.Series(["Ab c", "", "شرح"]))
    >>> chars.letters.tolist(), chars.upper.tolist()
    ([3, 0, 3], [1, 0, 0])
    """

    def __init__(self, texts: pl.Series) -> None:
        self.codes, lengths = decode(texts, separator=" ")
        self.starts: I64 = 1 + np.cumsum(lengths + 1) - (lengths + 1)
        self.kinds = kinds_of(self.codes)
        totals = np.add.reduceat(_counts_of_kinds().take(self.kinds), self.starts)
        self.letters, self.upper, self.lower, self.forms = (
            (totals >> (i * _COUNT_BITS)) & ((1 << _COUNT_BITS) - 1) for i in range(len(_COUNTED))
        )

    def count(self, mask: Bools) -> I64:
        """Count the positions of each text that the mask marks: int64 [texts]."""
        edges = np.searchsorted(np.flatnonzero(mask), [*self.starts, len(mask)])
        return np.diff(edges)

    def words(self) -> I64:
        """Count the words of each script: int64 [texts, SCRIPT + 1].

        A word is a run of letters of one script, or the part of a mixed word in one script.

        >>> CharKinds(pl.Series(["it's a тест", "واحدtwo"])).words()[:, :4].tolist()
        [[0, 2, 0, 1], [0, 1, 1, 0]]
        """
        solid = self.kinds & JOINER == 0
        joiners = np.flatnonzero(~solid)
        starts = self.starts - np.searchsorted(joiners, self.starts)
        kinds = self.kinds[solid]
        script = kinds & SCRIPT
        begins = np.ones(len(kinds), bool)
        begins[1:] = script[1:] != script[:-1]
        begins[starts] = True
        runs = np.flatnonzero(begins)
        has_letter = np.maximum.reduceat(kinds & LETTER, runs) > 0
        first = np.searchsorted(runs, [*starts, len(kinds)])
        text = np.repeat(np.arange(len(starts)), np.diff(first))
        cell = text * (SCRIPT + 1) + script[runs[first[0] :]]
        shape = len(starts), SCRIPT + 1
        counts = np.bincount(cell[has_letter[first[0] :]], minlength=shape[0] * shape[1])
        return counts.reshape(shape)

    def names(self) -> Names:
        """Find the capitalised words. A name begins at a capital, also inside a word.

        >>> names = CharKinds(pl.Series(["the USA's mcDonald", "so"])).names()
        >>> names.count.tolist(), names.letters.tolist()
        ([2, 0], [10, 0])
        """
        at = np.flatnonzero(self.kinds & (NAME | UPPER) != NAME)
        in_name = self.kinds[at] & UPPER > 0
        begins = in_name.copy()
        begins[1:] &= ~in_name[:-1]
        letters = np.add.reduceat((self.kinds & LETTER > 0).view(np.uint8), at, dtype=np.int64)
        letters[~in_name] = 0
        first = np.searchsorted(at, self.starts)
        return Names(
            np.add.reduceat(begins, first, dtype=np.int64), np.add.reduceat(letters, first)
        )

    def chars_of(self, scripts: I64) -> I64:
        """Count the characters of some scripts: int64 [texts, SCRIPT + 1], 0 for the others."""
        wanted = np.zeros(SCRIPT + 1, bool)
        wanted[scripts] = True
        script = self.kinds & SCRIPT
        at = np.flatnonzero(wanted.take(script))
        text = np.searchsorted(self.starts, at, side="right") - 1
        shape = len(self.starts), SCRIPT + 1
        cell = text * shape[1] + script[at]
        return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def kinds_of(codes: NDArray[np.uint32]) -> U16:
    """Return the kind of each code point."""
    kinds: U16 = _kinds.take(codes)
    if (kinds == _UNKNOWN).any():
        blocks = np.union1d(codes[kinds == _UNKNOWN] // _BLOCK, _USUAL_BLOCKS)
        _classify((blocks[:, None] * _BLOCK + np.arange(_BLOCK)).ravel())
        kinds = _kinds.take(codes)
    return kinds


def _counts_of_kinds() -> I64:
    """What one character of each kind adds to the counts of its text, packed."""
    kinds = np.arange(FORM << 1)
    counts = np.zeros(len(kinds), np.int64)
    for i, bit in enumerate(_COUNTED):
        counts += ((kinds & bit) > 0).astype(np.int64) << (i * _COUNT_BITS)
    return counts


def _classify(codes: I64) -> None:
    """Fill in the table for some code points."""
    chars = pl.Series("char", map(chr, codes.tolist()), pl.String)
    scripts = [script["property"] for script in load_rules()["scripts"]]
    patterns = [*_PATTERNS.values(), *(rf"[\p{{{x}}}]" for x in (*scripts, r"Common}\p{Inherited"))]
    char = pl.col("char")
    tests = chars.to_frame().select(char.str.contains(x).alias(x) for x in patterns).to_numpy()
    flags, script, common = np.split(tests, [len(_PATTERNS), -1], axis=1)
    number = np.where(script.any(axis=1), 1 + script.argmax(axis=1), OTHER_SCRIPT)
    number[common[:, 0]] = 0
    _kinds[codes] = number + flags @ np.array(list(_PATTERNS))
