"""langdetect's profiles as one table, which gives the exact sum that langdetect only samples.

langdetect draws n-grams at random and multiplies `alpha + p(ngram | lang)` until one language wins,
seven times with different alphas. Here every n-gram counts once, with a weight for its order. The
profiles are langdetect's own JSON files, from the installed package, and further ones in
`lang_models/langdetect`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest._typing import F64, I64
from ingest.detection.ngram_table import NATS, SPACE, UNKNOWN, Level, SuffixTable, Symbols
from ingest.detection.text_batch import BMP
from ingest.errors import ModelError
from ingest.resources import model_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 3e-5  # langdetect uses 5e-5; fitted on the dev fragments, flat between 2e-5 and 5e-5
_ORDERS = 3  # of n-grams
WEIGHTS = (0.3, 0.6, 1.0)  # of 1-, 2- and 3-grams: a trigram already implies most of its parts
# blocks in which langdetect's normalisation changes a letter or turns it into a space
_NORMALIZED = (range(0x250), range(0x600, 0x700), range(0x1E00, 0x1F00), range(0x2000, 0x2070))


class Profile(NamedTuple):
    """The n-grams of a language.

    Attributes:
        grams: the n-grams, of one to three characters: str [n-grams].
        p: p(ngram | lang), normalised per order as in langdetect's `add_profile`: float64.
    """

    grams: NDArray[np.str_]
    p: F64


def load_profile(lang: str) -> Profile:
    """Load the profile of a language.

    Raises:
        ModelError: the profile is missing or damaged.
    """
    path = _profile_dir(lang) / lang
    try:
        profile = json.loads(path.read_text(encoding="utf-8"))
        freq = profile["freq"]
        grams = np.array(list(freq))
        order = np.strings.str_len(grams)
        totals = np.array([1.0, *profile["n_words"]])[np.minimum(order, _ORDERS)]
        kept = (order > 0) & (order <= _ORDERS)
        p = np.array(list(freq.values()), dtype=np.float64) / totals
        return Profile(grams[kept].astype(f"U{_ORDERS}"), p[kept])
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelError(
            f"{path}: not a langdetect profile ({error}); reinstall langdetect or ingest"
        ) from error


def _profile_dir(lang: str) -> Path:
    shipped = model_dir("langdetect")
    if (shipped / lang).is_file():
        return shipped
    spec = find_spec("langdetect")
    if spec is None or spec.origin is None:
        raise ModelError("langdetect is not installed, but its profiles are needed; install it")
    return Path(spec.origin).parent / "profiles"


def build_table(
    profiles: Sequence[Profile], *, alpha: float = ALPHA, weights: Sequence[float] = WEIGHTS
) -> SuffixTable:
    """Build the table that sums the profiles of a script's languages over n-grams.

    The vector of a trigram abc is w3 log(alpha + p(abc)) + w2 log(alpha + p(bc)) + w1 log(alpha +
    p(c)), so one look-up per position adds up all n-grams that end there. As in langdetect,
    n-grams that no profile contains do not count.
    """
    grams = np.concatenate([profile.grams for profile in profiles])
    codes = grams.view(np.uint32).reshape(-1, _ORDERS)
    occurs = np.zeros(BMP, bool)
    occurs[codes] = True
    occurs[[0, ord(" ")]] = False  # short n-grams end in zeros
    alphabet = np.flatnonzero(occurs)
    number = np.full(BMP, UNKNOWN, dtype=np.int32)
    number[alphabet] = np.arange(2, 2 + len(alphabet))
    number[ord(" ")] = SPACE
    size = 2 + len(alphabet)
    symbols = number[codes].astype(np.int64)
    first, second = symbols[:, 0], symbols[:, 0] * size + symbols[:, 1]
    third = second * size + symbols[:, 2]
    order = (codes > 0).sum(axis=1)
    # A trigram is found through its first two symbols, so these need a node of their own.
    pairs, triples = _distinct(second[order > 1]), _distinct(third[order == 3])
    column = np.where(order == 1, first, size + np.searchsorted(pairs, second))
    column[order == 3] = size + len(pairs) + np.searchsorted(triples, third[order == 3])

    known = np.zeros(size + len(pairs) + len(triples), bool)
    known[column] = True
    known[SPACE] = False  # a single space is not an n-gram
    # The column of the n-gram without its first symbol; if it has no node, only its last counts.
    tail = triples % size**2
    at = np.minimum(np.searchsorted(pairs, tail), len(pairs) - 1)
    shorter = np.where(pairs[at] == tail, size + at, tail % size)
    suffix = np.concatenate((pairs % size, shorter))
    vectors = np.empty((len(profiles), len(known)), np.int32)
    end = 0
    for vector, profile in zip(vectors, profiles, strict=True):
        p = np.full(len(known), alpha)
        begin, end = end, end + len(profile.p)
        p[column[begin:end]] += profile.p
        vector[:] = _add_up(np.log(p) * known, len(pairs), suffix, weights)
    levels = [
        Level((pairs // size).astype(np.int32), (pairs % size).astype(np.int32)),
        Level(
            (1 + np.searchsorted(pairs, triples // size)).astype(np.int32),
            (triples % size).astype(np.int32),
        ),
    ]
    return SuffixTable(number[_normalized_chars()], size, levels, vectors)


def _distinct(values: I64) -> I64:
    return pl.Series(values).unique().sort().to_numpy()


def _add_up(logs: F64, pairs: int, suffix: I64, weights: Sequence[float]) -> Symbols:
    """Add up the weighted logarithms of each n-gram and its suffixes, in 1/NATS nats."""
    size = len(logs) - len(suffix)
    w1, w2, w3 = weights
    logs[:size] *= w1
    for begin, end, weight in ((size, size + pairs, w2), (size + pairs, len(logs), w3)):
        logs[begin:end] *= weight
        logs[begin:end] += logs[suffix[begin - size : end - size]]
    return np.rint(logs * NATS).astype(np.int32)


@lru_cache(1)
def _normalized_chars() -> Symbols:
    """Map each code point to the one that langdetect replaces it with: int32 [BMP]."""
    from langdetect.utils.ngram import NGram

    chars = np.arange(BMP, dtype=np.int32)
    for block in _NORMALIZED:
        chars[block.start : block.stop] = [ord(NGram.normalize(chr(code))) for code in block]
    for char, representative in NGram.CJK_MAP.items():
        chars[ord(char)] = ord(representative)
    return chars
