"""Letter statistics of twelve languages, which complement langdetect's short profiles.

`lang_models/lid/<script>.npz` holds how often each letter n-gram occurs in open text of each
language. The n-grams have up to 4 letters and lie inside words, whose edges count as a letter. On
loading, the counts become probabilities of a letter given the letters before it, smoothed by the
method of Witten and Bell (1991, method C): to an n-gram's count is added, for each distinct letter
seen after the same history, the probability given one letter less.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ingest._typing import F64
from ingest.detection.letter_folding import symbol_lookup
from ingest.detection.ngram_table import NATS, SPACE, UNKNOWN, Level, SuffixTable
from ingest.resources import load_npz, model_dir


class LetterCounts(NamedTuple):
    """The n-gram counts of one script.

    Attributes:
        langs: the languages.
        alphabet: the letters, in the order of their symbols.
        levels: the n-grams of each order, from bigrams on.
        counts: float64 [languages, n-grams] for each order, from single letters on.
    """

    langs: tuple[str, ...]
    alphabet: str
    levels: list[Level]
    counts: list[F64]


def load_counts(script: str) -> LetterCounts:
    """Load the counts of one script.

    Raises:
        ModelError: the file is missing, damaged or incomplete.
    """
    path = model_dir("lid") / f"{script}.npz"
    header = load_npz(path, ["orders", "langs", "alphabet"])
    orders = int(header["orders"])
    names = [f"{kind}{k}" for kind in ("parent", "symbol") for k in range(2, orders + 1)]
    arrays = load_npz(path, [*names, *(f"counts{k}" for k in range(1, orders + 1))])
    return LetterCounts(
        tuple(str(header["langs"]).split()),
        str(header["alphabet"]),
        [Level(arrays[f"parent{k}"], arrays[f"symbol{k}"]) for k in range(2, orders + 1)],
        [arrays[f"counts{k}"].T.astype(np.float64, order="C") for k in range(1, orders + 1)],
    )


def letter_probabilities(letters: LetterCounts) -> list[F64]:
    """Compute P(last letter | letters before it): [languages, n-grams] for each order."""
    ones = letters.counts[0]
    size = ones.shape[1]
    kinds = (ones > 0).sum(axis=1, keepdims=True)
    out = [(ones + kinds / size) / (ones.sum(axis=1, keepdims=True) + kinds)]
    suffix, keys = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    for level, count in zip(letters.levels, letters.counts[1:], strict=True):
        # the n-gram without its first symbol, which is one order lower
        if len(out) == 1:
            suffix = level.symbol.astype(np.int64)
            lower = out[0].take(suffix, axis=1)
        else:
            suffix_keys = suffix[level.parent - 1] * size + level.symbol
            index = np.searchsorted(keys, suffix_keys)
            lower, suffix = out[-1].take(index, axis=1), index + 1
        keys = level.parent * np.int64(size) + level.symbol
        first = np.flatnonzero(np.diff(level.parent, prepend=-1))  # of each history
        history = np.repeat(np.arange(len(first)), np.diff(first, append=len(level.parent)))
        total = np.add.reduceat(count, first, axis=1)
        kinds = np.add.reduceat((count > 0).astype(np.float64), first, axis=1)
        # A history that a language lacks adds nothing to the lower order.
        kinds[total == 0] = 1.0
        p = kinds.take(history, axis=1)
        p *= lower
        p += count
        p /= (total + kinds).take(history, axis=1)
        out.append(p)
    return out


def build_table(letters: LetterCounts) -> SuffixTable:
    """Build the table that sums log probabilities over the letters of a text."""
    probabilities = letter_probabilities(letters)
    logs = np.log(np.concatenate(probabilities, axis=1))
    # A second space, or a letter outside the alphabet, is no evidence.
    logs[:, [UNKNOWN, SPACE]] = 0.0
    fixed = np.rint(logs * NATS).astype(np.int32)
    lookup = symbol_lookup(letters.alphabet)
    return SuffixTable(lookup, probabilities[0].shape[1], letters.levels, fixed)
