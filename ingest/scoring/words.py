"""Split both sides of pairs into words, as indices of distinct words."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import F32, I64, Bools
from ingest.codepoints import mix
from ingest.encoder.lexicon import lexicon
from ingest.encoder.tokens import Lines, Tokens, tokens
from ingest.encoder.vocabulary import WordKeys, vocabulary

# Capitalized words inside a sentence
_NAMES = r"[\p{Ll}\p{N},;)] \p{Lu}[\p{L}\p{M}]+(?:[ -]\p{Lu}[\p{L}\p{M}]+)*"


class WordList(Lines):
    """Words as texts for the encoder. Each consists of a single token, itself."""

    @cached_property
    def tokens(self) -> Tokens:
        n = len(self)
        return Tokens(self.column, np.arange(n), np.ones(n, np.int64))


class SideWords(NamedTuple):
    """The words of one side of all pairs, one after the other.

    Attributes:
        text: int64 [words], index of the pair.
        code: int64 [words], index of the distinct word.
        place: int64 [words], position in the text, 0-based.
        lengths: int64 [pairs], number of words.
        is_name: bool [words], written like a name: capitalized inside a sentence.
    """

    text: I64
    code: I64
    place: I64
    lengths: I64
    is_name: Bools


class PairWords(NamedTuple):
    """The words of both sides, and what the vocabulary knows about each distinct word."""

    first: SideWords
    second: SideWords
    distinct: WordList
    keys: WordKeys


def split_words(first: pl.Series, second: pl.Series) -> PairWords:
    """Split the texts of both sides into words.

    `write_alike` has made their numbers comparable.

    >>> words = split_words(pl.Series(["a b"]), pl.Series(["He saw Ann."]))
    >>> words.second.is_name.tolist()
    [False, False, True]
    """
    n = len(first)
    texts = pl.concat([first, second]).alias("text")
    names = texts.str.extract_all(_NAMES).list.join(" ")
    # texts 0 to 2n - 1 are those of both sides, texts 2n to 4n - 1 their names
    all_words = tokens(pl.concat([texts, names]))
    text = np.repeat(np.arange(4 * n), all_words.lengths)
    ends = all_words.lengths.cumsum()
    place = np.arange(len(text)) - np.repeat(ends - all_words.lengths, all_words.lengths)
    size = max(len(all_words.distinct), 1)
    in_text, in_names = text < 2 * n, text >= 2 * n
    key = text[in_text] * size + all_words.code[in_text]
    name_key = (text[in_names] - 2 * n) * size + all_words.code[in_names]
    is_name = np.isin(key, name_key)
    # the pattern also matches the character before a name
    is_name &= (all_words.distinct.str.len_chars() > 1).to_numpy()[all_words.code[in_text]]
    sides = []
    for start in (0, n):
        is_own = (text[in_text] >= start) & (text[in_text] < start + n)
        sides.append(
            SideWords(
                text=text[in_text][is_own] - start,
                code=all_words.code[in_text][is_own],
                place=place[in_text][is_own],
                lengths=all_words.lengths[start : start + n],
                is_name=is_name[is_own],
            )
        )
    distinct = WordList(all_words.distinct.to_list())
    return PairWords(sides[0], sides[1], distinct, vocabulary(lexicon()).look_up(distinct))


def repetition(side: SideWords, pairs: int) -> F32:
    """Return the share of words of each text that repeat: float32 [pairs].

    A word repeats if the same bigram of it and the word before occurred already, or if it follows
    itself.
    """
    if not len(side.code):
        return np.zeros(pairs, np.float32)
    is_inner = side.place > 0
    before = np.roll(side.code, 1)
    key = mix(side.text * np.int64(1 << 40) + before * np.int64(1 << 20) + side.code)
    key[~is_inner] = np.arange(np.count_nonzero(~is_inner), dtype=np.uint64)
    order = np.argsort(key, kind="stable")
    repeats = np.zeros(len(key), bool)
    repeats[order[1:]] = key[order[1:]] == key[order[:-1]]
    repeats = (repeats | (before == side.code)) & is_inner
    count = np.bincount(side.text, weights=repeats, minlength=pairs)
    share: F32 = (count / np.maximum(side.lengths, 1)).astype(np.float32)
    return share
