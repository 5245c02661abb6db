"""chrF (Popović 2015): how alike a translation and a reference are, by runs of characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.codepoints import characters

ORDER = 6  # longest run
BETA = 2.0  # recall counts for twice as much as precision
_PRIMES = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)
_TOGETHER = 2000  # pairs looked at at once: their runs take some tens of megabytes


def chrf(translations: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """How alike each translation and its reference are, 0…100: sacrebleu's sentence_chrf.

    White space is left out; the mean of precision and recall is over the orders that both have.

    Args:
        translations: n texts.
        references: n texts.

    Returns:
        float64 [n].

    >>> chrf(["the cat sat", "a dog"], ["the cat sat", "قطة"]).tolist()
    [100.0, 0.0]
    """
    made = [
        _some(translations[at : at + _TOGETHER], references[at : at + _TOGETHER])
        for at in range(0, len(translations), _TOGETHER)
    ]
    return np.concatenate([np.zeros(0), *made])


def _some(translations: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    n = len(translations)
    sides = [
        characters(pl.Series(texts, dtype=pl.String).str.replace_all(r"\s", ""))
        for texts in (translations, references)
    ]
    precision, recall, orders = np.zeros(n), np.zeros(n), np.zeros(n)
    for order in range(1, ORDER + 1):
        first, second = (_runs(codes, texts, order) for codes, texts in sides)
        # a run stands for itself and its text: equal keys are equal runs of one pair
        keys = np.union1d(np.unique(first[0]), np.unique(second[0]))
        counts = [np.bincount(np.searchsorted(keys, key), minlength=len(keys)) for key, _ in
                  (first, second)]  # fmt: skip
        owner = np.zeros(len(keys), np.int64)
        for key, text in (first, second):
            owner[np.searchsorted(keys, key)] = text
        match = np.bincount(owner, np.minimum(*counts), minlength=n)
        said, wanted = (np.bincount(text, minlength=n) for _, text in (first, second))
        both = (said > 0) & (wanted > 0)
        precision[both] += match[both] / said[both]
        recall[both] += match[both] / wanted[both]
        orders += both
    p, r = precision / np.maximum(orders, 1), recall / np.maximum(orders, 1)
    return 100 * (1 + BETA**2) * p * r / np.maximum(BETA**2 * p + r, 1e-300)


def _runs(
    codes: NDArray[np.uint64], texts: NDArray[np.int64], order: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """A 64-bit hash of each run of `order` characters inside one text, and the text's number."""
    count = max(len(codes) - order + 1, 0)
    inside = texts[:count] == texts[order - 1 : order - 1 + count]
    key = texts[:count].astype(np.uint64) * np.uint64(_PRIMES[1])
    for at in range(order):
        key = (key ^ codes[at : at + count]) * np.uint64(_PRIMES[0])
        key ^= key >> np.uint64(29)
    return key[inside], texts[:count][inside]
