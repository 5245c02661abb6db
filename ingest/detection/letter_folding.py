"""Which code points count as the same letter: case, marks and apostrophes are folded.

Arabic letters stay as they are typed. ی and ي, ک and ك distinguish Persian, Urdu, Pashto and
Arabic, although langdetect's normalisation folds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.detection.ngram_table import SPACE, UNKNOWN, Symbols
from ingest.detection.text_batch import BMP

if TYPE_CHECKING:
    from ingest._typing import Bools

# Combining marks, Arabic vowel signs, tatweel, joiners and bidi controls. Not the zero-width
# non-joiner, which is a letter in Persian spelling.
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


def dropped_chars() -> Bools:
    """Return the code points that folding drops: bool [BMP]."""
    out = np.zeros(BMP, dtype=bool)
    for block in _DROPPED:
        out[block.start : block.stop] = True
    return out


def fold(text: str) -> str:
    """Fold one string. Equivalent to `drop_chars` and `symbol_lookup`, but slower.

    >>> fold("L’ÉTÉ كِتاب")
    "l'été كتاب"
    """
    dropped = dropped_chars()
    kept = "".join(c for c in text if ord(c) >= BMP or not dropped[ord(c)])
    return "".join(_fold_char(c) for c in kept)


def _fold_char(char: str) -> str:
    if char in _APOSTROPHES:
        return "'"
    low = char.lower()
    return low[0]  # İ becomes two characters, i and a dot


def is_letter(char: str) -> bool:
    """Whether a folded character occurs in words of the Latin or Arabic script.

    >>> [is_letter(c) for c in "aہ'-3ж"]
    [True, True, True, False, False, False]
    """
    return char in "'\u200c" or any(ord(char) in block for block in _LETTERS)


def symbol_lookup(alphabet: str) -> Symbols:
    """Map code points to symbols, numbered 2, 3, … in the order of `alphabet`: int32 [BMP].

    Letters outside the alphabet are UNKNOWN. Everything else, other scripts included, is SPACE.
    """
    out = np.full(BMP, SPACE, dtype=np.int32)
    for block in _LETTERS:
        out[block.start : block.stop] = UNKNOWN
    number = {c: i for i, c in enumerate(alphabet, 2)}
    for block in _LETTERS:
        for code in block:
            out[code] = number.get(_fold_char(chr(code)), out[code])
    for char in _APOSTROPHES + "\u200c":
        out[ord(char)] = number.get(_fold_char(char), SPACE)
    return out
