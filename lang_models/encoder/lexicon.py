"""Choose the features that get a row, and list the features of all words as a sparse matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ingest.encoder.words import BUCKETS, bucket, features, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

# Minimum number of occurrences of a feature, and of different words that have it.
TOKENS = {"w": 5, "s": 4, "p": 50, "g": 30, "k": 4, "k3": 10, "n": 5}
TYPES = {"w": 1, "s": 1, "p": 5, "g": 8, "k": 2, "k3": 2, "n": 1}
# A word has many features of these kinds: their sum is divided by the square root of their number.
SEVERAL = ("g", "k3")


@dataclass(frozen=True)
class Lexicon:
    """Features with a row, most frequent first within a kind, and how often each was seen."""

    names: list[str]
    seen: NDArray[np.int64]

    @property
    def counts(self) -> dict[str, int]:
        """Counts of words and stems, as `ingest.encoder.words.features` needs them."""
        seen = zip(self.names, self.seen.tolist(), strict=True)
        return {name: n for name, n in seen if name[:2] in ("w:", "s:")}


def build_lexicon(vocabulary: list[str], seen: NDArray[np.int64]) -> Lexicon:
    """Build the lexicon of a training text from its words and how often each was seen."""
    stems: Counter[str] = Counter()
    for word, n in zip(vocabulary, seen.tolist(), strict=True):
        if word[0].isalpha():
            stems[f"s:{split(word[:40], {})[1]}"] += n
    known: Mapping[str, int] = stems | {
        f"w:{w}": n for w, n in zip(vocabulary, seen.tolist(), strict=True)
    }
    tokens: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for word, n in zip(vocabulary, seen.tolist(), strict=True):
        for name in set(features(word, known)):
            tokens[name] += n
            types[name] += 1
    kept = [f for f, n in tokens.items() if n >= TOKENS[_kind(f)] and types[f] >= TYPES[_kind(f)]]
    kept.sort(key=lambda f: (_kind(f), -tokens[f], f))
    rows = [(f, known.get(f, tokens[f])) for f in kept]
    rows += [(f"#{kind}{i}", 1) for kind in "kn" for i in range(BUCKETS)]
    return Lexicon([f for f, _ in rows], np.array([n for _, n in rows]))


def feature_matrix(
    vocabulary: Iterable[str], lexicon: Lexicon
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows of all words, the start of each word (words + 1 entries), and the weights."""
    number = {name: i for i, name in enumerate(lexicon.names)}
    counts = lexicon.counts
    flat: list[int] = []
    weight: list[float] = []
    starts = [0]
    for word in vocabulary:
        names = [n if n in number else bucket(n) for n in features(word, counts)]
        names = [n for n in names if n in number]
        several = {kind: sum(_kind(n) == kind for n in names) for kind in SEVERAL}
        flat += [number[n] for n in names]
        weight += [several.get(_kind(n), 1) ** -0.5 for n in names]
        starts.append(len(flat))
    return np.array(flat), np.array(starts), np.array(weight, dtype=np.float32)


def _kind(name: str) -> str:
    return name.partition(":")[0] if name[0] != "#" else name[1]
