"""How well the order of words fits a language: bigrams of word classes.

The class of a word is the word itself if it is frequent, else the letters it begins or ends with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32, I64

if TYPE_CHECKING:
    from ingest.scoring.words import SideWords


NAMES = ("next", "next_but_one", "skipped", "opening", "closing", "breaks")  # stored in the model
EDGE, NUMBER, OTHER = range(3)  # classes that every grammar has
_BREAK = -0.5  # log ratio below which two words do not follow each other
_SKIP_RATE = 0.25  # share of words that are missing from a text with dropped words
_SMOOTHING = 3.0
_ARABIC = r"^[\u0600-\u06ff]"
_SCALE = 16.0  # of stored numbers


class Grammar(NamedTuple):
    """What follows what in one language.

    Attributes:
        classes: number of each frequent word and of each `word_shape`, from 3 on.
        follows: int8 [2, classes, classes], 16 times the natural logarithm of how much more often
            than by chance a class comes next, and next but one.
    """

    classes: dict[str, int]
    follows: NDArray[np.int8]


def word_shape(word: str) -> str:
    """Return the class of a word that is not frequent: how it begins or ends.

    >>> word_shape("walking"), word_shape("والكتاب")
    ('-ing', 'وا-ب')
    """
    if "\u0600" <= word[0] <= "\u06ff":
        return f"{word[:2]}-{word[-1]}"
    return f"-{word[-3:]}"


def word_classes(words: pl.Series, known: dict[str, int]) -> I64:
    """Return the class of each word: int64 [words]."""
    word = pl.col("word")
    arabic_shape = word.str.slice(0, 2) + "-" + word.str.slice(-1)
    shape = pl.when(word.str.contains(_ARABIC)).then(arabic_shape).otherwise(
        "-" + word.str.slice(-3)
    )  # fmt: skip
    known_class = pl.coalesce(
        word.replace_strict(known, default=None, return_dtype=pl.Int64),
        shape.replace_strict(known, default=None, return_dtype=pl.Int64),
        pl.lit(OTHER, pl.Int64),
    )
    word_class = pl.when(word.str.contains(r"^\p{Nd}")).then(NUMBER).otherwise(known_class)
    return words.alias("word").to_frame().select(word_class).to_series().to_numpy()


def measure_fluency(side: SideWords, classes: I64, grammar: Grammar) -> F32:
    """Measure the texts of one side.

    Args:
        side: the words of the texts.
        classes: the class of each distinct word.
        grammar: the grammar of their language.

    Returns:
        float32 [texts, NAMES]: means over the words of each text. Two is added to the number of
        words, which pulls the values of short texts towards 0.
    """
    texts = len(side.lengths)
    out = np.zeros((texts, len(NAMES)), np.float32)
    if not len(side.code):
        return out
    word_class = classes[side.code]
    is_inner = side.place[1:] > 0
    follows = grammar.follows[:, word_class[:-1], word_class[1:]] / _SCALE
    # how much likelier it is that a word is missing between these two than that none is
    gap = np.log((1.0 - _SKIP_RATE) + _SKIP_RATE * np.exp(follows[1] - follows[0]))
    gaps = np.bincount(side.text[1:][is_inner], weights=gap[is_inner], minlength=texts)
    out[:, NAMES.index("skipped")] = gaps / (side.lengths + 2.0)
    for distance, name in ((1, "next"), (2, "next_but_one")):
        is_inner = side.place[distance:] > distance - 1
        value = (
            grammar.follows[distance - 1, word_class[:-distance], word_class[distance:]] / _SCALE
        )
        text = side.text[distance:][is_inner]
        total = np.bincount(text, weights=value[is_inner], minlength=texts)
        out[:, NAMES.index(name)] = total / (side.lengths + 2.0)
        if distance == 1:
            breaks = np.bincount(text, weights=value[is_inner] < _BREAK, minlength=texts)
            out[:, NAMES.index("breaks")] = breaks / (side.lengths + 2.0)
    not_empty = np.flatnonzero(side.lengths)
    ends = side.lengths.cumsum()
    first = word_class[(ends - side.lengths)[not_empty]]
    last = word_class[ends[not_empty] - 1]
    out[not_empty, NAMES.index("opening")] = grammar.follows[0, EDGE, first] / _SCALE
    out[not_empty, NAMES.index("closing")] = grammar.follows[0, last, EDGE] / _SCALE
    return out


def learn_grammar(side: SideWords, distinct: pl.Series, max_classes: int) -> Grammar:
    """Count classes and their bigrams in texts.

    Args:
        side: the words of the texts.
        distinct: the distinct words.
        max_classes: number of classes.
    """
    words = distinct.to_list()
    count = np.bincount(side.code, minlength=len(words))
    by_count = [i for i in np.argsort(-count, kind="stable").tolist() if not words[i][0].isdigit()]
    frequent = [words[i] for i in by_count[: max_classes // 2]]
    shapes: dict[str, int] = {}
    for i in by_count[max_classes // 2 :]:
        shape = word_shape(words[i])
        shapes[shape] = shapes.get(shape, 0) + int(count[i])
    common = sorted(shapes, key=lambda shape: (-shapes[shape], shape))
    common = common[: max_classes - len(frequent) - 3]
    classes = {name: number for number, name in enumerate([*frequent, *common], OTHER + 1)}
    word_class = word_classes(distinct, classes)[side.code]
    size = len(classes) + 3
    tables = []
    for distance in (1, 2):
        is_inner = side.place[distance:] > distance - 1
        left, right = word_class[:-distance][is_inner], word_class[distance:][is_inner]
        if distance == 1:
            lengths = side.lengths[side.lengths > 0]
            ends = side.lengths.cumsum()[side.lengths > 0]
            edges = np.full(len(lengths), EDGE)
            left = np.concatenate([left, edges, word_class[ends - 1]])
            right = np.concatenate([right, word_class[ends - lengths], edges])
        counts = np.bincount(left * size + right, minlength=size * size).reshape(size, size)
        expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
        log_ratio = np.log((counts + _SMOOTHING) / (expected + _SMOOTHING))
        tables.append(np.clip(np.rint(log_ratio * _SCALE), -127, 127).astype(np.int8))
    return Grammar(classes, np.stack(tables))
