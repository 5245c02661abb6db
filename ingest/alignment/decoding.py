"""Sentences of two texts that translate each other: beads, their scores and their evidence."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest.alignment.beads import NULLS, TYPES, Band, best_path, narrow_to_path, path_posteriors
from ingest.alignment.char_ngrams import append_vectors
from ingest.alignment.coarse import find_band
from ingest.alignment.evidence import FEATURE_NAMES, Evidence
from ingest.alignment.features import BEAD_FEATURES
from ingest.alignment.lines import index_lines
from ingest.alignment.spans import Side
from ingest.encoder.lexicon import lexicon
from ingest.encoder.tokens import Lines
from ingest.errors import ModelError
from ingest.languages import DENSITY
from ingest.resources import model_dir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingest._typing import F32
    from ingest.alignment.char_ngrams import Encode

# features that become columns of the pairs frame
_COLUMNS = ("cosine", "margin", "words", "names", "names_missed", "numbers", "numbers_missed")


class AlignedSpan(NamedTuple):
    """One pair: line numbers of both sides, a score 0…1, and the evidence for it."""

    source: list[int]
    target: list[int]
    score: float
    evidence: dict[str, float]


class Weights(NamedTuple):
    """Learned weights.

    Attributes:
        evidence: one weight for each of `evidence.FEATURE_NAMES`.
        first: weights of a first pass, which estimates how many lines have no counterpart.
        score: coefficients that turn a posterior into a score; see `calibrate`.
    """

    evidence: F32
    first: F32
    score: tuple[float, ...]

    @classmethod
    def load(cls) -> Weights:
        """Read `weights.json` as `lang_models.align.fit` writes it.

        Raises:
            ModelError: the file is missing or damaged.
        """
        path = model_dir("align") / "weights.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            second, first = (
                np.array([content[part][name] for name in FEATURE_NAMES], np.float32)
                for part in ("evidence", "first")
            )
            return cls(second, first, tuple(content["score"]))
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(
                f"{path}: cannot be loaded ({error!r}); rebuild or reinstall it"
            ) from error


@cache
def load_weights() -> Weights:
    """Load the weights that ship with ingest."""
    return Weights.load()


def prepare_side(texts: list[str], lang: str, encode: Encode) -> Side:
    """Index and encode the lines of one side."""
    lines = Lines(texts)
    return Side(index_lines(lines, lexicon()), encode(lines), DENSITY.get(lang, 1.0))


def choose_band(source: Side, target: Side) -> Band:
    """Return the cells to consider: all of a short document, those near the path in a long one."""
    return find_band(source.sums, target.sums)


def align_sentences(
    source: list[str],
    target: list[str],
    *,
    langs: tuple[str, str],
    encode: Encode,
    extra: Mapping[str, Encode] | None = None,
    weights: Weights | None = None,
) -> list[AlignedSpan]:
    """Pair the lines of two texts, in order; a line in no pair has no counterpart.

    The two sides are processed in a canonical order, the shorter first, so that swapping them swaps
    the result and changes nothing else. Lines without a letter or digit never have a counterpart.

    Args:
        source: the lines.
        target: the lines of the other side.
        langs: ISO 639-1 codes of both.
        encode: returns an additive vector for each text, [texts, dimensions].
        extra: for each language, a function that returns further vectors to append.
        weights: the weights to use instead of the shipped ones.
    """
    weights = weights or load_weights()
    sides = [(source, langs[0]), (target, langs[1])]
    swap = (len(target), langs[1], target) < (len(source), langs[0], source)
    if swap:
        sides.reverse()
    kept = [[i for i, t in enumerate(texts) if any(map(str.isalnum, t))] for texts, _ in sides]
    if not all(kept):
        return []
    prepared = [
        prepare_side(
            [texts[i] for i in lines],
            lang,
            append_vectors(encode, extra, lang) if extra else encode,
        )
        for (texts, lang), lines in zip(sides, kept, strict=True)
    ]
    spans = []
    for (i, j, kind), score, values, length in _score_path(prepared, weights):
        a, b = TYPES[kind]
        numbers = (kept[0][i : i + a], kept[1][j : j + b])
        features = dict(zip(BEAD_FEATURES, values.tolist(), strict=True))
        evidence = {name: features[name] for name in _COLUMNS}
        evidence["length"] = length
        if swap:
            numbers = numbers[::-1]
            evidence["length"] = 1 / evidence["length"]
        spans.append(AlignedSpan(*numbers, score, evidence))
    return spans


def _score_path(
    sides: list[Side], weights: Weights
) -> list[tuple[tuple[int, int, int], float, F32, float]]:
    """The beads of the best path except nulls: bead, score, values of BEAD_FEATURES, length ratio.

    Empties `sides`, so that the vectors of a book do not stay in memory to the end.
    """
    band = choose_band(sides[0], sides[1])
    evidence = Evidence(sides[0], sides[1], lexicon(), band)
    sides.clear()
    scores, first = evidence.scores(weights.evidence, weights.first)
    evidence.score_nulls(first, weights.first)
    evidence.learn_nulls(best_path(first, band))
    del first
    evidence.score_nulls(scores, weights.evidence)
    path = best_path(scores, band)
    beads = [bead for bead in path if bead.type >= NULLS]
    if not beads:
        return []
    scores, band = narrow_to_path(path, scores, band)
    probabilities = path_posteriors(beads, scores, band)
    del scores
    values = evidence.bead_features(beads)
    ratios = evidence.length_ratios(beads)
    calibrated = calibrate(probabilities, values, weights.score)
    return list(zip(beads, calibrated, values.T, ratios, strict=True))


def calibrate(probabilities: F32, values: F32, coefficients: tuple[float, ...]) -> list[float]:
    """Turn posterior probabilities of beads and their evidence into scores 0…1.

    `coefficients` are (offset, slope of the log odds, slope of the margin, slope of the words) of a
    logistic regression (Platt 1999) that predicts whether a bead is right.
    """
    p = np.clip(probabilities.astype(np.float64), 1e-6, 1 - 1e-6)
    odds = np.log(p / (1 - p))
    offset, slope, margin, words = coefficients
    margins = values[BEAD_FEATURES.index("margin")]
    total = offset + slope * odds + margin * margins + words * values[BEAD_FEATURES.index("words")]
    return [float(x) for x in 1 / (1 + np.exp(-total))]
