"""Sentences of two texts that translate one another: beads, their scores and their evidence."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest.alignment import coarse
from ingest.alignment.beads import NULLS, TYPES, Band, best_path, chances, near
from ingest.alignment.char_ngrams import beside
from ingest.alignment.evidence import NAMES, Evidence
from ingest.alignment.features import BEAD
from ingest.alignment.lines import units
from ingest.alignment.spans import Side
from ingest.encoder.lexicon import lexicon
from ingest.encoder.tokens import Lines
from ingest.errors import ModelError
from ingest.languages import DENSITY
from ingest.resources import model_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ingest.alignment.char_ngrams import Encode

    F32 = NDArray[np.float32]

_KEPT = ("cosine", "margin", "words", "names", "names_missed", "numbers", "numbers_missed")


class AlignedSpan(NamedTuple):
    """One pair: line numbers of both sides, its score 0…1, and what speaks for it."""

    source: list[int]
    target: list[int]
    score: float
    evidence: dict[str, float]


class Weights(NamedTuple):
    """What was learned.

    `evidence`: a weight for each name of `evidence.NAMES`; `first`: those of a first pass that
    tells how many lines have no counterpart; `score`: the scale of scores.
    """

    evidence: F32
    first: F32
    score: tuple[float, ...]

    @classmethod
    def load(cls) -> Weights:
        """Read `weights.json` as `lang_models.align.fit` writes it.

        Raises:
            ModelError: it is missing or damaged.
        """
        path = model_dir("align") / "weights.json"
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            last, first = (
                np.array([held[part][name] for name in NAMES], np.float32)
                for part in ("evidence", "first")
            )
            return cls(last, first, tuple(held["score"]))
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(f"{path}: {error!r}") from error


@cache
def weights() -> Weights:
    """The weights that ship with ingest."""
    return Weights.load()


def side(texts: list[str], lang: str, encode: Encode) -> Side:
    """Look at the lines of one side."""
    lines = Lines(texts)
    return Side(units(lines, lexicon()), encode(lines), DENSITY.get(lang, 1.0))


def band(source: Side, target: Side) -> Band:
    """The cells worth a look: all of a short document, near the path in a long one."""
    return coarse.band(source.sums, target.sums)


def align_sentences(
    source: list[str],
    target: list[str],
    *,
    langs: tuple[str, str],
    encode: Encode,
    extra: Mapping[str, Encode] | None = None,
    learned: Weights | None = None,
) -> list[AlignedSpan]:
    """The pairs of two lists of lines, in order; a line that is in none has no counterpart.

    The sides are looked at in an order of their own, the shorter first, so that swapping them
    swaps the result and nothing else. Lines without a letter or digit never have a counterpart.

    Args:
        source: the lines.
        target: those of the other side.
        langs: ISO 639-1 of both.
        encode: sums of vectors of each text, [texts, dimensions].
        extra: by language, further sums to set beside those.
        learned: other weights than those that ship.
    """
    learned = learned or weights()
    sides = [(source, langs[0]), (target, langs[1])]
    swap = (len(target), langs[1], target) < (len(source), langs[0], source)
    if swap:
        sides.reverse()
    kept = [[i for i, t in enumerate(texts) if any(map(str.isalnum, t))] for texts, _ in sides]
    if not all(kept):
        return []
    made = [
        side([texts[i] for i in lines], lang, beside(encode, extra, lang) if extra else encode)
        for (texts, lang), lines in zip(sides, kept, strict=True)
    ]
    found = []
    for (i, j, kind), p, values, length in _judged(made, learned):
        a, b = TYPES[kind]
        both = (kept[0][i : i + a], kept[1][j : j + b])
        named = dict(zip(BEAD, values.tolist(), strict=True))
        named = {name: named[name] for name in _KEPT}
        named["length"] = length
        if swap:
            both = both[::-1]
            named["length"] = 1 / named["length"]
        found.append(AlignedSpan(*both, p, named))
    return found


def _judged(
    made: list[Side], learned: Weights
) -> list[tuple[tuple[int, int, int], float, F32, float]]:
    """The beads of the best path that are no nulls: bead, score, values of BEAD, ratio of lengths.

    `made` is emptied, so that the vectors of a book need not be held to the end.
    """
    grid = band(made[0], made[1])
    evidence = Evidence(made[0], made[1], lexicon(), grid)
    made.clear()
    scores, first = evidence.scores(learned.evidence, learned.first)
    evidence.score_nulls(first, learned.first)
    evidence.learn_nulls(best_path(first, grid))
    del first
    evidence.score_nulls(scores, learned.evidence)
    whole = best_path(scores, grid)
    path = [bead for bead in whole if bead.type >= NULLS]
    if not path:
        return []
    scores, grid = near(whole, scores, grid)
    chance = chances(path, scores, grid)
    del scores
    values = evidence.of(path)
    ratios = evidence.ratios(path)
    scored = calibrated(chance, values, learned.score)
    return list(zip(path, scored, values.T, ratios, strict=True))


def calibrated(chance: F32, values: F32, scale: tuple[float, ...]) -> list[float]:
    """Scores 0…1 of beads from their posterior probability and their evidence.

    `scale` is (offset, slope of the log odds, slope of the margin, slope of the words): a logistic
    regression (Platt 1999) of whether a bead was right.
    """
    p = np.clip(chance.astype(np.float64), 1e-6, 1 - 1e-6)
    odds = np.log(p / (1 - p))
    offset, slope, margin, words = scale
    margins = values[BEAD.index("margin")]
    total = offset + slope * odds + margin * margins + words * values[BEAD.index("words")]
    return [float(x) for x in 1 / (1 + np.exp(-total))]
