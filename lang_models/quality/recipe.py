"""Rebuild `quality.npz`: what weighs the evidence for a pair, learned from good and spoilt pairs.

    python -m lang_models.quality.recipe --shared ../shared        # some minutes of one core

PyTorch is needed here only.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from ingest.encoder.model import Encoder
from ingest.scoring.evidence import measure_evidence
from ingest.scoring.fluency import Grammar, learn
from ingest.scoring.model import (
    FILE,
    LANGS,
    NAMES,
    Model,
    load,
    logits,
    packed,
    save,
    scaled,
    shaped,
    shipped_model,
)
from ingest.scoring.words import words
from lang_models.encoder import data as texts
from lang_models.quality import data
from lang_models.quality.damage import KINDS, Pair, Store
from lang_models.quality.measure import auc, reliability

HERE = Path(__file__).resolve().parent
CLASSES = 600
BACKGROUND = 128  # sentences a language
NETWORKS = 3
WIDTH, SECOND = 128, 32
EPOCHS = 14
BATCH = 512
HELD_SHARE = 0.4  # of the loss that falls on pairs the encoder has not seen
_MOST = 12_000  # pairs of a source from which grammars are learned
_CHUNK = 2048

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def measured(frame: pl.DataFrame, made: Model) -> F32:
    """The evidence for each pair of a frame: float32 [pairs, NAMES]."""
    out = []
    for some in frame.iter_slices(_CHUNK):
        langs = tuple(pl.repeat(lang, len(some), dtype=pl.String, eager=True) for lang in LANGS)
        out.append(
            measure_evidence(
                some["arabic"], some["english"], (langs[0], langs[1]), made, "langdetect-exact"
            )
        )
    return np.concatenate(out)


def grammars(pairs: dict[str, list[Pair]]) -> tuple[Grammar, Grammar]:
    """What follows what, in Arabic and in English."""
    rng = random.Random(5)
    some: list[Pair] = []
    for name, rows in pairs.items():
        if texts.SOURCES[name][0] != "terms":
            some += rng.sample(rows, min(len(rows), _MOST))
    found = words(pl.Series([a for _, a in some]), pl.Series([e for e, _ in some]))
    distinct = found.distinct.column
    return learn(found.first, distinct, CLASSES), learn(found.second, distinct, CLASSES)


def background(pairs: dict[str, list[Pair]]) -> tuple[F32, F32]:
    """Unit vectors of sentences of prose and chat, in Arabic and, of other pairs, in English."""
    rng = random.Random(6)
    names = [name for name in pairs if texts.SOURCES[name][0] in ("chat", "prose")]
    rows: list[Pair] = []
    while len(rows) < 2 * BACKGROUND:
        pair = rng.choice(pairs[rng.choice(names)])
        if 5 <= len(pair[0].split()) <= 40 and pair not in rows:
            rows.append(pair)
    encoder = Encoder.load()
    found = (
        encoder.encode([a for _, a in rows[:BACKGROUND]]),
        encoder.encode([e for e, _ in rows[BACKGROUND:]]),
    )
    return _stored(found[0]), _stored(found[1])


def _stored(vectors: F32) -> F32:
    rows = packed(vectors).astype(np.float32)
    unit: F32 = rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return unit


def train(inputs: F64, good: NDArray[np.bool_], weight: F64, seed: int) -> list[tuple[F64, F64]]:
    """One network."""
    torch.manual_seed(seed)
    x = torch.tensor(inputs, dtype=torch.float32)
    y = torch.tensor(good, dtype=torch.float32)
    w = torch.tensor(weight / weight.mean(), dtype=torch.float32)
    net = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], WIDTH), torch.nn.ReLU(), torch.nn.Dropout(0.5),
        torch.nn.Linear(WIDTH, SECOND), torch.nn.ReLU(), torch.nn.Dropout(0.25),
        torch.nn.Linear(SECOND, 1),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=2e-2)
    steps = EPOCHS * (len(x) // BATCH + 1)
    decay = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    loss_of = torch.nn.BCEWithLogitsLoss(reduction="none")
    net.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for at in range(0, len(x), BATCH):
            some = order[at : at + BATCH]
            loss = (loss_of(net(x[some])[:, 0], y[some]) * w[some]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            decay.step()
    net.eval()
    return [
        (layer.weight.detach().numpy().T.astype(np.float64),
         layer.bias.detach().numpy().astype(np.float64))
        for layer in net
        if isinstance(layer, torch.nn.Linear)
    ]  # fmt: skip


def weights(frame: pl.DataFrame) -> F64:
    """What each pair counts for: good and spoilt as much, each kind as much as another.

    Pairs that the encoder has not seen (fold 0 and above) have HELD_SHARE of the whole.
    """
    unseen = pl.col("fold") >= 0
    of_kind = pl.when(pl.col("kind") == "").then(1.0).otherwise(1.0 / len(KINDS))
    share = pl.when(unseen).then(HELD_SHARE).otherwise(1.0 - HELD_SHARE)
    weight = frame.select(of_kind * share / pl.len().over("kind", unseen)).to_series()
    return weight.to_numpy().astype(np.float64)


def fit(base: Model, values: F32, frame: pl.DataFrame, networks: int = NETWORKS) -> Model:
    """A model of these pairs, not yet calibrated."""
    inputs = shaped(list(NAMES), values)
    weight = weights(frame)
    mean = np.average(inputs, axis=0, weights=weight)
    scale = np.sqrt(np.average((inputs - mean) ** 2, axis=0, weights=weight)) + 1e-3
    made = base._replace(mean=mean, scale=scale)
    good = (frame["kind"] == "").to_numpy()
    x = scaled(made, values)
    layers = [train(x, good, weight, seed) for seed in range(networks)]
    return made._replace(layers=layers)


def calibrate(found: F64, frame: pl.DataFrame) -> F64:
    """Slope and shift that make the log odds of unseen pairs right, good and spoilt as many."""
    good = torch.tensor((frame["kind"] == "").to_numpy(), dtype=torch.float64)
    weight = torch.tensor(weights(frame))
    at = torch.tensor(found)
    both = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser: Any = torch.optim.LBFGS([both], max_iter=100)

    def loss() -> Any:
        optimiser.zero_grad()
        z = at * both[0] + both[1]
        value: Any = torch.nn.functional.binary_cross_entropy_with_logits(
            z, good, weight=weight / weight.mean()
        )
        value.backward()
        return value

    optimiser.step(loss)
    made: F64 = both.detach().numpy()
    return made


def table(frame: pl.DataFrame, scores: F64, title: str) -> None:
    """Print the area under the curve of each kind."""
    kind = frame["kind"].to_numpy()
    good = scores[kind == ""]
    areas = {k: auc(good, scores[kind == k]) for k in KINDS if (kind == k).any()}
    print(title, f"all {np.mean(list(areas.values())):.4f}",
          " ".join(f"{k} {v:.3f}" for k, v in areas.items()), flush=True)  # fmt: skip


def main() -> None:
    """Learn, cross-validate, calibrate and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    folder = args.shared / "parallel"
    held = {k: v for k, v in texts.held_out(folder).items() if k not in texts.UNTRAINED}
    pairs = data.sources(folder, held)
    prose = [p for n, rows in pairs.items() if texts.SOURCES[n][0] in ("chat", "prose")
             for p in rows]  # fmt: skip
    store = Store.of(args.shared / "lid_text", random.Random(1).sample(prose, 20_000))
    none = np.zeros(0)
    base = Model(list(NAMES), background(pairs), grammars(pairs), none, none, [], none)
    seen = data.training(pairs, store, seed=1)
    unseen = pl.concat(
        [data.judged(v.rows(), store, seed=2, dressed=True, times=3)
         .with_columns(source=pl.lit(k)) for k, v in held.items()]
    )  # fmt: skip
    print(f"{len(seen):,} pairs seen by the encoder, {len(unseen):,} unseen", flush=True)
    frame = pl.concat([seen.with_columns(source=pl.lit("")), unseen])
    values = measured(frame, base)
    fold = frame["fold"].to_numpy()
    found = np.zeros(len(frame))
    for n in range(data.FOLDS):
        rest = fold != n
        part = fit(base, values[rest], frame.filter(rest), networks=1)
        found[~rest] = logits(part, values[~rest])
    here = fold >= 0
    judged = frame.filter(here)
    table(judged, found[here], "cross-validated, held-out slices:")
    only = judged["source"].is_in(list(data.PROSE)).to_numpy()
    table(judged.filter(only), found[here][only], "of them prose:")
    line = calibrate(found[here], judged)
    chance = 1.0 / (1.0 + np.exp(-(line[0] * found[here] + line[1])))
    good = (judged["kind"] == "").to_numpy()
    error, _ = reliability(chance, good, weights(judged))
    print(f"expected calibration error, cross-validated: {error:.3f}")
    made = fit(base, values, frame)._replace(calibration=line)
    save(made, HERE / FILE)
    load(HERE / FILE)
    shipped_model.cache_clear()
    print(f"calibration {made.calibration}, {(HERE / FILE).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
