"""Learn `weights.json`, the weights of the evidence for beads, from documents with known beads.

    python -m lang_models.align.fit --bench ../shared/bench/align \
        --parallel ../shared/parallel [--folds 5]

The model is a conditional random field over alignments: the probability of an alignment is
proportional to exp(weighted evidence of its beads). Gradient ascent maximizes the likelihood with a
penalty on large weights. Training uses each document as it is, merged (spans of up to eight lines),
with words dropped, and with foreign lines inserted; and documents made from sentence pairs whose
sides are cut differently, as in novels. This variety keeps the weights from fitting one condition.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.alignment.beads import NEVER, NULLS, TYPES, Band, best_path
from ingest.alignment.decoding import choose_band, prepare_side
from ingest.alignment.evidence import FEATURE_NAMES, Evidence
from ingest.alignment.features import BEAD_FEATURES
from ingest.alignment.posteriors import batch_posteriors, posteriors
from ingest.encoder.lexicon import lexicon
from lang_models.align.documents import Document, Gold, free_documents, read_bench, with_copies

HERE = Path(__file__).resolve().parent
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def split_nulls(beads: Gold) -> Gold:
    """Split nulls of several lines into nulls of one line; the beads stay in order."""
    out: Gold = []
    for a, b in beads:
        if a and b:
            out.append((a, b))
        else:
            out += [([i], []) for i in a] + [([], [j]) for j in b]
    return out


class Example(NamedTuple):
    """A document with its evidence."""

    document: Document
    swap: bool
    features: F32  # [features, existing beads]
    where: NDArray[np.int64]  # flat index of these beads in [diagonals, types, width]
    shape: tuple[int, int, int]
    band: Band
    gold: F64  # sum of the features of the gold beads
    evidence: Evidence
    cells: NDArray[np.int64]  # flat index of the gold beads


def prepare(document: Document, encode: Callable[[list[str]], F32]) -> Example:
    """Compute the evidence of a document, the shorter side first."""
    swap = len(document.ar) > len(document.en)
    sides = [prepare_side(document.ar, "ar", encode), prepare_side(document.en, "en", encode)]
    beads = split_nulls(document.beads)
    if swap:
        sides.reverse()
        beads = [(b, a) for a, b in beads]
    band = choose_band(sides[0], sides[1])
    evidence = Evidence(sides[0], sides[1], lexicon(), band)
    exists = evidence.bead_mask()
    full = evidence.features()
    where = np.flatnonzero(exists)
    features = full.reshape(len(FEATURE_NAMES), -1)[:, where]
    cells = []
    kinds = {t: x for x, t in enumerate(TYPES)}
    i = j = 0
    for a, b in beads:
        i, j = i + len(a), j + len(b)
        column = i - band.low[i + j]
        kind = kinds.get((len(a), len(b)))
        if kind is not None and 0 <= column < band.width:
            cells.append(((i + j) * len(TYPES) + kind) * band.width + column)
    gold = full.reshape(len(FEATURE_NAMES), -1)[:, cells].sum(axis=1)
    d, types, width = exists.shape
    return Example(
        document, swap, features, where, (d, types, width), band, gold, evidence, np.array(cells)
    )


RATES = [FEATURE_NAMES.index("null_rate"), FEATURE_NAMES.index("null_near")]


def with_null_rates(example: Example, first: F64) -> Example:
    """Update the features of nulls from a first pass with the weights `first`."""
    example.evidence.learn_nulls(best_path(scores(example, first), example.band))
    d, types, width = example.shape
    full = np.zeros((2, d, types, width), np.float32)
    i, j = example.band.cells(0, d)
    for t, (at, last) in enumerate(((i, example.band.n), (j, example.band.m))):
        values = np.pad(example.evidence.null_rates[t], ((0, 0), (1, 0)))
        full[:, :, t] = values[:, np.clip(at, 0, last)]
    features = example.features.copy()
    features[RATES] = full.reshape(2, -1)[:, example.where]
    gold = example.gold.copy()
    gold[RATES] = full.reshape(2, -1)[:, example.cells].sum(axis=1)
    return example._replace(features=features, gold=gold)


def scores(example: Example, weights: F64) -> F32:
    """Compute the scores of all beads: [diagonals, types, width]."""
    out = np.full(int(np.prod(example.shape)), NEVER, np.float32)
    out[example.where] = weights.astype(np.float32) @ example.features
    return out.reshape(example.shape)


def decode(example: Example, weights: F64) -> list[list[list[int]]]:
    """Align an example: beads in the scorer's format, Arabic first."""
    out = []
    for bead in best_path(scores(example, weights), example.band):
        if bead.type < NULLS:
            continue
        a, b = TYPES[bead.type]
        s, t = list(range(bead.i, bead.i + a)), list(range(bead.j, bead.j + b))
        out.append([t, s] if example.swap else [s, t])
    return out


