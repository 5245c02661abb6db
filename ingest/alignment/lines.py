"""The lines of one side, indexed for comparison: words as numbers, lengths and end marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32, I64, U64
from ingest.codepoints import CodePoints
from ingest.encoder.vocabulary import KINDS, vocabulary
from ingest.phrases import find_phrases, load_phrases

if TYPE_CHECKING:
    from ingest.encoder.lexicon import Lexicon
    from ingest.encoder.tokens import Lines


MAX_WORDS = 64  # distinct words compared per line, the rarest ones: one bit each

# How a line ends.
NO_END, STOP, QUESTION, EXCLAMATION, COLON = range(5)
_CLOSERS = "\"'”’»)]}“‘« \u00a0\u200f\u200e\u202c\u2069"
_ENDS = {".": STOP, "…": STOP, "۔": STOP, "?": QUESTION, "؟": QUESTION, "!": EXCLAMATION,
         ":": COLON, "؛": COLON, ";": COLON, "،": COLON, ",": COLON}  # fmt: skip


# A mark inside a line that ends a sentence. One or two letters before a full stop are taken for an
# abbreviation.
_INNER_END = r"""(?:[!?؟۔]|[\p{L}\p{M}]{3}\.|\d\.)["'”’»)\]]*\s+\S"""


class IndexedLines(NamedTuple):
    """The lines of one side.

    Attributes:
        line, word, bit: int64 [slots]; a slot is one distinct word of one line. `word` is its row
            in `stem` and `skeleton`; `bit` is its position in the masks of its line.
        stem: int64 [words], number in the lexicon, or UNSEEN.
        skeleton: int64 [words], hash of the consonants or of the digits; 0: not compared.
        masks: uint64 [KINDS, lines], bits of the slots of each kind.
        chars: float32 [lines], characters.
        tokens: int64 [lines], words.
        ends: int64 [lines], NO_END … COLON.
        sentences: float32 [lines], counted by the marks inside the line.
        boilerplate: bool [lines], a boilerplate phrase, alone or before a colon.
    """

    line: I64
    word: I64
    bit: I64
    stem: I64
    skeleton: I64
    masks: U64
    chars: F32
    tokens: I64
    ends: I64
    sentences: F32
    boilerplate: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of lines."""
        return len(self.chars)


def index_lines(texts: Lines, lexicon: Lexicon) -> IndexedLines:
    """Index the words and properties of each line."""
    column, n = texts.column, len(texts)
    distinct, code, tokens = texts.tokens
    order = distinct.arg_sort().to_numpy()
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    line, code = np.repeat(np.arange(n), tokens), position[code]
    words = distinct.gather(order).to_list()
    stem, skeleton, kind, weight = vocabulary(lexicon).look_up(words)
    # distinct comparable words of each line, rarest first
    key = np.sort(line * max(len(order), 1) + code)
    key = key[np.diff(key, prepend=-1) > 0]
    line, code = key // max(len(order), 1), key % max(len(order), 1)
    used = kind[code] >= 0
    line, code = line[used], code[used]
    order = np.lexsort((code, -weight[code], line))
    line, code = line[order], code[order]
    bit = np.arange(len(line)) - np.searchsorted(line, line)
    compared = bit < MAX_WORDS
    line, code, bit = line[compared], code[compared], bit[compared]
    masks = np.zeros((KINDS, n), np.uint64)
    np.bitwise_or.at(masks, (kind[code], line), np.uint64(1) << bit.astype(np.uint64))
    return IndexedLines(
        line, code, bit, stem, skeleton, masks,
        column.str.len_chars().to_numpy().astype(np.float32), tokens, _line_ends(texts),
        column.str.count_matches(_INNER_END).to_numpy().astype(np.float32) + 1,
        _are_boilerplate(texts),
    )  # fmt: skip


def _line_ends(texts: list[str]) -> I64:
    ends = np.zeros(len(texts), np.int64)
    for i, text in enumerate(texts):
        last = text[-12:].rstrip().rstrip(_CLOSERS)
        ends[i] = _ENDS.get(last[-1:], NO_END)
    return ends


_BOILERPLATE_ROLES = ("nav", "widget", "ad")  # roles in the list of phrases
_MAX_PHRASE = 48  # characters
_CHUNK = 1 << 14  # lines whose characters are in memory at once


def _are_boilerplate(texts: list[str]) -> NDArray[np.bool_]:
    """Find lines such as "Share", "Home | News" and "Read also: …"."""
    out = np.zeros(len(texts), bool)
    for first in range(0, len(texts), _CHUNK):
        heads = [t[:_MAX_PHRASE].partition(":")[0] for t in texts[first : first + _CHUNK]]
        candidates = [
            i
            for i, head in enumerate(heads)
            if 0 < len(head) < _MAX_PHRASE and not head.endswith((".", "؟", "?", "!"))
        ]
        if candidates:
            out[first + np.array(candidates)] = _are_phrases([heads[i] for i in candidates])
    return out


def _are_phrases(heads: list[str]) -> NDArray[np.bool_]:
    """Find texts whose words are all in boilerplate phrases."""
    roles = load_phrases().roles
    words = CodePoints(pl.Series(heads, dtype=pl.String)).words()
    bits, _ = find_phrases(words, len(heads))
    wanted = np.uint32(sum(1 << roles.index(role) for role in _BOILERPLATE_ROLES if role in roles))
    letters = ~words.is_number  # "4 min read" is the same phrase with any number
    text = words.text[letters]
    count = np.bincount(text, minlength=len(heads))
    hits = np.bincount(text, weights=(bits[letters] & wanted) > 0, minlength=len(heads))
    all_in_phrases: NDArray[np.bool_] = (count > 0) & (hits >= 0.99 * count)
    return all_in_phrases
