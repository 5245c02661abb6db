"""How far words follow one another as they do in text: classes of words, two at a time.

A class is a frequent word, or the letters that a word begins or ends with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32, I64

if TYPE_CHECKING:
    from ingest.scoring.words import Side


NAMES = ("next", "next_but_one", "skipped", "opening", "closing", "breaks")
EDGE, NUMBER, OTHER = range(3)  # classes that no list names
_BREAK = -0.5
_GONE = 0.25  # share of words that are left out where some are
_ARABIC = r"^[\u0600-\u06ff]"
_STEP = 16.0  # of a stored number


class Grammar(NamedTuple):
    """What follows what in one language.

    Attributes:
        classes: number of each word or of its `form`, from 3 on.
        follows: int8 [2, classes, classes], how much more often than by chance a class comes next,
            and next but one: 16 times the logarithm.
    """

    classes: dict[str, int]
    follows: NDArray[np.int8]


def form(word: str) -> str:
    """What stands for a word that is not frequent: how it begins or ends.

    >>> form("walking"), form("والكتاب")
    ('-ing', 'وا-ب')
    """
    if "\u0600" <= word[0] <= "\u06ff":
        return f"{word[:2]}-{word[-1]}"
    return f"-{word[-3:]}"


def classes(words: pl.Series, known: dict[str, int]) -> I64:
    """The class of each of some distinct words."""
    word = pl.col("word")
    first = word.str.slice(0, 2) + "-" + word.str.slice(-1)
    forms = pl.when(word.str.contains(_ARABIC)).then(first).otherwise("-" + word.str.slice(-3))
    own = pl.when(word.str.contains(r"^\p{Nd}")).then(NUMBER)
    found = (
        words.alias("word")
        .to_frame()
        .select(
            own.otherwise(
                pl.coalesce(
                    word.replace_strict(known, default=None, return_dtype=pl.Int64),
                    forms.replace_strict(known, default=None, return_dtype=pl.Int64),
                    pl.lit(OTHER, pl.Int64),
                )
            ).alias("class")
        )
    )
    return found["class"].to_numpy()


def fluency(side: Side, of_word: I64, grammar: Grammar) -> F32:
    """float32 [texts, NAMES]: means over the words of each text."""
    pairs = len(side.lengths)
    out = np.zeros((pairs, len(NAMES)), np.float32)
    if not len(side.code):
        return out
    own = of_word[side.code]
    inner = side.place[1:] > 0
    follows = grammar.follows[:, own[:-1], own[1:]] / _STEP
    # how much likelier it is that a word is missing between now and then than that none is
    gap = np.log((1.0 - _GONE) + _GONE * np.exp(follows[1] - follows[0]))
    gaps = np.bincount(side.text[1:][inner], weights=gap[inner], minlength=pairs)
    out[:, NAMES.index("skipped")] = gaps / (side.lengths + 2.0)
    for nth, name in ((1, "next"), (2, "next_but_one")):
        inner = side.place[nth:] > nth - 1
        value = grammar.follows[nth - 1, own[:-nth], own[nth:]] / _STEP
        text = side.text[nth:][inner]
        total = np.bincount(text, weights=value[inner], minlength=pairs)
        # short texts are drawn to none
        out[:, NAMES.index(name)] = total / (side.lengths + 2.0)
        if nth == 1:
            breaks = np.bincount(text, weights=value[inner] < _BREAK, minlength=pairs)
            out[:, NAMES.index("breaks")] = breaks / (side.lengths + 2.0)
    some = np.flatnonzero(side.lengths)
    ends = side.lengths.cumsum()
    first, last = own[(ends - side.lengths)[some]], own[ends[some] - 1]
    out[some, NAMES.index("opening")] = grammar.follows[0, EDGE, first] / _STEP
    out[some, NAMES.index("closing")] = grammar.follows[0, last, EDGE] / _STEP
    return out


def learn(side: Side, distinct: pl.Series, most: int) -> Grammar:
    """Count classes and pairs of them in text.

    Args:
        side: the words of the texts.
        distinct: the distinct words.
        most: classes to tell apart.
    """
    words = distinct.to_list()
    count = np.bincount(side.code, minlength=len(words))
    order = [at for at in np.argsort(-count, kind="stable").tolist() if not words[at][0].isdigit()]
    frequent = [words[at] for at in order[: most // 2]]
    forms: dict[str, int] = {}
    for at in order[most // 2 :]:
        forms[form(words[at])] = forms.get(form(words[at]), 0) + int(count[at])
    usual = sorted(forms, key=lambda f: (-forms[f], f))[: most - len(frequent) - 3]
    known = {name: at for at, name in enumerate([*frequent, *usual], OTHER + 1)}
    own = classes(distinct, known)[side.code]
    size = len(known) + 3
    tables = []
    for nth in (1, 2):
        inner = side.place[nth:] > nth - 1
        left, right = own[:-nth][inner], own[nth:][inner]
        if nth == 1:
            some = side.lengths[side.lengths > 0]
            ends = side.lengths.cumsum()[side.lengths > 0]
            edge = np.full(len(some), EDGE)
            left = np.concatenate([left, edge, own[ends - 1]])
            right = np.concatenate([right, own[ends - some], edge])
        seen = np.bincount(left * size + right, minlength=size * size).reshape(size, size)
        chance = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / seen.sum()
        more = np.log((seen + 3.0) / (chance + 3.0))
        tables.append(np.clip(np.rint(more * _STEP), -127, 127).astype(np.int8))
    return Grammar(known, np.stack(tables))
