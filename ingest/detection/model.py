"""How likely each language of a script makes a text: langdetect's profiles and letter counts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.detection import letter_counts, letter_folding, profiles, symbols
from ingest.detection.ngram_table import NATS, SuffixTable
from ingest.detection.rules import candidates, rare

if TYPE_CHECKING:
    import polars as pl

# found on the dev fragments, where they are flat: 0.3…0.6, and 5…8
PROFILE_WEIGHT = 0.5  # of langdetect's n-grams, against 1 for the letter counts
RARE = 7.0  # nats against a language that pages are seldom in, before tempering
TEMPER = 0.35  # n-grams overlap and so repeat each other; fitted to the errors on dev fragments
_COUNTED = ("Latn", "Arab")
_CASED = 0x2C00
Scores = NDArray[np.float64]


class ScriptModel(NamedTuple):
    """The tables of one script; `core` are the columns of the languages with letter counts."""

    profiles: SuffixTable
    counts: SuffixTable | None
    core: list[int]
    rare: list[int]


@lru_cache(None)
def load(script: str) -> ScriptModel:
    """The model of one script, loaded on first use."""
    langs = candidates(script)
    table = profiles.table({lang: profiles.read(lang) for lang in langs})
    scarce = [langs.index(lang) for lang in rare(script)]
    if script not in _COUNTED:
        return ScriptModel(table, None, [], scarce)
    statistics = letter_counts.read(script)
    core = [langs.index(lang) for lang in statistics.langs]
    return ScriptModel(table, letter_counts.table(statistics), core, scarce)


def log_likelihood(script: str, texts: pl.Series) -> Scores:
    """Log likelihood of each text in each candidate of a script, with what is rare against it.

    For text t and language l: TEMPER * (PROFILE_WEIGHT * P(t, l) + C(t, l) - RARE if l is rare),
    P being the sum over n-grams of `profiles.table`, C that over letters of `letter_counts.table`.
    A language without letter counts is taken to spell as well as the best that has them.

    Returns:
        float64, (texts, candidates).
    """
    model = load(script)
    batch = symbols.decode(texts)
    upper = _upper()[batch.codes]
    silent = np.zeros(len(upper), dtype=bool)
    # langdetect's capital rule: nothing ends at the second capital in a row
    silent[1:] = upper[1:] & upper[:-1]
    sums = model.profiles.sums(batch, silent=silent)
    out: Scores = sums.astype(np.float64) * PROFILE_WEIGHT
    if model.counts is not None:
        counted = model.counts.sums(symbols.drop(batch, _dropped()))
        spelt = np.repeat(counted.max(axis=1, keepdims=True), out.shape[1], axis=1)
        spelt[:, model.core] = counted
        out += spelt
    out[:, model.rare] -= RARE * NATS
    out *= TEMPER / NATS
    return out


@lru_cache(1)
def _dropped() -> NDArray[np.bool_]:
    return letter_folding.dropped()


@lru_cache(1)
def _upper() -> NDArray[np.bool_]:
    """Capitals, bool of size BMP; no script with case that a model knows stands behind _CASED."""
    out = np.zeros(symbols.BMP, dtype=bool)
    out[:_CASED] = [chr(c).isupper() for c in range(_CASED)]
    return out
