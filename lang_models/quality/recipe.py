"""Rebuild `quality.npz`: learn to weigh the evidence for a pair from good and damaged pairs.

    python -m lang_models.quality.recipe --shared ../shared        # a few minutes on one core

Only this recipe needs PyTorch.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from ingest._typing import F32, F64, Bools
from ingest.encoder.model import Encoder
from ingest.scoring.alike import write_alike
from ingest.scoring.evidence import measure_evidence
from ingest.scoring.fluency import Grammar, learn_grammar
from ingest.scoring.model import (
    FILE,
    LANGS,
    NAMES,
    Model,
    load_model,
    logits,
    normalize_evidence,
    quantize,
    save_model,
    shipped_model,
    transform_evidence,
)
from ingest.scoring.words import split_words
from lang_models.encoder import data as texts
from lang_models.quality import data
from lang_models.quality.damage import KINDS, Pair, Store
from lang_models.quality.measure import auc, reliability

HERE = Path(__file__).resolve().parent
CLASSES = 600
BACKGROUND = 128  # sentences per language
NETWORKS = 3
WIDTH, SECOND = 128, 32
EPOCHS = 14
BATCH = 512
UNSEEN_SHARE = 0.4  # share of the loss for pairs that the encoder was not trained on
_MAX_PER_SOURCE = 12_000  # pairs per source from which grammars are learned
_CHUNK = 2048


def measure(frame: pl.DataFrame, model: Model) -> F32:
    """Measure the evidence for each pair of a frame: float32 [pairs, NAMES]."""
    out = []
    for batch in frame.iter_slices(_CHUNK):
        langs = tuple(pl.repeat(lang, len(batch), dtype=pl.String, eager=True) for lang in LANGS)
        sides = (batch["arabic"], batch["english"])
        alike = write_alike(*sides)
        out.append(
            measure_evidence(
                *sides, alike, (langs[0], langs[1]), model=model, detector="langdetect-exact"
            )
        )
    return np.concatenate(out)


def learn_grammars(pairs: dict[str, list[Pair]]) -> tuple[Grammar, Grammar]:
    """Learn the grammars of Arabic and English."""
    rng = random.Random(5)
    sample: list[Pair] = []
    for name, rows in pairs.items():
        if texts.SOURCES[name][0] != "terms":
            sample += rng.sample(rows, min(len(rows), _MAX_PER_SOURCE))
    sides = write_alike(pl.Series([a for _, a in sample]), pl.Series([e for e, _ in sample]))
    words = split_words(*sides)
    distinct = words.distinct.column
    return (
        learn_grammar(words.first, distinct, CLASSES),
        learn_grammar(words.second, distinct, CLASSES),
    )


def encode_background(pairs: dict[str, list[Pair]]) -> tuple[F32, F32]:
    """Encode sentences of prose and chat: Arabic ones, and English ones of other pairs."""
    rng = random.Random(6)
    names = [name for name in pairs if texts.SOURCES[name][0] in ("chat", "prose")]
    rows: list[Pair] = []
    while len(rows) < 2 * BACKGROUND:
        pair = rng.choice(pairs[rng.choice(names)])
        if 5 <= len(pair[0].split()) <= 40 and pair not in rows:
            rows.append(pair)
    encoder = Encoder.load()
    arabic = encoder.encode([a for _, a in rows[:BACKGROUND]])
    english = encoder.encode([e for e, _ in rows[BACKGROUND:]])
    return _quantized(arabic), _quantized(english)


def _quantized(vectors: F32) -> F32:
    """Return vectors as they are after saving and loading."""
    rows = quantize(vectors).astype(np.float32)
    unit: F32 = rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return unit


def train(inputs: F64, is_good: Bools, weight: F64, seed: int) -> list[tuple[F64, F64]]:
    """Train one network and return weight and bias of each layer."""
    torch.manual_seed(seed)
    x = torch.tensor(inputs, dtype=torch.float32)
    y = torch.tensor(is_good, dtype=torch.float32)
    w = torch.tensor(weight / weight.mean(), dtype=torch.float32)
    net = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], WIDTH), torch.nn.ReLU(), torch.nn.Dropout(0.5),
        torch.nn.Linear(WIDTH, SECOND), torch.nn.ReLU(), torch.nn.Dropout(0.25),
        torch.nn.Linear(SECOND, 1),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=2e-2)
    steps = EPOCHS * (len(x) // BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    loss_of = torch.nn.BCEWithLogitsLoss(reduction="none")
    net.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for start in range(0, len(x), BATCH):
            batch = order[start : start + BATCH]
            loss = (loss_of(net(x[batch])[:, 0], y[batch]) * w[batch]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    net.eval()
    return [
        (layer.weight.detach().numpy().T.astype(np.float64),
         layer.bias.detach().numpy().astype(np.float64))
        for layer in net
        if isinstance(layer, torch.nn.Linear)
    ]  # fmt: skip


def pair_weights(frame: pl.DataFrame) -> F64:
    """Return the weight of each pair: good and damaged pairs equal, all kinds of damage equal.

    Pairs that the encoder was not trained on (fold 0 and above) have UNSEEN_SHARE of the total.
    """
    is_unseen = pl.col("fold") >= 0
    kind_share = pl.when(pl.col("kind") == "").then(1.0).otherwise(1.0 / len(KINDS))
    share = pl.when(is_unseen).then(UNSEEN_SHARE).otherwise(1.0 - UNSEEN_SHARE)
    weight = frame.select(kind_share * share / pl.len().over("kind", is_unseen)).to_series()
    return weight.to_numpy().astype(np.float64)


def fit(base: Model, values: F32, frame: pl.DataFrame, networks: int = NETWORKS) -> Model:
    """Train a model on these pairs. It is not calibrated yet."""
    inputs = transform_evidence(list(NAMES), values)
    weight = pair_weights(frame)
    mean = np.average(inputs, axis=0, weights=weight)
    scale = np.sqrt(np.average((inputs - mean) ** 2, axis=0, weights=weight)) + 1e-3
    model = base._replace(mean=mean, scale=scale)
    is_good = (frame["kind"] == "").to_numpy()
    x = normalize_evidence(model, values)
    return model._replace(layers=[train(x, is_good, weight, seed) for seed in range(networks)])


def calibrate(log_odds: F64, frame: pl.DataFrame) -> F64:
    """Fit slope and intercept for the log odds of unseen pairs, half of which are good."""
    is_good = torch.tensor((frame["kind"] == "").to_numpy(), dtype=torch.float64)
    weight = torch.tensor(pair_weights(frame))
    x = torch.tensor(log_odds)
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer: Any = torch.optim.LBFGS([line], max_iter=100)

    def loss() -> Any:
        optimizer.zero_grad()
        value: Any = torch.nn.functional.binary_cross_entropy_with_logits(
            x * line[0] + line[1], is_good, weight=weight / weight.mean()
        )
        value.backward()
        return value

    optimizer.step(loss)
    calibration: F64 = line.detach().numpy()
    return calibration


def print_areas(frame: pl.DataFrame, scores: F64, title: str) -> None:
    """Print the area under the ROC curve for each kind of damage."""
    kind = frame["kind"].to_numpy()
    good = scores[kind == ""]
    areas = {k: auc(good, scores[kind == k]) for k in KINDS if (kind == k).any()}
    mean = np.mean(list(areas.values()))
    print(title, f"all {mean:.4f}", *(f"{k} {v:.3f}" for k, v in areas.items()), flush=True)


def cross_validate(base: Model, values: F32, frame: pl.DataFrame) -> F64:
    """Return log odds of the pairs with a fold, from networks not trained on that fold."""
    fold = frame["fold"].to_numpy()
    log_odds = np.zeros(len(frame))
    for number in range(data.FOLDS):
        others = fold != number
        model = fit(base, values[others], frame.filter(others), networks=1)
        log_odds[~others] = logits(model, values[~others])
    return log_odds[fold >= 0]


def main() -> None:
    """Train, cross-validate, calibrate and write the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    folder = args.shared / "parallel"
    held_out = {k: v for k, v in texts.held_out(folder).items() if k not in texts.UNTRAINED}
    pairs = data.sources(folder, held_out)
    prose = [pair for name, rows in pairs.items()
             if texts.SOURCES[name][0] in ("chat", "prose") for pair in rows]  # fmt: skip
    store = Store.build(args.shared / "lid_text", random.Random(1).sample(prose, 20_000))
    none = np.zeros(0)
    base = Model(list(NAMES), encode_background(pairs), learn_grammars(pairs), none, none, [], none)
    seen = data.training_set(pairs, store, seed=1)
    unseen = pl.concat(
        [data.evaluation_set(frame.rows(), store, seed=2, varied=True, times=3)
         .with_columns(source=pl.lit(name)) for name, frame in held_out.items()]
    )  # fmt: skip
    print(
        f"{len(seen):,} pairs that the encoder was trained on, {len(unseen):,} others", flush=True
    )
    frame = pl.concat([seen.with_columns(source=pl.lit("")), unseen])
    values = measure(frame, base)
    log_odds = cross_validate(base, values, frame)
    print_areas(unseen, log_odds, "cross-validated, held-out pairs:")
    is_prose = unseen["source"].is_in(list(data.PROSE)).to_numpy()
    print_areas(unseen.filter(is_prose), log_odds[is_prose], "of these, prose:")
    calibration = calibrate(log_odds, unseen)
    probability = 1.0 / (1.0 + np.exp(-(calibration[0] * log_odds + calibration[1])))
    is_good = (unseen["kind"] == "").to_numpy()
    error, _ = reliability(probability, is_good, pair_weights(unseen))
    print(f"expected calibration error, cross-validated: {error:.3f}")
    model = fit(base, values, frame)._replace(calibration=calibration)
    save_model(model, HERE / FILE)
    load_model(HERE / FILE)  # raises if it cannot be read
    shipped_model.cache_clear()
    print(f"calibration {model.calibration}, {(HERE / FILE).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
