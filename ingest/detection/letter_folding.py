"""Which code points are one letter to the n-gram counts: case, marks and apostrophes folded.

Arabic letters are kept apart as they are typed: ی and ي, ک and ك tell Persian, Urdu, Pashto and
Arabic from each other, where langdetect's normalisation folds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.detection.ngram_table import SPACE, UNKNOWN, Symbols
from ingest.detection.symbols import BMP

if TYPE_CHECKING:
    from numpy.typing import NDArray

# combining marks, Arabic vowel signs, tatweel, joiners and bidi controls; not the zero-width
# non-joiner, which is a letter of Persian spelling
_DROPPED = (
    range(0x300, 0x370), range(0x610, 0x61B), range(0x640, 0x641), range(0x64B, 0x660),
    range(0x670, 0x671), range(0xAD, 0xAE), range(0x200B, 0x200C), range(0x200D, 0x2010),
    range(0x202A, 0x202F), range(0x2066, 0x206A), range(0xFEFF, 0xFF00),
)  # fmt: skip
_LETTERS = (
    range(0x41, 0x5B), range(0x61, 0x7B), range(0xC0, 0x250), range(0x1E00, 0x1F00),
    range(0x620, 0x64B), range(0x66E, 0x6D4), range(0x6EE, 0x700), range(0x750, 0x780),
)  # fmt: skip
_APOSTROPHES = "'’ʼ"


def dropped() -> NDArray[np.bool_]:
    """Code points that are no part of a word's spelling: bool of size BMP."""
    out = np.zeros(BMP, dtype=bool)
    for block in _DROPPED:
        out[block.start : block.stop] = True
    return out


def fold(text: str) -> str:
    """One string as the counts see it; the slow twin of `drop` and `lookup`.

    >>> fold("L’ÉTÉ كِتاب")
    "l'été كتاب"
    """
    gone = dropped()
    kept = "".join(c for c in text if ord(c) >= BMP or not gone[ord(c)])
    return "".join(_one(c) for c in kept)


def _one(char: str) -> str:
    if char in _APOSTROPHES:
        return "'"
    low = char.lower()
    return low[0]  # İ becomes two, i and a dot


def is_letter(char: str) -> bool:
    """Whether a folded character stands in words of the Latin or Arabic script.

    >>> [is_letter(c) for c in "aہ'-3ж"]
    [True, True, True, False, False, False]
    """
    return char in "'\u200c" or any(ord(char) in block for block in _LETTERS)


def lookup(alphabet: str) -> Symbols:
    """Code point to symbol (2, 3, … in the order of `alphabet`): int32 of size BMP.

    Letters outside the alphabet are unknown; everything else, other scripts too, is a space.
    """
    out = np.full(BMP, SPACE, dtype=np.int32)
    for block in _LETTERS:
        out[block.start : block.stop] = UNKNOWN
    number = {c: i for i, c in enumerate(alphabet, 2)}
    for block in _LETTERS:
        for code in block:
            out[code] = number.get(_one(chr(code)), out[code])
    for char in _APOSTROPHES + "\u200c":
        out[ord(char)] = number.get(_one(char), SPACE)
    return out