def batches(examples: Sequence[Example], size: int = 24) -> list[list[Example]]:
    """Group examples of similar size."""
    out: list[list[Example]] = []
    for e in sorted(examples, key=lambda e: e.shape[0]):
        if not out or len(out[-1]) == size or e.shape[0] > 1.4 * out[-1][0].shape[0]:
            out.append([])
        out[-1].append(e)
    return out


# Original documents count for more than altered copies.
WEIGHT = {"clean": 1.5, "merge": 2.0, "noisy": 3.0, "long": 3.0}


def gradient(batch: Sequence[Example], weights: F64) -> F64:
    """Compute the gradient of the log likelihood of a batch."""
    length, width = (max(e.shape[x] for e in batch) for x in (0, 2))
    padded = np.full((len(batch), length, len(TYPES), width), NEVER, np.float32)
    low = np.zeros((len(batch), length), np.int64)
    inside = np.zeros((len(batch), length, width), bool)
    for x, e in enumerate(batch):
        d, _, w = e.shape
        padded[x, :d, :, :w] = scores(e, weights)
        low[x, :d], low[x, d:] = e.band.low, e.band.low[-1]
        inside[x, :d, :w] = e.band.inside(0, d)
    probabilities = batch_posteriors(padded, low, inside)
    total = np.zeros(len(FEATURE_NAMES))
    for x, e in enumerate(batch):
        d, _, w = e.shape
        expected = e.features @ probabilities[x, :d, :, :w].reshape(-1)[e.where]
        total += WEIGHT.get(e.document.cond, 1.0) * (e.gold - expected)
    return total


def learn(
    examples: Sequence[Example], steps: int = 60, decay: float = 2.0, start: F64 | None = None
) -> F64:
    """Learn weights with Adam (Kingma & Ba 2015) on the penalized likelihood."""
    if start is not None:
        return _ascend(examples, start.copy(), steps, decay)
    weights = np.zeros(len(FEATURE_NAMES))
    weights[FEATURE_NAMES.index("margin")] = 2.0
    weights[FEATURE_NAMES.index("words")] = 5.0
    weights[FEATURE_NAMES.index("length")] = -1.0
    weights[FEATURE_NAMES.index("null")] = 1.0
    for x in ("two", "three", "many", "two_two", "two_three"):
        weights[FEATURE_NAMES.index(x)] = -2.0
    return _ascend(examples, weights, steps, decay)


def _ascend(examples: Sequence[Example], weights: F64, steps: int, decay: float) -> F64:
    groups = batches(examples)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    total = sum(len(e.document.beads) for e in examples)
    for step in range(1, steps + 1):
        g = sum(gradient(b, weights) for b in groups) - decay * weights
        g = g / total
        first = 0.9 * first + 0.1 * g
        second = 0.99 * second + 0.01 * g * g
        rate = 0.25 * (1 - step / (steps + 1)) + 0.01
        weights += rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-6)
    return weights


