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
        number: int64 [texts], how many there are.
        letters: int64 [texts], how many letters they have.
    """

    number: I64
    letters: I64


class CharKinds:
    """The kinds of the characters of a batch of texts, with a space around each text.

    Attributes:
        codes: uint32 [positions], code points.
        kinds: uint16 [positions].
        is_letter: bool [positions].
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
        self.is_letter: Bools = self.kinds & LETTER > 0
        totals = np.add.reduceat(_counts_of_kinds().take(self.kinds), self.starts)
        self.letters, self.upper, self.lower, self.forms = (
            (totals >> (i * _COUNT_BITS)) & ((1 << _COUNT_BITS) - 1) for i in range(len(_COUNTED))
        )

    def words(self) -> I64:
        """Count the words of each script: int64 [texts, SCRIPT + 1].

        A word is a run of letters of one script, or the part of a mixed word in one script.

        >>> CharKinds(pl.Series(["it's a тест", "واحدtwo"])).words()[:, :4].tolist()
        [[0, 2, 0, 1], [0, 1, 1, 0]]
        """
        kinds: U16 = self.kinds & np.uint16(SCRIPT | LETTER)
        kinds, starts = _remove(kinds, self.kinds & JOINER > 0, self.starts)
        # What is not a letter, such as a digit of one script, continues a word of that script.
        goes_on = np.zeros(len(kinds), bool)
        script = kinds & np.uint16(SCRIPT)
        goes_on[1:] = (kinds[1:] == script[1:]) & (script[1:] == script[:-1]) & (script[1:] > 0)
        kinds, starts = _remove(kinds, goes_on, starts)
        at = 1 + np.flatnonzero((kinds[1:] > LETTER) & (kinds[1:] != kinds[:-1]))
        text = np.repeat(
            np.arange(len(starts)), np.diff(np.searchsorted(at, starts), append=len(at))
        )
        return _tabulate(text, kinds[at] & np.uint16(SCRIPT), len(starts))

    def names(self) -> Names:
        """Find the capitalised words. A name begins at a capital, also inside a word.

        >>> names = CharKinds(pl.Series(["the USA's mcDonald", "so"])).names()
        >>> names.number.tolist(), names.letters.tolist()
        ([2, 0], [10, 0])
        """
        kinds = self.kinds & (NAME | UPPER)
        at = np.flatnonzero(kinds != NAME)  # what begins a name, goes on with a capital, or ends it
        in_name = kinds[at] > NAME
        begins = in_name.copy()
        begins[1:] &= ~in_name[:-1]
        size = np.diff(at, append=len(kinds))
        # names have few characters other than letters
        other = np.flatnonzero((kinds == NAME) & ~self.is_letter)
        size -= np.bincount(np.searchsorted(at, other) - 1, minlength=len(at))
        size[~in_name] = 0
        first = np.searchsorted(at, self.starts)
        return Names(np.add.reduceat(begins, first, dtype=np.int64), np.add.reduceat(size, first))

    def chars_of(self, scripts: I64) -> I64:
        """Count the characters of some scripts: int64 [texts, SCRIPT + 1], 0 for the others."""
        wanted = np.zeros(SCRIPT + 1, bool)
        wanted[scripts] = True
        script = self.kinds & np.uint16(SCRIPT)
        at = np.flatnonzero(wanted.take(script))
        text = np.searchsorted(self.starts, at, side="right") - 1
        return _tabulate(text, script[at], len(self.starts))

    def count_at(self, positions: I64) -> I64:
        """Count positions, which are in order, by text: int64 [texts]."""
        return np.diff(np.searchsorted(positions, self.starts), append=len(positions))


def _remove(kinds: U16, mask: Bools, starts: I64) -> tuple[U16, I64]:
    """Remove the marked positions; return the rest, and where each text begins then."""
    removed = np.flatnonzero(mask)
    return kinds[~mask], starts - np.searchsorted(removed, starts)


def _tabulate(text: I64, script: U16, texts: int) -> I64:
    """Count the pairs of a text and a script: int64 [texts, SCRIPT + 1]."""
    shape = texts, SCRIPT + 1
    counts = np.bincount(text * shape[1] + script, minlength=shape[0] * shape[1])
    return counts.reshape(shape)


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
