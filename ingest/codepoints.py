"""A batch of texts as one array of code points, its words found and hashed without a loop."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, U8, U64

# Classes of characters; letters and marks come first, so that `<= MARK` is a word character
# together with DIGIT.
LOWER, UPPER, ARABIC, OTHER_LETTER, MARK, DIGIT, SPACE, PUNCTUATION, SYMBOL, CONTROL = range(10)
_UNKNOWN = 255
_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: powers stay invertible


class Words(NamedTuple):
    """The words of a batch: runs of letters, marks and digits.

    `text` is the number of the text each stands in; `start`, `end` are offsets into the batch's
    code points; `key` hashes the folded word: case, Arabic marks, letter variants and digit
    systems undone; `is_number` tells those that begin with a digit.
    """

    text: I64
    start: I64
    end: I64
    key: U64
    is_number: NDArray[np.bool_]

    def filter(self, mask: NDArray[np.bool_]) -> Words:
        """Those of the words that the mask marks."""
        return Words(
            self.text[mask], self.start[mask], self.end[mask], self.key[mask], self.is_number[mask]
        )

    def gather_texts(self, which: I64, texts: int) -> Words:
        """The words of a batch that has, in this order, the texts of these numbers.

        Args:
            which: numbers of texts, each as often as it comes.
            texts: how many texts there are here.
        """
        count = np.bincount(self.text, minlength=texts)
        first = np.cumsum(count) - count
        size = count[which]
        text = np.repeat(np.arange(len(which)), size)
        place = np.arange(len(text)) - (np.cumsum(size) - size)[text]
        at = first[which][text] + place
        return Words(text, self.start[at], self.end[at], self.key[at], self.is_number[at])


def characters(texts: pl.Series) -> tuple[U64, I64]:
    """All code points of some texts, and the number of the text that each stands in.

    >>> codes, owner = characters(pl.Series(["ab", "", "c"]))
    >>> codes.tolist(), owner.tolist()
    ([97, 98, 99], [0, 0, 2])
    """
    sizes = texts.str.len_chars().to_numpy().astype(np.int64)
    whole = "".join(texts.to_list()).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(whole, np.uint32).astype(np.uint64)
    return codes, np.repeat(np.arange(len(texts)), sizes)


def unique_texts(texts: pl.Series) -> tuple[pl.Series, I64]:
    """The different texts, and for each text the place of its own among them.

    >>> texts, which = unique_texts(pl.Series(["a", "b", "a"]))
    >>> texts.gather(which).to_list()
    ['a', 'b', 'a']
    """
    _, first, which = np.unique(texts.hash().to_numpy(), return_index=True, return_inverse=True)
    return texts.gather(first), which


class CodePoints:
    """Code points of a batch of texts, one after the other.

    Attributes:
        values: uint32 [chars].
        starts, ends: int64 [texts], offsets of each text.
        classes: uint8 [chars], one of the class constants of this module.
    """

    def __init__(self, texts: pl.Series) -> None:
        joined = "".join(texts.to_list())
        self.values = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
        lengths = texts.str.len_chars().to_numpy().astype(np.int64)
        self.ends: I64 = np.cumsum(lengths)
        self.starts: I64 = self.ends - lengths
        self.classes, self._folded = _look_up(self.values)

    def count(self, mask: NDArray[np.bool_]) -> I64:
        """How many characters of each text the mask marks: int64 [texts]."""
        total = np.zeros(len(mask) + 1, np.int64)
        np.cumsum(mask, out=total[1:])
        counted: I64 = total[self.ends] - total[self.starts]
        return counted

    def at(self, offsets: I64) -> NDArray[np.uint32]:
        """The code points at absolute offsets; 0 where an offset is outside."""
        if not len(self.values):
            return np.zeros(len(offsets), np.uint32)
        inside = (offsets >= 0) & (offsets < len(self.values))
        safe = np.where(inside, offsets, 0)
        found: NDArray[np.uint32] = np.where(inside, self.values[safe], 0).astype(np.uint32)
        return found

    def are_comparable(self) -> NDArray[np.bool_]:
        """Whether each text is its own comparable form, as `ingest.text.comparable` makes it."""
        odd = ~_plain_of[self.values]
        space = self.values == ord(" ")
        # a space beside another; texts have none at their ends, so two that touch make no pair
        odd[1:] |= space[1:] & space[:-1]
        plain: NDArray[np.bool_] = self.count(odd) == 0
        return plain

    def words(self) -> Words:
        """Find and hash all words.

        >>> key = CodePoints(pl.Series(["Share SHARE", "أخبار اخبار"])).words().key
        >>> bool(key[0] == key[1]), bool(key[2] == key[3])
        (True, True)
        """
        inside = self.classes <= DIGIT
        edge = np.zeros(len(inside) + 1, bool)
        edge[self.starts[self.starts < len(inside)]] = True
        before = np.zeros(len(inside), bool)
        before[1:] = inside[:-1]
        begins = inside & (~before | edge[:-1])
        after = np.zeros(len(inside), bool)
        after[:-1] = inside[1:]
        stops = inside & (~after | edge[1:])
        start = np.flatnonzero(begins)
        end = np.flatnonzero(stops) + 1
        text = np.searchsorted(self.ends, start, side="right")
        number = self.classes[start] == DIGIT
        return Words(text.astype(np.int64), start, end, self._keys(start, end), number)

    def _keys(self, start: I64, end: I64) -> U64:
        """Polynomial hash of each span of folded code points, marks left out (mod 2**64)."""
        counted = self._folded > 0
        power = np.zeros(len(counted) + 1, np.int64)
        np.cumsum(counted, out=power[1:])
        with np.errstate(over="ignore"):
            # sum of c_i * B^i over the span, divided by B^(i of its start)
            terms = mix(self._folded) * _powers(len(counted), _BASE)[power[:-1]]
            terms[~counted] = 0
            total = np.zeros(len(terms) + 1, np.uint64)
            np.cumsum(terms, out=total[1:])
            inverse = np.uint64(pow(int(_BASE), -1, 1 << 64))
            return mix((total[end] - total[start]) * _powers(len(counted), inverse)[power[start]])


def mix(values: NDArray[np.generic]) -> U64:
    """Finalizer of MurmurHash3 (Appleby 2011): every bit of 64 depends on every bit."""
    h = values.astype(np.uint64)
    with np.errstate(over="ignore"):
        h ^= h >> np.uint64(33)
        h *= np.uint64(0xFF51AFD7ED558CCD)
        h ^= h >> np.uint64(33)
        h *= np.uint64(0xC4CEB9FE1A85EC53)
        h ^= h >> np.uint64(33)
    return h


@cache
def _power_table(base: int) -> list[U64]:
    return [np.ones(1, np.uint64)]


def _powers(n: int, base: np.uint64) -> U64:
    """base**0 … base**n mod 2**64; the table grows by doubling and is kept."""
    held = _power_table(int(base))
    while len(held[0]) <= n:
        table = held[0]
        with np.errstate(over="ignore"):
            held[0] = np.concatenate([table, table * (table[-1] * base)])
    return held[0]


_class_of = np.full(0x110000, _UNKNOWN, np.uint8)
_fold_of = np.zeros(0x110000, np.uint32)
_plain_of = np.zeros(0x110000, bool)


def _look_up(values: NDArray[np.uint32]) -> tuple[U8, NDArray[np.uint32]]:
    classes = _class_of[values]
    if (classes == _UNKNOWN).any():
        for code in np.unique(values[classes == _UNKNOWN]).tolist():
            _class_of[code] = _classify(chr(code))
            _fold_of[code] = _fold(chr(code))
            _plain_of[code] = _is_plain(chr(code))
        classes = _class_of[values]
    return classes, _fold_of[values]


def _classify(char: str) -> int:
    category = unicodedata.category(char)
    if char == "\u0640":  # tatweel, a letter to Unicode
        return MARK
    if category.startswith("L"):
        if category == "Ll":
            return LOWER
        if category in ("Lu", "Lt"):
            return UPPER
        name = unicodedata.name(char, "")
        return ARABIC if name.startswith("ARABIC") else OTHER_LETTER
    if category.startswith("M") or char in "\u200c\u200d":  # joiners stand inside words
        return MARK
    first = {"N": DIGIT, "Z": SPACE, "P": PUNCTUATION, "S": SYMBOL, "C": CONTROL}[category[0]]
    return SPACE if char in "\t\n\v\f\r" else first


# Letter variants that spelling does not keep apart: hamza seats, alef maqsura and Farsi yeh,
# teh marbuta, Farsi and Kurdish kaf.
_VARIANTS = str.maketrans("أإآٱىیةک", "ااااييهك")


def _fold(char: str) -> int:
    if _classify(char) == MARK:
        return 0
    if (digit := unicodedata.decimal(char, None)) is not None:
        return ord("0") + digit
    folded = unicodedata.normalize("NFKD", char.translate(_VARIANTS)).lower().translate(_VARIANTS)
    return ord(folded[0]) if folded else 0


def _is_plain(char: str) -> bool:
    """Whether the comparable form of any text keeps this character, whatever stands beside it."""
    jamo = "\u1100" <= char <= "\u11ff"  # parts of Hangul syllables, which NFKC composes
    category = unicodedata.category(char)
    kept = category[0] in "LNPS" or char == " "
    return kept and char != "\u0640" and not jamo and unicodedata.normalize("NFKC", char) == char
