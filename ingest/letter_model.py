"""How likely text is as Arabic, judged by its letters: a trigram model of the Arabic script.

It is made from the letter counts of `lang_models/lid`, smoothed by the method of Witten and Bell
(1991, method C). Languages are not told apart here: each text gets its likelihood in the language
of the Arabic script that fits it best, so that Persian or Kurdish counts as sound text too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest._typing import F64, I64
from ingest.resources import load_npz, model_dir

_UNKNOWN, _SPACE, _MARK = 0, 1, -1
_NATS = 256  # of the table, whose whole numbers have sums that do not depend on other texts
_FIRST, _LAST = 0x0600, 0x0800  # the blocks of Arabic letters
_MARKS = (*range(0x610, 0x61B), 0x640, *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6EE))
_UNKNOWN_COST = -9.0  # nats for a letter that is in no word of these languages


class Likelihood(NamedTuple):
    """How likely texts are.

    Attributes:
        total: float64 [texts], the log likelihood of the letters and word ends of each text.
        letters: int64 [texts], the number of its letters, without marks.
    """

    total: F64
    letters: I64


def arabic_likelihood(texts: Sequence[str]) -> Likelihood:
    """Compute the likelihood of texts of Arabic letters. Other characters only end words.

    >>> total, letters = arabic_likelihood(["السوق", "قوسلا"])
    >>> bool(total[0] > total[1]), letters.tolist()
    (True, [5, 5])
    """
    lookup, contexts, table = _load()
    codes = np.frombuffer(
        "".join(f" {text} " for text in texts).encode("utf-32-le", "surrogatepass"), np.uint32
    )
    ends = np.cumsum([len(text) + 2 for text in texts], dtype=np.int64)
    inside = (codes >= _FIRST) & (codes < _LAST)
    symbols = np.full(len(codes), _SPACE, np.int16)
    symbols[inside] = lookup[codes[inside] - _FIRST]
    kept = symbols != _MARK
    ends = np.cumsum(kept)[ends - 1] if len(ends) else ends
    symbols = symbols[kept].astype(np.int64)
    before = np.append(_SPACE, symbols)[:-1]
    second = np.append([_SPACE, _SPACE], symbols)[:-2]
    second[before == _SPACE] = _SPACE  # nothing reaches beyond the space before a word
    values = table[contexts[second, before], symbols]
    is_letter = symbols != _SPACE
    values[~is_letter & (before == _SPACE)] = 0
    sums = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=sums[1:])
    count = np.append(0, np.cumsum(is_letter))
    starts = np.append(0, ends)[:-1]
    best = (sums[ends] - sums[starts]).max(axis=1) / _NATS
    return Likelihood(best, count[ends] - count[starts])


@cache
def _load() -> tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int16]]:
    """The model, on first use.

    Returns:
        The symbol of each code point from _FIRST on; the number of each context of two symbols;
        and the log probability of a symbol after each context: [contexts, symbols, languages].

    Raises:
        ModelError: the model is missing or damaged.
    """
    names = [f"{name}{order}" for name in ("parent", "symbol", "counts") for order in (2, 3)]
    arrays = load_npz(model_dir("lid") / "Arab.npz", ["alphabet", "counts1", *names])
    # Only Arabic letters get numbers here: the alphabet of the file also has digits and Latin ones.
    letters = [
        (symbol, ord(char) - _FIRST)
        for symbol, char in enumerate(str(arrays["alphabet"]), 2)
        if _FIRST <= ord(char) < _LAST and char.isalpha()
    ]
    number = np.full(len(arrays["counts1"]), _UNKNOWN)
    number[[_SPACE, *(symbol for symbol, _ in letters)]] = np.arange(1, len(letters) + 2)
    lookup = np.array(
        [_UNKNOWN if chr(code).isalpha() else _SPACE for code in range(_FIRST, _LAST)], np.int16
    )
    lookup[[code for _, code in letters]] = np.arange(2, len(letters) + 2)
    lookup[[code - _FIRST for code in _MARKS]] = _MARK

    size, langs = len(letters) + 2, arrays["counts1"].shape[1]
    ones = np.zeros((1, size, langs), np.float32)
    ones[0, number] = arrays["counts1"]
    twos = np.zeros((size, size, langs), np.float32)
    parent, symbol = number[arrays["parent2"]], number[arrays["symbol2"]]
    twos[parent, symbol] = arrays["counts2"]
    last = arrays["parent3"] - 1
    first, second = parent[last], symbol[last]
    # Two symbols that no third one follows in the file are the same context as the second alone.
    follows, row = np.unique(first * size + second, return_inverse=True)
    threes = np.zeros((len(follows), size, langs), np.float32)
    threes[row, number[arrays["symbol3"]]] = arrays["counts3"]
    for counts in (ones, twos, threes):
        counts[:, _UNKNOWN] = 0
    single = _smooth(ones, np.full((1, size, langs), 1 / size, np.float32))
    double = _smooth(twos, single)
    triple = _smooth(threes, double[follows % size])
    contexts = np.tile(np.arange(size, dtype=np.int16), (size, 1))
    contexts.ravel()[follows] = np.arange(size, size + len(follows))
    table = np.log(np.concatenate([double, triple])) * _NATS
    table[:, _UNKNOWN] = _UNKNOWN_COST * _NATS
    return lookup, contexts, np.rint(table).astype(np.int16)


def _smooth(counts: NDArray[np.float32], lower: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities from counts [contexts, symbols, languages] and those with one letter less."""
    total = counts.sum(axis=1, keepdims=True)
    kinds = (counts > 0).sum(axis=1, keepdims=True).astype(np.float32)
    smoothed: NDArray[np.float32] = (counts + kinds * lower) / np.maximum(total + kinds, 1)
    return np.where(total > 0, smoothed, lower)
