"""Letter statistics of twelve languages: the table that sharpens langdetect's short profiles.

`lang_models/lid/<script>.npz` holds how often each letter n-gram (n up to 4, inside words, edges
included) stands in open text of each language. Here they become, at load, probabilities of a
letter after those before it, smoothed after Witten and Bell (1991, method C): an n-gram's count
plus, for each kind of letter seen after the same history, the probability after one letter less.
"""

from __future__ import annotations

from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ingest.detection.letter_folding import lookup
from ingest.detection.ngram_table import NATS, SPACE, UNKNOWN, Level, SuffixTable
from ingest.errors import ModelError
from ingest.resources import model_dir

Counts = NDArray[np.float64]


class Statistics(NamedTuple):
    """`langs` names the columns of `counts[k]` (n-grams, languages); `levels` start at bigrams."""

    langs: tuple[str, ...]
    alphabet: str
    levels: list[Level]
    counts: list[Counts]


def read(script: str) -> Statistics:
    """The counts of one script.

    Raises:
        ModelError: the file is missing or damaged.
    """
    path = model_dir("lid") / f"{script}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            orders = int(data["orders"])
            return Statistics(
                tuple(str(data["langs"]).split()),
                str(data["alphabet"]),
                [Level(data[f"parent{k}"], data[f"symbol{k}"]) for k in range(2, orders + 1)],
                [data[f"counts{k}"].astype(np.float64) for k in range(1, orders + 1)],
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelError(f"{path}: not a table of counts: {error}") from error


def probabilities(statistics: Statistics) -> list[Counts]:
    """P(last letter | letters before it): an array (n-grams, languages) for each order."""
    ones = statistics.counts[0]
    kinds = (ones > 0).sum(axis=0)
    out = [(ones + kinds / len(ones)) / (ones.sum(axis=0) + kinds)]
    suffix, keys = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    for level, count in zip(statistics.levels, statistics.counts[1:], strict=True):
        # the n-gram without its first symbol, one order lower
        if len(out) == 1:
            suffix = level.symbol.astype(np.int64)
            lower = out[0][suffix]
        else:
            wanted = suffix[level.parent - 1] * len(ones) + level.symbol
            found = np.searchsorted(keys, wanted)
            lower, suffix = out[-1][found], found + 1
        keys = level.parent * np.int64(len(ones)) + level.symbol
        total = _by_parent(level, count)
        kinds = _by_parent(level, (count > 0).astype(np.float64))
        out.append(
            np.where(total > 0, (count + kinds * lower) / np.maximum(total + kinds, 1), lower)
        )
    return out


def _by_parent(level: Level, values: Counts) -> Counts:
    """For each n-gram the sum over all that share its history; `level` is sorted by parent."""
    first = np.flatnonzero(np.diff(level.parent, prepend=-1))
    sizes = np.diff(first, append=len(level.parent))
    return np.repeat(np.add.reduceat(values, first, axis=0), sizes, axis=0)


def table(statistics: Statistics) -> SuffixTable:
    """Log probabilities as sums over the letters of a text."""
    logs = [np.log(p) for p in probabilities(statistics)]
    logs[0][[UNKNOWN, SPACE]] = 0.0  # a second space, or a letter of no alphabet, says nothing
    fixed = np.rint(np.concatenate(logs).T * NATS).astype(np.int32)
    symbols = lookup(statistics.alphabet)
    return SuffixTable(symbols, len(logs[0]), statistics.levels, fixed)
