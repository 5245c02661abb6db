"""The lines of one side, ready to be compared: their words as numbers, lengths and end marks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.align.lexicon import UNSEEN, Lexicon
from ingest.align.words import skeleton, words
from ingest.codepoints import CodePoints
from ingest.label.lexicon import find, phrases

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
F32 = NDArray[np.float32]

# Kinds of words, by how much a match tells. The first three are words of the lexicon, by idf.
COMMON, MIDDLE, RARE, NAME, SHORT_NAME, NUMBER = range(6)
KINDS = 6
_IDF = (3.0, 5.0, 7.0)  # words below the first are left out: they match everywhere
_NAMES_FROM = 6.0  # idf from which the consonants of a word of the lexicon are compared too
MOST_WORDS = 64  # distinct words of a line that are compared, the rarest: a bit each

# How a line ends.
NO_END, STOP, QUESTION, EXCLAMATION, COLON = range(5)
_CLOSERS = "\"'”’»)]}“‘« \u00a0\u200f\u200e\u202c\u2069"
_ENDS = {".": STOP, "…": STOP, "۔": STOP, "?": QUESTION, "؟": QUESTION, "!": EXCLAMATION,
         ":": COLON, "؛": COLON, ";": COLON, "،": COLON, ",": COLON}  # fmt: skip


# A mark inside a line that ends a sentence; one letter or two before a full stop abbreviate.
_INNER_END = r"""(?:[!?؟۔]|[\p{L}\p{M}]{3}\.|\d\.)["'”’»)\]]*\s+\S"""


class Units(NamedTuple):
    """The lines of one side.

    Attributes:
        line, word, bit: int64 [slots]; a slot is a distinct word of a line. `word` is its row in
            `stem`, `bones`; `bit` its place in the masks of its line.
        stem: int64 [words], number in the lexicon, or UNSEEN.
        bones: int64 [words], hash of the consonants or of the digits; 0: not compared so.
        masks: uint64 [KINDS, lines], bits of the slots of each kind.
        chars: float32 [lines]. `tokens`: int64 [lines]. `ends`: int64 [lines], NO_END … COLON.
        sentences: float32 [lines], by the marks inside.
        furniture: bool [lines], a phrase that page furniture says, or one and a colon before all.
    """

    line: I64
    word: I64
    bit: I64
    stem: I64
    bones: I64
    masks: U64
    chars: F32
    tokens: I64
    ends: I64
    sentences: F32
    furniture: NDArray[np.bool_]

    @property
    def lines(self) -> int:
        return len(self.chars)


def units(texts: list[str], lexicon: Lexicon) -> Units:
    """Look at each line once."""
    column = pl.Series("text", texts, pl.String)
    n = len(texts)
    distinct, line, code, tokens = _tokens(column)
    stem, bones, kind, weight = _look_up(distinct, lexicon)
    # distinct words of each line that are compared, the rarest first
    key = np.unique(line * max(len(distinct), 1) + code)
    line, code = key // max(len(distinct), 1), key % max(len(distinct), 1)
    used = kind[code] >= 0
    line, code = line[used], code[used]
    order = np.lexsort((code, -weight[code], line))
    line, code = line[order], code[order]
    bit = np.arange(len(line)) - np.searchsorted(line, line)
    held = bit < MOST_WORDS
    line, code, bit = line[held], code[held], bit[held]
    masks = np.zeros((KINDS, n), np.uint64)
    np.bitwise_or.at(masks, (kind[code], line), np.uint64(1) << bit.astype(np.uint64))
    return Units(
        line, code, bit, stem, bones, masks,
        column.str.len_chars().to_numpy().astype(np.float32), tokens, _ends(texts),
        column.str.count_matches(_INNER_END).to_numpy().astype(np.float32) + 1, _furniture(texts),
    )  # fmt: skip


_CHUNK = 1 << 13  # lines whose words are held as strings at once


def _tokens(column: pl.Series) -> tuple[list[str], I64, I64, I64]:
    """The distinct words; line and number of each word; how many each line has."""
    number: dict[str, int] = {}
    lines, codes, counts = [], [], [np.zeros(0, np.int64)]
    for first in range(0, len(column), _CHUNK):
        found = words(column[first : first + _CHUNK])
        count = found.list.len().to_numpy().astype(np.int64)
        flat = found.filter(count > 0).explode()
        here = flat.unique().sort()
        known = np.array([number.setdefault(word, len(number)) for word in here], np.int64)
        if len(flat):
            codes.append(known[flat.rank("dense").to_numpy().astype(np.int64) - 1])
            lines.append(first + np.repeat(np.arange(len(count)), count))
        counts.append(count)
    none = [np.zeros(0, np.int64)]
    return list(number), np.concatenate(lines or none), np.concatenate(codes or none), (
        np.concatenate(counts)
    )  # fmt: skip


def _look_up(distinct: list[str], lexicon: Lexicon) -> tuple[I64, I64, I64, F32]:
    """Of each distinct word: stem, bones, kind (-1: not compared), weight."""
    stem = np.full(len(distinct), UNSEEN, np.int64)
    bones = np.zeros(len(distinct), np.int64)
    kind = np.full(len(distinct), -1, np.int64)
    weight = np.zeros(len(distinct), np.float32)
    for w, word in enumerate(distinct):
        if word[0].isdigit():
            kind[w], weight[w] = NUMBER, 9.0
            bones[w] = _digits(word)
            continue
        if not word[0].isalpha():
            continue
        number = lexicon.number(word)
        idf = 12.0
        if number != UNSEEN:
            stem[w] = number
            idf = float(lexicon.idf[number])
            if lexicon.first[number] < lexicon.first[number + 1]:
                if idf >= _IDF[0]:
                    kind[w] = int(np.searchsorted(_IDF, idf)) - 1
                    kind[w] = min(max(kind[w], 0), 2)
            elif idf < _NAMES_FROM:
                continue
        if idf >= _NAMES_FROM:
            consonants = skeleton(word[2:] if word.startswith("ال") else word)
            if len(consonants) >= 2:
                bones[w] = _packed(consonants)
                if kind[w] < 0:
                    kind[w] = NAME if len(consonants) >= 3 else SHORT_NAME
        weight[w] = idf
    return stem, bones, kind, weight


def _packed(consonants: str) -> int:
    """At most nine consonants as one positive number."""
    value = 1
    for sign in consonants[:9]:
        value = value * 32 + ord(sign) - 64
    return value


def _digits(word: str) -> int:
    """The value of digits, as a negative number that stands for it."""
    return -1 - int(word[:17])


def _ends(texts: list[str]) -> I64:
    found = np.zeros(len(texts), np.int64)
    for i, text in enumerate(texts):
        last = text[-12:].rstrip().rstrip(_CLOSERS)
        found[i] = _ENDS.get(last[-1:], NO_END)
    return found


_FURNITURE = ("nav", "widget", "ad")  # roles of the list of phrases
_LONGEST_PHRASE = 48  # characters


def _furniture(texts: list[str]) -> NDArray[np.bool_]:
    """Lines such as "Share", "Home | News", "Read also: …"."""
    heads = [t[:_LONGEST_PHRASE].partition(":")[0] for t in texts]
    some = [
        i
        for i, head in enumerate(heads)
        if 0 < len(head) < _LONGEST_PHRASE and not head.endswith((".", "؟", "?", "!"))
    ]
    out = np.zeros(len(texts), bool)
    if not some:
        return out
    said = phrases().roles
    found = CodePoints(pl.Series([heads[i] for i in some], dtype=pl.String)).words()
    bits, _ = find(found, len(some))
    wanted = np.uint32(sum(1 << said.index(role) for role in _FURNITURE if role in said))
    word = ~found.number  # "4 min read" is said of any number
    count = np.bincount(found.text[word], minlength=len(some))
    hits = np.bincount(found.text[word], weights=(bits[word] & wanted) > 0, minlength=len(some))
    out[some] = (count > 0) & (hits >= 0.99 * count)
    return out
