"""Which words of one side have a counterpart on the other, by lexicon, consonants or digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F32, I64, U64, Bools
from ingest.codepoints import expand_ranges
from ingest.encoder.lexicon import lexicon
from ingest.encoder.subwords import consonants
from ingest.encoder.vocabulary import NAME, NUMBER
from ingest.scoring.meaning import MAX_WORDS

if TYPE_CHECKING:
    from ingest.scoring.words import PairWords, SideWords

# These names are stored in the model. "strange" words are those that the lexicon does not have.
SIDE = ("words", "missed", "numbers_missed", "numbers", "names_missed", "names", "strange_missed",
        "copied", "lost", "lost_words", "lost_names", "lost_name", "lost_strange",
        "strangest")  # fmt: skip
NAMES = tuple(f"{name}_{side}" for side in ("first", "second") for name in SIDE)
_MISSED = 0.2  # loss from which a name counts as missing
# Overlap of consonants from which words begin to sound alike, and from which they surely do
_MIN_OVERLAP, _SURE_OVERLAP = 0.35, 0.8
_MIN_NAME_WEIGHT = 4.0  # inverse document frequency from which a word may be a name
_TRANSLATION = 0.55  # cosine of two words from which one counts as a translation of the other


def measure_lexical(words: PairWords, similarity: tuple[F32, F32]) -> F32:
    """Measure pairs.

    Args:
        words: the words of the pairs.
        similarity: for each word of both sides, its similarity to the nearest word on the other.

    Returns:
        float32 [pairs, NAMES].
    """
    # frequent words are never names, whatever they sound like
    may_be_name = words.keys.weight >= _MIN_NAME_WEIGHT
    sounds = np.where(may_be_name, _sounds(words.distinct.column), np.uint64(0))
    sides = [
        _measure_side(words, words.first, words.second, similarity[0], sounds),
        _measure_side(words, words.second, words.first, similarity[1], sounds),
    ]
    return np.concatenate(sides, axis=1)


def _measure_side(
    words: PairWords, own: SideWords, other: SideWords, similarity: F32, sounds: U64
) -> F32:
    """Return float32 [pairs, SIDE]."""
    keys = words.keys
    pairs = len(own.lengths)
    # numbers for consonants and digits; -1 for words without any
    _, skeleton = np.unique(keys.skeleton, return_inverse=True)
    skeleton = np.where(keys.skeleton == 0, -1, skeleton)
    stem = keys.stem[own.code]
    is_same = _occurs(own.text, own.code, other.text, other.code)
    is_found = is_same | _occurs(own.text, stem, other.text, keys.stem[other.code])
    is_found |= _occurs(own.text, skeleton[own.code], other.text, skeleton[other.code])
    is_found |= _has_translation(own.text, stem, other.text, keys.stem[other.code])
    kind, weight = keys.kind[own.code], keys.weight[own.code]
    is_number = kind == NUMBER
    in_lexicon = (kind >= 0) & (kind < NAME)
    is_name = own.is_name & ~is_number
    out_of_vocabulary = (kind >= NAME) & ~is_number
    # 1 for words without any counterpart
    loss = np.clip((_TRANSLATION - similarity) / _TRANSLATION, 0.0, 1.0) * ~is_found
    sound_alike = np.zeros(len(loss), np.float32)
    unsure = np.flatnonzero((is_name | out_of_vocabulary) & (loss > 0))
    sound_alike[unsure] = _sound_alike(own, other, unsure, sounds)
    loss = loss * (1.0 - sound_alike)

    def total(values: NDArray[np.generic]) -> F32:
        return np.bincount(own.text, weights=values, minlength=pairs).astype(np.float32)

    def maximum(values: NDArray[np.generic]) -> F32:
        out = np.zeros(pairs, np.float32)
        np.maximum.at(out, own.text, values)
        return out

    lexicon_weight = total(weight * in_lexicon)
    # in the order of SIDE
    return np.stack(
        [
            total(weight * (in_lexicon & is_found)) / np.maximum(lexicon_weight, 1e-6),
            np.sqrt(total(weight * (in_lexicon & ~is_found))),
            total(is_number & ~is_found),
            total(is_number),
            total(is_name & (loss > _MISSED)),
            total(is_name),
            total(out_of_vocabulary & ~is_found),
            total(is_same & ~is_number) / np.maximum(total(~is_number), 1.0),
            total(weight * loss) / np.maximum(total(weight), 1e-6),
            np.sqrt(total(weight * loss)),
            total(is_name * loss),
            maximum(is_name * loss),
            total(out_of_vocabulary * loss),
            maximum(out_of_vocabulary * loss),
        ],
        axis=1,
    ).astype(np.float32)


def _sounds(distinct: pl.Series) -> U64:
    """Return the set of consonants and consonant bigrams of each word, as bits: uint64 [words]."""
    sign, word = consonants(distinct)
    out = np.zeros(len(distinct), np.uint64)
    np.bitwise_or.at(out, word, np.uint64(1) << sign.astype(np.uint64))
    is_bigram = word[1:] == word[:-1]
    # 12 bits for consonants, 51 for bigrams
    bigram = (sign[:-1].astype(np.int64) * 12 + sign[1:])[is_bigram] % 51 + 12
    np.bitwise_or.at(out, word[1:][is_bigram], np.uint64(1) << bigram.astype(np.uint64))
    return out


def _sound_alike(own: SideWords, other: SideWords, which: I64, sounds: U64) -> F32:
    """Return how much some words sound like the most similar word of the other side, 0…1."""
    text = own.text[which]
    size = np.minimum(other.lengths[text], MAX_WORDS)
    start = (other.lengths.cumsum() - other.lengths)[text]
    candidate = np.repeat(start - (np.cumsum(size) - size), size) + np.arange(size.sum())
    index = np.repeat(np.arange(len(which)), size)
    left, right = sounds[own.code[which]][index], sounds[other.code[candidate]]
    common = np.bitwise_count(left & right).astype(np.float32)
    total = np.bitwise_count(left).astype(np.float32) + np.bitwise_count(right)
    overlap = 2 * common / np.maximum(total, 1.0)  # Dice coefficient
    best = np.zeros(len(which), np.float32)
    np.maximum.at(best, index, overlap)
    scaled: F32 = np.clip((best - _MIN_OVERLAP) / (_SURE_OVERLAP - _MIN_OVERLAP), 0.0, 1.0)
    return scaled


def _occurs(text: I64, value: I64, other_text: I64, other_value: I64) -> Bools:
    """Return whether each (text, value) is among the others. Negative values never are."""
    size = int(max(value.max(initial=0), other_value.max(initial=0))) + 1
    keys = np.sort((other_text * size + other_value)[other_value >= 0])
    if not len(keys):
        return np.zeros(len(value), bool)
    wanted = text * size + value
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    occurs: Bools = (value >= 0) & (keys[at] == wanted)
    return occurs


def _has_translation(text: I64, stem: I64, other_text: I64, other_stem: I64) -> Bools:
    """Return whether the lexicon translates each stem by one of the other side."""
    table = lexicon()
    size = len(table.idf)
    keys = np.unique(other_text[other_stem >= 0] * size + other_stem[other_stem >= 0])
    out = np.zeros(len(stem), bool)
    known = np.flatnonzero(stem >= 0)
    if not len(keys) or not len(known):
        return out
    # look up each distinct (text, stem) once
    query, inverse = np.unique(text[known] * size + stem[known], return_inverse=True)
    begin, end = table.first[query % size], table.first[query % size + 1]
    count = end - begin
    wanted = np.repeat(query // size * size, count) + table.to[expand_ranges(begin, count)]
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    is_hit = keys[place] == wanted
    index = np.repeat(np.arange(len(query)), count)
    out[known] = np.bincount(index[is_hit], minlength=len(query))[inverse] > 0
    return out
