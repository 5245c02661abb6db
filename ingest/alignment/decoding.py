"""Sentences of two texts that translate each other: beads, their scores and their evidence."""

from __future__ import annotations

import json
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest.alignment.beads import NULLS, TYPES, Band, PathSearch
from ingest.alignment.char_ngrams import append_vectors
from ingest.alignment.coarse import MAX_IN_MEMORY, find_band
from ingest.alignment.evidence import FEATURE_NAMES, Evidence, diagonal_chunks
from ingest.alignment.features import BEAD_FEATURES
from ingest.alignment.lines import index_lines
from ingest.alignment.posteriors import narrow_to_path, path_posteriors
from ingest.alignment.spans import Side
from ingest.encoder.lexicon import lexicon
from ingest.encoder.tokens import Lines
from ingest.errors import ModelError
from ingest.io.scratch import RowStore
from ingest.languages import DENSITY
from ingest.resources import model_dir

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ingest._typing import F32
    from ingest.alignment.beads import Bead
    from ingest.alignment.char_ngrams import Encode

_LINES = 1 << 14  # lines encoded at once
_MAX_SCORES = 1 << 26  # bytes of scores in memory; more go to a temporary file

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


def prepare_side(
    texts: list[str], lang: str, encode: Encode, *, at_once: int | None = None
) -> Side:
    """Index and encode the lines of one side, at most `at_once` of them per call of `encode`."""
    lines = Lines(texts)
    step = at_once or max(len(lines), 1)
    rows = encode(lines.part(0, step))
    vectors = RowStore(rows.shape[1], np.float32, max_in_memory=MAX_IN_MEMORY)
    vectors.append(rows)
    for first in range(step, len(lines), step):
        vectors.append(encode(lines.part(first, first + step)))
    return Side(index_lines(lines, lexicon()), vectors, DENSITY.get(lang, 1.0))


def choose_band(source: Side, target: Side) -> Band:
    """Return the cells to consider: all of a short document, those near the path in a long one."""
    vectors = source.vectors.read, target.vectors.read
    return find_band(*vectors, (source.lines.size, target.lines.size))


def align_sentences(
    source: list[str],
    target: list[str],
    *,
    langs: tuple[str, str],
    encode: Encode,
    extra: Mapping[str, Encode] | None = None,
    weights: Weights | None = None,
) -> Iterator[AlignedSpan]:
    """Yield the pairs of lines of two texts, in order; a line in no pair has no counterpart.

    The two sides are processed in a canonical order, the shorter first, so that swapping them swaps
    the result and changes nothing else. Lines without a letter or digit never have a counterpart.

    Args:
        source: the lines.
        target: the lines of the other side.
        langs: ISO 639-1 codes of both.
        encode: returns an additive vector for each text, [texts, dimensions]. Without `extra`, it
            is called for some thousands of lines at a time.
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
        return
    beads, scores, features, ratios = _score_path(sides, kept, encode, extra, weights)
    names = [BEAD_FEATURES.index(name) for name in _COLUMNS]
    for (i, j, kind), score, values, ratio in zip(
        beads, scores, features[names].T, ratios, strict=True
    ):
        a, b = TYPES[kind]
        numbers = (kept[0][i : i + a], kept[1][j : j + b])
        evidence = dict(zip(_COLUMNS, values.tolist(), strict=True))
        evidence["length"] = ratio
        if swap:
            numbers = numbers[::-1]
            evidence["length"] = 1 / evidence["length"]
        yield AlignedSpan(*numbers, score, evidence)


def _collect_evidence(
    sides: list[tuple[list[str], str]],
    kept: list[list[int]],
    encode: Encode,
    extra: Mapping[str, Encode] | None,
) -> Evidence:
    """Compare the lines that are kept. The vectors are dropped then: those of a book are large."""
    with ExitStack() as stack:
        prepared = []
        for (texts, lang), lines in zip(sides, kept, strict=True):
            # The vectors that `extra` appends depend on all texts.
            encode_side = append_vectors(encode, extra, lang) if extra else encode
            chosen = [texts[i] for i in lines]
            at_once = None if extra else _LINES
            prepared.append(prepare_side(chosen, lang, encode_side, at_once=at_once))
            stack.callback(prepared[-1].vectors.close)
        band = choose_band(prepared[0], prepared[1])
        return Evidence(prepared[0], prepared[1], lexicon(), band)


def _score_path(
    sides: list[tuple[list[str], str]],
    kept: list[list[int]],
    encode: Encode,
    extra: Mapping[str, Encode] | None,
    weights: Weights,
) -> tuple[list[Bead], list[float], F32, list[float]]:
    """Find the beads of the best path except nulls, and score them.

    Returns:
        The beads, their scores, their features: float32 [len(BEAD_FEATURES), beads], and the
        ratios of their lengths.
    """
    evidence = _collect_evidence(sides, kept, encode, extra)
    band = evidence.band
    with RowStore(len(TYPES) * band.width, np.float32, max_in_memory=_MAX_SCORES) as store:
        search, nulls = PathSearch(band), evidence.null_scores(weights.first)
        for first, last in diagonal_chunks(band):
            exact, half = evidence.scores(first, last, weights.evidence, weights.first)
            store.append(exact.reshape(last - first, -1))
            evidence.add_nulls(half, first, nulls)
            search.advance(half)
        evidence.learn_nulls(search.path())
        nulls = evidence.null_scores(weights.evidence)

        def read_scores(first: int, last: int) -> F32:
            scores: F32 = store.read(first, last).reshape(last - first, len(TYPES), band.width)
            evidence.add_nulls(scores, first, nulls)
            return scores

        search = PathSearch(band)
        for first, last in diagonal_chunks(band):
            search.advance(read_scores(first, last))
        path = search.path()
        beads = [bead for bead in path if bead.type >= NULLS]
        if not beads:
            return [], [], np.zeros((len(BEAD_FEATURES), 0), np.float32), []
        probabilities = path_posteriors(beads, *narrow_to_path(path, read_scores, band))
    features = evidence.bead_features(beads)
    calibrated = calibrate(probabilities, features, weights.score)
    return beads, calibrated, features, evidence.length_ratios(beads)


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
