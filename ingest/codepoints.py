"""A batch of texts as one array of code points, and its words, hashed without a loop over texts."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, U8, U64, Bools

# Character classes. Letters and marks come first, so `<= DIGIT` means "part of a word".
LOWER, UPPER, ARABIC, OTHER_LETTER, MARK, DIGIT, SPACE, PUNCTUATION, SYMBOL, CONTROL = range(10)
CLASSES = 10
_UNCLASSIFIED = 255
_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio; odd, so powers have an inverse
_INVERSE = np.uint64(pow(int(_BASE), -1, 1 << 64))


class Words(NamedTuple):
    """The words of a batch: runs of letters, marks and digits.

    Attributes:
        text: int64 [words], the number of the text that holds the word.
        start: int64 [words], offset of the word in the code points of the batch.
        end: int64 [words], offset after its last code point.
        key: uint64 [words], hash of the folded word: case, Arabic marks, letter variants and
            digit systems make no difference.
        is_number: bool [words], whether the word begins with a digit.
    """

    text: I64
    start: I64
    end: I64
    key: U64
    is_number: Bools

    def filter(self, mask: Bools) -> Words:
        """Return the words that the mask marks."""
        return Words(
            self.text[mask], self.start[mask], self.end[mask], self.key[mask], self.is_number[mask]
        )

    def gather_texts(self, index: I64, texts: int) -> Words:
        """Return the words of a batch that consists of the given texts of this one.

        Args:
            index: numbers of texts in this batch; they may repeat.
            texts: the number of texts in this batch.
        """
        count = np.bincount(self.text, minlength=texts)
        first = np.cumsum(count) - count
        size = count[index]
        text = np.repeat(np.arange(len(index)), size)
        row = expand_ranges(first[index], size)
        return Words(text, self.start[row], self.end[row], self.key[row], self.is_number[row])


def decode(texts: pl.Series, *, separator: str = "") -> tuple[NDArray[np.uint32], I64]:
    """Decode a batch of strings without nulls to code points.

    Args:
        texts: the strings.
        separator: a string before the first text, between texts and after the last one.

    Returns:
        codes: uint32 [chars], the code points of all texts, one after the other.
        lengths: int64 [texts], the length of each text, without separators.

    >>> decode(pl.Series(["ab", "", "c"]))[0].tolist()
    [97, 98, 99]
    >>> codes, lengths = decode(pl.Series(["ab", "", "c"]), separator=" ")
    >>> codes.tolist(), lengths.tolist()
    ([32, 97, 98, 32, 32, 99, 32], [2, 0, 1])
    """
    joined = separator + (texts.str.join(separator).item() or "") + separator
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    return np.frombuffer(joined.encode("utf-32-le"), np.uint32), lengths


def decode_with_owner(texts: pl.Series) -> tuple[NDArray[np.uint32], I64]:
    """Decode a batch of strings without nulls to code points.

    Returns:
        codes: uint32 [chars], the code points of all texts, one after the other.
        owner: int64 [chars], the number of the text that each code point belongs to.

    >>> codes, owner = decode_with_owner(pl.Series(["ab", "", "c"]))
    >>> codes.tolist(), owner.tolist()
    ([97, 98, 99], [0, 0, 2])
    """
    codes, lengths = decode(texts)
    return codes, np.repeat(np.arange(len(texts)), lengths)


def unique_texts(texts: pl.Series) -> tuple[pl.Series, I64]:
    """Return the distinct texts, and the position of each text among them.

    >>> distinct, index = unique_texts(pl.Series(["a", "b", "a"]))
    >>> distinct.gather(index).to_list()
    ['a', 'b', 'a']
    """
    first, index = first_of_each(texts)
    return texts.gather(first), index


def first_of_each(texts: pl.Series) -> tuple[I64, I64]:
    """Return the rows of the distinct texts, and the position of each text among them.

    >>> first, index = first_of_each(pl.Series(["a", "b", "a"]))
    >>> sorted(first.tolist()), first[index].tolist()
    ([0, 1], [0, 1, 0])
    """
    _, first, index = np.unique(texts.hash().to_numpy(), return_index=True, return_inverse=True)
    return first, index


class CodePoints:
    """The code points of a batch of texts, one text after the other, with their classes.

    Attributes:
        values: uint32 [chars], the code points.
        starts: int64 [texts], offset of each text.
        ends: int64 [texts], offset after each text.
        classes: uint8 [chars], character classes, as the constants of this module.
    """

    def __init__(self, texts: pl.Series) -> None:
        self.values, lengths = decode(texts)
        self.ends: I64 = np.cumsum(lengths)
        self.starts: I64 = self.ends - lengths
        self.classes, self._hashes, self._is_stable = _classify_all(self.values)

    def count(self, mask: Bools) -> I64:
        """Count the characters of each text that the mask marks: int64 [texts]."""
        return self.count_at(np.flatnonzero(mask))

    def count_at(self, offsets: I64) -> I64:
        """Count the characters of each text that are at these offsets: int64 [texts]."""
        before = np.searchsorted(offsets, self.ends)
        return np.diff(before, prepend=0)

    def count_classes(self) -> I64:
        """Count the characters of each class: int64 [texts, classes]."""
        owner = np.repeat(np.arange(0, CLASSES * len(self.ends), CLASSES), self.ends - self.starts)
        owner += self.classes
        return np.bincount(owner, minlength=CLASSES * len(self.ends)).reshape(-1, CLASSES)

    def at(self, offsets: I64) -> NDArray[np.uint32]:
        """Return the code points at offsets into the batch; 0 for offsets outside it."""
        if not len(self.values):
            return np.zeros(len(offsets), np.uint32)
        inside = (offsets >= 0) & (offsets < len(self.values))
        safe = np.where(inside, offsets, 0)
        codes: NDArray[np.uint32] = np.where(inside, self.values[safe], 0).astype(np.uint32)
        return codes

    def are_comparable(self) -> Bools:
        """Whether each text is known to be its own comparable form (`ingest.text.comparable`)."""
        changes = ~self._is_stable
        space = self.values == ord(" ")
        # Two spaces in a row. Texts have no spaces at their ends, so adjacent texts make no pair.
        changes[1:] |= space[1:] & space[:-1]
        comparable: Bools = self.count(changes) == 0
        return comparable

    def words(self) -> Words:
        """Find and hash all words.

        >>> key = CodePoints(pl.Series(["Share SHARE", "أخبار اخبار"])).words().key
        >>> bool(key[0] == key[1]), bool(key[2] == key[3])
        (True, True)
        """
        inside = self.classes <= DIGIT
        begins_text = np.zeros(len(inside) + 1, bool)
        begins_text[self.starts[self.starts < len(inside)]] = True
        before = np.zeros(len(inside), bool)
        before[1:] = inside[:-1]
        begins = inside & (~before | begins_text[:-1])
        after = np.zeros(len(inside), bool)
        after[:-1] = inside[1:]
        ends = inside & (~after | begins_text[1:])
        start = np.flatnonzero(begins)
        end = np.flatnonzero(ends) + 1
        text = np.searchsorted(self.ends, start, side="right")
        is_number = self.classes[start] == DIGIT
        return Words(text.astype(np.int64), start, end, self._hash_spans(start, end), is_number)

    def _hash_spans(self, start: I64, end: I64) -> U64:
        """Polynomial hash of the folded code points of each span, without marks (mod 2**64)."""
        counts = self._hashes > 0
        power = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=power[1:])
        with np.errstate(over="ignore"):
            # the sum of c_i * B**i over the span, divided by B**(i of its start)
            terms = self._hashes * _powers(len(counts), _BASE)[power[:-1]]
            total = np.zeros(len(terms) + 1, np.uint64)
            np.cumsum(terms, out=total[1:])
            return mix((total[end] - total[start]) * _powers(len(counts), _INVERSE)[power[start]])


def expand_ranges(first: I64, size: I64) -> I64:
    """Return the numbers of ranges one after the other: int64 [sum of sizes].

    >>> expand_ranges(np.array([5, 0, 7]), np.array([2, 0, 3])).tolist()
    [5, 6, 7, 8, 9]
    """
    before = np.cumsum(size) - size
    numbers: I64 = np.arange(int(size.sum())) + np.repeat(first - before, size)
    return numbers


def hash_spans(codes: NDArray[np.uint32], start: I64, end: I64) -> U64:
    """Hash runs of code points, each from `start` to before `end`: uint64 [runs].

    The runs are in order, and none of them is empty or at the end of `codes`.

    >>> codes = np.frombuffer("to be or not to be ".encode("utf-32-le"), np.uint32)
    >>> keys = hash_spans(codes, np.array([0, 3, 13]), np.array([2, 5, 15]))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """
    edges = np.stack([start, end], axis=1).ravel()
    with np.errstate(over="ignore"):
        terms = mix(codes) * _powers(len(codes), _BASE)[: len(codes)]
        return mix(np.add.reduceat(terms, edges)[::2] * _powers(len(codes), _INVERSE)[start])


def mix(values: NDArray[np.generic]) -> U64:
    """Mix 64-bit keys so that every output bit depends on every input bit.

    This is the finalizer of MurmurHash3 (Appleby 2011).
    """
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
    """Return base**0 … base**n mod 2**64, from a cached table that grows by doubling."""
    cached = _power_table(int(base))
    while len(cached[0]) <= n:
        table = cached[0]
        with np.errstate(over="ignore"):
            cached[0] = np.concatenate([table, table * (table[-1] * base)])
    return cached[0]


# Properties of code points, filled in when a code point first occurs.
_class_table = np.full(0x110000, _UNCLASSIFIED, np.uint8)
_hash_table = np.zeros(0x110000, np.uint64)
_is_stable_table = np.zeros(0x110000, bool)


def _classify_all(values: NDArray[np.uint32]) -> tuple[U8, U64, Bools]:
    """Return the class of each code point, the hash of its folded form, and `_is_stable`.

    The hash of what folds to nothing is 0.
    """
    classes = _class_table[values]
    if (classes == _UNCLASSIFIED).any():
        for code in np.unique(values[classes == _UNCLASSIFIED]).tolist():
            _class_table[code] = _classify(chr(code))
            _hash_table[code] = mix(np.array(_fold(chr(code))))
            _is_stable_table[code] = _is_stable(chr(code))
        classes = _class_table[values]
    return classes, _hash_table[values], _is_stable_table[values]


def _classify(char: str) -> int:
    category = unicodedata.category(char)
    if char == "\u0640":  # tatweel, which Unicode calls a letter
        return MARK
    if category.startswith("L"):
        if category == "Ll":
            return LOWER
        if category in ("Lu", "Lt"):
            return UPPER
        name = unicodedata.name(char, "")
        return ARABIC if name.startswith("ARABIC") else OTHER_LETTER
    if category.startswith("M") or char in "\u200c\u200d":  # joiners occur inside words
        return MARK
    char_class = {"N": DIGIT, "Z": SPACE, "P": PUNCTUATION, "S": SYMBOL, "C": CONTROL}[category[0]]
    return SPACE if char in "\t\n\v\f\r" else char_class


# Letter variants that writers often interchange: hamza seats, alef maqsura and Farsi yeh,
# teh marbuta, Farsi and Kurdish kaf.
_VARIANTS = str.maketrans("أإآٱىیةک", "ااااييهك")


def _fold(char: str) -> int:
    if _classify(char) == MARK:
        return 0
    if (digit := unicodedata.decimal(char, None)) is not None:
        return ord("0") + digit
    folded = unicodedata.normalize("NFKD", char.translate(_VARIANTS)).lower().translate(_VARIANTS)
    return ord(folded[0]) if folded else 0


def _is_stable(char: str) -> bool:
    """Whether the comparable form of a text keeps this character whatever its neighbours are."""
    jamo = "\u1100" <= char <= "\u11ff"  # parts of Hangul syllables, which NFKC joins
    category = unicodedata.category(char)
    kept = category[0] in "LNPS" or char == " "
    return kept and char != "\u0640" and not jamo and unicodedata.normalize("NFKC", char) == char
