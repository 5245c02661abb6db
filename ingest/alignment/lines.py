"""The lines of one side, ready to be compared: their words as numbers, lengths and end marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32, I64, U64
from ingest.codepoints import CodePoints
from ingest.encoder.vocabulary import KINDS, vocabulary
from ingest.phrases import find, phrases

if TYPE_CHECKING:
    from ingest.encoder.lexicon import Lexicon
    from ingest.encoder.tokens import Lines


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


def units(texts: Lines, lexicon: Lexicon) -> Units:
    """Look at each line once."""
    column, n = texts.column, len(texts)
    distinct, code, tokens = texts.tokens
    order = distinct.arg_sort().to_numpy()
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    line, code = np.repeat(np.arange(n), tokens), place[code]
    stem, bones, kind, weight = vocabulary(lexicon).look_up(distinct.gather(order).to_list())
    # distinct words of each line that are compared, the rarest first
    key = np.sort(line * max(len(order), 1) + code)
    key = key[np.diff(key, prepend=-1) > 0]
    line, code = key // max(len(order), 1), key % max(len(order), 1)
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
