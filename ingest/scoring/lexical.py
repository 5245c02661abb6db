"""Which words of one side the lexicon, consonants or digits find on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32, I64, U64, Bools
from ingest.encoder.lexicon import lexicon
from ingest.encoder.subwords import consonants
from ingest.encoder.vocabulary import NAME, NUMBER
from ingest.scoring.meaning import LONGEST

if TYPE_CHECKING:
    from ingest.scoring.words import Side, Words


SIDE = ("words", "missed", "numbers_missed", "numbers", "names_missed", "names", "strange_missed",
        "copied", "lost", "lost_words", "lost_names", "lost_name", "lost_strange",
        "strangest")  # fmt: skip
NAMES = tuple(f"{name}_{side}" for side in ("first", "second") for name in SIDE)
_MISSED = 0.2  # from here on a name is taken not to be there
_DEAF, _HEARD = 0.35, 0.8  # overlap of consonants that says nothing, and that says all
_SELDOM = 4.0  # inverse document frequency of a word that may be a name
_LIKE = 0.55  # cosine of two words from which one is taken to render the other


def lexical(found: Words, like: tuple[F32, F32]) -> F32:
    """float32 [pairs, NAMES].

    Args:
        found: the words.
        like: of each word of both sides, how like it the nearest of the other is.
    """
    sides = (found.first, found.second)
    # frequent words are no names, whatever they sound like
    sounds = np.where(found.look.weight >= _SELDOM, _sounds(found.distinct.column), np.uint64(0))
    out = [
        _side(found, sides[0], sides[1], like[0], sounds),
        _side(found, sides[1], sides[0], like[1], sounds),
    ]
    return np.concatenate(out, axis=1)


def _side(found: Words, own: Side, other: Side, like: F32, sounds: U64) -> F32:
    look = found.look
    pairs = len(own.lengths)
    # consonants and digits, numbered: -1 where there are none
    _, bones = np.unique(look.skeleton, return_inverse=True)
    bones = np.where(look.skeleton == 0, -1, bones)
    stem = look.stem[own.code]
    same = _in(own.text, own.code, other.text, other.code)
    hit = same | _in(own.text, stem, other.text, look.stem[other.code])
    hit |= _in(own.text, bones[own.code], other.text, bones[other.code])
    hit |= _translated(own.text, stem, other.text, look.stem[other.code])
    kind, weight = look.kind[own.code], look.weight[own.code]
    number = kind == NUMBER
    in_lexicon = (kind >= 0) & (kind < NAME)
    name = own.name & ~number
    strange = (kind >= NAME) & ~number
    far = np.clip((_LIKE - like) / _LIKE, 0.0, 1.0) * ~hit
    heard = np.zeros(len(far), np.float32)
    doubtful = np.flatnonzero((name | strange) & (far > 0))
    heard[doubtful] = _heard(own, other, doubtful, sounds)
    far = far * (1.0 - heard)

    def total(values: NDArray[np.generic]) -> F32:
        return np.bincount(own.text, weights=values, minlength=pairs).astype(np.float32)

    def most(values: NDArray[np.generic]) -> F32:
        out = np.zeros(pairs, np.float32)
        np.maximum.at(out, own.text, values)
        return out

    weighed = total(weight * in_lexicon)
    return np.stack(
        [
            total(weight * (in_lexicon & hit)) / np.maximum(weighed, 1e-6),
            np.sqrt(total(weight * (in_lexicon & ~hit))),
            total(number & ~hit),
            total(number),
            total(name & (far > _MISSED)),
            total(name),
            total(strange & ~hit),
            total(same & ~number) / np.maximum(total(~number), 1.0),
            total(weight * far) / np.maximum(total(weight), 1e-6),
            np.sqrt(total(weight * far)),
            total(name * far),
            most(name * far),
            total(strange * far),
            most(strange * far),
        ],
        axis=1,
    ).astype(np.float32)


def _sounds(distinct: pl.Series) -> U64:
    """Of each word the set of its consonants and of neighbouring ones, as bits."""
    sign, word = consonants(distinct)
    out = np.zeros(len(distinct), np.uint64)
    np.bitwise_or.at(out, word, np.uint64(1) << sign.astype(np.uint64))
    next_one = word[1:] == word[:-1]
    pair = (sign[:-1].astype(np.int64) * 12 + sign[1:])[next_one] % 51 + 12
    np.bitwise_or.at(out, word[1:][next_one], np.uint64(1) << pair.astype(np.uint64))
    return out


def _heard(own: Side, other: Side, which: I64, sounds: U64) -> F32:
    """How much these words sound like the word of the other side that sounds most like them."""
    text = own.text[which]
    size = np.minimum(other.lengths[text], LONGEST)
    start = (other.lengths.cumsum() - other.lengths)[text]
    at = np.repeat(start - (np.cumsum(size) - size), size) + np.arange(size.sum())
    nth = np.repeat(np.arange(len(which)), size)
    one, two = sounds[own.code[which]][nth], sounds[other.code[at]]
    both = np.bitwise_count(one & two).astype(np.float32)
    alike = (
        2 * both / np.maximum(np.bitwise_count(one).astype(np.float32) + np.bitwise_count(two), 1.0)
    )
    out = np.zeros(len(which), np.float32)
    np.maximum.at(out, nth, alike)
    clear: F32 = np.clip((out - _DEAF) / (_HEARD - _DEAF), 0.0, 1.0)
    return clear


def _in(text: I64, value: I64, other: I64, values: I64) -> Bools:
    """Whether each (text, value) is among the others; a value below 0 never is."""
    many = int(max(value.max(initial=0), values.max(initial=0))) + 1
    keys = np.sort((other * many + values)[values >= 0])
    if not len(keys):
        return np.zeros(len(value), bool)
    wanted = text * many + value
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found: Bools = (value >= 0) & (keys[at] == wanted)
    return found


def _translated(text: I64, stem: I64, other: I64, stems: I64) -> Bools:
    """Whether the lexicon has a translation of each stem among those of the other side."""
    held = lexicon()
    many = len(held.idf)
    keys = np.unique(other[stems >= 0] * many + stems[stems >= 0])
    out = np.zeros(len(stem), bool)
    own = np.flatnonzero(stem >= 0)
    if not len(keys) or not len(own):
        return out
    # each (text, stem) once
    pair, back = np.unique(text[own] * many + stem[own], return_inverse=True)
    begin, end = held.first[pair % many], held.first[pair % many + 1]
    size = end - begin
    at = np.arange(size.sum()) + np.repeat(begin - (np.cumsum(size) - size), size)
    wanted = np.repeat(pair // many * many, size) + held.to[at]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    hit = keys[place] == wanted
    group = np.repeat(np.arange(len(pair)), size)
    out[own] = np.bincount(group[hit], minlength=len(pair))[back] > 0
    return out
