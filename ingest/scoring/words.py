"""The words of both sides of some pairs, as numbers of distinct words."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import I64, Bools
from ingest.codepoints import mix
from ingest.encoder.lexicon import lexicon
from ingest.encoder.tokens import Lines, Tokens, tokens
from ingest.encoder.vocabulary import WordKeys, vocabulary

# Words with a capital that another word of the sentence stands before
_NAMES = r"[\p{Ll}\p{N},;)] \p{Lu}[\p{L}\p{M}]+(?:[ -]\p{Lu}[\p{L}\p{M}]+)*"


# 45 thousand and 45,000 are one number. A magnitude, and how many zeros it stands for
_MAGNITUDES = {
    r"ألف|الف|آلاف|ألفا|thousand": 3,
    r"مليون|ملايين|مليونا|million": 6,
    r"مليار|مليارات|بليون|billion": 9,
}
_ANY = rf"(?i)\d\s+(?:{'|'.join(_MAGNITUDES)})"
# What stands before a number, and its digits up to the point; the end of a longer one is none
_WHOLE = r"(^|[^\w.,٫٬])(\d{1,3}(?:[,٬]\d{3})+|\d{1,6})"


class Single(Lines):
    """Words as texts: each is its own only word."""

    @cached_property
    def tokens(self) -> Tokens:
        n = len(self)
        return Tokens(self.column, np.arange(n), np.ones(n, np.int64))


class Side(NamedTuple):
    """The words of one side of each pair, one after the other.

    Attributes:
        text: int64 [words], number of the pair.
        code: int64 [words], place of each among the distinct words.
        place: int64 [words], 0-based place in its text.
        lengths: int64 [pairs], how many words each has.
        name: bool [words], written like a name: with a capital inside a sentence.
    """

    text: I64
    code: I64
    place: I64
    lengths: I64
    name: Bools


class Words(NamedTuple):
    """Both sides, and what is known of each distinct word."""

    first: Side
    second: Side
    distinct: Single
    look: WordKeys


def words(first: pl.Series, second: pl.Series) -> Words:
    """Cut the texts of both sides into words.

    >>> found = words(pl.Series(["a b"]), pl.Series(["He saw Ann."]))
    >>> found.second.name.tolist()
    [False, False, True]
    >>> words(pl.Series(["٤٥ ألفاً"]), pl.Series(["1.5 million"])).distinct
    ['45000', '1500000']
    """
    n = len(first)
    texts = _written_out(pl.concat([first, second])).alias("text")
    names = texts.str.extract_all(_NAMES).list.join(" ")
    found = tokens(pl.concat([texts, names]))
    text = np.repeat(np.arange(4 * n), found.lengths)
    ends = found.lengths.cumsum()
    place = np.arange(len(text)) - np.repeat(ends - found.lengths, found.lengths)
    many = max(len(found.distinct), 1)
    said, named = text < 2 * n, text >= 2 * n
    key = text[said] * many + found.code[said]
    name = np.isin(key, (text[named] - 2 * n) * many + found.code[named])
    # the sign before a name is no name
    name &= (found.distinct.str.len_chars() > 1).to_numpy()[found.code[said]]
    sides = []
    for at in (0, n):
        own = (text[said] >= at) & (text[said] < at + n)
        sides.append(
            Side(
                text[said][own] - at, found.code[said][own], place[said][own],
                found.lengths[at : at + n], name[own],
            )
        )  # fmt: skip
    distinct = Single(found.distinct.to_list())
    return Words(sides[0], sides[1], distinct, vocabulary(lexicon()).look_up(distinct))


def repeated(side: Side, pairs: int) -> NDArray[np.float32]:
    """Share of the words of each text that come with the word before them for a second time.

    A word that follows itself counts too: float32 [pairs].
    """
    if not len(side.code):
        return np.zeros(pairs, np.float32)
    inner = side.place > 0
    before = np.roll(side.code, 1)
    key = mix(side.text * np.int64(1 << 40) + before * np.int64(1 << 20) + side.code)
    key[~inner] = np.arange(np.count_nonzero(~inner), dtype=np.uint64)
    order = np.argsort(key, kind="stable")
    again = np.zeros(len(key), bool)
    again[order[1:]] = key[order[1:]] == key[order[:-1]]
    again = (again | (before == side.code)) & inner
    count = np.bincount(side.text, weights=again, minlength=pairs)
    share: NDArray[np.float32] = (count / np.maximum(side.lengths, 1)).astype(np.float32)
    return share


def _written_out(texts: pl.Series) -> pl.Series:
    """The texts with numbers before a magnitude as digits alone: 1.5 million as 1500000."""
    there = texts.str.contains(_ANY).fill_null(False)
    some = texts.filter(there)  # few texts have one, and each pattern is a pass over them
    for magnitude, zeros in _MAGNITUDES.items():
        for decimals in (3, 2, 1, 0):
            marks = ".٫" if decimals == 3 else ".,٫"  # 1,234 is a whole number
            point = rf"[{marks}](\d{{{decimals}}})" if decimals else ""
            digits = "${1}${2}${3}" if decimals else "${1}${2}"
            some = some.str.replace_all(
                rf"(?i){_WHOLE}{point}\s+(?:{magnitude})\p{{M}}*\b",
                digits + "0" * (zeros - decimals),
            )
    return texts.clone().scatter(there.arg_true(), some)
