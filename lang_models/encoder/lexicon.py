"""Which features get a row, and the features of every training word as one sparse matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ingest.encoder.words import BUCKETS, bucket, features, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

# How often the words of a feature are seen at least, and in how many different words it stands.
TOKENS = {"w": 5, "s": 4, "p": 50, "g": 30, "k": 4, "k3": 10, "n": 5}
TYPES = {"w": 1, "s": 1, "p": 5, "g": 8, "k": 2, "k3": 2, "n": 1}
SEVERAL = ("g", "k3")  # a word has many of these: their sum is divided by the root of their number


@dataclass(frozen=True)
class Lexicon:
    """The features with a row, most frequent first within a kind, and how often each was seen."""

    names: list[str]
    seen: NDArray[np.int64]

    @property
    def counts(self) -> dict[str, int]:
        """What `ingest.encoder.words.features` asks for: words and stems only."""
        both = zip(self.names, self.seen.tolist(), strict=True)
        return {name: n for name, n in both if name[:2] in ("w:", "s:")}


def make(vocabulary: list[str], seen: NDArray[np.int64]) -> Lexicon:
    """The lexicon of a training text, given its words and how often each was seen."""
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


def matrix(
    vocabulary: Iterable[str], lexicon: Lexicon
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Rows of each word, where each word's begin (one longer than words), and their weights."""
    number = {name: i for i, name in enumerate(lexicon.names)}
    counts = lexicon.counts
    flat: list[int] = []
    weight: list[float] = []
    starts = [0]
    for word in vocabulary:
        found = [n if n in number else bucket(n) for n in features(word, counts)]
        found = [n for n in found if n in number]
        several = {kind: sum(_kind(n) == kind for n in found) for kind in SEVERAL}
        flat += [number[n] for n in found]
        weight += [several.get(_kind(n), 1) ** -0.5 for n in found]
        starts.append(len(flat))
    return np.array(flat), np.array(starts), np.array(weight, dtype=np.float32)


def _kind(name: str) -> str:
    return name.partition(":")[0] if name[0] != "#" else name[1]