def learn_both(examples: Sequence[Example], steps: int = 60) -> tuple[F64, F64]:
    """Learn the weights of the first pass and of the second."""
    first = learn(examples, steps=steps * 2 // 3)
    updated = [with_null_rates(e, first) for e in examples]
    return first, learn(updated, steps=steps, start=first)


class Judged(NamedTuple):
    """A pair of the best path: the inputs of its score, and whether it is right."""

    odds: float
    margin: float
    words: float
    right: bool


def judge(example: Example, weights: F64) -> list[Judged]:
    """Align an example and judge its pairs."""
    gold = {(tuple(a), tuple(b)) for a, b in example.document.beads}
    bead_scores = scores(example, weights)
    path = [b for b in best_path(bead_scores, example.band) if b.type >= NULLS]
    probabilities = posteriors(bead_scores, example.band)
    values = example.evidence.bead_features(path) if path else np.zeros((len(BEAD_FEATURES), 0))
    out = []
    for bead, value in zip(path, values.T, strict=True):
        a, b = TYPES[bead.type]
        k = bead.i + a + bead.j + b
        p = float(probabilities[k, bead.type, bead.i + a - example.band.low[k]])
        p = min(max(p, 1e-6), 1 - 1e-6)
        pair = (tuple(range(bead.i, bead.i + a)), tuple(range(bead.j, bead.j + b)))
        if example.swap:
            pair = (pair[1], pair[0])
        out.append(Judged(float(np.log(p / (1 - p))), float(value[BEAD_FEATURES.index("margin")]),
                          float(value[BEAD_FEATURES.index("words")]), pair in gold))  # fmt: skip
    return out


def fit_scores(pairs: Sequence[Judged]) -> list[float]:
    """Fit the offset and slopes of `calibrate`: logistic regression by Newton's method."""
    x = np.array([(1.0, p.odds, p.margin, p.words) for p in pairs])
    y = np.array([p.right for p in pairs], float)
    slopes = np.array([0.0, 1.0, 0.0, 0.0])
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ slopes))
        step = x.T @ (y - p) - 0.1 * (slopes - (0, 1, 0, 0))
        slopes += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + 0.1 * np.eye(4), step)
    return [round(float(v), 4) for v in slopes]


def main() -> None:
    """Cross-validate, then learn from all documents and write the weights."""
    from ingest.encoder.model import Encoder

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bench", type=Path, required=True, help="folder of documents with beads")
    parser.add_argument(
        "--parallel", type=Path, required=True, help="folder of english<TAB>arabic files"
    )
    parser.add_argument("--folds", type=int, default=4, help="folds of cross-validation")
    parser.add_argument("--steps", type=int, default=60, help="steps of gradient ascent")
    parser.add_argument("--out", type=Path, help="folder for the beads found in cross-validation")
    args = parser.parse_args()
    encode = Encoder.load().encode_sums
    documents = with_copies(read_bench(args.bench)) + free_documents(args.parallel)
    examples = [prepare(document, encode) for document in documents]
    # Mismatched documents calibrate the scores. Learning weights from them costs right pairs.
    learned = [e for e in examples if e.document.cond != "strangers"]
    groups = sorted({e.document.group for e in examples if e.document.cond != "long"})
    pairs: list[Judged] = []
    for fold in range(args.folds):
        held_out = set(groups[fold :: args.folds])
        training = [
            e for e in learned if e.document.group not in held_out and e.document.cond != "long"
        ]
        first, last = learn_both(training, args.steps)
        # `long` consists of the same stories: judge it once, by weights that saw most of them.
        for e in examples:
            if e.document.group in held_out or (e.document.cond == "long" and fold == 0):
                updated = with_null_rates(e, first)
                pairs += judge(updated, last)
                if args.out:
                    folder = args.out / e.document.cond
                    folder.mkdir(parents=True, exist_ok=True)
                    path = folder / f"{e.document.group}.json"
                    path.write_text(json.dumps(decode(updated, last)))
    first, last = learn_both(learned, args.steps)
    if not pairs:
        pairs = [p for e in examples for p in judge(with_null_rates(e, first), last)]
    weights = {
        "evidence": {n: round(float(v), 4) for n, v in zip(FEATURE_NAMES, last, strict=True)},
        "first": {n: round(float(v), 4) for n, v in zip(FEATURE_NAMES, first, strict=True)},
        "score": fit_scores(pairs),
    }
    (HERE / "weights.json").write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
