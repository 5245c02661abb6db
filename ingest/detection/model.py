"""The likelihood of a text in each language of a script, from profiles and letter counts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest.detection import letter_counts, profiles
from ingest.detection.letter_folding import dropped_chars
from ingest.detection.ngram_table import NATS, SuffixTable
from ingest.detection.rules import candidate_languages, rare_languages
from ingest.detection.text_batch import BMP, decode_batch, drop_chars

if TYPE_CHECKING:
    import polars as pl

    from ingest._typing import F64, Bools

# Fitted on the dev fragments, where accuracy is flat over 0.3…0.6 and 5…8.
PROFILE_WEIGHT = 0.5  # of langdetect's n-grams, relative to the letter counts
RARE = 7.0  # nats against a language that few pages are in, before tempering
# N-grams overlap, so their evidence is not independent. Fitted to the errors on dev fragments.
TEMPER = 0.35
_WITH_COUNTS = ("Latn", "Arab")
_MAX_CASED = 0x2C00


class ScriptModel(NamedTuple):
    """The tables of one script.

    Attributes:
        profiles: langdetect's n-grams.
        counts: letter n-grams; None if the script has no letter counts.
        counted: columns of the languages that have letter counts.
        rare: columns of the languages that few pages are in.
    """

    profiles: SuffixTable
    counts: SuffixTable | None
    counted: list[int]
    rare: list[int]


@lru_cache(None)
def load_model(script: str) -> ScriptModel:
    """Load the model of one script, on first use.

    Raises:
        ModelError: a file of the model is missing or damaged.
    """
    langs = candidate_languages(script)
    table = profiles.build_table([profiles.load_profile(lang) for lang in langs])
    rare = [langs.index(lang) for lang in rare_languages(script)]
    if script not in _WITH_COUNTS:
        return ScriptModel(table, None, [], rare)
    counts = letter_counts.load_counts(script)
    counted = [langs.index(lang) for lang in counts.langs]
    return ScriptModel(table, letter_counts.build_table(counts), counted, rare)


def log_likelihood(script: str, texts: pl.Series) -> F64:
    """Compute the log likelihood of each text in each candidate language of a script.

    For text t and language l: TEMPER * (PROFILE_WEIGHT * P(t, l) + C(t, l) - RARE if l is rare).
    P is the sum over n-grams of `profiles.build_table`, C the sum over letters of
    `letter_counts.build_table`. For a language without letter counts, C is the best of the others.

    Returns:
        float64 [candidates, texts].
    """
    model = load_model(script)
    batch = decode_batch(texts)
    upper = _upper_chars().take(batch.codes)
    skip = np.zeros(len(upper), dtype=bool)
    # langdetect's rule for capitals: no n-gram ends at the second of two capitals
    skip[1:] = upper[1:] & upper[:-1]
    out: F64 = model.profiles.sums(batch, skip=skip).astype(np.float64)
    out *= PROFILE_WEIGHT
    if model.counts is not None:
        letter_sums = model.counts.sums(drop_chars(batch, _dropped_chars()))
        spelling = np.repeat(letter_sums.max(axis=0, keepdims=True), len(out), axis=0)
        spelling[model.counted] = letter_sums
        out += spelling
    out[model.rare] -= RARE * NATS
    out *= TEMPER / NATS
    return out


@lru_cache(1)
def _dropped_chars() -> Bools:
    return dropped_chars()


@lru_cache(1)
def _upper_chars() -> Bools:
    """Capitals: bool [BMP]. No script with case that a model covers lies beyond _MAX_CASED."""
    out = np.zeros(BMP, dtype=bool)
    out[:_MAX_CASED] = [chr(c).isupper() for c in range(_MAX_CASED)]
    return out
